//! Failures of the commands that look after the state directory: models, secrets, backups.

use super::{Advice, Explain};
use crate::admin::audit::AuditError;
use crate::admin::default_model::DefaultModelError;
use crate::admin::restore::RestoreError;
use crate::admin::status::StatusError;
use crate::cli::exit::{Command, ExitStatus, Hint};

impl Explain for AuditError {
    fn advice(&self) -> Advice {
        match self {
            AuditError::App(error) => error.advice(),
            AuditError::Table(_) => (ExitStatus::Failure, None),
        }
    }
}

impl Explain for DefaultModelError {
    fn advice(&self) -> Advice {
        match self {
            DefaultModelError::App(error) => error.advice(),
            DefaultModelError::NoModel => (ExitStatus::Usage, None),
        }
    }
}

impl Explain for StatusError {
    fn advice(&self) -> Advice {
        match self {
            StatusError::App(error) => error.advice(),
            StatusError::Agent(error) => error.advice(),
        }
    }
}

impl Explain for RestoreError {
    fn advice(&self) -> Advice {
        match self {
            RestoreError::App(error) | RestoreError::NotRecorded(error) => error.advice(),
            RestoreError::OtherFormat { format, .. } => {
                let convert = Command::ours("store convert").option("--to", format.name());
                let text = "to go back to that form of store first, or leave the backup alone: ";
                (ExitStatus::Failure, Some(Hint::new(text).run(convert)))
            }
            RestoreError::MoveNoted(_) => (ExitStatus::Failure, None),
            RestoreError::NoBackup { agent_id, .. } => {
                let list = Command::ours("doctor --restore --list").option("--agent", agent_id);
                (ExitStatus::Failure, Some(list.into()))
            }
        }
    }
}
