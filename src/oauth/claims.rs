//! The claims of a JWT (RFC 7519), unverified: they tell the user's own tokens apart and
//! are never trusted for access.

use crate::profile::Millis;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The claims of one token.
#[derive(Clone, Debug)]
pub struct Claims(Value);

impl Claims {
    /// The claims of `token`; `None` when it is not a JWT with three parts and an object
    /// as its payload.
    pub fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        Self::of_object(serde_json::from_slice(&payload).ok()?)
    }

    /// The claims in an object that is no token; `None` when it is not an object.
    pub fn of_object(claims: Value) -> Option<Self> {
        claims.is_object().then_some(Self(claims))
    }

    /// The claim at `pointer` (RFC 6901) as text; several pointers joined by `|` must all
    /// hit and give their values joined by `|`.
    pub fn text(&self, pointer: &str) -> Option<String> {
        let values: Option<Vec<String>> =
            pointer.split('|').map(|pointer| text_of(self.0.pointer(pointer)?)).collect();
        values.map(|values| values.join("|"))
    }

    /// When the token expires (`exp`), in milliseconds since the epoch.
    pub fn expires(&self) -> Option<Millis> {
        self.time("exp")
    }

    /// When the token expires by our clock, if it was issued just now, at `received`: its
    /// lifetime from `iat` to `exp` counts, so that a clock that is wrong does no harm.
    pub fn expires_after(&self, received: Millis) -> Option<Millis> {
        let expires = self.expires()?;
        Some(match self.issued() {
            Some(issued) if issued < expires => received.saturating_add(expires - issued),
            _ => expires,
        })
    }

    /// When the token was issued (`iat`), in milliseconds since the epoch.
    pub fn issued(&self) -> Option<Millis> {
        self.time("iat")
    }

    /// A `NumericDate` (RFC 7519 section 2), which need not be whole; also as a text.
    fn time(&self, claim: &str) -> Option<Millis> {
        let seconds = match self.0.get(claim)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        // Some servers count milliseconds: as seconds that is the year 5138.
        let millis = if seconds < 1e11 { seconds * 1_000.0 } else { seconds };
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
        (millis.is_finite() && millis < 1e15).then_some(millis as Millis).filter(|at| *at > 0)
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value) -> String {
        format!("e30.{}.fake-signature", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn claims_are_found_by_pointer() {
        let claims = serde_json::json!({
            "iss": "https://as", "sub": "me", "exp": 1_700_000_000,
            "https://api.example.test/profile": {"email": " a@x "},
        });
        let claims = Claims::of(&token(&claims)).unwrap();
        assert_eq!(
            claims.text("/https:~1~1api.example.test~1profile/email").as_deref(),
            Some("a@x")
        );
        assert_eq!(claims.text("/iss|/sub").as_deref(), Some("https://as|me"));
        assert_eq!(claims.text("/iss|/nope"), None);
        assert_eq!(claims.expires(), Some(1_700_000_000_000));
    }

    #[test]
    fn a_time_is_read_as_servers_write_it() {
        use serde_json::json;
        let at = |exp: Value| Claims::of(&token(&json!({"exp": exp}))).unwrap().expires();
        for exp in
            [json!(1_700_000_000), json!(1.7e9), json!("1700000000"), json!(1_700_000_000_000_i64)]
        {
            assert_eq!(at(exp.clone()), Some(1_700_000_000_000), "{exp}");
        }
        assert_eq!(at(json!(1_700_000_000.5)), Some(1_700_000_000_500));
        for none in [json!(0), json!(-1), json!(null), json!("soon"), json!("NaN"), json!(1e300)] {
            assert_eq!(at(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        for token in ["", "opaque", "a.b", "a.b.c", "a.b.c.d", "e30.W10.x", "..", "e30.bnVsbA.x"] {
            assert!(Claims::of(token).is_none(), "{token}");
        }
    }
}
