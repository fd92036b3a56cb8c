//! One provider definition: the row type of the catalog and of provider files.

use crate::oauth::{Claims, Client, Endpoints, TokenRequestFormat};
use crate::profile::Identity;
use crate::secret::Secret;
use crate::system::{Environment, http};
use indexmap::IndexMap;
use serde::Deserialize;
use url::Url;

/// How to sign in at one provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// The provider id, as profiles name it.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// Other ids under which the provider is known.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The client identifier (RFC 6749 section 2.2).
    pub client_id: String,
    /// The environment variable that holds the client secret, for servers that want one.
    #[serde(default)]
    pub client_secret_env: Option<String>,
    /// The issuer identifier that an `iss` in the response must name (RFC 9207).
    #[serde(default)]
    pub issuer: Option<String>,
    /// The authorization endpoint.
    pub authorization_endpoint: Url,
    /// The token endpoint.
    pub token_endpoint: Url,
    /// The revocation endpoint (RFC 7009).
    #[serde(default)]
    pub revocation_endpoint: Option<Url>,
    /// Where the redirect comes back to.
    pub redirect: Redirect,
    /// The scopes to ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Further parameters of the authorization request.
    #[serde(default)]
    pub authorization_parameters: IndexMap<String, String>,
    /// The encoding of token requests.
    #[serde(default)]
    pub token_request_format: TokenRequestFormat,
    /// Where the claims name the account.
    #[serde(default)]
    pub identity: IdentityPointers,
}

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

impl Definition {
    /// Checks what the types cannot: endpoints are https or loopback, the redirect is a
    /// loopback address, the pointers are pointers. The error says what is wrong.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn validate(&self) -> Result<(), String> {
        let endpoints = [
            ("authorizationEndpoint", Some(&self.authorization_endpoint)),
            ("tokenEndpoint", Some(&self.token_endpoint)),
            ("revocationEndpoint", self.revocation_endpoint.as_ref()),
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
        if self.id.trim().is_empty() || self.id.contains(['/', ':']) {
            return Err("`id` must be a name without `/` and `:`".to_owned());
        }
        if self.client_id.trim().is_empty() {
            return Err("`clientId` must not be empty".to_owned());
        }
        let redirect = format!("http://{}/", self.redirect.host);
        if !Url::parse(&redirect).is_ok_and(|url| http::is_loopback(&url) && url.port().is_none()) {
            return Err("`redirect.host` must be a loopback host without a port".to_owned());
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

    /// The client for this provider.
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
            endpoints: Endpoints {
                authorization: self.authorization_endpoint.clone(),
                token: self.token_endpoint.clone(),
                revocation: self.revocation_endpoint.clone(),
            },
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
