//! The authorization request (RFC 6749 section 4.1.1) with PKCE S256 (RFC 7636).

use super::client::Client;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use indexmap::IndexMap;
use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, Scope};
use rand::RngCore;
use url::Url;

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
    /// A request by `client` at `endpoint` for `scopes`, with the provider's further
    /// `parameters`.
    pub fn new(
        client: &Client,
        endpoint: &Url,
        redirect_uri: Url,
        scopes: &[String],
        parameters: &IndexMap<String, String>,
    ) -> Self {
        let (code_challenge, code_verifier) = PkceCodeChallenge::new_random_sha256();
        let state = random_text();
        let oauth2 = oauth2::basic::BasicClient::new(oauth2::ClientId::new(client.id.clone()))
            .set_auth_uri(oauth2::AuthUrl::from_url(endpoint.clone()))
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

    /// A request that was made earlier, perhaps by another process.
    pub fn resume(url: Url, redirect_uri: Url, state: Secret, code_verifier: &Secret) -> Self {
        let code_verifier = PkceCodeVerifier::new(code_verifier.expose().to_owned());
        Self { url, redirect_uri, state, code_verifier }
    }

    /// The secret that proves, with the token request, that it was us who asked.
    pub fn code_verifier(&self) -> Secret {
        Secret::new(self.code_verifier.secret().as_str())
    }
}

/// 256 random bits, base64url.
pub(super) fn random_text() -> Secret {
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
        let client = Client { id: "client".into(), ..Client::default() };
        let endpoint = Url::parse("https://as.example.test/authorize").unwrap();
        let redirect_uri = Url::parse("http://localhost:1455/auth/callback").unwrap();
        let parameters = IndexMap::from([("originator".to_owned(), "o&o".to_owned())]);
        let scopes = ["openid".to_owned(), "offline_access".to_owned()];
        let request = AuthorizationRequest::new(
            &client,
            &endpoint,
            redirect_uri.clone(),
            &scopes,
            &parameters,
        );
        let query: HashMap<_, _> = request.url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], "client");
        assert_eq!(query["redirect_uri"], redirect_uri.as_str());
        assert_eq!(query["scope"], "openid offline_access");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["code_challenge"].len(), 43);
        assert_eq!(query["state"], request.state.expose());
        assert_eq!(query["originator"], "o&o");
        let other =
            AuthorizationRequest::new(&client, &endpoint, redirect_uri, &scopes, &parameters);
        assert!(!other.state.matches(&request.state), "each request has a state of its own");
    }
}
