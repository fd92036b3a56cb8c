//! A credential: what one profile of the store holds.

use super::{Identity, Millis, ProviderId};
use crate::secret::Secret;
use serde::{Serialize, Serializer};

/// The credential kinds of an auth-profiles document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An OAuth grant: access token, refresh token, expiry.
    OAuth,
    /// A bearer token that is not refreshed.
    Token,
    /// A static API key.
    ApiKey,
}

impl Kind {
    /// The name in files and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OAuth => "oauth",
            Self::Token => "token",
            Self::ApiKey => "api_key",
        }
    }

    /// The kind with this name in a file.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::OAuth, Self::Token, Self::ApiKey].into_iter().find(|kind| kind.name() == name)
    }
}

/// The name.
impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A credential as the rest of the program sees it.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The provider as the file spells it.
    pub provider: ProviderId,
    /// Who the credential belongs to, as far as it says.
    pub identity: Identity,
    /// The name that a user gave it.
    pub display_name: Option<String>,
    /// The client identifier that it was issued to, where that is not the same for everybody.
    pub client_id: Option<String>,
    /// The way to sign in that made it, where the provider has several servers.
    pub login_method: Option<String>,
    /// What it holds.
    pub kind: CredentialKind,
}

/// What a credential holds.
#[derive(Clone, Debug)]
pub enum CredentialKind {
    /// An OAuth grant.
    OAuth {
        /// The access token.
        access: Option<Secret>,
        /// The refresh token.
        refresh: Option<Secret>,
        /// The id token (OpenID Connect).
        id_token: Option<Secret>,
        /// When the access token expires; `None` when the file does not say.
        expires: Option<Millis>,
        /// When we received the access token; `None` when another program stored it.
        issued: Option<Millis>,
    },
    /// A token that is not refreshed.
    Token {
        /// The token, unless it stands behind a reference.
        token: Option<Secret>,
        /// Whether a secret reference (`tokenRef`) stands in its place.
        reference: bool,
        /// When it expires. `Some(Err)` when the file has a value that is no time.
        expires: Option<Result<Millis, ()>>,
    },
    /// An API key.
    ApiKey {
        /// The key, unless it stands behind a reference.
        key: Option<Secret>,
        /// Whether a secret reference (`keyRef`) stands in its place.
        reference: bool,
    },
}

impl Credential {
    /// The kind of the credential.
    pub const fn kind(&self) -> Kind {
        match self.kind {
            CredentialKind::OAuth { .. } => Kind::OAuth,
            CredentialKind::Token { .. } => Kind::Token,
            CredentialKind::ApiKey { .. } => Kind::ApiKey,
        }
    }

    /// When the access token or token expires, where the file says so.
    pub fn expires(&self) -> Option<Millis> {
        match &self.kind {
            CredentialKind::OAuth { expires, .. } => expires.filter(|at| *at > 0),
            CredentialKind::Token { expires, .. } => expires.and_then(Result::ok),
            CredentialKind::ApiKey { .. } => None,
        }
    }

    /// What a caller sends as a bearer: the access token, token or key itself.
    pub fn bearer(&self) -> Option<&Secret> {
        match &self.kind {
            CredentialKind::OAuth { access, .. } => access.as_ref(),
            CredentialKind::Token { token, .. } => token.as_ref(),
            CredentialKind::ApiKey { key, .. } => key.as_ref(),
        }
    }

    /// Whether its access token or its refresh token is another than that of `other`.
    pub fn has_other_tokens(&self, other: &Self) -> bool {
        let same = |a: Option<&Secret>, b: Option<&Secret>| match (a, b) {
            (Some(a), Some(b)) => a.matches(b),
            (None, None) => true,
            _ => false,
        };
        !same(self.bearer(), other.bearer()) || !same(self.refresh_token(), other.refresh_token())
    }

    /// The refresh token of an OAuth grant.
    pub const fn refresh_token(&self) -> Option<&Secret> {
        match &self.kind {
            CredentialKind::OAuth { refresh, .. } => refresh.as_ref(),
            _ => None,
        }
    }

    /// Whether the value stands behind a secret reference.
    pub const fn is_reference(&self) -> bool {
        match self.kind {
            CredentialKind::Token { reference, .. } | CredentialKind::ApiKey { reference, .. } => {
                reference
            }
            CredentialKind::OAuth { .. } => false,
        }
    }

    /// Whether the credential holds the bearer and it does not expire before `until`.
    pub fn is_usable_until(&self, until: Millis) -> bool {
        self.facts().is_usable_until(until)
    }
}
