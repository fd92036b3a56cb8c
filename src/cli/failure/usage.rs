//! Why the usage of a subscription is not known: a row of a report, not the end of a run.

use super::Explain;
use super::command::{login_command, refresh_command};
use crate::admin::quota::{Problem, Remedy, Step};
use crate::cli::exit::Hint;

/// What helps against it.
pub(in crate::cli) fn usage_remedy(problem: &Problem) -> Option<Hint> {
    match problem {
        Problem::Insecure(error) => error.advice().1,
        Problem::Expired(Remedy { step, provider, agent_id }) => Some(match step {
            Step::Refresh => refresh_command(provider, agent_id).into(),
            Step::ForceRefresh => refresh_command(provider, agent_id).arg("--force").into(),
            Step::SignIn => login_command(provider, agent_id).into(),
        }),
        Problem::Definition(_)
        | Problem::Request(_)
        | Problem::Http(_)
        | Problem::Answer(_)
        | Problem::NoAnswer => None,
    }
}
