//! The audit of secrets: what stands in clear, which references do not resolve, which are
//! never used, and what older versions have left behind.
//!
//! Invariant: the audit writes nothing and runs no command unless it is allowed to. Files,
//! their order, codes and severities are those of OpenClaw 2026.4.24, with one code of our
//! own: [`Code::ReferenceMisplaced`].

mod configuration;
mod known;
mod models;
mod path;
mod profiles;
mod resolution;

use crate::app::{App, AppError};
use crate::config::{AgentDir, Config, Variables, assignments, unquote};
use crate::profile::secret_ref::SecretRef;
use crate::profile::{AgentId, ProfileId, ProviderId};
use crate::provider::Conventions;
use crate::reference::{Secrets, Wanted};
use crate::store::StoreError;
use crate::system::file;
use crate::text::chain;
use indexmap::{IndexMap, IndexSet};
use known::Known;
use serde_json::{Map, Value};
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The agent whose store is looked at is not known.
    #[error(transparent)]
    App(AppError),
    /// The table of secret fields is broken.
    #[error("the built-in table of secrets cannot be read")]
    Table(#[source] serde_json::Error),
}

impl<E: Into<AppError>> From<E> for AuditError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// What the audit found.
#[derive(Debug)]
pub struct Report {
    /// How many references were looked up.
    pub references_checked: usize,
    /// How many were not, because that would have run a command.
    pub commands_skipped: usize,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// The findings.
    pub findings: Vec<Finding>,
    /// A database of a newer OpenClaw that the audit does not look into.
    pub newer_store: Option<StoreError>,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A secret stands in clear.
    Plaintext,
    /// A reference does not resolve, or a file cannot be interpreted.
    Unresolved,
    /// A reference is never used, because profiles go before it.
    Shadowed,
    /// Something that references do not replace.
    LegacyResidue,
    /// A reference where none may be.
    ReferenceMisplaced,
}

impl Code {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT_FOUND",
            Self::Unresolved => "REF_UNRESOLVED",
            Self::Shadowed => "REF_SHADOWED",
            Self::LegacyResidue => "LEGACY_RESIDUE",
            Self::ReferenceMisplaced => "REF_NOT_ALLOWED",
        }
    }
}

/// One finding. It holds no secret.
#[derive(Debug)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// `info`, `warn` or `error`.
    pub severity: &'static str,
    /// The file.
    pub file: String,
    /// The place in it.
    pub path: String,
    /// What is to be said about it.
    pub message: String,
    /// The provider that it concerns.
    pub provider: Option<ProviderId>,
    /// The profile that it concerns.
    pub profile_id: Option<ProfileId>,
}

impl Report {
    /// How many findings have this code.
    pub fn count(&self, code: Code) -> usize {
        self.findings.iter().filter(|finding| finding.code == code).count()
    }

    /// `clean`, `findings` or `unresolved`.
    pub fn status(&self) -> &'static str {
        match (self.count(Code::Unresolved), self.findings.is_empty()) {
            (0, true) => "clean",
            (0, false) => "findings",
            _ => "unresolved",
        }
    }
}

/// What the audit gathers on its way.
struct Collector<'a> {
    known: Known,
    variables: &'a Variables<'a>,
    findings: Vec<Finding>,
    files: Vec<PathBuf>,
    /// The places that hold a reference.
    assignments: Vec<Assignment>,
    /// Where the configuration has a reference for a provider.
    configured: IndexMap<ProviderId, Vec<String>>,
    /// The kinds of credentials that profiles have for a provider.
    held: IndexMap<ProviderId, IndexSet<&'static str>>,
}

/// A place that holds a reference.
struct Assignment {
    file: PathBuf,
    path: String,
    reference: SecretRef,
    wanted: Wanted,
    provider: Option<String>,
}

impl Collector<'_> {
    fn find(
        &mut self,
        (code, severity): (Code, &'static str),
        (file, path): (&Path, String),
        message: String,
        (provider, profile_id): (Option<&str>, Option<&ProfileId>),
    ) {
        self.findings.push(Finding {
            code,
            severity,
            file: file.display().to_string(),
            path,
            message,
            provider: provider.map(ProviderId::from),
            profile_id: profile_id.cloned(),
        });
    }

    fn find_plaintext(
        &mut self,
        at: (&Path, String),
        message: impl Into<String>,
        about: (Option<&str>, Option<&ProfileId>),
    ) {
        self.find((Code::Plaintext, "warn"), at, message.into(), about);
    }

    fn find_unresolved(&mut self, at: (&Path, String), message: String, provider: Option<&str>) {
        self.find((Code::Unresolved, "error"), at, message, (provider, None));
    }

    /// The JSON object in a file that is there. What cannot be interpreted is a finding.
    fn object(&mut self, path: &Path, limit: Option<u64>) -> Option<Map<String, Value>> {
        if !path.exists() {
            return None;
        }
        self.files.push(path.to_owned());
        match read_object(path, limit) {
            Ok(object) => Some(object),
            Err(error) => {
                self.find_unresolved((path, ROOT.to_owned()), chain(&error), None);
                None
            }
        }
    }
}

/// The place of a finding about a file as a whole.
const ROOT: &str = "<root>";

/// Why nothing is known of what a file holds.
#[derive(Debug, thiserror::Error)]
enum ObjectError {
    #[error("the file is not a regular file, so it was not read")]
    NotRegular,
    #[error("the file is longer than {limit} bytes, so it was not read")]
    TooLong { limit: u64 },
    #[error("the file cannot be read")]
    Read(#[source] io::Error),
    #[error("the file is not a JSON object")]
    NoObject,
    /// Only the place of the mistake: the parser's message may quote a secret.
    #[error("the file is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
}

fn read_object(path: &Path, limit: Option<u64>) -> Result<Map<String, Value>, ObjectError> {
    if let Some(limit) = limit
        && let Ok(metadata) = path.metadata()
    {
        if !metadata.is_file() {
            return Err(ObjectError::NotRegular);
        }
        if metadata.len() > limit {
            return Err(ObjectError::TooLong { limit });
        }
    }
    let text = read_text(path)?;
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ObjectError::NoObject),
        Err(error) => Err(ObjectError::NotJson { line: error.line(), column: error.column() }),
    }
}

/// The text of a file; nothing where there is none.
fn read_text(path: &Path) -> Result<String, ObjectError> {
    let read = file::read(path).map_err(ObjectError::Read)?;
    Ok(read.map(|(text, _)| text).unwrap_or_default())
}

/// The members of an object in the order of JavaScript: keys that are array indices come
/// first, by number.
fn entries(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let index = |key: &str| {
        let number = key.parse::<u32>().ok()?;
        (number != u32::MAX && number.to_string() == key).then_some(number)
    };
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_by_key(|(key, _)| index(key).map_or((true, 0), |number| (false, number)));
    entries
}

/// Audits every secret of the state directory.
///
/// # Errors
/// Never at present: what cannot be read is a finding.
pub fn audit(app: &App, allow_commands: bool) -> Result<Report, AuditError> {
    let config_path = &app.paths.config;
    let loaded = Config::load(&app.paths, &app.environment).map_err(|error| error.to_string());
    let read = loaded.and_then(|config| match Secrets::of(&config, config_path) {
        Ok(secrets) => Ok((config, secrets)),
        Err(error) => Err(error.to_string()),
    });
    let (config, secrets, invalid) = match read {
        Ok((config, secrets)) => (config, Some(secrets), None),
        Err(reason) => (Config::default(), None, Some(reason)),
    };
    app.warn_of(&app.exposures_of(&app.stores(&config)));
    let variables = Variables::of(&app.environment, &app.paths, &config);
    let mut collector = Collector {
        known: Known::of(Conventions::of(app.environment.has_bundled_plugins()))
            .map_err(AuditError::Table)?,
        variables: &variables,
        findings: Vec::new(),
        files: vec![config_path.clone()],
        assignments: Vec::new(),
        configured: IndexMap::new(),
        held: IndexMap::new(),
    };
    let mut checked = resolution::Checked::default();
    if let Some(secrets) = &secrets {
        collector.scan_configuration(&config, config_path, secrets);
        let directories = agent_directories(app, &config);
        for directory in &directories {
            collector.scan_profiles(&directory.join("auth-profiles.json"), &config, secrets);
        }
        for directory in with_active(directories, app.paths.main_agent()) {
            collector.scan_models(&directory.join("models.json"));
        }
        checked = collector.resolve(secrets, &app.paths, allow_commands);
        collector.find_shadowed();
    } else {
        let reason = invalid.unwrap_or_default();
        collector.find_unresolved((config_path, ROOT.to_owned()), reason, None);
    }
    collector.scan_variables(&app.paths.env_file(&app.environment));
    for directory in listed_directories(app) {
        collector.scan_legacy(&directory.join("auth.json"));
    }
    let Collector { findings, mut files, .. } = collector;
    files.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    files.dedup();
    let main = app.store(&app.agent(&config, None)?);
    Ok(Report {
        references_checked: checked.looked_up,
        commands_skipped: checked.skipped,
        files,
        findings,
        newer_store: main.check_generation().err(),
    })
}

/// The directories of agents below the state directory, by name.
fn listed_directories(app: &App) -> Vec<PathBuf> {
    let entries = app.paths.state_dir.join("agents").read_dir().into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut names: Vec<_> = directories.map(|entry| entry.path()).collect();
    names.sort();
    names.into_iter().map(|path| path.join("agent")).collect()
}

/// The directory of every agent: `main`, those on disk, those of the configuration.
fn agent_directories(app: &App, config: &Config) -> IndexSet<PathBuf> {
    let mut directories = IndexSet::from([app.paths.agent_dir(&AgentId::main())]);
    directories.extend(listed_directories(app));
    let configured = config.agents().map(|agent| agent.id()).filter(|id| !id.is_main());
    directories.extend(configured.map(|id| config.agent_dir(&app.paths, &id).path));
    directories
}

/// The same directories with that of the environment in the second place.
fn with_active(directories: IndexSet<PathBuf>, active: Option<AgentDir>) -> IndexSet<PathBuf> {
    let mut directories = directories.into_iter();
    let mut all: IndexSet<PathBuf> = directories.next().into_iter().collect();
    all.extend(active.map(|active| active.path));
    all.extend(directories);
    all
}

impl Collector<'_> {
    /// Looks for secrets in the `.env` file.
    fn scan_variables(&mut self, path: &Path) {
        if !path.exists() {
            return;
        }
        self.files.push(path.to_owned());
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) => {
                self.find_unresolved((path, ROOT.to_owned()), chain(&error), None);
                return;
            }
        };
        for (name, value) in assignments(&text) {
            if unquote(value).is_empty() || !self.known.is_variable(name) {
                continue;
            }
            let message = format!("{name} looks like a secret in clear");
            self.find_plaintext((path, format!("$env.{name}")), message, (None, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn array_indices_come_first() {
        let object = serde_json::json!({"b": 0, "10": 0, "2": 0, "02": 0, "4294967295": 0, "a": 0});
        let keys: Vec<_> =
            entries(object.as_object().unwrap()).into_iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["2", "10", "b", "02", "4294967295", "a"]);
    }
}
