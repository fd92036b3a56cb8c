//! The audit of secrets: what stands in clear, which references do not resolve, which are
//! never used, and what older versions have left behind.
//!
//! Invariant: the audit writes nothing and runs no command unless it is allowed to. Files,
//! their order, databases after documents, codes and severities are those of OpenClaw 2026.4.24, with one code of our
//! own: [`Code::ReferenceMisplaced`].

mod collector;
mod configuration;
mod finding;
mod known;
mod models;
mod object;
mod path;
mod profiles;
mod resolution;
mod variables;

pub use finding::{Code, Finding, Report};

use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::profile::AgentId;
use crate::provider::Conventions;
use crate::reference::Secrets;
use collector::{Collector, ROOT};
use indexmap::{IndexMap, IndexSet};
use known::Known;
use std::path::PathBuf;

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
    let variables = config.variables(&app.environment, &app.paths);
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
        for store in app.stores(&config).iter().filter(|store| store.is_in_database()) {
            collector.scan_rows(store, &config, secrets);
        }
        for directory in with_active(directories, app.paths.main_agent()) {
            collector.scan_models(&directory.join("models.json"));
        }
        checked = collector.resolve(secrets, app, allow_commands);
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
    let configured = config.agent_dirs(&app.paths).filter(|agent| !agent.id.is_main());
    directories.extend(configured.map(|agent| agent.path));
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
