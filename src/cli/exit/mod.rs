//! How a run ends: the exit status table and the error that every use case returns.
//!
//! Invariant: each failure that a user can see carries one [`ExitStatus`] and, where
//! there is one, the exact next command as its hint. `docs/exit-codes.md` is the same
//! table for users; a test compares the two.

mod hint;
pub(in crate::cli) mod typed;

pub(in crate::cli) use hint::{Command, Hint};

use std::process::ExitCode;

/// The exit status of a run. `models status --check`, `secrets audit` and `doctor` are the
/// commands whose 1 can be an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// The command did what it was asked for.
    Success,
    /// The command failed in a way that no other row describes.
    Failure,
    /// The command line, or a value given on it, is not valid.
    Usage,
    /// There is no usable login: no profile, or its refresh token was refused.
    LoginRequired,
    /// The authorization server or the network is unavailable: try again.
    Unavailable,
    /// A lock was not obtained in time.
    LockTimeout,
    /// The store or the configuration is unreadable, unsafe or of a newer generation.
    StoreUnusable,
    /// The user interrupted the command (SIGINT).
    Interrupted,
    /// `doctor` found something wrong, or `secrets audit --check` found something and every
    /// reference resolves.
    Findings,
    /// `secrets audit` found a reference that does not resolve.
    Unresolved,
    /// `models status --check`: a login is expired or missing.
    LoginExpired,
    /// `models status --check`: a login expires soon.
    LoginExpiring,
}

impl ExitStatus {
    /// Every status of the common table with the meaning that the documentation gives it.
    pub const TABLE: [(Self, &'static str); 8] = [
        (Self::Success, "success"),
        (Self::Failure, "failure"),
        (Self::Usage, "usage: the command line is not valid, or the variable of a proxy"),
        (Self::LoginRequired, "a new login is needed: no profile, or its refresh was refused"),
        (Self::Unavailable, "the server or network is unavailable, try again"),
        (Self::LockTimeout, "a lock was not obtained in time; the message names its holder"),
        (Self::StoreUnusable, "the store or config is unreadable, unsafe or of a newer generation"),
        (Self::Interrupted, "interrupted"),
    ];

    /// What `models status --check` says by its exit code, in place of [`Self::TABLE`].
    pub const CHECK_TABLE: [(Self, &'static str); 3] = [
        (Self::Success, "every login and every provider in use is fine"),
        (Self::LoginExpired, "a login is expired or missing, or a provider in use has none"),
        (Self::LoginExpiring, "a login expires within 24 hours"),
    ];

    /// Whether the status is the answer to a question rather than a failure.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Success | Self::LoginExpired | Self::LoginExpiring)
    }

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::LoginRequired => "login_required",
            Self::Unavailable => "unavailable",
            Self::LockTimeout => "lock_timeout",
            Self::StoreUnusable => "store_unusable",
            Self::Interrupted => "interrupted",
            Self::Findings => "findings",
            Self::Unresolved => "unresolved",
            Self::LoginExpired => "login_expired",
            Self::LoginExpiring => "login_expiring",
        }
    }

    /// The number that the process exits with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure | Self::Findings | Self::LoginExpired => 1,
            Self::Usage | Self::Unresolved | Self::LoginExpiring => 2,
            Self::LoginRequired => 3,
            Self::Unavailable => 4,
            Self::LockTimeout => 5,
            Self::StoreUnusable => 6,
            Self::Interrupted => 130,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a use case failed: what a user reads, what a script branches on, and what to
/// type next.
#[derive(Debug)]
pub(in crate::cli) struct Failure {
    /// The exit status of the run.
    pub(in crate::cli) status: ExitStatus,
    /// What failed, outermost first.
    pub(in crate::cli) cause: anyhow::Error,
    /// The next command or step.
    pub(in crate::cli) hint: Option<Hint>,
}

impl Failure {
    /// A failure with its status and cause.
    pub(in crate::cli) fn new(status: ExitStatus, cause: impl Into<anyhow::Error>) -> Self {
        Self { status, cause: cause.into(), hint: None }
    }

    /// A failure described by one sentence.
    pub(in crate::cli) fn message(status: ExitStatus, message: impl std::fmt::Display) -> Self {
        Self::new(status, anyhow::anyhow!("{message}"))
    }

    /// The answer of `models status --check`: nothing is printed for it.
    pub(in crate::cli) fn answer(status: ExitStatus) -> Self {
        Self::message(status, "the check found something to do")
    }

    /// A value on the command line that is not valid.
    pub(in crate::cli) fn usage(message: impl std::fmt::Display) -> Self {
        Self::message(ExitStatus::Usage, message)
    }

    /// The user pressed Ctrl-C, or the process was asked to stop.
    pub(in crate::cli) fn interrupted() -> Self {
        Self::message(ExitStatus::Interrupted, "interrupted")
    }

    /// The same failure with the next step for the user.
    #[must_use]
    pub(in crate::cli) fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<anyhow::Error> for Failure {
    fn from(cause: anyhow::Error) -> Self {
        Self::new(ExitStatus::Failure, cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_table_is_this_table() {
        let documented = include_str!("../../../docs/exit-codes.md");
        for (status, meaning) in ExitStatus::TABLE.into_iter().chain(ExitStatus::CHECK_TABLE) {
            let row = format!("| {} | {meaning} |", status.code());
            assert!(documented.contains(&row), "docs/exit-codes.md lacks the row {row}");
        }
    }
}
