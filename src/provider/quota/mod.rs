//! How much of a subscription is used up, as its provider tells it.
//!
//! A provider says in its definition where it is asked and in which format it answers
//! (the `usage` key). The formats are interpreted here and nowhere else: what a request
//! looks like, and what an answer means. None of them is documented by its provider; the
//! endpoints and fields are those that OpenClaw 2026.4.24 and the providers' own programs
//! use, so that everything in an answer may be missing or of another type.

mod answer;
mod claude;
mod codex;
mod copilot;
mod gemini;
mod minimax;
mod value;
mod zai;

pub use answer::{Quota, QuotaError, Window};

use super::invalid_definition::{Fault, InvalidDefinition};
use crate::profile::Kind;
use crate::secret::Secret;
use crate::system::http::is_acceptable;
use indexmap::IndexMap;
use oauth2::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::http::{HeaderName, HeaderValue, Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// Where a provider is asked for the usage of a login, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaSource {
    /// The format of request and answer.
    pub format: QuotaFormat,
    /// Where the request goes: https, or http on a loopback address.
    pub endpoint: Url,
    /// The id that reports give it; that of the provider without one. Providers that share
    /// one are reported once.
    #[serde(default)]
    pub id: Option<String>,
    /// The name for people; that of the provider without one.
    #[serde(default)]
    pub label: Option<String>,
    /// Further header fields of the request.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
}

/// The formats in which providers tell the usage.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaFormat {
    /// `ChatGPT` subscriptions (`rate_limit`, `credits`).
    Codex,
    /// Claude subscriptions (`five_hour`, `seven_day`).
    Claude,
    /// GitHub Copilot (`quota_snapshots`).
    Copilot,
    /// Gemini Code Assist (`buckets`).
    Gemini,
    /// `MiniMax` coding plans (`model_remains`).
    Minimax,
    /// Z.ai coding plans (`limits`).
    Zai,
}

/// Why a provider cannot be asked with a login. It quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaRequestError {
    /// The token cannot stand in a header field.
    #[error("the token holds characters no token has")]
    Token,
    /// The account id cannot stand in a header field.
    #[error("the account id holds characters no account id has")]
    AccountId,
    /// The endpoint is no address of a request.
    #[error("the endpoint is not a valid address")]
    Endpoint,
}

/// More windows than anybody has; an answer with more of them is cut.
const MOST_WINDOWS: usize = 12;

impl QuotaFormat {
    /// Whether a credential of this kind is one that the usage can be asked with.
    pub const fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Codex | Self::Claude | Self::Copilot | Self::Gemini => {
                matches!(kind, Kind::OAuth | Kind::Token)
            }
            Self::Minimax => true,
            Self::Zai => matches!(kind, Kind::ApiKey | Kind::Token),
        }
    }

    /// Whether this status says that the token is not accepted any more.
    fn means_expired(self, status: StatusCode) -> bool {
        match self {
            Self::Codex => matches!(status.as_u16(), 401 | 403),
            Self::Claude | Self::Copilot | Self::Gemini => status == StatusCode::UNAUTHORIZED,
            // Keys do not expire.
            Self::Minimax | Self::Zai => false,
        }
    }

    /// What an answer says that came with status 200.
    fn parse(self, body: &Value) -> Result<Quota, QuotaError> {
        if !body.is_object() {
            return Err(QuotaError::Unknown);
        }
        let mut usage = match self {
            Self::Codex => codex::parse(body),
            Self::Claude => claude::parse(body),
            Self::Copilot => copilot::parse(body),
            Self::Gemini => gemini::parse(body),
            Self::Minimax => minimax::parse(body)?,
            Self::Zai => zai::parse(body)?,
        };
        usage.windows.truncate(MOST_WINDOWS);
        Ok(usage)
    }
}

impl QuotaSource {
    /// Checks what the types cannot.
    pub(super) fn validate(&self) -> Result<(), InvalidDefinition> {
        let endpoint = &self.endpoint;
        if !is_acceptable(endpoint) {
            return Err(Fault::Insecure(Box::new(endpoint.clone())).of("usage.endpoint"));
        }
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err(Fault::UserInfo.of("usage.endpoint"));
        }
        if self.id.iter().chain(&self.label).any(|name| name.contains(char::is_control)) {
            return Err(InvalidDefinition::Names);
        }
        for (name, value) in &self.headers {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return Err(Fault::NoHeader(name.clone()).of("usage.headers"));
            }
        }
        Ok(())
    }

    /// The request with this token, for this account at the provider.
    ///
    /// # Errors
    /// The token or the account id cannot stand in a header field.
    pub fn request(
        &self,
        token: &Secret,
        account_id: Option<&str>,
    ) -> Result<Request<Vec<u8>>, QuotaRequestError> {
        let (scheme, body) = match self.format {
            QuotaFormat::Copilot => ("token", None),
            QuotaFormat::Gemini => ("Bearer", Some("{}")),
            _ => ("Bearer", None),
        };
        let token = format!("{scheme} {}", token.expose());
        let mut token = HeaderValue::try_from(token).map_err(|_| QuotaRequestError::Token)?;
        token.set_sensitive(true);
        let mut request = Request::new(body.unwrap_or_default().as_bytes().to_vec());
        let uri = self.endpoint.as_str().try_into();
        *request.uri_mut() = uri.map_err(|_| QuotaRequestError::Endpoint)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value.try_into()) {
                headers.insert(name, value);
            }
        }
        headers.insert(AUTHORIZATION, token);
        if let (QuotaFormat::Codex, Some(account_id)) = (self.format, account_id) {
            let account_id =
                HeaderValue::try_from(account_id).map_err(|_| QuotaRequestError::AccountId)?;
            headers.insert(codex::ACCOUNT_HEADER, account_id);
        }
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.method_mut() = oauth2::http::Method::POST;
        }
        Ok(request)
    }

    /// What an answer says.
    ///
    /// # Errors
    /// It does not tell the usage, and why. What it quotes of the answer is printable.
    pub fn read(&self, status: StatusCode, body: &[u8]) -> Result<Quota, QuotaError> {
        if self.format.means_expired(status) {
            return Err(QuotaError::TokenExpired);
        }
        let parsed: Result<Value, _> = serde_json::from_slice(body);
        if !status.is_success() {
            let said = parsed.as_ref().ok().and_then(value::error_message);
            let default = || status.canonical_reason().unwrap_or("no usage").to_owned();
            return Err(QuotaError::Status(status.as_u16(), said.unwrap_or_else(default)));
        }
        self.format.parse(&parsed.map_err(|_| QuotaError::NotJson)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    pub(super) fn source(format: &str) -> QuotaSource {
        let row = json!({"format": format, "endpoint": "https://api.example.test/usage"});
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn a_request_carries_the_token_and_what_the_definition_adds() {
        let mut codex = source("codex");
        codex.headers.insert("X-Api".to_owned(), "1".to_owned());
        codex.headers.insert("Authorization".to_owned(), "not this".to_owned());
        let request = codex.request(&Secret::new("fake"), Some("fake-account")).unwrap();
        assert_eq!(request.method(), "GET");
        assert_eq!(request.uri(), "https://api.example.test/usage");
        assert_eq!(request.headers()["authorization"], "Bearer fake");
        assert_eq!(request.headers()["chatgpt-account-id"], "fake-account");
        assert_eq!(request.headers()["x-api"], "1");
        let gemini = source("gemini").request(&Secret::new("fake"), Some("other")).unwrap();
        assert_eq!((gemini.method().as_str(), &gemini.body()[..]), ("POST", &b"{}"[..]));
        assert!(!gemini.headers().contains_key("chatgpt-account-id"));
        let copilot = source("copilot").request(&Secret::new("fake"), None).unwrap();
        assert_eq!(copilot.headers()["authorization"], "token fake");
        assert!(source("codex").request(&Secret::new("a\nb"), None).is_err());
        assert!(source("codex").request(&Secret::new("a"), Some("a\r\nX: y")).is_err());
    }

    #[test]
    fn an_answer_that_is_no_usage_says_why() {
        let read = |format: &str, status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            source(format).read(status, body.as_bytes()).unwrap_err().to_string()
        };
        assert_eq!(read("codex", 403, ""), "Token expired");
        assert_eq!(read("claude", 401, "<html>"), "Token expired");
        assert_eq!(
            read("claude", 403, r#"{"error": {"message": " no\u001b[31m scope "}}"#),
            "HTTP 403: no[31m scope"
        );
        assert_eq!(read("copilot", 429, "<html>"), "HTTP 429: Too Many Requests");
        assert_eq!(read("zai", 401, "{}"), "HTTP 401: Unauthorized");
        assert_eq!(read("gemini", 302, ""), "HTTP 302: Found");
        assert_eq!(read("codex", 200, "<!doctype html>"), "the answer is not JSON");
        assert_eq!(read("codex", 200, ""), "the answer is not JSON");
        assert_eq!(read("codex", 200, "[1]"), "the answer does not tell the usage");
        assert_eq!(read("codex", 200, r#"{"a": 1e999}"#), "the answer is not JSON");
        assert_eq!(read("claude", 200, &"[".repeat(100_000)), "the answer is not JSON");
    }

    #[test]
    fn an_empty_answer_has_no_windows() {
        for format in ["codex", "claude", "copilot", "gemini"] {
            assert_eq!(source(format).read(StatusCode::OK, b"{}"), Ok(Quota::default()));
        }
    }
}
