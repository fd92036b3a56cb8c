//! Failures of storing a token or key that the user has at hand.

use super::{Advice, Explain};
use crate::cli::exit::{ExitStatus, Hint};
use crate::ops::paste::PasteError;

/// What to do where a profile is not to be replaced.
const ANOTHER_PROFILE: &str = "name another one: --profile-id <id>";

impl Explain for PasteError {
    fn advice(&self) -> Advice {
        let (status, hint) = match self {
            PasteError::App(error) => return error.advice(),
            PasteError::ProfileId(error) => return error.advice(),
            PasteError::NotRecorded { source, .. } => return source.advice(),
            PasteError::InvalidProvider | PasteError::Unclear(_) | PasteError::UnfitToken(_) => {
                return (ExitStatus::Usage, None);
            }
            PasteError::HoldsLogin { .. } => (ExitStatus::Usage, ANOTHER_PROFILE),
            PasteError::Uninterpretable { .. } => (ExitStatus::StoreUnusable, ANOTHER_PROFILE),
            PasteError::Nothing { .. } => (
                ExitStatus::Usage,
                "paste it at the prompt, or send it as a line on standard input",
            ),
        };
        (status, Some(Hint::new(hint)))
    }
}
