//! What an authorization server says about itself: its metadata (OpenID Connect Discovery
//! 1.0 section 4, RFC 8414) and, with an access token, about its user (OpenID Connect Core
//! section 5.3).

use super::claims::Claims;
use super::client::Client;
use super::device_endpoints::DeviceEndpoints;
use super::lenient_json::decoded;
use super::reply::is_unavailable;
use super::request::json_request;
use super::token_error::TokenError;
use crate::secret::Secret;
use crate::system::http::{HttpClient, HttpError, is_acceptable};
use oauth2::http::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

/// What tells who signs in, and what keeps the login.
const DEFAULT_SCOPES: [&str; 3] = ["openid", "email", "offline_access"];

/// The metadata that we use.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
    userinfo_endpoint: Option<Url>,
    device_authorization_endpoint: Option<Url>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    scopes_supported: Vec<String>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// What a server has announced of its responses.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerMetadata {
    /// Each authorization response names its issuer (RFC 9207 section 3).
    pub has_issuer: bool,
}

impl Client {
    /// Completes the endpoints from the metadata of the issuer when the token endpoint is
    /// not known. Endpoints that are known stay. Returns what the metadata announce besides;
    /// nothing, when none were read.
    ///
    /// # Errors
    /// The metadata cannot be had, are of another issuer, or name endpoints that are
    /// neither https nor on this machine.
    pub async fn discover(&mut self) -> Result<ServerMetadata, TokenError> {
        let (None, Some(issuer)) = (&self.endpoints.token, &self.issuer) else {
            return Ok(ServerMetadata::default());
        };
        let unreadable = |reason: String| TokenError::Unreadable(format!("{issuer}: {reason}"));
        let url = Url::parse(issuer).map_err(|error| unreadable(error.to_string()))?;
        let http = self.http_to(&url)?;
        let mut found = None;
        for place in metadata_places(&url) {
            let (status, body) = read(&http, &place, None).await?;
            if status.is_success() {
                found = Some(body);
                break;
            }
            if is_unavailable(status) {
                let reason = format!("{issuer}: {status}");
                return Err(TokenError::unavailable(reason, false));
            }
        }
        let body = found.ok_or_else(|| unreadable("it has no metadata".to_owned()))?;
        let metadata: Metadata = serde_json::from_str(&decoded(&body))
            .map_err(|_| unreadable("its metadata cannot be read".to_owned()))?;
        if metadata.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(unreadable("its metadata name another issuer".to_owned()));
        }
        // As the server spells it in its responses.
        let spelled = Some(metadata.issuer);
        let methods = metadata.code_challenge_methods_supported.as_deref();
        if methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err(unreadable("it does not support PKCE with S256".to_owned()));
        }
        let device = metadata.device_authorization_endpoint.map(DeviceEndpoints::standard);
        let named = [
            metadata.authorization_endpoint.as_ref(),
            metadata.token_endpoint.as_ref(),
            metadata.revocation_endpoint.as_ref(),
            metadata.userinfo_endpoint.as_ref(),
            device.as_ref().map(|device| &device.authorization_endpoint),
        ];
        if let Some(bad) = named.into_iter().flatten().find(|endpoint| !is_acceptable(endpoint)) {
            return Err(unreadable(format!("its endpoint {bad} is neither https nor loopback")));
        }
        if metadata.token_endpoint.is_none() {
            return Err(unreadable("its metadata name no token endpoint".to_owned()));
        }
        let has = |scope: &str| metadata.scopes_supported.iter().any(|known| known == scope);
        let default = DEFAULT_SCOPES.into_iter().filter(|scope| has(scope));
        self.default_scopes = default.map(str::to_owned).collect();
        self.issuer = spelled;
        let known = &mut self.endpoints;
        known.authorization = known.authorization.take().or(metadata.authorization_endpoint);
        known.token = metadata.token_endpoint;
        known.revocation = known.revocation.take().or(metadata.revocation_endpoint);
        known.userinfo = known.userinfo.take().or(metadata.userinfo_endpoint);
        known.device = known.device.take().or(device);
        let has_issuer = metadata.authorization_response_iss_parameter_supported == Some(true);
        Ok(ServerMetadata { has_issuer })
    }

    /// What the user information endpoint says of who `access` was issued to; `None` when
    /// there is none, or it does not answer as it should: a login does not depend on it.
    ///
    /// # Errors
    /// It does not speak of the subject of the id token that came with `access` (OpenID
    /// Connect Core section 5.3.2).
    pub async fn userinfo(
        &self,
        access: &Secret,
        id_token: Option<&Secret>,
    ) -> Result<Option<Claims>, OtherSubject> {
        let Some(claims) = self.asked_userinfo(access).await else { return Ok(None) };
        let Some(id_token) = id_token else { return Ok(Some(claims)) };
        // Google's first such endpoint has an `id` in the place of `sub`.
        let subject = claims.text("/sub").or_else(|| claims.text("/id"));
        let expected = Claims::of(id_token.expose()).and_then(|claims| claims.text("/sub"));
        if subject.is_some() && subject == expected { Ok(Some(claims)) } else { Err(OtherSubject) }
    }

    async fn asked_userinfo(&self, access: &Secret) -> Option<Claims> {
        let endpoint = self.endpoints.userinfo.as_ref()?;
        let http = self.http_to(endpoint).ok()?;
        let (status, body) = read(&http, endpoint, Some(access)).await.ok()?;
        if !status.is_success() {
            return None;
        }
        Claims::of_object(serde_json::from_str(&decoded(&body)).ok()?)
    }
}

/// User information that must not be used: it may be of anybody.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("its subject (`sub`) is not that of the id token")]
pub struct OtherSubject;

/// Where an issuer publishes its metadata: behind its path, or between host and path.
fn metadata_places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/').to_owned();
    let at = |path: String| {
        let mut place = issuer.clone();
        place.set_query(None);
        place.set_path(&path);
        place
    };
    vec![
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/oauth-authorization-server{path}")),
    ]
}

/// What is at `url`, whatever its status.
async fn read(
    http: &HttpClient,
    url: &Url,
    bearer: Option<&Secret>,
) -> Result<(StatusCode, Vec<u8>), TokenError> {
    let unfit = |_| {
        TokenError::Unreadable("the token has characters that a header must not have".to_owned())
    };
    let request =
        json_request(Method::GET, url.as_str(), bearer).body(Vec::new()).map_err(unfit)?;
    let response = http.send(request).await.map_err(|error| match error {
        // Reading changes nothing, whether or not it arrived.
        HttpError::Unreachable { reason, .. } => TokenError::unavailable(reason, false),
        other => other.into(),
    })?;
    Ok((response.status(), response.into_body()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_stand_behind_the_path_or_between_host_and_path() {
        let places = |issuer: &str| -> Vec<String> {
            metadata_places(&Url::parse(issuer).unwrap()).iter().map(Url::to_string).collect()
        };
        assert_eq!(
            places("https://as.example.test/tenant/"),
            [
                "https://as.example.test/tenant/.well-known/openid-configuration",
                "https://as.example.test/.well-known/oauth-authorization-server/tenant",
            ]
        );
        assert_eq!(
            places("https://as.example.test")[0],
            "https://as.example.test/.well-known/openid-configuration"
        );
    }
}
