//! One provider definition: the row type of the catalog and of provider files.

use super::usage::UsageSource;
use crate::oauth::{Claims, Client, Endpoints, TokenRequestFormat};
use crate::profile::Identity;
use crate::secret::Secret;
use crate::system::{Environment, http};
use indexmap::IndexMap;
use serde::Deserialize;
use url::Url;

/// A provider: its names, its API-key variables, the ways to sign in, and, where one of
/// them is OAuth, how we are registered there.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Definition {
    /// The provider id, as profiles name it.
    pub id: String,
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
    pub usage: Option<UsageSource>,
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
    /// What a token of this kind begins with.
    #[serde(default)]
    pub prefix: Option<String>,
    /// How many characters such a token has at least.
    #[serde(default)]
    pub min_length: usize,
    /// The command that makes such a token, where it is installed.
    #[serde(default)]
    pub command: Vec<String>,
}

impl Method {
    /// Whether a pasted token can be one of this kind; the error says why not.
    ///
    /// # Errors
    /// A sentence that does not quote the token.
    pub fn check(&self, token: &Secret) -> Result<(), String> {
        if let Some(prefix) = &self.prefix
            && !token.expose().starts_with(prefix.as_str())
        {
            return Err(format!("the {} begins with {prefix}", self.label));
        }
        if token.expose().chars().count() < self.min_length {
            return Err(format!("the {} has at least {} characters", self.label, self.min_length));
        }
        Ok(())
    }
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

/// How we are registered at an authorization server.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The client identifier (RFC 6749 section 2.2).
    pub client_id: String,
    /// The environment variable that holds the client secret, for servers that want one.
    pub client_secret_env: Option<String>,
    /// The issuer identifier that an `iss` in the response must name (RFC 9207).
    pub issuer: Option<String>,
    /// The endpoints.
    pub endpoints: Endpoints,
    /// Where the redirect comes back to.
    pub redirect: Redirect,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// Further parameters of the authorization request.
    pub authorization_parameters: IndexMap<String, String>,
    /// The encoding of token requests.
    pub token_request_format: TokenRequestFormat,
    /// Where the claims name the account.
    pub identity: IdentityPointers,
}

/// A definition as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    client_id: Option<String>,
    client_secret_env: Option<String>,
    issuer: Option<String>,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
    redirect: Option<Redirect>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    authorization_parameters: IndexMap<String, String>,
    #[serde(default)]
    token_request_format: TokenRequestFormat,
    #[serde(default)]
    identity: IdentityPointers,
    usage: Option<UsageSource>,
}

impl TryFrom<Wire> for Definition {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        if wire.id.trim().is_empty() || wire.id.contains(['/', ':']) {
            return Err("`id` must be a name without `/` and `:`".to_owned());
        }
        let names = [&wire.id, &wire.label].into_iter().chain(&wire.aliases);
        if names.into_iter().chain(&wire.client_id).any(|name| name.contains(char::is_control)) {
            return Err("its names must not hold control characters".to_owned());
        }
        if let Some(usage) = &wire.usage {
            usage.validate()?;
        }
        let missing = |key: &str| format!("`{key}` is missing: an OAuth sign-in needs it");
        let registration = match (wire.client_id, wire.authorization_endpoint, wire.token_endpoint)
        {
            (None, None, None) => None,
            (client_id, authorization, token) => Some(Registration {
                client_id: client_id.ok_or_else(|| missing("clientId"))?,
                client_secret_env: wire.client_secret_env,
                issuer: wire.issuer,
                endpoints: Endpoints {
                    authorization: authorization.ok_or_else(|| missing("authorizationEndpoint"))?,
                    token: token.ok_or_else(|| missing("tokenEndpoint"))?,
                    revocation: wire.revocation_endpoint,
                },
                redirect: wire.redirect.ok_or_else(|| missing("redirect"))?,
                scopes: wire.scopes,
                authorization_parameters: wire.authorization_parameters,
                token_request_format: wire.token_request_format,
                identity: wire.identity,
            }),
        };
        if let Some(registration) = &registration {
            registration.validate()?;
        }
        let Wire { id, label, aliases, env, methods, default_model, usage, .. } = wire;
        Ok(Self { id, label, aliases, env, methods, default_model, registration, usage })
    }
}

/// Where the redirect listener can be reached.
const REDIRECT_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The parameters of an authorization request that a definition must not set.
const OWN_PARAMETERS: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// The loopback redirect URI: `http://<host>:<first free port><path>`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redirect {
    /// The host as registered: `localhost`, `127.0.0.1` or `[::1]`.
    pub host: String,
    /// The registered ports, in the order in which they are tried.
    pub ports: Vec<u16>,
    /// The path, with its leading slash.
    pub path: String,
}

/// JSON pointers (RFC 6901) into the claims of the access token, else of the id token;
/// the first hit wins. Pointers joined by `|` must all hit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct IdentityPointers {
    /// The e-mail.
    pub email: Vec<String>,
    /// The account (workspace).
    pub account_id: Vec<String>,
    /// A stable subject.
    pub subject: Vec<String>,
}

impl Registration {
    /// Checks what the types cannot: endpoints are https or loopback, the redirect is a
    /// loopback address, the pointers are pointers. The error is a sentence that names the
    /// key.
    fn validate(&self) -> Result<(), String> {
        let endpoints = [
            ("authorizationEndpoint", Some(&self.endpoints.authorization)),
            ("tokenEndpoint", Some(&self.endpoints.token)),
            ("revocationEndpoint", self.endpoints.revocation.as_ref()),
        ];
        for (key, endpoint) in endpoints {
            let Some(endpoint) = endpoint else { continue };
            if !http::is_acceptable(endpoint) {
                return Err(format!(
                    "`{key}` must be https, or http on a loopback address, not `{endpoint}`"
                ));
            }
            if !endpoint.username().is_empty() || endpoint.password().is_some() {
                return Err(format!("`{key}` must not hold a user name or password"));
            }
            if endpoint.fragment().is_some() {
                return Err(format!("`{key}` must not have a fragment"));
            }
        }
        if self.client_id.trim().is_empty() {
            return Err("`clientId` must not be empty".to_owned());
        }
        if !REDIRECT_HOSTS.contains(&self.redirect.host.as_str()) {
            return Err(format!("`redirect.host` must be one of {}", REDIRECT_HOSTS.join(", ")));
        }
        let mut parameters = self.authorization_parameters.keys();
        if let Some(name) = parameters.find(|name| OWN_PARAMETERS.contains(&name.as_str())) {
            return Err(format!("`authorizationParameters` must not set `{name}`"));
        }
        if self.redirect.ports.is_empty() || self.redirect.ports.contains(&0) {
            return Err("`redirect.ports` must list the registered ports".to_owned());
        }
        if !self.redirect.path.starts_with('/') || self.redirect.path.contains(['?', '#', ' ']) {
            return Err("`redirect.path` must be a path that starts with `/`".to_owned());
        }
        let IdentityPointers { email, account_id, subject } = &self.identity;
        for pointer in email.iter().chain(account_id).chain(subject) {
            if !pointer.split('|').all(|part| part.starts_with('/')) {
                return Err(format!("`identity` holds `{pointer}`, which is no JSON pointer"));
            }
        }
        Ok(())
    }

    /// The client that makes our requests.
    ///
    /// # Errors
    /// The name of the variable that should hold the client secret and does not.
    pub fn client(&self, environment: &Environment) -> Result<Client, String> {
        let secret = match &self.client_secret_env {
            None => None,
            Some(name) => Some(Secret::new(environment.text(name).ok_or_else(|| name.clone())?)),
        };
        Ok(Client {
            id: self.client_id.clone(),
            secret,
            endpoints: self.endpoints.clone(),
            token_request_format: self.token_request_format,
        })
    }

    /// Who the tokens belong to, as far as their claims say.
    pub fn identity(&self, access: &Secret, id_token: Option<&Secret>) -> Identity {
        let claims: Vec<Claims> = [Some(access), id_token]
            .into_iter()
            .flatten()
            .filter_map(|token| Claims::of(token.expose()))
            .collect();
        let first = |pointers: &[String]| {
            pointers
                .iter()
                .find_map(|pointer| claims.iter().find_map(|claims| claims.text(pointer)))
        };
        Identity {
            email: first(&self.identity.email).filter(|email| !email.contains(char::is_control)),
            account_id: first(&self.identity.account_id),
            subject: first(&self.identity.subject),
        }
    }
}
