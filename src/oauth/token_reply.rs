//! The replies to a token request, as they are on the wire: a token response (RFC 6749
//! section 5.1) or an error response (section 5.2), read with some tolerance.

use super::claims::Claims;
use super::token::{Grant, Members, TokenError};
use crate::profile::Millis;
use crate::secret::Secret;
use crate::text::printable;
use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A token response (RFC 6749 section 5.1), read with some tolerance: servers leave
/// `token_type` out and send `expires_in` as text.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct TokenReply {
    access_token: AccessToken,
    #[serde(default = "bearer", skip_deserializing)]
    token_type: BasicTokenType,
    #[serde(default)]
    expires_in: Seconds,
    #[serde(default, deserialize_with = "text_or_none")]
    refresh_token: Option<RefreshToken>,
    #[serde(default, deserialize_with = "text_or_none")]
    id_token: Option<AccessToken>,
    #[serde(flatten)]
    members: serde_json::Map<String, serde_json::Value>,
}

const fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

/// An optional member that is no text counts as absent: the grant beside it is spent
/// whatever we make of it.
fn text_or_none<'de, D: serde::Deserializer<'de>, T: From<Text>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().map(|text| T::from(Text(text.to_owned()))))
}

/// The text of a token on its way into its own type.
struct Text(String);

impl From<Text> for RefreshToken {
    fn from(text: Text) -> Self {
        Self::new(text.0)
    }
}

impl From<Text> for AccessToken {
    fn from(text: Text) -> Self {
        Self::new(text.0)
    }
}

/// A lifetime in whole seconds, where the response has one that can be read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(from = "serde_json::Value")]
struct Seconds(Option<u32>);

impl From<serde_json::Value> for Seconds {
    fn from(value: serde_json::Value) -> Self {
        let seconds = match &value {
            serde_json::Value::Number(number) => number.as_f64(),
            serde_json::Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let whole = |seconds: f64| seconds.clamp(0.0, f64::from(u32::MAX)) as u32;
        Self(seconds.filter(|seconds| seconds.is_finite()).map(whole))
    }
}

impl oauth2::TokenResponse for TokenReply {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.0.map(|seconds| Duration::from_secs(seconds.into()))
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref().filter(|token| !token.secret().trim().is_empty())
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl TokenReply {
    /// What the response grants; `received` is the time to count `expires_in` from.
    ///
    /// # Errors
    /// The access token is empty.
    pub(super) fn grant(&self, received: Millis) -> Result<Grant, TokenError> {
        use oauth2::TokenResponse;
        if self.access_token.secret().trim().is_empty() {
            return Err(TokenError::Unreadable("its access_token is empty".to_owned()));
        }
        let expires = self
            .expires_in
            .0
            .map(|seconds| received.saturating_add(Millis::from(seconds) * 1_000))
            .or_else(|| Claims::of(self.access_token.secret())?.expires_after(received));
        Ok(Grant {
            access: Secret::new(self.access_token.secret().clone()),
            refresh: self.refresh_token().map(|token| Secret::new(token.secret().clone())),
            id_token: self.id_token.as_ref().map(|token| Secret::new(token.secret().clone())),
            expires,
            members: Members(self.members.clone()),
        })
    }
}

/// An error response: the standard one (RFC 6749 section 5.2), or an object under
/// `error` with `code`, `type` and `message`, as OpenAI sends.
#[derive(Debug, Serialize)]
pub(super) struct ErrorReply {
    /// The error code.
    pub(super) code: String,
    /// What the server says about it.
    pub(super) description: Option<String>,
}

impl<'de> Deserialize<'de> for ErrorReply {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let reply = serde_json::Value::deserialize(deserializer)?;
        let text = |value: Option<&serde_json::Value>, limit| {
            Some(printable(value?.as_str()?, limit)).filter(|text| !text.is_empty())
        };
        let error = reply.get("error");
        let code = match error {
            Some(nested @ serde_json::Value::Object(_)) => {
                text(nested.get("code"), 80).or_else(|| text(nested.get("type"), 80))
            }
            _ => text(error, 80).or_else(|| text(reply.get("code"), 80)),
        };
        // As MiniMax has it: a number, and what it means.
        let base = reply.get("base_resp");
        let number = base.and_then(|base| Some(base.get("status_code")?.as_i64()?.to_string()));
        let code = code.or(number).or_else(|| text(reply.get("status"), 80));
        let description = text(reply.get("error_description"), 300)
            .or_else(|| text(error.and_then(|error| error.get("message")), 300))
            .or_else(|| text(reply.get("message"), 300))
            .or_else(|| text(base.and_then(|base| base.get("status_msg")), 300));
        let code = code.ok_or_else(|| D::Error::custom("an error response without a code"))?;
        Ok(Self { code, description })
    }
}

impl std::fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.code)
    }
}

impl oauth2::ErrorResponse for ErrorReply {}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(json: &str) -> Option<Grant> {
        serde_json::from_str::<TokenReply>(json).ok()?.grant(1_000).ok()
    }

    #[test]
    fn a_token_response_is_read_with_tolerance() {
        let grant = reply(r#"{"access_token":"a","expires_in":"60"}"#).unwrap();
        assert_eq!(grant.expires, Some(61_000));
        assert!(grant.refresh.is_none());
        let grant =
            reply(r#"{"access_token":"a","expires_in":1e300,"refresh_token":" "}"#).unwrap();
        assert_eq!(grant.expires, Some(1_000 + i64::from(u32::MAX) * 1_000));
        assert!(grant.refresh.is_none());
        assert!(reply(r#"{"expires_in":60}"#).is_none());
        assert!(reply(r#"{"access_token":" "}"#).is_none());
        for odd in [r#""expires_in":true"#, r#""expires_in":"soon""#, r#""id_token":{}"#] {
            let grant = reply(&format!(r#"{{"access_token":"a","refresh_token":"r",{odd}}}"#));
            let grant = grant.unwrap();
            assert!(grant.expires.is_none() && grant.id_token.is_none(), "{odd}");
            assert_eq!(grant.refresh.unwrap().expose(), "r");
        }
    }

    #[test]
    fn an_error_code_is_found_in_every_shape() {
        let code = |json: &str| serde_json::from_str::<ErrorReply>(json).map(|reply| reply.code);
        assert_eq!(code(r#"{"error":"invalid_grant"}"#).unwrap(), "invalid_grant");
        let nested = r#"{"error":{"message":"m","type":"t","code":"refresh_token_reused"}}"#;
        assert_eq!(code(nested).unwrap(), "refresh_token_reused");
        assert_eq!(code(r#"{"error":{"type":"t","code":null}}"#).unwrap(), "t");
        assert!(code("[]").is_err());
        assert!(code("{}").is_err());
    }
}
