//! Why a login is not refreshed.

use super::lease::LeaseError;
use crate::app::AppError;
use crate::oauth::TokenError;
use crate::ops::issuer::IssuerError;
use crate::ops::moving::State;
use crate::ops::selection::{Login, Selected};
use crate::profile::{Kind, ProfileId, ProviderId};
use crate::store::{Fence, InterruptedRefresh, LastOutcome, Location, OutcomeKind, StoreError};
use crate::system::lock::iso;
use crate::text::printable;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Said when the process of the caller makes the request: a signal may cut that one off.
pub(super) const MADE_BY_CALLER: &str =
    "no process could be started for the refresh: it is made by this one, so do not kill it";

/// Why a login is not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The configuration, a provider file or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// Another process is refreshing the login.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Who issues the tokens cannot be asked.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// A refresh is no way out.
    #[error(transparent)]
    NotRefreshable(#[from] NotRefreshable),
    /// The server has refused the refresh token.
    #[error("the login `{}` is over: {over}", login.profile_id)]
    LoginOver {
        /// The login.
        login: Box<Login>,
        /// What is known of the refusal.
        over: Over,
    },
    /// The profile, or its refresh token, is gone.
    #[error("the profile `{}` was signed out meanwhile", .0.profile_id)]
    SignedOut(Box<Login>),
    /// The server gave no answer that counts.
    #[error("could not refresh `{profile_id}`")]
    Unavailable {
        /// The profile.
        profile_id: ProfileId,
        /// What happened.
        source: TokenError,
        /// What is remembered of it.
        last: Option<Box<LastOutcome>>,
    },
    /// The server refused, and did not say whether the login is over.
    #[error("could not refresh `{}`{}", login.profile_id, status_beside(source))]
    Refused {
        /// The login.
        login: Box<Login>,
        /// The refusal.
        source: TokenError,
        /// What is remembered of it.
        last: Box<LastOutcome>,
    },
    /// The last request brought nothing, and it is too early for the next one.
    #[error("could not refresh `{}`: {last}; it is tried again at {}", login.profile_id, iso(last.next_try()))]
    NotYet {
        /// The login.
        login: Box<Login>,
        /// How the last request ended.
        last: Box<LastOutcome>,
    },
    /// The server refused for a reason that is not the grant.
    #[error("could not refresh `{profile_id}`")]
    NotRefreshed {
        /// The profile.
        profile_id: ProfileId,
        /// The refusal.
        source: TokenError,
    },
    /// The server gave a token that is expired.
    #[error("the server gave `{profile_id}` a token that is expired already")]
    Expired {
        /// The profile.
        profile_id: ProfileId,
    },
    /// The server gave a token with no lifetime, or no access token at all.
    #[error("the server gave `{profile_id}` a token that may not be used: its lifetime is 0 s")]
    NoLifetime {
        /// The profile.
        profile_id: ProfileId,
    },
    /// The refresh token is spent, and what it brought is in the spool.
    #[error(
        "the login `{profile_id}` was refreshed, and {location} could not be written; the new \
         one is kept in {kept_in}"
    )]
    Spent {
        /// The profile.
        profile_id: ProfileId,
        /// The document that holds the spent token.
        location: Location,
        /// Where the reply is.
        kept_in: Location,
    },
    /// The refresh token is spent, and what it brought is in a file that cannot be read.
    #[error(
        "the login `{profile_id}` was refreshed, and {kept_in}, which holds the new one, cannot be read"
    )]
    SpentUnreadable {
        /// The profile.
        profile_id: ProfileId,
        /// The file.
        kept_in: Location,
    },
    /// The reply of this refresh cannot be stored, and is in the spool.
    #[error("the refreshed login `{profile_id}` is in {kept_in} until it can be stored")]
    Kept {
        /// The profile.
        profile_id: ProfileId,
        /// Where the reply is.
        kept_in: Location,
        /// Why it is not stored.
        source: StoreError,
    },
    /// The reply of this refresh can neither be stored nor spooled.
    #[error("the refreshed login could not be stored anywhere")]
    Lost {
        /// Why it is not stored.
        source: StoreError,
    },
    /// Nothing says how to refresh a login of that provider, or of that method.
    #[error(
        "there is no definition of the provider `{provider}`{} to refresh with",
        with(method.as_deref())
    )]
    UnknownProvider {
        /// The provider.
        provider: ProviderId,
        /// The method, where the provider is known.
        method: Option<String>,
    },
    /// A worker failed, and told so.
    #[error("{text}")]
    Reported {
        /// What kind of failure it is.
        kind: ReportedKind,
        /// What failed, in the words of the error there.
        text: String,
        /// The login.
        login: Box<Login>,
        /// Why the store could not be used, where that is it.
        store: Option<Box<StoreError>>,
        /// What is remembered of the last request, where that is it.
        last: Option<Box<LastOutcome>>,
    },
    /// What comes before the request took a worker so long that it makes none.
    #[error("the refresh was not started (preparing it took too long); nothing was sent")]
    NoTimeLeft,
    /// Signals cannot be waited for.
    #[error("could not catch signals")]
    Signals(#[source] std::io::Error),
    /// The process was asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// What kind of failure a worker reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ReportedKind {
    /// The server has refused the refresh token.
    LoginOver,
    /// The profile, or its refresh token, is gone.
    SignedOut,
    /// The server gave no answer that counts.
    Unavailable,
    /// There was no time for a request.
    NotStarted,
    /// The worker has ended without a word.
    Died,
    /// The certificate of the server is not trusted.
    Untrusted,
    /// The server refused, and did not say whether the login is over.
    Refused,
    /// The server refused for a reason that is not the grant.
    NotRefreshed,
    /// The refresh token is spent, and what it brought is in the spool.
    Spent,
    /// The store could not be used.
    Store,
}

impl RefreshError {
    /// The failure in one word, for traces.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::App(_) | Self::Issuer(_) | Self::UnknownProvider { .. } => "unusable",
            Self::Lease(_) => "busy",
            Self::NotRefreshable(_) => "not-refreshable",
            Self::LoginOver { .. } => "login-over",
            Self::SignedOut(_) => "signed-out",
            Self::Unavailable { .. } => "unavailable",
            Self::Refused { .. } => "refused",
            Self::NotYet { .. } => "not-yet",
            Self::NotRefreshed { .. } => "not-refreshed",
            Self::Expired { .. } | Self::NoLifetime { .. } => "expired",
            Self::Spent { .. } | Self::SpentUnreadable { .. } => "spent",
            Self::Kept { .. } => "kept",
            Self::Lost { .. } => "lost",
            Self::Reported { .. } => "failed-in-worker",
            Self::NoTimeLeft => "not-begun",
            Self::Signals(_) => "no-signals",
            Self::Interrupted => "interrupted",
        }
    }
}

impl<E: Into<AppError>> From<E> for RefreshError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

impl RefreshError {
    /// Whether the server has refused the login for good.
    pub fn is_over(&self) -> bool {
        match self {
            Self::LoginOver { .. } | Self::Reported { kind: ReportedKind::LoginOver, .. } => true,
            Self::NotRefreshable(error) => error.reason == Reason::Refused,
            _ => false,
        }
    }
}

fn with(method: Option<&str>) -> String {
    method
        .map_or_else(String::new, |method| format!(" with the method `{}`", printable(method, 80)))
}

/// The status of a refusal whose text is its code.
fn status_beside(refusal: &TokenError) -> String {
    match refusal {
        TokenError::Refused { code, status: Some(status), .. } if *code != status.to_string() => {
            format!(" ({status})")
        }
        _ => String::new(),
    }
}

/// What is known of a refusal.
#[derive(Debug)]
pub enum Over {
    /// An earlier process has got this error code.
    Known(String),
    /// The server has refused now.
    Refused {
        /// The answer.
        error: TokenError,
        /// An earlier request, which may have spent the refresh token.
        earlier: Option<Earlier>,
    },
}

/// An earlier request whose outcome is not known.
#[derive(Clone, Debug)]
pub enum Earlier {
    /// Its process was killed.
    CutOff(InterruptedRefresh),
    /// It ended like this, and was remembered.
    Ended(LastOutcome),
}

impl Earlier {
    /// What the note of a refresh that did not end means: its outcome, where one was remembered
    /// afterwards; else its process was killed.
    pub(super) fn of(noted: InterruptedRefresh, last: Option<LastOutcome>) -> Self {
        let is_of_it =
            |last: &LastOutcome| last.kind == OutcomeKind::Unknown || last.at >= noted.at;
        last.filter(is_of_it).map_or(Self::CutOff(noted), Self::Ended)
    }
}

impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff(earlier) => {
                write!(f, "a refresh at {} (process {}) was cut off", iso(earlier.at), earlier.pid)
            }
            Self::Ended(last) => last.fmt(f),
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(code) => f.write_str(code),
            Self::Refused { error, earlier: None } => error.fmt(f),
            Self::Refused { error, earlier: Some(earlier) } => {
                write!(f, "{error}; {earlier}: the server may have replaced the refresh token then")
            }
        }
    }
}

/// A login that no refresh makes usable again.
#[derive(Debug, thiserror::Error)]
pub struct NotRefreshable {
    /// The login.
    pub login: Box<Login>,
    /// The reason.
    pub reason: Reason,
}

impl NotRefreshable {
    /// The login was moved away.
    pub(super) fn moved(selected: &Selected) -> Self {
        Self { login: selected.login().into(), reason: Reason::Moved }
    }

    /// What an earlier move of the login means for a refresh.
    pub(super) fn of_move(selected: &Selected, state: State) -> Option<Self> {
        let reason = match state {
            State::Ours => return None,
            State::Away => Reason::Moved,
            State::Unknown => Reason::MaybeMoved,
        };
        Some(Self { login: selected.login().into(), reason })
    }

    /// The refresh token of the login was replaced before.
    pub(super) fn replaced(selected: &Selected) -> Self {
        Self { login: selected.login().into(), reason: Reason::Replaced }
    }

    /// A refresh of OpenClaw has put a marker in the place of its tokens.
    pub(super) fn fenced(selected: &Selected, fence: Fence) -> Self {
        Self { login: selected.login().into(), reason: Reason::Fenced(fence) }
    }
}

/// Why no refresh makes a login usable again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is an API key, and there is none.
    NoKey,
    /// It is a token, which is expired or missing.
    NoToken,
    /// Its access token is expired, and it has no refresh token.
    Expired,
    /// Its access token was rejected, and it has no refresh token.
    Rejected,
    /// The server has refused its refresh token.
    Refused,
    /// A refresh of OpenClaw has taken its tokens away.
    Fenced(Fence),
    /// Its refresh token was replaced before, and somebody has put an older file back.
    Replaced,
    /// It was moved to another store.
    Moved,
    /// It may have been moved to another store.
    MaybeMoved,
}

impl fmt::Display for NotRefreshable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.login.profile_id;
        match self.reason {
            Reason::NoKey => write!(f, "the profile `{id}` holds no key"),
            Reason::NoToken => write!(f, "the token of `{id}` is expired or missing"),
            Reason::Expired => {
                write!(f, "the access token of `{id}` is expired and there is no refresh token")
            }
            Reason::Rejected => {
                write!(f, "the access token of `{id}` was rejected and there is no refresh token")
            }
            Reason::Replaced => write!(
                f,
                "the login `{id}` holds a refresh token that was replaced by a newer one: an older \
                 file was put back"
            ),
            Reason::Moved => write!(f, "the login `{id}` was moved away: it is not used here"),
            Reason::MaybeMoved => write!(
                f,
                "a move of the login `{id}` was interrupted: whoever has what it wrote may have the \
                 login"
            ),
            Reason::Refused => write!(f, "the server has refused the login `{id}` before"),
            Reason::Fenced(fence) => write!(f, "the login `{id}` was {fence}"),
        }
    }
}

/// Why a refresh is no way out, if it is none.
pub(in crate::ops) fn not_refreshable(selected: &Selected) -> Option<NotRefreshable> {
    let reason = match selected.credential.kind() {
        Kind::ApiKey => Reason::NoKey,
        Kind::Token => Reason::NoToken,
        Kind::OAuth if selected.credential.refresh_token().is_none() => {
            if let Some(fence) = selected.fence {
                Reason::Fenced(fence)
            } else if selected.rejected {
                Reason::Rejected
            } else {
                Reason::Expired
            }
        }
        Kind::OAuth if selected.refused => Reason::Refused,
        Kind::OAuth => return None,
    };
    Some(NotRefreshable { login: selected.login().into(), reason })
}
