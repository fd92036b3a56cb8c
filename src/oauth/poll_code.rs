//! What the answer to a poll of a device authorization says (RFC 8628 section 3.5): not yet, too
//! often, not now, or that it is over.
//!
//! Invariant: an answer without an error code and without a grant says nothing.

use super::error_reply::ErrorReply;
use super::lenient_json::Members;
use super::token_error::TokenError;

/// What an error code means to a client that waits for an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PollCode {
    /// The user has not decided yet.
    Pending,
    /// Not yet, and we ask too often.
    SlowDown,
    /// The server cannot say now.
    ServerError,
    /// Nothing will come of it any more.
    Over,
}

impl PollCode {
    /// The meaning of an error code, in the spellings of all servers.
    pub(super) fn of(code: &str) -> Self {
        let code = plain(code);
        // OpenAI's name for a code that nobody has entered yet.
        if code.contains("pending") || code == "deviceauthauthorizationunknown" {
            return Self::Pending;
        }
        if ["slowdown", "ratelimit", "toomanyrequests"].iter().any(|word| code.contains(word)) {
            return Self::SlowDown;
        }
        let server_errors = ["temporarilyunavailable", "servererror", "serviceunavailable"];
        if server_errors.iter().any(|word| code.contains(word)) {
            return Self::ServerError;
        }
        Self::Over
    }
}

/// Whether error codes name an error: the class of an error (`invalid_request_error`) does not.
pub(super) fn names_error(codes: &[String]) -> bool {
    codes.iter().any(|code| !plain(code).ends_with("error"))
}

/// Whether an answer is one of the server: it holds a whole object with an error code, or a member of
/// a grant.
pub(super) fn is_answer(text: &str) -> bool {
    if text.trim_start().starts_with('<') {
        return false;
    }
    let members = Members::of(text);
    let grant = ["access_token", "refresh_token", "authorization_code", "code_verifier"];
    let has_grant = grant.iter().any(|name| members.values(name).next().is_some());
    let is_form = ["access_token=", "refresh_token="].iter().any(|name| text.contains(name));
    members.is_whole && (has_grant || !ErrorReply::of(text).codes.is_empty())
        || is_form && !text.contains('{')
}

impl TokenError {
    /// Whether the user has said no.
    pub fn is_denial(&self) -> bool {
        const DENIALS: [&str; 5] = ["denied", "declined", "rejected", "cancelled", "canceled"];
        self.has_code(&DENIALS)
    }

    /// Whether a code has expired.
    pub fn is_expiry(&self) -> bool {
        self.has_code(&["expired", "timedout"])
    }

    /// Whether the error code of a refusal, or what stands in the place of one, has one of
    /// these words in it.
    fn has_code(&self, words: &[&str]) -> bool {
        let Self::Refused { code, description, .. } = self else { return false };
        let is_code = |text: &&String| !text.contains(char::is_whitespace);
        let codes = [Some(code), description.as_ref().filter(is_code)];
        let mut codes = codes.into_iter().flatten().map(|code| plain(code));
        codes.any(|code| words.iter().any(|word| code.contains(word)))
    }
}

/// A code without capitals and signs.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_yet_is_told_from_never() {
        for (code, word) in [
            ("authorization_pending", PollCode::Pending),
            ("deviceauth_authorization_pending", PollCode::Pending),
            ("deviceauth_authorization_unknown", PollCode::Pending),
            ("AuthorizationPendingException", PollCode::Pending),
            ("slow_down", PollCode::SlowDown),
            ("rate_limit_exceeded", PollCode::SlowDown),
            ("temporarily_unavailable", PollCode::ServerError),
            ("server_error", PollCode::ServerError),
            ("access_denied", PollCode::Over),
            ("expired_token", PollCode::Over),
            ("deviceauth_expired", PollCode::Over),
            ("deviceauth_authorization_denied", PollCode::Over),
            ("invalid_grant", PollCode::Over),
            ("invalid_client", PollCode::Over),
            ("some_code_of_tomorrow", PollCode::Over),
        ] {
            assert_eq!(PollCode::of(code), word, "{code}");
        }
    }

    #[test]
    fn what_comes_from_in_between_says_nothing() {
        for text in [
            "",
            " \n",
            "OK",
            "{}",
            "[]",
            r#"{"detail":"Not Found"}"#,
            r#"{"error":null}"#,
            r#"{"error":"access_den"#,
            "<html><script>var x = {\"error\":\"access_denied\"}</script></html>",
            "<?xml version=\"1.0\"?><WISPAccessGatewayParam/>",
        ] {
            assert!(!is_answer(text), "{text}");
        }
        for text in [
            r#"{"error":"access_denied"}"#,
            r#"{"error":{"code":"deviceauth_expired"}}"#,
            r#"{"access_token":""}"#,
            r#"{"code_verifier":"fake"}"#,
            "access_token=fake&scope=x",
        ] {
            assert!(is_answer(text), "{text}");
        }
    }

    #[test]
    fn denials_and_expiries_are_known_in_every_spelling() {
        let refused = |code: &str, text: &str| TokenError::refused(code, Some(text.to_owned()));
        for code in ["access_denied", "authorization_declined", "deviceauth_authorization_denied"] {
            assert!(refused(code, "x").is_denial(), "{code}");
        }
        assert!(refused("1004", "access_denied").is_denial());
        for code in ["expired_token", "deviceauth_expired", "code_expired", "ExpiredTokenException"]
        {
            assert!(refused(code, "x y").is_expiry() && !refused(code, "x y").is_denial());
        }
        assert!(!refused("invalid_grant", "it was denied").is_denial());
        assert!(!TokenError::Unreadable("expired".to_owned()).is_expiry());
    }
}
