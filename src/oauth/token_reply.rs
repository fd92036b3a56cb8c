//! A token response (RFC 6749 section 5.1), as it is on the wire. The members that are wanted
//! are read whatever is beside them: the refresh token in it has replaced the one that was
//! sent.
//!
//! Invariant: a refresh token that came whole is in the grant.

use super::claims::Claims;
use super::grant::{Grant, Members};
use super::lenient_json::{self, Members as Found};
use super::token_error::TokenError;
use crate::profile::Millis;
use crate::secret::Secret;
use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// A token response in the standard's terms, as [`standard`] gives it. The `oauth2` package
/// wants it as a type that it can read.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct TokenReply {
    #[serde(default = "no_token")]
    access_token: AccessToken,
    #[serde(default = "bearer", skip_deserializing)]
    token_type: BasicTokenType,
    expires_in: Option<f64>,
    refresh_token: Option<RefreshToken>,
    id_token: Option<AccessToken>,
    #[serde(flatten)]
    members: Map<String, Value>,
}

const fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

fn no_token() -> AccessToken {
    AccessToken::new(String::new())
}

/// The members of a token response in the standard's terms. A lifetime that is given as a
/// time in milliseconds since the epoch (`expired_in`) becomes one in seconds from `now`, the
/// time by the server's clock. Of a response that breaks off, what came whole counts when the
/// refresh token is in it: without that one, the grant cannot be kept.
///
/// # Errors
/// Why there is no grant in it.
pub(super) fn standard(text: &str, now: Millis) -> Result<Map<String, Value>, NoGrant> {
    let found = Found::of(text);
    if !text.contains('{') {
        return of_form(text);
    }
    let is_page = text.trim_start().starts_with('<');
    let none = |why| Err(if is_page { NoGrant::IsPage } else { why });
    let wanted = ["access_token", "refresh_token", "id_token"].map(|name| (name, found.text(name)));
    let [access, refresh, _] = wanted.each_ref().map(|(_, token)| token.is_some());
    if !access && !refresh && is_error(&found) {
        return Err(NoGrant::Refused);
    }
    if !found.is_whole && !refresh {
        return none(NoGrant::BreaksOff);
    }
    if !access && !refresh {
        let is_text = |value| lenient_json::unquoted(value).is_some();
        let is_empty = found.values("access_token").any(is_text);
        return none(if is_empty { NoGrant::IsEmptyToken } else { NoGrant::HasNoToken });
    }
    let mut members = found.strict();
    for (name, token) in wanted {
        match token {
            Some(token) => members.insert(name.to_owned(), token.into()),
            None => members.remove(name),
        };
    }
    let until = found.values("expired_in").find_map(|value| value.parse::<Millis>().ok());
    let of_until = |until: Millis| until.saturating_sub(now).max(0) / 1_000;
    let lifetime = found.values("expires_in").find_map(number);
    let given = found.values("expires_in").next().is_some();
    match (lifetime, until) {
        (Some(seconds), _) => members.insert("expires_in".to_owned(), seconds.into()),
        (None, Some(until)) if !given => {
            members.insert("expires_in".to_owned(), of_until(until).into())
        }
        _ => members.remove("expires_in"),
    };
    Ok(members)
}

/// Whether an answer that need not be a token response has both tokens in it, and no error.
pub(super) fn brings_tokens(text: &str) -> bool {
    let found = Found::of(text);
    let has = |name| found.text(name).is_some();
    has("access_token") && has("refresh_token") && !is_error(&found)
}

/// Why there is no grant in a token response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoGrant {
    /// It is an error response.
    Refused,
    /// It ends before the tokens do.
    BreaksOff,
    /// It holds neither an access token nor a refresh token.
    HasNoToken,
    /// Its access token is empty.
    IsEmptyToken,
    /// It is a web page.
    IsPage,
    /// It is something else.
    IsNotJson,
    /// Nothing is in it.
    IsEmpty,
}

impl NoGrant {
    /// The reason as part of a sentence.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Refused => "it is an error response",
            Self::BreaksOff => "it breaks off",
            Self::HasNoToken => "it has no access_token, or not of the right form",
            Self::IsEmptyToken => "its access_token is empty",
            Self::IsPage => "it is a web page",
            Self::IsNotJson => "it is not JSON",
            Self::IsEmpty => "it is empty",
        }
    }
}

/// A token response as a form, which some servers send in place of JSON.
fn of_form(text: &str) -> Result<Map<String, Value>, NoGrant> {
    let text = text.trim();
    let is_form = !text.contains(char::is_whitespace)
        && ["access_token=", "refresh_token="].iter().any(|name| text.contains(name));
    if text.is_empty() {
        return Err(NoGrant::IsEmpty);
    }
    if text.starts_with('<') {
        return Err(NoGrant::IsPage);
    }
    if !is_form {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        return Err(if is_json { NoGrant::HasNoToken } else { NoGrant::IsNotJson });
    }
    let members = url::form_urlencoded::parse(text.as_bytes());
    let members = members.map(|(name, value)| (name.into_owned(), Value::from(&*value)));
    let members: Map<String, Value> = members.collect();
    // In the form of JSON, everything else is the same.
    standard(&Value::Object(members).to_string(), 0)
}

/// Whether an object without tokens says that something is wrong.
fn is_error(found: &Found<'_>) -> bool {
    found.values("error").next().is_some() || found.text("status").is_some_and(|it| it == "error")
}

/// A number, or a text with one.
fn number(value: &str) -> Option<f64> {
    let text = lenient_json::unquoted(value);
    let number: f64 = text.as_deref().unwrap_or(value).trim().parse().ok()?;
    // Beyond what a number can be, it is a long time.
    (!number.is_nan()).then(|| number.clamp(0.0, f64::from(u32::MAX)))
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
        self.expires_in.map(Duration::from_secs_f64)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl TokenReply {
    /// What the response grants; `received` is the time to count `expires_in` from. A refresh
    /// token alone is a grant whose access token is empty and expired at once, so that the
    /// next caller refreshes with the new one.
    ///
    /// # Errors
    /// There is neither an access token nor a refresh token.
    pub(super) fn grant(&self, received: Millis) -> Result<Grant, TokenError> {
        use oauth2::TokenResponse;
        let access = self.access_token.secret();
        let refresh = self.refresh_token().map(|token| Secret::new(token.secret().clone()));
        if access.is_empty() && refresh.is_none() {
            return Err(TokenError::Unreadable(NoGrant::HasNoToken.reason().to_owned()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "clamped to a u32")]
        let of_lifetime = |seconds: f64| received.saturating_add(seconds as Millis * 1_000);
        let expires = if access.is_empty() {
            Some(received)
        } else {
            let told = self.expires_in.map(of_lifetime);
            told.or_else(|| Claims::of(access)?.expires_after(received))
        };
        Ok(Grant {
            access: Secret::new(access.clone()),
            refresh,
            id_token: self.id_token.as_ref().map(|token| Secret::new(token.secret().clone())),
            expires,
            members: Members(self.members.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Result<Grant, NoGrant> {
        let members = standard(text, 1_000)?;
        let reply: TokenReply = serde_json::from_value(Value::Object(members)).unwrap();
        Ok(reply.grant(1_000).unwrap())
    }

    fn tokens(text: &str) -> (String, Option<String>) {
        let grant = reply(text).unwrap_or_else(|why| panic!("{why:?}: {text:.200}"));
        (grant.access.expose().to_owned(), grant.refresh.map(|token| token.expose().to_owned()))
    }

    #[test]
    fn a_token_response_is_read_with_tolerance() {
        let grant = reply(r#"{"access_token":"a","expires_in":"60"}"#).unwrap();
        assert_eq!(grant.expires, Some(61_000));
        assert!(grant.refresh.is_none());
        let longest = Some(1_000 + i64::from(u32::MAX) * 1_000);
        for long in ["1e300", "1e999", "99999999999999999999999"] {
            let text = format!(r#"{{"access_token":"a","expires_in":{long},"refresh_token":" "}}"#);
            let grant = reply(&text).unwrap();
            assert!(grant.expires == longest && grant.refresh.is_none(), "{long}");
        }
        assert_eq!(reply(r#"{"access_token":"a","expires_in":-5}"#).unwrap().expires, Some(1_000));
        for odd in [
            r#""expires_in":true"#,
            r#""expires_in":"soon""#,
            r#""expires_in":null"#,
            r#""id_token":{}"#,
            r#""token_type":7"#,
            r#""scope":["a"]"#,
        ] {
            let grant = reply(&format!(r#"{{"access_token":"a","refresh_token":"r",{odd}}}"#));
            let grant = grant.unwrap();
            assert!(grant.expires.is_none() && grant.id_token.is_none(), "{odd}");
            assert_eq!(grant.refresh.unwrap().expose(), "r");
        }
    }

    #[test]
    fn the_last_of_repeated_members_wins() {
        let text = r#"{"access_token":"a1","expires_in":5,"refresh_token":"r1","id_token":"i1",
            "access_token":"a2","expires_in":60,"refresh_token":"r2","id_token":"i2"}"#;
        let grant = reply(text).unwrap();
        assert_eq!(tokens(text), ("a2".to_owned(), Some("r2".to_owned())));
        assert_eq!((grant.expires, grant.id_token.unwrap().expose()), (Some(61_000), "i2"));
        let text = r#"{"refresh_token":"r","access_token":"a","refresh_token":null}"#;
        assert_eq!(tokens(text).1.as_deref(), Some("r"), "a null takes nothing away");
    }

    #[test]
    fn a_refresh_token_alone_is_kept() {
        for text in [
            r#"{"refresh_token":"r"}"#,
            r#"{"access_token":null,"refresh_token":"r","expires_in":3600}"#,
            r#"{"access_token":" ","refresh_token":"r"}"#,
            r#"{"access_token":{"value":"a"},"refresh_token":"r"}"#,
            r#"{"error":"server_error","refresh_token":"r"}"#,
            r#"{"refresh_token":"r","access_token":"fake-acc"#,
        ] {
            let grant = reply(text).unwrap();
            assert_eq!((grant.access.expose(), grant.expires), ("", Some(1_000)), "{text}");
            assert_eq!(grant.refresh.unwrap().expose(), "r");
        }
    }

    #[test]
    fn of_a_response_that_breaks_off_what_came_whole_counts() {
        let text = r#"{"access_token":"a","refresh_token":"r","expires_in":3600,"scope":"s"}"#;
        for end in 0..text.len() {
            let came = reply(&text[..end]);
            if end < text.find(",\"expires").unwrap() {
                let why = if end == 0 { NoGrant::IsEmpty } else { NoGrant::BreaksOff };
                assert_eq!(came.unwrap_err(), why, "{end}");
                continue;
            }
            let grant = came.unwrap();
            assert_eq!(grant.refresh.unwrap().expose(), "r");
            let has_lifetime = end > text.find(",\"scope").unwrap();
            assert_eq!(grant.expires, has_lifetime.then_some(3_601_000), "{end}");
        }
    }

    #[test]
    fn tokens_are_in_an_answer_when_both_are_and_no_error() {
        assert!(brings_tokens(r#"{"message":"m","access_token":"a","refresh_token":"r"}"#));
        for text in [
            r#"{"error":"x","access_token":"a","refresh_token":"r"}"#,
            r#"{"status":"error","access_token":"a","refresh_token":"r"}"#,
            r#"{"refresh_token":"r"}"#,
            r#"{"access_token":"a","refresh_token":"r"#,
            r#"{"request":{"access_token":"a","refresh_token":"r"}}"#,
            "",
        ] {
            assert!(!brings_tokens(text), "{text}");
        }
    }

    #[test]
    fn a_form_is_a_token_response_too() {
        let text = "access_token=fake%2Ba&refresh_token=r&expires_in=60&token_type=bearer";
        assert_eq!(tokens(text), ("fake+a".to_owned(), Some("r".to_owned())));
        assert_eq!(reply(text).unwrap().expires, Some(61_000));
    }

    #[test]
    fn a_time_in_milliseconds_becomes_a_lifetime() {
        let text = r#"{"access_token":"a","expired_in":121000}"#;
        assert_eq!(reply(text).unwrap().expires, Some(121_000));
        let text = r#"{"access_token":"a","expired_in":121000,"expires_in":60}"#;
        assert_eq!(reply(text).unwrap().expires, Some(61_000));
    }

    #[test]
    fn what_is_no_grant_says_why() {
        for (text, why) in [
            ("", NoGrant::IsEmpty),
            (" \r\n", NoGrant::IsEmpty),
            ("<!doctype html><p>access_token= a", NoGrant::IsPage),
            ("<style>p {margin: 0}</style>", NoGrant::IsPage),
            ("ok", NoGrant::IsNotJson),
            ("null", NoGrant::HasNoToken),
            ("\"fake-access\"", NoGrant::HasNoToken),
            ("{}", NoGrant::HasNoToken),
            (r#"{"expires_in":60}"#, NoGrant::HasNoToken),
            (r#"{"access_token":" "}"#, NoGrant::IsEmptyToken),
            (r#"{"access_token":5}"#, NoGrant::HasNoToken),
            (r#"{"error":"invalid_grant"}"#, NoGrant::Refused),
            (r#"{"status":"error","message":"m"}"#, NoGrant::Refused),
            (r#"{"access_token":"a","refresh_tok"#, NoGrant::BreaksOff),
        ] {
            assert_eq!(reply(text).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn further_members_are_there_as_far_as_they_can_be_read() {
        let grant = reply(r#"{"access_token":"a","region":"eu","n":1e999}"#).unwrap();
        assert_eq!(grant.member("region").and_then(Value::as_str), Some("eu"));
        assert!(grant.member("n").is_none());
    }
}
