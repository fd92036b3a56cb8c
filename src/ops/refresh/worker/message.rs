//! What a worker says to its caller, a line each. No line holds a token.
//!
//! Invariant: a path goes over as the bytes that it is, whatever they are.

use super::super::{LeaseError, RefreshError, ReportedKind};
use crate::app::AppError;
use crate::oauth::TokenError;
use crate::ops::selection::Login;
use crate::profile::ProfileId;
use crate::store::{LastOutcome, Location, OutcomeKind, StoreError};
use crate::system::lock::Holder;
use crate::text::chain;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What a worker says, a line each.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Message {
    /// Something worth knowing.
    Note(String),
    /// Something that went less well than it could.
    Warning(String),
    /// A step, for traces.
    Trace(String),
    /// The credential is in the store.
    Refreshed,
    /// Nothing was sent; whoever tries it by itself learns why.
    NotBegun,
    /// It failed.
    Failed(Failed),
}

/// A failure that was told over the pipe, or that another process has remembered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Failed {
    kind: ReportedKind,
    text: String,
    store: Option<StoreCause>,
    last: Option<Box<LastOutcome>>,
}

/// As much of a [`StoreError`] as goes over a pipe.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) enum StoreCause {
    Read(OsString, Option<i32>, String),
    Write(OsString, Option<i32>, String),
    Lock(OsString, Option<i32>, String),
    LockTimeout(OsString, u64, Option<u32>, Option<String>),
    Invalid(OsString, String),
}

impl StoreCause {
    fn of(error: &StoreError) -> Option<Self> {
        let path = |location: &Location| location.path().map(|path| path.as_os_str().to_owned());
        let cause = |source: &std::io::Error| (source.raw_os_error(), source.to_string());
        Some(match error {
            StoreError::Read { location, source } => {
                let (code, text) = cause(source);
                Self::Read(path(location)?, code, text)
            }
            StoreError::Write { location, source } => {
                let (code, text) = cause(source);
                Self::Write(path(location)?, code, text)
            }
            StoreError::Lock { location, source } => {
                let (code, text) = cause(source);
                Self::Lock(path(location)?, code, text)
            }
            StoreError::LockTimeout { location, waited, holder } => Self::LockTimeout(
                path(location)?,
                u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
                holder.pid,
                holder.since.clone(),
            ),
            StoreError::Invalid { location, reason } => {
                Self::Invalid(path(location)?, reason.clone())
            }
            StoreError::NewerGeneration { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::NoAgentDatabase { .. }
            | StoreError::Converting { .. }
            | StoreError::OfAnotherUser { .. }
            | StoreError::Maintenance { .. }
            | StoreError::VersionBetween { .. } => return None,
        })
    }

    fn into_error(self) -> StoreError {
        let location = |path| Location::from(PathBuf::from(path));
        let cause = |code: Option<i32>, text| {
            Arc::new(
                code.map_or_else(|| std::io::Error::other(text), std::io::Error::from_raw_os_error),
            )
        };
        match self {
            Self::Read(path, code, text) => {
                StoreError::Read { location: location(path), source: cause(code, text) }
            }
            Self::Write(path, code, text) => {
                StoreError::Write { location: location(path), source: cause(code, text) }
            }
            Self::Lock(path, code, text) => {
                StoreError::Lock { location: location(path), source: cause(code, text) }
            }
            Self::LockTimeout(path, waited, pid, since) => StoreError::LockTimeout {
                location: location(path),
                waited: Duration::from_millis(waited),
                holder: Holder { pid, since },
            },
            Self::Invalid(path, reason) => StoreError::Invalid { location: location(path), reason },
        }
    }
}

impl Failed {
    /// That the worker has ended without a word: what it has sent is not known.
    pub(super) fn died(id: &ProfileId) -> Self {
        let text = format!("could not refresh `{id}`: the process that refreshed it was killed");
        Self { kind: ReportedKind::Died, text, store: None, last: None }
    }

    /// Whether nothing was sent for lack of time, by a lock or otherwise: another worker has it.
    pub(super) const fn is_for_another_worker(&self) -> bool {
        matches!(self.store, Some(StoreCause::LockTimeout(..)))
            || matches!(self.kind, ReportedKind::NotStarted)
    }

    /// What of an error goes over the pipe; `None` for one that came before anything was
    /// sent and that a caller meets by itself as well.
    pub(super) fn of(error: &RefreshError) -> Option<Self> {
        let last = match error {
            RefreshError::Unavailable { last, .. } => last.as_deref(),
            RefreshError::Refused { last, .. } | RefreshError::NotYet { last, .. } => Some(&**last),
            _ => None,
        };
        let (kind, store) = match error {
            RefreshError::LoginOver { .. } => (ReportedKind::LoginOver, None),
            RefreshError::NoTimeLeft => (ReportedKind::NotStarted, None),
            RefreshError::SignedOut(_) => (ReportedKind::SignedOut, None),
            RefreshError::Unavailable { source: TokenError::Proxy(_), .. } => return None,
            RefreshError::Unavailable { source: TokenError::Untrusted { .. }, .. } => {
                (ReportedKind::Untrusted, None)
            }
            RefreshError::Unavailable { .. } => (ReportedKind::Unavailable, None),
            RefreshError::NotRefreshed { .. } => (ReportedKind::NotRefreshed, None),
            RefreshError::Refused { .. } => (ReportedKind::Refused, None),
            RefreshError::NotYet { last, .. } => match last.kind {
                OutcomeKind::Refused => (ReportedKind::Refused, None),
                OutcomeKind::Unknown | OutcomeKind::Failed => (ReportedKind::Unavailable, None),
            },
            RefreshError::Spent { .. } | RefreshError::SpentUnreadable { .. } => {
                (ReportedKind::Spent, None)
            }
            RefreshError::Kept { source, .. }
            | RefreshError::Lost { source }
            | RefreshError::Lease(LeaseError::Busy { source, .. })
            | RefreshError::App(AppError::Store(source @ StoreError::LockTimeout { .. })) => {
                (ReportedKind::Store, Some(StoreCause::of(source)?))
            }
            _ => return None,
        };
        Some(Self { kind, text: chain(error), store, last: last.cloned().map(Box::new) })
    }

    pub(super) fn into_error(self, login: Login) -> RefreshError {
        let store = self.store.map(|store| Box::new(store.into_error()));
        let Self { kind, text, last, .. } = self;
        RefreshError::Reported { kind, text, login: login.into(), store, last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_worker_does_what_one_had_no_time_for() {
        let failed = Failed::of(&RefreshError::NoTimeLeft).unwrap();
        assert!(failed.is_for_another_worker());
        assert!(failed.text.contains("nothing was sent"), "{failed:?}");
        let died = Failed::died(&ProfileId::from("ex:default"));
        assert!(!died.is_for_another_worker());
    }
}
