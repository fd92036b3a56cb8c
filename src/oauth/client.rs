//! A client and the authorization server that knows it: what every request needs.

use super::device_endpoints::DeviceEndpoints;
use super::token_error::TokenError;
use crate::secret::Secret;
use crate::system::Clients;
use crate::system::http::HttpClient;
use indexmap::IndexMap;
use url::Url;

/// A client as an authorization server knows it.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The client identifier.
    pub id: String,
    /// The client secret, for servers that insist on one.
    pub secret: Option<Secret>,
    /// Where its requests go.
    pub endpoints: Endpoints,
    /// The issuer identifier of the server, where it is known.
    pub issuer: Option<String>,
    /// The scopes to ask for where nobody names any, as far as the server has them; known
    /// once it was asked ([`Client::discover`]).
    pub default_scopes: Vec<String>,
    /// How its token requests are encoded.
    pub token_request_format: TokenRequestFormat,
    /// Further parameters of its token requests.
    pub token_parameters: IndexMap<String, String>,
    /// The error codes by which the server says that a grant is over, beside `invalid_grant`.
    pub final_error_codes: Vec<String>,
    /// What its requests go by.
    pub clients: Clients,
}

/// The endpoints of an authorization server. Those that are missing may be in its metadata
/// ([`Client::discover`]).
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// The authorization endpoint.
    pub authorization: Option<Url>,
    /// The token endpoint.
    pub token: Option<Url>,
    /// The revocation endpoint (RFC 7009).
    pub revocation: Option<Url>,
    /// The user information endpoint (OpenID Connect Core section 5.3).
    pub userinfo: Option<Url>,
    /// The device authorization.
    pub device: Option<DeviceEndpoints>,
}

/// How the body of a token request is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenRequestFormat {
    /// `application/x-www-form-urlencoded`, as RFC 6749 has it.
    #[default]
    Form,
    /// A JSON object, as some servers want it.
    Json,
}

impl Client {
    /// Whether an error code says that a grant is over.
    pub fn is_final(&self, code: &str) -> bool {
        code == "invalid_grant" || self.final_error_codes.iter().any(|own| own == code)
    }

    /// What names the client in the body of a request (RFC 6749 section 2.3.1).
    pub(super) fn credentials(&self) -> Vec<(&str, &str)> {
        let secret = self.secret.as_ref().map(|secret| ("client_secret", secret.expose()));
        std::iter::once(("client_id", &*self.id)).chain(secret).collect()
    }

    /// The token endpoint.
    ///
    /// # Errors
    /// The server names none.
    pub fn token_endpoint(&self) -> Result<&Url, TokenError> {
        let missing = || TokenError::Unreadable("the server names no token endpoint".to_owned());
        self.endpoints.token.as_ref().ok_or_else(missing)
    }

    /// An HTTP client for the token endpoint.
    ///
    /// # Errors
    /// There is no such endpoint, or the trust store or proxy settings cannot be used.
    pub fn http(&self) -> Result<HttpClient, TokenError> {
        self.http_to(self.token_endpoint()?)
    }

    /// An HTTP client for another endpoint.
    ///
    /// # Errors
    /// The trust store or proxy settings cannot be used.
    pub fn http_to(&self, endpoint: &Url) -> Result<HttpClient, TokenError> {
        self.clients.to(endpoint).map_err(TokenError::from)
    }
}
