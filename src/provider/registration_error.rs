//! What the environment lacks for requests to an authorization server.

use crate::text::printable;

/// What the environment lacks for requests to an authorization server. No variant holds a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// No variable names the client.
    #[error("{} is not set: it holds the client identifier", variables.join(" or "))]
    NoClient {
        /// The variables that may.
        variables: Vec<String>,
    },
    /// The client is that of a program, which is not installed, and no variable names one.
    #[error(
        "{}: install {program}, or set {} and the secret beside it",
        what(stored.as_deref()), variables.join(" or ")
    )]
    NoInstalledClient {
        /// The client that the login was issued to, where there is one.
        stored: Option<String>,
        /// The name of the program.
        program: String,
        /// The variables that may name a client.
        variables: Vec<String>,
    },
    /// The client has a secret, which is not known.
    #[error("{variable} is not set: it holds the client secret")]
    NoSecret {
        /// The variable for it.
        variable: String,
    },
    /// The redirect in a variable is none that can be waited for.
    #[error("{variable} is not a loopback redirect URI: http://127.0.0.1:<port>/…")]
    NoLoopback {
        /// The variable.
        variable: String,
    },
}

fn what(stored: Option<&str>) -> String {
    match stored {
        Some(id) => format!("the client `{}` of this login is not known", printable(id, 100)),
        None => "no client identifier".to_owned(),
    }
}
