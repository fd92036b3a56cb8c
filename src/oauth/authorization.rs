//! The authorization request (RFC 6749 section 4.1.1) with PKCE S256 (RFC 7636) and the
//! client that makes it.

use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use indexmap::IndexMap;
use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, Scope};
use rand::RngCore;
use url::Url;

/// A client as an authorization server knows it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client identifier.
    pub id: String,
    /// The client secret, for servers that insist on one.
    pub secret: Option<Secret>,
    /// Where its requests go.
    pub endpoints: Endpoints,
    /// How its token requests are encoded.
    pub token_request_format: TokenRequestFormat,
}

/// The endpoints of an authorization server.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The authorization endpoint.
    pub authorization: Url,
    /// The token endpoint.
    pub token: Url,
    /// The revocation endpoint (RFC 7009), where there is one.
    pub revocation: Option<Url>,
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

/// An authorization request that waits for its response.
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// Where the user is sent.
    pub url: Url,
    /// Where the authorization server sends the user back to.
    pub redirect_uri: Url,
    /// The value that ties the response to this request.
    pub state: Secret,
    pub(super) code_verifier: PkceCodeVerifier,
}

impl AuthorizationRequest {
    /// A request by `client` for `scopes`, with the provider's further `parameters`.
    pub fn new(
        client: &Client,
        redirect_uri: Url,
        scopes: &[String],
        parameters: &IndexMap<String, String>,
    ) -> Self {
        let (code_challenge, code_verifier) = PkceCodeChallenge::new_random_sha256();
        let state = random_state();
        let oauth2 = oauth2::basic::BasicClient::new(oauth2::ClientId::new(client.id.clone()))
            .set_auth_uri(oauth2::AuthUrl::from_url(client.endpoints.authorization.clone()))
            .set_redirect_uri(oauth2::RedirectUrl::from_url(redirect_uri.clone()));
        let csrf_token = state.clone();
        let mut request = oauth2
            .authorize_url(move || CsrfToken::new(csrf_token.expose().to_owned()))
            .set_pkce_challenge(code_challenge)
            .add_scopes(scopes.iter().cloned().map(Scope::new));
        for (name, value) in parameters {
            request = request.add_extra_param(name, value);
        }
        let (url, _) = request.url();
        Self { url, redirect_uri, state, code_verifier }
    }
}

/// 256 random bits, base64url.
fn random_state() -> Secret {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn the_url_carries_every_parameter_of_the_request() {
        let client = Client {
            id: "client".into(),
            secret: None,
            endpoints: Endpoints {
                authorization: Url::parse("https://as.example.test/authorize").unwrap(),
                token: Url::parse("https://as.example.test/token").unwrap(),
                revocation: None,
            },
            token_request_format: TokenRequestFormat::Form,
        };
        let redirect_uri = Url::parse("http://localhost:1455/auth/callback").unwrap();
        let parameters = IndexMap::from([("originator".to_owned(), "o&o".to_owned())]);
        let scopes = ["openid".to_owned(), "offline_access".to_owned()];
        let request =
            AuthorizationRequest::new(&client, redirect_uri.clone(), &scopes, &parameters);
        let query: HashMap<_, _> = request.url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], "client");
        assert_eq!(query["redirect_uri"], redirect_uri.as_str());
        assert_eq!(query["scope"], "openid offline_access");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["code_challenge"].len(), 43);
        assert_eq!(query["state"], request.state.expose());
        assert_eq!(query["originator"], "o&o");
        let other = AuthorizationRequest::new(&client, redirect_uri, &scopes, &parameters);
        assert!(!other.state.matches(&request.state), "each request has a state of its own");
    }
}
