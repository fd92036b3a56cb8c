//! `doctor --report FILE`: what somebody else needs to see of a fault.
//!
//! Invariant: the report is built from typed fields: words of ours, numbers, times, hashes. No text
//! of a file, a variable or a message enters it; names stand in it where the user asks for them.

use super::version::{COMMIT, FEATURES, LINKING, TARGET};
use crate::admin::doctor;
use crate::app::App;
use crate::cli::exit::{ExitStatus, Failure};
use crate::ops::list::{Row, list};
use crate::profile::{AgentId, LoginState, Millis};
use crate::provider::built_in_id;
use crate::system::environment::{Remote, set_variables};
use crate::system::new_file;
use crate::system::trace::Hash;
use crate::text::printable;
use serde::Serialize;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    schema: u32,
    created_at: Millis,
    names: bool,
    program: Program,
    system: System,
    state_dir: Place,
    config: Place,
    storage: &'static str,
    variables: Vec<&'static str>,
    agents: Vec<Agent>,
    findings: Vec<FindingReport>,
}

#[derive(Serialize)]
struct Program {
    version: &'static str,
    commit: &'static str,
    target: &'static str,
    linking: &'static str,
    features: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct System {
    os: &'static str,
    arch: &'static str,
    /// What keeps a browser of the user from reaching this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<&'static str>,
}

/// A file or directory.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    there: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ours: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

impl Place {
    fn of(path: &Path) -> Self {
        let is_link = path.symlink_metadata().ok().map(|it| it.is_symlink());
        let Ok(metadata) = path.metadata() else {
            return Self { there: false, mode: None, link: is_link, ours: None, size: None };
        };
        Self {
            there: true,
            mode: Some(format!("{:o}", metadata.mode() & 0o7777)),
            link: is_link,
            ours: Some(metadata.uid() == rustix::process::geteuid().as_raw()),
            size: metadata.is_file().then_some(metadata.len()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Agent {
    id: String,
    readable: bool,
    invalid_entries: usize,
    profiles: Vec<Profile>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    id: String,
    provider: String,
    #[serde(rename = "type")]
    kind: &'static str,
    inherited: bool,
    of_program: bool,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_since: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
}

#[derive(Serialize)]
struct FindingReport {
    code: &'static str,
    severity: &'static str,
}

/// The report cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write {}", path.display())]
struct NotWritten {
    path: PathBuf,
    source: io::Error,
}

/// Fails where the report could not have its name: nothing is replaced and no link is followed.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    new_file::check_absent(path).map_err(|source| not_written(path, source))
}

/// Writes what was found, and what there is of logins, to the new file `path` (0600). Names are
/// hashed unless `with_names`.
pub(super) fn write(
    app: &App,
    found: &doctor::Report,
    path: &Path,
    with_names: bool,
) -> Result<(), Failure> {
    let report = report(app, found, with_names);
    let text = serde_json::to_string_pretty(&report).map(|text| text + "\n");
    let written = text.map_err(io::Error::from).and_then(|text| {
        new_file::write_part(path, text.as_bytes())?;
        new_file::name_part(path)
            .inspect_err(|_| drop(std::fs::remove_file(new_file::part_of(path))))
    });
    written.map_err(|source| not_written(path, source))
}

fn not_written(path: &Path, source: io::Error) -> Failure {
    let is_there = source.kind() == io::ErrorKind::AlreadyExists;
    let failure = Failure::new(ExitStatus::Failure, NotWritten { path: path.to_owned(), source });
    if is_there {
        return failure.hint("name a file that is not there; nothing is replaced");
    }
    failure
}

fn report(app: &App, found: &doctor::Report, with_names: bool) -> Report {
    let named = Named(with_names);
    let config = app.config().unwrap_or_default();
    let agents = app.agents_with_directories(&config);
    let findings = found.findings.iter().map(|finding| FindingReport {
        code: finding.code.name(),
        severity: if finding.is_problem { "problem" } else { "note" },
    });
    Report {
        schema: 1,
        created_at: app.now(),
        names: with_names,
        program: Program {
            version: env!("CARGO_PKG_VERSION"),
            commit: COMMIT,
            target: TARGET,
            linking: LINKING,
            features: FEATURES,
        },
        system: System {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            remote: app.environment.remote().map(Remote::name),
        },
        state_dir: Place::of(&app.paths.state_dir),
        config: Place::of(&app.paths.config),
        storage: found.storage.format().name(),
        variables: set_variables(&app.environment),
        agents: agents.iter().map(|agent| of_agent(app, &agent.id, named)).collect(),
        findings: findings.collect(),
    }
}

fn of_agent(app: &App, agent: &AgentId, named: Named) -> Agent {
    let id = named.name(agent.as_str());
    let Ok(listing) = list(app, Some(agent), None) else {
        return Agent { id, readable: false, invalid_entries: 0, profiles: Vec::new() };
    };
    Agent {
        id,
        readable: true,
        invalid_entries: listing.invalid_entries,
        profiles: listing.rows.iter().map(|row| of_profile(row, named)).collect(),
    }
}

fn of_profile(row: &Row, named: Named) -> Profile {
    let provider = built_in_id(&row.provider);
    let state_reason = match &row.state {
        LoginState::SignInAgain { why, .. } => Some(why.name()),
        _ => None,
    };
    Profile {
        id: named.name(row.id.as_str()),
        provider: provider.map_or_else(|| named.name(row.provider.as_str()), str::to_owned),
        kind: row.kind.name(),
        inherited: row.inherited_from.is_some(),
        of_program: row.managed_by.is_some(),
        state: row.state.name(),
        state_reason,
        state_since: row.state.since(),
        proven_at: row.proven_at,
        expires_at: row.expires,
    }
}

/// Whether names stand in the report as they are.
#[derive(Clone, Copy)]
struct Named(bool);

impl Named {
    fn name(self, text: &str) -> String {
        if self.0 { printable(text, 200) } else { format!("sha256:{}", Hash::of(text)) }
    }
}
