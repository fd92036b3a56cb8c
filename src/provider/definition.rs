//! One provider definition: the row type of the catalog and of provider files.

use super::invalid_definition::{Fault, InvalidDefinition};
use super::object::read;
use super::patch::{leave_behind, merge_patch};
use super::quota::QuotaSource;
use super::registration::{Registration, check_endpoint};
use crate::oauth::TokenExchange;
use crate::profile::{Form, ProviderId};
use crate::secret::Secret;
use serde::Deserialize;
use serde_json::Value;

/// A provider: its names, its API-key variables, the ways to sign in, and, where one of
/// them is OAuth, how we are registered there.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The provider id, as profiles name it.
    pub id: ProviderId,
    /// The name for people.
    pub label: String,
    /// Other ids under which the provider is known.
    pub aliases: Vec<String>,
    /// The environment variables that hold a key, first found wins.
    pub env: Vec<String>,
    /// The ways to sign in.
    pub methods: Vec<Method>,
    /// The model that an agent uses unless another is chosen, as `provider/model`.
    pub default_model: Option<String>,
    /// How we are registered at its authorization server.
    pub registration: Option<Registration>,
    /// Where the usage of its subscriptions is told.
    usage: Option<QuotaSource>,
    /// What gives the token that its API takes, where that is not the stored one.
    token_exchange: Option<TokenExchange>,
}

impl Definition {
    /// How we are registered for a login by the method of that id, or by any; `None` when
    /// there is no such method: what one server issued must not be sent to another.
    pub fn registration_of(&self, method: Option<&str>) -> Option<&Registration> {
        let own = match method {
            Some(id) => self.method(id)?.registration.as_ref(),
            None => None,
        };
        own.or(self.registration.as_ref())
    }

    /// Where the usage of a login by the method of that id, or by any, is told; `None` also
    /// when there is no such method.
    pub fn usage_of(&self, method: Option<&str>) -> Option<&QuotaSource> {
        match method.map(|id| self.method(id)) {
            Some(method) if method?.registration.is_some() => method?.usage.as_ref(),
            _ => self.usage.as_ref(),
        }
    }

    /// What gives the token that the API takes for a login by the method of that id, or by
    /// any; `None` also when there is no such method.
    pub fn token_exchange_of(&self, method: Option<&str>) -> Option<&TokenExchange> {
        match method.map(|id| self.method(id)) {
            Some(method) if method?.registration.is_some() => method?.token_exchange.as_ref(),
            _ => self.token_exchange.as_ref(),
        }
    }

    /// Whether the usage of some login is told.
    pub fn has_quota(&self) -> bool {
        self.usage.is_some() || self.methods.iter().any(|method| method.usage.is_some())
    }

    /// The method with that id.
    pub fn method(&self, id: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.id == id)
    }

    /// Whether a person can sign in to an authorization server here.
    pub fn has_login(&self) -> bool {
        let is_login =
            |method: &Method| matches!(method.kind, MethodKind::OAuth | MethodKind::DeviceCode);
        let registration = self.registration.as_ref();
        registration.is_some_and(|known| known.has_browser_login() || known.has_device_login())
            && (self.methods.is_empty() || self.methods.iter().any(is_login))
    }
}

/// One way to sign in.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Method {
    /// The id among the methods of the provider.
    pub id: String,
    /// What kind of a way it is.
    pub kind: MethodKind,
    /// The name for people.
    pub label: String,
    /// The id by which `onboard --auth-choice` names it.
    #[serde(default)]
    pub choice: Option<String>,
    /// OpenClaw's flag that gives the key on the command line.
    #[serde(default)]
    pub flag: Option<String>,
    /// `onboard` stores a key as `<provider>:<this>`; `default` without it.
    #[serde(default)]
    pub profile_name: Option<String>,
    /// What a token of this kind begins with.
    #[serde(default)]
    pub prefix: Option<String>,
    /// How many characters such a token has at least.
    #[serde(default)]
    pub min_length: usize,
    /// How many characters such a token usually has, where all have the same number.
    #[serde(default)]
    pub length: Option<usize>,
    /// The command that makes such a token, where it is installed.
    #[serde(default)]
    pub command: Vec<String>,
    /// The program whose login `models auth import` takes over, where that is the way.
    #[serde(default)]
    pub import: Option<String>,
    /// What this way has other than the definition says (RFC 7396).
    #[serde(default, rename = "override")]
    patch: Option<Value>,
    /// The registration with that patch, where there is one.
    #[serde(skip)]
    pub registration: Option<Registration>,
    /// Where the usage is told, where there is such a registration.
    #[serde(skip)]
    usage: Option<QuotaSource>,
    /// What gives the token for the API, where there is such a registration.
    #[serde(skip)]
    token_exchange: Option<TokenExchange>,
}

impl Method {
    /// What is known of the form of its token.
    pub fn form(&self) -> Form<'_> {
        Form {
            prefix: self.prefix.as_deref(),
            min_length: self.min_length,
            usual_length: self.length,
        }
    }

    /// Whether a pasted token can be one of this kind.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn check(&self, token: &Secret) -> Result<(), UnfitToken> {
        if let Some(prefix) = &self.prefix
            && !token.expose().starts_with(prefix.as_str())
        {
            return Err(UnfitToken::Prefix { label: self.label.clone(), prefix: prefix.clone() });
        }
        if token.expose().chars().count() < self.min_length {
            return Err(UnfitToken::TooShort {
                label: self.label.clone(),
                min_length: self.min_length,
            });
        }
        Ok(())
    }
}

/// Why a pasted token is none of that kind. It does not quote the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitToken {
    /// It begins otherwise.
    #[error("the {label} begins with {prefix}")]
    Prefix {
        /// What such a token is called.
        label: String,
        /// What it begins with.
        prefix: String,
    },
    /// It is too short.
    #[error("the {label} has at least {min_length} characters")]
    TooShort {
        /// What such a token is called.
        label: String,
        /// How many characters it has at least.
        min_length: usize,
    },
}

/// What a way to sign in asks of the user.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// An API key.
    ApiKey,
    /// A token.
    Token,
    /// A sign-in in the browser.
    #[serde(rename = "oauth")]
    OAuth,
    /// A code entered on another device.
    DeviceCode,
    /// Something of its own.
    Custom,
}

/// A definition as it is written. The keys of the registration are read in a second pass.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    label: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default)]
    methods: Vec<Method>,
    default_model: Option<String>,
    usage: Option<QuotaSource>,
    token_exchange: Option<TokenExchange>,
}

impl Wire {
    /// Checks where tokens are sent other than to the authorization server.
    fn check_services(&self) -> Result<(), InvalidDefinition> {
        if let Some(usage) = &self.usage {
            usage.validate()?;
        }
        if let Some(exchange) = &self.token_exchange {
            check_endpoint("tokenExchange.endpoint", &exchange.endpoint)?;
            if let Some(name) = exchange.unfit_header() {
                return Err(Fault::Header(name.to_owned()).of("tokenExchange.headers"));
            }
        }
        Ok(())
    }
}

impl TryFrom<Value> for Definition {
    type Error = InvalidDefinition;

    fn try_from(value: Value) -> Result<Self, InvalidDefinition> {
        check_keys(&value)?;
        let wire: Wire = read(&value)?;
        if wire.id.trim().is_empty() || wire.id.contains(['/', ':']) {
            return Err(Fault::Id.of("id"));
        }
        let names = [&wire.id, &wire.label].into_iter().chain(&wire.aliases);
        if names.into_iter().any(|name| name.contains(char::is_control)) {
            return Err(InvalidDefinition::Names);
        }
        wire.check_services()?;
        let Wire { id, label, aliases, env, mut methods, default_model, usage, token_exchange } =
            wire;
        for method in &mut methods {
            if let Some(mut patch) = method.patch.take() {
                let mut patched = value.clone();
                leave_behind(&patched, &mut patch);
                merge_patch(&mut patched, patch);
                check_keys(&patched)?;
                method.registration = Registration::of(&patched)?;
                let wire: Wire = read(&patched)?;
                wire.check_services()?;
                (method.usage, method.token_exchange) = (wire.usage, wire.token_exchange);
            }
        }
        let registration = Registration::of(&value)?;
        Ok(Self {
            id: id.into(),
            label,
            aliases,
            env,
            methods,
            default_model,
            registration,
            usage,
            token_exchange,
        })
    }
}

/// The keys of a definition. Serde cannot refuse others where two types read one object.
const KEYS: [&str; 32] = [
    "id",
    "label",
    "aliases",
    "env",
    "methods",
    "defaultModel",
    "clientId",
    "clientIdEnv",
    "clientSecretEnv",
    "installedClient",
    "issuer",
    "authorizationEndpoint",
    "tokenEndpoint",
    "revocationEndpoint",
    "userinfoEndpoint",
    "device",
    "redirect",
    "redirectUriEnv",
    "scopes",
    "scopesEnv",
    "authorizationParameters",
    "tokenParameters",
    "tokenRequestFormat",
    "finalErrorCodes",
    "identity",
    "expiryMarginSeconds",
    "keptMembers",
    "storedAs",
    "profileName",
    "project",
    "usage",
    "tokenExchange",
];

fn check_keys(definition: &Value) -> Result<(), InvalidDefinition> {
    let Some(definition) = definition.as_object() else {
        return Err(InvalidDefinition::NoObject);
    };
    match definition.keys().find(|key| !KEYS.contains(&key.as_str())) {
        Some(key) => Err(InvalidDefinition::UnknownKey(key.clone())),
        None => Ok(()),
    }
}
