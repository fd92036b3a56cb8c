//! `doctor`

use crate::admin::doctor::{Finding, examine};
use crate::admin::restore::{self, Kept, Listing, OverLogin};
use crate::app::{App, AppError};
use crate::cli::exit::{Command, ExitStatus, Failure, Hint};
use crate::cli::failure::{LoginAt, next_step, state_remedy};
use crate::cli::login_state::StateReport;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::cli::wait::wait;
use crate::cli::{doctor_report, duration};
use crate::profile::{AgentId, Millis, ProfileId};
use crate::store::StoreFormat;
use crate::text::printable;
use serde::Serialize;
use std::path::PathBuf;

/// What `--restore` without a backup means.
const LIST: &str = "list";

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[command(after_help = "\
Without options: looks at owners and modes, locks, leftover files, documents, logins,
provider files and the configuration. Nothing is written. Exit codes: 0 nothing to do,
1 something is wrong; the lines say what, and the next command.

With --restore: every change of an agent's credentials keeps what it replaced; this lists
what there is, or brings the profiles of one backup back. Nothing that is stored now is
removed. A login whose refresh token was rotated since stays as it is, because a second use
of the old one would end it; --force restores it anyway.

With --report FILE: writes a new file (0600) for somebody who looks for a fault: versions, modes,
states, times and the codes of what was found; no secrets, and hashes in the place of names.

  openclaw-auth doctor
  openclaw-auth doctor --report report.json
  openclaw-auth doctor --restore --list
  openclaw-auth doctor --restore latest")]
pub(super) struct Args {
    /// Bring the profiles of a backup back, by its name or `latest`; without one, list them
    #[arg(long, value_name = "BACKUP", num_args = 0..=1, default_missing_value = LIST)]
    restore: Option<String>,
    /// List the backups
    #[arg(long, requires = "restore")]
    list: bool,
    /// Bring back refresh tokens that were rotated since, too
    #[arg(long, requires = "restore")]
    force: bool,
    /// Write what somebody else needs to see of a fault to this new file, without secrets or names
    #[arg(long, value_name = "FILE", conflicts_with = "restore")]
    report: Option<PathBuf>,
    /// Name profiles, agents and providers in the report
    #[arg(long, requires = "report")]
    names: bool,
    /// The agent whose backups are meant [default: the default agent]
    #[arg(long, value_name = "ID", requires = "restore")]
    agent: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    schema: u32,
    #[serde(flatten)]
    state_dir: PathMember<'r>,
    stores: usize,
    storage: StorageReport,
    ok: bool,
    findings: Vec<FindingReport<'r>>,
}

#[derive(Serialize)]
struct StorageReport {
    format: &'static str,
    reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingReport<'r> {
    code: &'static str,
    severity: &'static str,
    message: &'r str,
    next: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint_command: Option<&'r Command>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BackupsReport<'r> {
    schema: u32,
    agent_id: &'r AgentId,
    #[serde(flatten)]
    directory: PathMember<'r>,
    backups: Vec<BackupReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BackupReport<'r> {
    name: &'r str,
    #[serde(flatten)]
    path: PathMember<'r>,
    replaced_at: i64,
    replaced_by: &'static str,
    /// That of the store that it is a backup of, where the logins have moved since.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    profiles: Option<&'r [ProfileId]>,
}

#[derive(Serialize)]
struct RestoreReport<'r> {
    schema: u32,
    #[serde(flatten)]
    report: &'r restore::Report,
    #[serde(rename = "signInAgain")]
    sign_in_again: Vec<OverReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OverReport<'r> {
    id: &'r ProfileId,
    #[serde(flatten)]
    state: StateReport<'r>,
    next: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint_command: Option<&'r Command>,
}

impl<'r> OverReport<'r> {
    fn of((login, next): &'r (&OverLogin, Hint)) -> Self {
        Self {
            id: &login.id,
            state: StateReport::new(&login.state, None),
            next: next.to_string(),
            hint_command: next.command(),
        }
    }
}

const fn severity(finding: &Finding) -> &'static str {
    if finding.is_problem { "problem" } else { "note" }
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let agent = AgentId::named(args.agent.as_deref());
    let agent = agent.as_ref();
    match &args.restore {
        Some(backup) if !args.list && backup != LIST => restore(app, agent, backup, args, output),
        Some(_) => list(app, agent, args.json, output),
        None => look(app, args, output),
    }
}

fn look(app: &App, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let json = args.json;
    let file = args.report.as_deref().map(|it| app.paths.current_dir.join(it));
    if let Some(file) = &file {
        doctor_report::check(file)?;
    }
    let report = wait(async { Ok::<_, AppError>(examine(app).await) })?;
    if let Some(file) = &file {
        doctor_report::write(app, &report, file, args.names)?;
        let names = if args.names { "with names" } else { "names are hashed" };
        output.say(&format!("The report is in {} ({names}, no secrets)", app.paths.shorten(file)));
    }
    if report.has_problems() {
        output.end_with(ExitStatus::Findings);
    }
    let ok = !report.has_problems();
    let told = report.findings.iter().map(|finding| {
        let told = (finding.what.message(), next_step(&finding.what, app));
        (finding.code, severity(finding), told)
    });
    let told: Vec<_> = told.collect();
    if json {
        let findings = told.iter().map(|(code, severity, (message, next))| FindingReport {
            code: code.name(),
            severity,
            message,
            next: next.to_string(),
            hint_command: next.command(),
        });
        return output.json(&Report {
            schema: 1,
            state_dir: PathMember::of("stateDir", &report.state_dir),
            stores: report.stores,
            storage: StorageReport {
                format: report.storage.format().name(),
                reason: report.storage.to_string(),
            },
            ok,
            findings: findings.collect(),
        });
    }
    for (_, severity, (message, next)) in told {
        let message = printable(&message, 2_000);
        let next = printable(&next.to_string(), 2_000);
        output.data(&format!("{severity}: {message}\n  next: {next}\n"))?;
    }
    if ok {
        let stores = if report.stores == 1 { "store" } else { "stores" };
        output.data(&format!(
            "Nothing is wrong in {} ({} {stores})\n",
            app.paths.shorten(&report.state_dir),
            report.stores
        ))?;
    }
    let storage = printable(&report.storage.to_string(), 2_000);
    output.data(&format!("storage: {storage}\n"))
}

const fn replaced_by(is_renewal: bool) -> &'static str {
    if is_renewal { "renewal" } else { "change" }
}

fn list(
    app: &App,
    agent: Option<&AgentId>,
    json: bool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let listing = restore::list(app, agent)?;
    if json {
        let backups = listing.backups.iter().map(|backup| BackupReport {
            name: &backup.name,
            path: PathMember::location("path", &backup.location),
            replaced_at: backup.replaced_at,
            replaced_by: replaced_by(backup.is_renewal),
            format: backup.other_format.map(StoreFormat::name),
            profiles: backup.profiles.as_deref(),
        });
        return output.json(&BackupsReport {
            schema: 1,
            agent_id: &listing.agent_id,
            directory: PathMember::location("directory", &listing.directory),
            backups: backups.collect(),
        });
    }
    if listing.backups.is_empty() {
        output.say(&format!("Agent `{}` has no backup", listing.agent_id));
        return Ok(());
    }
    output.data(&text(&listing, app.now()))
}

fn text(listing: &Listing, now: Millis) -> String {
    let lines = listing.backups.iter().map(|backup| {
        let profiles = match &backup.profiles {
            None => "cannot be read".to_owned(),
            Some(ids) => ids.iter().map(|id| format!("{id:.120}")).collect::<Vec<_>>().join(", "),
        };
        let age = duration::show(now.saturating_sub(backup.replaced_at));
        let by = replaced_by(backup.is_renewal);
        let of = backup.other_format.map(|format| format!(" (of {format})")).unwrap_or_default();
        format!("{}{of}  replaced {age} ago by a {by}: {profiles}\n", backup.name)
    });
    lines.collect()
}

fn restore(
    app: &App,
    agent: Option<&AgentId>,
    backup: &str,
    args: &Args,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let report = restore::restore(app, agent, backup, args.force)?;
    let over = report.over.iter().map(|login| {
        let OverLogin { id, provider, state } = login;
        let at = LoginAt { profile_id: id, provider, agent_id: &report.agent_id };
        (login, state_remedy(app, &at, state))
    });
    let over: Vec<_> = over.collect();
    if args.json {
        return output.json(&RestoreReport {
            schema: 1,
            report: &report,
            sign_in_again: over.iter().map(OverReport::of).collect(),
        });
    }
    for id in &report.restored {
        output.data(&format!("restored: {id}\n"))?;
    }
    for (OverLogin { id, state, .. }, next) in &over {
        let next = printable(&next.to_string(), 2_000);
        output.data(&format!("{id}: {state}\n  next: {next}\n"))?;
    }
    for Kept { id, reason } in &report.kept {
        output.data(&format!("left as it is: {id} ({reason})\n"))?;
    }
    if report.restored.is_empty() && report.kept.is_empty() {
        output.data("Nothing differs from the backup\n")?;
    }
    Ok(())
}
