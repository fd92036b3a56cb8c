//! How we are registered at an authorization server: the client, the endpoints, the
//! redirect, and where the server names the account.

use super::identity_pointers::IdentityPointers;
use super::installed_client::InstalledClient;
use super::invalid_definition::{Fault, InvalidDefinition};
use super::object::read;
use super::project::Project;
use super::redirect::Redirect;
use super::registration_error::RegistrationError;
use crate::oauth::{Claims, Client, DeviceEndpoints, Endpoints, Grant, TokenRequestFormat};
use crate::profile::{Identity, Millis};
use crate::secret::Secret;
use crate::system::{Clients, Environment, http};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// How we are registered at an authorization server. The names are those of a provider
/// file (`docs/providers.md`).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The client identifier (RFC 6749 section 2.2).
    client_id: Option<String>,
    /// Variables that hold the client identifier; one that is set goes before `client_id`.
    #[serde(default)]
    client_id_env: Vec<String>,
    /// Variables that hold the client secret, for servers that want one.
    #[serde(default, deserialize_with = "one_or_many")]
    client_secret_env: Vec<String>,
    /// An installed program whose client we use where no variable names one.
    installed_client: Option<InstalledClient>,
    /// The issuer identifier: an `iss` in the response must name it (RFC 9207). Without a
    /// token endpoint, its metadata name the endpoints (OpenID Connect Discovery, RFC 8414).
    pub issuer: Option<String>,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
    userinfo_endpoint: Option<Url>,
    /// The endpoints of the device authorization.
    device: Option<DeviceEndpoints>,
    #[serde(default)]
    redirect: Redirect,
    /// The variable that holds another redirect URI.
    redirect_uri_env: Option<String>,
    scopes: Option<Vec<String>>,
    /// The variable that holds other scopes, separated by spaces.
    scopes_env: Option<String>,
    /// Further parameters of the authorization request.
    #[serde(default)]
    pub authorization_parameters: IndexMap<String, String>,
    /// Further parameters of token requests.
    #[serde(default)]
    token_parameters: IndexMap<String, String>,
    /// The encoding of token requests.
    #[serde(default)]
    token_request_format: TokenRequestFormat,
    /// The error codes by which the server says that a grant is over, beside `invalid_grant`.
    #[serde(default)]
    final_error_codes: Vec<String>,
    /// Where claims and user information name the account.
    #[serde(default)]
    identity: IdentityPointers,
    /// So many seconds before the server's time a stored access token counts as expired.
    #[serde(default)]
    expiry_margin_seconds: u32,
    /// Members of the token response that the profile keeps, by the name of its field.
    #[serde(default)]
    kept_members: IndexMap<String, String>,
    /// The kind of the profile.
    #[serde(default)]
    pub stored_as: StoredAs,
    /// The profile is `<provider>:<this>` when nothing names the account.
    pub profile_name: Option<String>,
    /// What finds out the project of the account, for providers whose API wants one.
    pub project: Option<Project>,
}

/// The kind of profile that a sign-in makes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum StoredAs {
    /// A grant: access token, refresh token, expiry.
    #[default]
    #[serde(rename = "oauth")]
    OAuth,
    /// The access token alone, which does not expire by itself.
    Token,
}

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

/// The parameters of a token request that a definition must not set.
const OWN_TOKEN_PARAMETERS: [&str; 9] = [
    "grant_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "device_code",
    "user_code",
];

impl Registration {
    /// The registration in a definition; `None` when it has none.
    pub(super) fn of(definition: &Value) -> Result<Option<Self>, InvalidDefinition> {
        let has = |key: &str| definition.get(key).is_some();
        let keys = ["clientId", "clientIdEnv", "authorizationEndpoint", "tokenEndpoint", "issuer"];
        if !keys.into_iter().any(has) {
            return Ok(None);
        }
        let mut registration: Self = read(definition)?;
        if !has("tokenEndpoint") && !has("identity") {
            registration.identity = IdentityPointers::of_openid();
        }
        registration.validate()?;
        Ok(Some(registration))
    }

    /// Checks what the types cannot: there is a client and a way to its endpoints, which
    /// are https or loopback; the redirect is a loopback address; the pointers are pointers.
    fn validate(&self) -> Result<(), InvalidDefinition> {
        let has_client = self.client_id.is_some() || self.installed_client.is_some();
        if !has_client && self.client_id_env.is_empty() {
            return Err(InvalidDefinition::Missing("clientId"));
        }
        if self.issuer.is_none() && self.token_endpoint.is_none() {
            return Err(InvalidDefinition::Missing("tokenEndpoint"));
        }
        let device = self.device.as_ref();
        let issuer = self.issuer.as_deref().map(Url::parse).transpose();
        let issuer = issuer.map_err(|error| Fault::NoUrl(error).of("issuer"))?;
        let endpoints = [
            ("authorizationEndpoint", self.authorization_endpoint.as_ref()),
            ("tokenEndpoint", self.token_endpoint.as_ref()),
            ("revocationEndpoint", self.revocation_endpoint.as_ref()),
            ("userinfoEndpoint", self.userinfo_endpoint.as_ref()),
            ("issuer", issuer.as_ref()),
            ("device.authorizationEndpoint", device.map(|device| &device.authorization_endpoint)),
            ("device.tokenEndpoint", device.and_then(|device| device.token_endpoint.as_ref())),
            ("device.verificationUri", device.and_then(|device| device.verification_uri.as_ref())),
        ];
        let named = endpoints.into_iter().filter_map(|(key, endpoint)| Some((key, endpoint?)));
        let projects = self.project.iter().flat_map(|project| &project.endpoints);
        for (key, endpoint) in named.chain(projects.map(|url| ("project.endpoints", url))) {
            check_endpoint(key, endpoint)?;
        }
        if self.client_id.as_ref().is_some_and(|id| id.trim().is_empty()) {
            return Err(Fault::Empty.of("clientId"));
        }
        if self.client_id.as_ref().is_some_and(|id| id.contains(char::is_control)) {
            return Err(Fault::ControlCharacters.of("clientId"));
        }
        let mut parameters = self.authorization_parameters.keys();
        if let Some(name) = parameters.find(|name| OWN_PARAMETERS.contains(&name.as_str())) {
            return Err(Fault::OwnParameter(name.clone()).of("authorizationParameters"));
        }
        let mut parameters = self.token_parameters.keys();
        if let Some(name) = parameters.find(|name| OWN_TOKEN_PARAMETERS.contains(&name.as_str())) {
            return Err(Fault::OwnParameter(name.clone()).of("tokenParameters"));
        }
        self.redirect.check()?;
        if let Some(name) = self.kept_members.values().find(|name| is_own_field(name)) {
            return Err(Fault::OwnField(name.clone()).of("keptMembers"));
        }
        self.identity.check()
    }

    /// The client that makes our requests by `clients`, whose environment may name it. `stored` is the client identifier that a profile
    /// was issued to: a refresh token is bound to it.
    ///
    /// # Errors
    /// What should name the client, or hold its secret, does not.
    pub fn client(
        &self,
        clients: &Clients,
        stored: Option<&str>,
    ) -> Result<Client, RegistrationError> {
        let environment = clients.environment();
        let variable = |names: &[String]| {
            names.iter().find_map(|name| environment.text(name)).map(str::to_owned)
        };
        let of_environment = variable(&self.client_id_env);
        let secret = variable(&self.client_secret_env).map(Secret::new);
        let (id, secret) = if let Some(program) = &self.installed_client {
            let client = program.client(stored, of_environment, secret, environment);
            client.ok_or_else(|| self.no_client(stored))?
        } else {
            let known = of_environment.or_else(|| self.client_id.clone());
            let id = stored.map(str::to_owned).or(known).ok_or_else(|| self.no_client(None))?;
            (id, secret)
        };
        if secret.is_none()
            && self.installed_client.is_none()
            && self.client_id.is_some()
            && let Some(name) = self.client_secret_env.first()
        {
            return Err(RegistrationError::NoSecret { variable: name.clone() });
        }
        Ok(Client {
            id,
            secret,
            endpoints: Endpoints {
                authorization: self.authorization_endpoint.clone(),
                token: self.token_endpoint.clone(),
                revocation: self.revocation_endpoint.clone(),
                userinfo: self.userinfo_endpoint.clone(),
                device: self.device.clone(),
            },
            default_scopes: Vec::new(),
            issuer: self.issuer.clone(),
            token_request_format: self.token_request_format,
            token_parameters: self.token_parameters.clone(),
            clients: clients.clone(),
            final_error_codes: self.final_error_codes.clone(),
        })
    }

    fn no_client(&self, stored: Option<&str>) -> RegistrationError {
        let variables = self.client_id_env.clone();
        match &self.installed_client {
            None => RegistrationError::NoClient { variables },
            Some(program) => RegistrationError::NoInstalledClient {
                stored: stored.map(str::to_owned),
                program: program.to_string(),
                variables,
            },
        }
    }

    /// Whether the client identifier is not the same for everybody, so that a profile has to
    /// name the one it was issued to.
    pub const fn has_own_client(&self) -> bool {
        !self.client_id_env.is_empty() || self.installed_client.is_some()
    }

    /// Whether people sign in here with a browser; for an issuer, as far as is known.
    pub const fn has_browser_login(&self) -> bool {
        self.authorization_endpoint.is_some() || self.token_endpoint.is_none()
    }

    /// Whether there is a device authorization; for an issuer, as far as is known.
    pub const fn has_device_login(&self) -> bool {
        self.device.is_some() || self.token_endpoint.is_none()
    }

    /// Where the redirect comes back to.
    ///
    /// # Errors
    /// The variable that names it does not hold a loopback URI with a port.
    pub fn redirect(&self, environment: &Environment) -> Result<Redirect, RegistrationError> {
        let variable = self.redirect_uri_env.as_ref();
        match variable.and_then(|name| Some((name, environment.text(name)?))) {
            Some((name, text)) => Redirect::of_variable(name, text),
            None => Ok(self.redirect.clone()),
        }
    }

    /// The scopes to ask for; `None` when it is up to what the server has.
    pub fn scopes(&self, environment: &Environment) -> Option<Vec<String>> {
        let named = self.scopes_env.as_ref().and_then(|name| environment.text(name));
        match named {
            Some(scopes) => Some(scopes.split_whitespace().map(str::to_owned).collect()),
            None => self.scopes.clone(),
        }
    }

    /// Whether claims or user information can name the account.
    pub const fn names_identity(&self) -> bool {
        self.identity.name_somebody()
    }

    /// Who the tokens belong to, as far as their claims and the user information say.
    pub fn identity(
        &self,
        access: &Secret,
        id_token: Option<&Secret>,
        userinfo: Option<&Claims>,
    ) -> Identity {
        self.identity.read(access, id_token, userinfo)
    }

    /// The members of the token response that the profile keeps, by field.
    pub fn extra_fields(&self, grant: &Grant) -> Vec<(String, Value)> {
        let kept = self.kept_members.iter();
        kept.filter_map(|(member, field)| Some((field.clone(), grant.member(member)?.clone())))
            .collect()
    }
}

/// How long an access token is taken to live that comes without any word on its lifetime: an
/// hour, in milliseconds.
pub const ASSUMED_LIFETIME: Millis = 3_600_000;

/// When the access token of a grant counts as expired: as the server says, else after
/// [`ASSUMED_LIFETIME`] when it can be refreshed, else never as far as we know. It is earlier
/// by the margin of the registration, but not within the next half minute, unless it is expired
/// already. Times are in milliseconds since the epoch.
pub fn expiry(registration: Option<&Registration>, grant: &Grant, now: Millis) -> Option<Millis> {
    const LEAST: Millis = 30_000;
    let assumed = || grant.refresh.is_some().then(|| now.saturating_add(ASSUMED_LIFETIME));
    let expires = grant.expires.or_else(assumed)?;
    let margin = registration.map_or(0, |it| Millis::from(it.expiry_margin_seconds) * 1_000);
    if margin == 0 || expires <= now {
        return Some(expires);
    }
    Some((expires - margin).max(now.saturating_add(LEAST)))
}

pub(super) fn check_endpoint(key: &'static str, endpoint: &Url) -> Result<(), InvalidDefinition> {
    if !http::is_acceptable(endpoint) {
        return Err(Fault::Insecure(Box::new(endpoint.clone())).of(key));
    }
    if !endpoint.username().is_empty() || endpoint.password().is_some() {
        return Err(Fault::UserInfo.of(key));
    }
    if endpoint.fragment().is_some() {
        return Err(Fault::Fragment.of(key));
    }
    Ok(())
}

/// Whether the profile has a field of this name for something else.
pub(super) fn is_own_field(name: &str) -> bool {
    let own = ["type", "mode", "provider", "access", "refresh", "idToken", "expires", "email"];
    let more = ["accountId", "displayName", "clientId", "loginMethod"];
    let of_a_refresh = ["accessIssuedAt", "refreshTokenRotates"];
    own.contains(&name) || more.contains(&name) || of_a_refresh.contains(&name)
}

/// A text, or a list of texts.
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expired_already_gets_no_respite() {
        let definition = serde_json::json!({
            "clientId": "fake", "tokenEndpoint": "https://as.example.test/token",
            "expiryMarginSeconds": 300,
        });
        let registration = Registration::of(&definition).unwrap().unwrap();
        let now = 1_000_000;
        for (expires, counted) in [
            (now + 3_600_000, now + 3_300_000),
            (now + 60_000, now + 30_000),
            (now, now),
            (now - 1, now - 1),
        ] {
            let grant = Grant {
                access: Secret::new(""),
                refresh: None,
                id_token: None,
                expires: Some(expires),
                members: crate::oauth::Members::default(),
            };
            assert_eq!(expiry(Some(&registration), &grant, now), Some(counted));
        }
    }
}
