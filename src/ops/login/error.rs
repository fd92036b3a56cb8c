//! Why a login is not made. Nothing is stored then, except with [`LoginError::Kept`] (in the
//! spool), [`LoginError::NotRecorded`] and an interrupt during the search for the project.

use crate::app::AppError;
use crate::oauth::{AuthorizationError, TokenError};
use crate::ops::ProfileIdError;
use crate::profile::{AgentId, ProfileId, ProviderId};
use crate::provider::{InsecureProgram, RegistrationError};
use crate::store::Location;
use crate::text::printable;
use std::io;
use std::time::Duration;

/// Whose login it would have been.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The provider id.
    pub provider: ProviderId,
    /// The agent that the user named, else `main`.
    pub agent_id: AgentId,
}

/// Why a login is not made.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The configuration, a provider file or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The program that serves the provider is not to be trusted.
    #[error(transparent)]
    Distrusted(#[from] InsecureProgram),
    /// The login cannot go to the profile that the user names.
    #[error(transparent)]
    ProfileId(#[from] ProfileIdError),
    /// The user names no provider.
    #[error("the provider to sign in to is not named")]
    Unnamed {
        /// The providers that have a sign-in.
        offered: Vec<ProviderId>,
    },
    /// There is no such provider.
    #[error("there is no provider `{wanted}`")]
    NoProvider {
        /// The name that the user gives.
        wanted: ProviderId,
        /// The providers that have a sign-in.
        offered: Vec<ProviderId>,
    },
    /// The provider has no server to sign in at.
    #[error("{label} has no sign-in")]
    NoSignIn {
        /// The name of the provider for people.
        label: String,
        /// What was to be signed in to.
        attempt: Box<Attempt>,
    },
    /// The provider has no method of that id or choice.
    #[error("{label} has no method `{}`", printable(wanted, 80))]
    NoMethod {
        /// The name of the provider for people.
        label: String,
        /// What the user wants.
        wanted: String,
        /// The ways and methods that the provider has.
        known: Vec<String>,
    },
    /// The method stores something else than the grant of a server.
    #[error("`{wanted}` is not a sign-in at a server")]
    NoServer {
        /// What the user wants.
        wanted: String,
        /// The id of the method.
        method: String,
        /// What was to be signed in to.
        attempt: Box<Attempt>,
    },
    /// The server has sign-ins, but not of that kind.
    #[error("{label} has no such sign-in")]
    OtherWay {
        /// The name of the provider for people.
        label: String,
        /// Whether it has sign-ins with a browser; else they are by a device code.
        has_browser: bool,
    },
    /// We are not registered at the server.
    #[error("{reason}")]
    NotRegistered {
        /// What is missing.
        reason: RegistrationError,
        /// What was to be signed in to.
        attempt: Box<Attempt>,
    },
    /// The server has, as it turns out, no endpoint for the ways that the user wants.
    #[error("{label} has no such sign-in method")]
    NotOffered {
        /// The name of the provider for people.
        label: String,
    },
    /// The server has no authorization endpoint.
    #[error("there is no page to sign in at")]
    NoPage,
    /// Signals cannot be caught.
    #[error("could not catch signals")]
    Signals(#[source] io::Error),
    /// The user pressed Ctrl-C, or the process was asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The redirect URI of the registration is none.
    #[error("the redirect URI")]
    RedirectUri(#[source] url::ParseError),
    /// No port can be listened on, for another reason than that all are taken.
    #[error("could not listen for the redirect")]
    Listen(#[source] io::Error),
    /// The redirect cannot arrive, and nothing can be pasted.
    #[error("every registered port is taken and there is no input to paste into")]
    NoPort,
    /// Pasting was the only way.
    #[error("nothing was pasted that could be used, and the input has ended")]
    NothingPasted,
    /// A later login of ours listens in place of this one.
    #[error("another login{} took over the port", pid(*.by))]
    TakenOver {
        /// Its process.
        by: Option<u32>,
    },
    /// The user did not sign in in time.
    #[error("nobody signed in within {} s", .waited.as_secs())]
    TimedOut {
        /// How long was waited.
        waited: Duration,
    },
    /// The device authorization ended well before it had shown its code.
    #[error("approved without a code")]
    ApprovedWithoutCode,
    /// The authorization response is an error, or not for this login.
    #[error("the sign-in failed")]
    NotAuthorized(#[source] AuthorizationError),
    /// A request to the server, or the program that serves the provider, has failed.
    #[error("could not sign in to {label}")]
    NotSignedIn {
        /// The name of the provider for people.
        label: String,
        /// What was to be signed in to.
        attempt: Box<Attempt>,
        /// Why.
        source: Box<TokenError>,
    },
    /// A program that serves a provider has no methods.
    #[error("{program} has no methods to choose from")]
    NoMethods {
        /// The name of the program.
        program: String,
    },
    /// A program that serves a provider does not sign in.
    #[error("{program} offers no login")]
    NoLogin {
        /// The name of the program.
        program: String,
    },
    /// A program that serves a provider needs an answer of the user.
    #[error("{program} asks `{question}`, and nobody answered")]
    Unanswered {
        /// The name of the program.
        program: String,
        /// Its question.
        question: String,
    },
    /// A program that serves a provider cannot sign in in two steps.
    #[error("{program} signs in at once")]
    OneStep {
        /// The name of the program.
        program: String,
        /// The provider that it serves.
        provider: Box<ProviderId>,
    },
    /// The user has signed in, and the login cannot be stored; a later command stores it.
    #[error("signed in to {label}; the login is in {kept_in} until it can be stored")]
    Kept {
        /// The name of the provider for people.
        label: String,
        /// What was signed in to.
        attempt: Box<Attempt>,
        /// Where the login is.
        kept_in: Location,
        /// Why it is not stored.
        source: Box<AppError>,
    },
    /// The user has signed in, and the login can be kept nowhere.
    #[error(
        "signed in to {label}; the login could not be stored anywhere, and {}",
        if *is_revoked { "was revoked at the server" } else { "could not be revoked at the server" }
    )]
    NotKept {
        /// The name of the provider for people.
        label: String,
        /// What was signed in to.
        attempt: Box<Attempt>,
        /// Whether the server has revoked it.
        is_revoked: bool,
        /// Why it is not stored.
        source: Box<AppError>,
    },
    /// The login is stored; the order or the configuration is not changed for it.
    #[error("the login is stored as `{profile_id}`, but not recorded")]
    NotRecorded {
        /// The profile that holds it.
        profile_id: ProfileId,
        /// Why.
        source: Box<AppError>,
    },
}

impl LoginError {
    /// Whether the grant of the login was received: its code is spent.
    pub(super) const fn is_granted(&self) -> bool {
        matches!(self, Self::Kept { .. } | Self::NotKept { .. } | Self::NotRecorded { .. })
    }
}

impl<E: Into<AppError>> From<E> for LoginError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

fn pid(of: Option<u32>) -> String {
    of.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}
