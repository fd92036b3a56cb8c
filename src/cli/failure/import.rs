//! Failures of importing the logins of other programs.

use super::{Advice, Explain};
use crate::cli::exit::{ExitStatus, Hint};
use crate::ops::import::ImportError;
use crate::text::printable;

impl Explain for ImportError {
    fn advice(&self) -> Advice {
        let (status, hint): (_, Hint) = match self {
            ImportError::App(error) => return error.advice(),
            ImportError::External(error) => return error.advice(),
            ImportError::ProfileId(error) => return error.advice(),
            ImportError::Changed { source, .. } => return source.advice(),
            ImportError::StillSignedIn { source, .. } => return source.advice(),
            ImportError::NotRecorded(error) => return error.advice(),
            ImportError::NothingFit { tool, .. } => {
                let sign_in = &tool.program().sign_in;
                (ExitStatus::Failure, format!("sign in again there: {sign_in}").into())
            }
            ImportError::StaysThere { .. } | ImportError::OtherKind { .. } => {
                return (ExitStatus::Usage, None);
            }
            ImportError::NoSuchEntry { known, .. } | ImportError::UnfitEntry { known, .. } => {
                let known: Vec<_> = known.iter().map(|name| printable(name, 80)).collect();
                (ExitStatus::Usage, format!("it has: {}", known.join(", ")).into())
            }
            ImportError::SeveralLogins { .. } => {
                (ExitStatus::Usage, "name one with --entry <name>, or take them with --all".into())
            }
            ImportError::OneProfile => (ExitStatus::Usage, "name one with --entry <name>".into()),
            ImportError::KeepsChanging { tool } => {
                let label = &tool.program().label;
                (ExitStatus::Failure, format!("stop {label}, and run this once more").into())
            }
            ImportError::NothingImported { tool, .. } => {
                let sign_in = &tool.program().sign_in;
                (ExitStatus::LoginRequired, format!("sign in again there: {sign_in}").into())
            }
        };
        (status, Some(hint))
    }
}
