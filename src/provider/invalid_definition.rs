//! What is wrong with a provider definition.

use crate::profile::ProviderId;
use crate::text::printable;
use url::Url;

/// Why a definition is not valid. The text names the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDefinition {
    /// It is other JSON.
    #[error("it is not an object")]
    NoObject,
    /// The file is named after another provider.
    #[error("its `id` is not `{0}`, as its file name is")]
    OtherId(Box<ProviderId>),
    /// It has a key that no definition has.
    #[error("unknown key `{}`", printable(.0, 80))]
    UnknownKey(String),
    /// It cannot be read as JSON, or as a definition.
    #[error("{}{reason}", key.as_ref().map(|key| format!("`{key}`: ")).unwrap_or_default())]
    Unreadable {
        /// The key without which the rest can be read, where there is one.
        key: Option<String>,
        /// What the JSON reader says.
        reason: String,
    },
    /// A name of the provider cannot be shown.
    #[error("its names must not hold control characters")]
    Names,
    /// A key that an OAuth sign-in needs is missing.
    #[error("`{0}` is missing: an OAuth sign-in needs it")]
    Missing(&'static str),
    /// The value of a key is not one that it can have.
    #[error("`{key}` {fault}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        fault: Fault,
    },
}

/// What is wrong with the value of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no id.
    #[error("must be a name without `/` and `:`")]
    Id,
    /// It is empty.
    #[error("must not be empty")]
    Empty,
    /// It holds characters that cannot be shown.
    #[error("must not hold control characters")]
    ControlCharacters,
    /// It is no URL.
    #[error("is not a URL: {0}")]
    NoUrl(url::ParseError),
    /// Whoever is on the way could read what is sent there.
    #[error("must be https, or http on a loopback address, not `{0}`")]
    Insecure(Box<Url>),
    /// It holds a user name or password.
    #[error("must not hold a user name or password")]
    UserInfo,
    /// It has a fragment.
    #[error("must not have a fragment")]
    Fragment,
    /// It sets a parameter that is ours to set.
    #[error("must not set `{0}`")]
    OwnParameter(String),
    /// It sets a field of the profile that is ours to set.
    #[error("must not set the field `{0}`")]
    OwnField(String),
    /// It sets a header that cannot be sent, or that is ours to set.
    #[error("must not set `{}` so", printable(.0, 80))]
    Header(String),
    /// It holds a header that cannot be sent.
    #[error("holds `{}`, which is not a header field", printable(.0, 80))]
    NoHeader(String),
    /// It holds a text that is no JSON pointer.
    #[error("holds `{0}`, which is not a JSON pointer")]
    NoPointer(String),
    /// It is no name of this machine that a redirect can have.
    #[error("must be one of {}", .0.join(", "))]
    NoLoopback(&'static [&'static str]),
    /// It lists no ports, or one that is none.
    #[error("must list the registered ports")]
    Ports,
    /// It is no path.
    #[error("must be a path that starts with `/`")]
    Path,
}

impl Fault {
    /// The value of `key` has this fault.
    pub(super) const fn of(self, key: &'static str) -> InvalidDefinition {
        InvalidDefinition::Value { key, fault: self }
    }
}
