//! An authorization code that was pasted alone.
//!
//! Invariant: only a word that can be a code is sent to the server: no word of a language, no
//! piece of an address, and no code that a page of the server asks for.

use super::pasted_text::{addresses, words};
use super::response::{AuthorizationCode, AuthorizationError, ExpectedResponse, Parameters};

use AuthorizationError::Unreadable;

const NO_CODE: AuthorizationError = Unreadable(
    "it cannot be a code; paste the whole address of the page that the browser ended on",
);
const PIECE: AuthorizationError =
    Unreadable("it is a piece of an address; paste the whole address");
const SPACES: AuthorizationError = Unreadable("a code holds no spaces");
const USER_CODE: AuthorizationError = Unreadable(
    "this prompt is for the address that the browser ends on. Enter that code in the browser",
);
const KEY: AuthorizationError = Unreadable(
    "it looks like a key or token, which is not asked for here; paste the whole address of the \
     page that the browser ended on",
);
/// Where an address was shown, its end or middle was left out.
pub(super) const SHORTENED: AuthorizationError =
    Unreadable("it is shortened; paste the whole address");

/// A code that came without a state.
///
/// # Errors
/// It cannot be one, or the response must name its issuer.
pub(super) fn bare_code(
    text: &str,
    expectation: &ExpectedResponse,
) -> Result<AuthorizationCode, AuthorizationError> {
    let words = words(text);
    let code: String = match words.as_slice() {
        [] => return Err(NO_CODE),
        words if words.windows(2).all(|pair| pair[0].goes_on_in(&pair[1])) => {
            words.iter().map(|word| word.text).collect()
        }
        [first, second] if is_user_code(&format!("{}-{}", first.text, second.text)) => {
            return Err(USER_CODE);
        }
        words if words.iter().any(|word| is_user_code(word.text)) => return Err(USER_CODE),
        _ => return Err(SPACES),
    };
    if code.contains(['&', '?']) || code.contains("://") {
        return Err(PIECE);
    }
    let (code, is_shortened) = addresses(&code).first().copied().unwrap_or_default();
    if is_shortened || ["...", "…", "**", "••"].iter().any(|hidden| code.contains(hidden)) {
        return Err(SHORTENED);
    }
    let named = code.rsplit_once("code=").map(|(_, named)| named);
    // Copied out of an address it is percent-encoded; a `+` in it stands for itself.
    let query = format!("code={}", named.unwrap_or(code).replace('+', "%2B"));
    let mut parameters = Parameters::of_query(&query);
    let code = parameters.code.as_deref().unwrap_or_default();
    if code.len() >= 4 && expectation.state.expose().contains(code) {
        return Err(PIECE);
    }
    if code.contains(['&', '?']) || code.trim_end_matches('=').contains('=') {
        return Err(PIECE);
    }
    if is_user_code(code) {
        return Err(USER_CODE);
    }
    if is_key(code) {
        return Err(KEY);
    }
    if !can_be_code(code) {
        return Err(NO_CODE);
    }
    parameters.state = Some(expectation.state.expose().to_owned());
    parameters.is_copied = true;
    expectation.check(parameters)
}

/// Whether a word is the code of a device login, which a page asks for: `WDJB-MJHT`. A one-time
/// code of a sign-in page is one as well.
fn is_user_code(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let is_small = word.contains(|c: char| c.is_ascii_lowercase());
    (6..=10).contains(&length)
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && match parts.as_slice() {
            [_] => !is_small,
            parts => parts.len() == 2 && parts.iter().all(|part| (3..=5).contains(&part.len())),
        }
}

/// Whether a word is a key or token by its begin: it must not go to the token endpoint.
fn is_key(word: &str) -> bool {
    const BEGINS: [&str; 9] =
        ["sk-", "ghp_", "gho_", "ghu_", "github_pat_", "gsk_", "AIza", "xai-", "hf_"];
    BEGINS.iter().any(|begin| word.starts_with(begin))
}

/// Whether it is a name of several words: `LoginSuccessful`. A code has capitals at random.
fn is_name(word: &str) -> bool {
    let is_hump = |pair: &&[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    let humps = word.as_bytes().windows(2).filter(is_hump).count();
    word.len() < 24 && word.bytes().all(|byte| byte.is_ascii_alphabetic()) && humps * 3 < word.len()
}

/// Whether a word can be an authorization code (RFC 6749 appendix A.11), and not a word that
/// somebody typed, a host, a path or a piece of an address.
fn can_be_code(word: &str) -> bool {
    let is_visible = word.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if !is_visible || word.is_empty() || word.contains(['@', '<', '>', '"', '{', '}', '\\', '`']) {
        return false;
    }
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let has_small = has(u8::is_ascii_lowercase);
    // A capital at its begin is no more than that of a word.
    let has_capital = word.as_bytes().windows(2).any(|pair| match pair {
        [before, capital] => before.is_ascii_lowercase() && capital.is_ascii_uppercase(),
        _ => false,
    });
    let has_capital = has_capital || (!has_small && has(u8::is_ascii_uppercase));
    let kinds = [has_small, has_capital, has(u8::is_ascii_digit)].into_iter().filter(|has| *has);
    let is_mixed = kinds.count() >= 2;
    let is_place = word.starts_with(['/', '~', '.', '-', '$', '%', '#'])
        || word.starts_with("localhost")
        || word.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|c| c.is_ascii_digit()))
        || word.bytes().all(|byte| !byte.is_ascii_alphabetic());
    // A path has `/`; so have some codes (`4/0AbC…`).
    let is_path = word.len() < 40 && word.rsplit_once('/').is_some_and(|(_, end)| end.len() < 10);
    let is_place = is_place || is_path;
    word.len() >= 10 && !is_place && !is_name(word) && (is_mixed || word.len() >= 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use url::Url;

    const STATE: &str = "ho8nYlBWPXS-O5jksJNGZHPTusVDOCTMweF8T4IXBZg";
    const CODE: &str = "ac_Code.x-1_Y";

    fn pasted(text: &str) -> Result<String, AuthorizationError> {
        let expectation = ExpectedResponse {
            state: Secret::new(STATE),
            issuer: None,
            has_issuer: false,
            authorization_endpoint: Url::parse("https://as.example.test/authorize").unwrap(),
        };
        bare_code(text, &expectation).map(|code| code.0.expose().to_owned())
    }

    #[test]
    fn what_cannot_be_a_code_is_refused() {
        for word in [
            "help",
            "yes",
            "quit",
            "continue",
            "Continue",
            "openclaw-auth",
            "localhost:1455",
            "127.0.0.1:1455",
            "/auth/callback",
            "~/callback1234",
            "ada@example.test",
            "HTTP/1.1",
            "offline_access",
            "--help",
            "$REDIRECT_URL_1",
            "passwordpassword",
            "JavaScript",
            "LoginSuccessful",
            "SignInToOpenAI",
            "ac_****1_Y",
            "ac_••••1_Y",
            "sk-ant-oat01-FakeFake0-_FakeFake0-_",
            "sk-proj-fakeFAKE0123",
            "`ghp_fakeFAKE0123456789`",
            "two words",
            "l+offline_access",
            "a=b&c=d1234567",
            "ac_Code.x-1_Y…",
            "<html>",
            "ключ-1234567890",
        ] {
            assert!(matches!(pasted(word), Err(Unreadable(_))), "{word}: {:?}", pasted(word));
        }
        for code in [
            "WDJB-MJHT",
            "wdjb-mjht",
            "ABCD-12345",
            "WDJBMJHT",
            "123456",
            "WDJB MJHT",
            "code: WDJB-MJHT",
        ] {
            assert_eq!(pasted(code), Err(USER_CODE), "{code}");
        }
        assert_eq!(pasted(&STATE[9..]), Err(PIECE));
    }

    #[test]
    fn a_bare_code_is_taken_without_a_state() {
        for (text, code) in [
            (CODE, CODE),
            ("`ac_Code.x-1_Y`.\n", CODE),
            ("code=ac_Code.x-1_Y", CODE),
            ("4%2F0AbCdEf12345-_x", "4/0AbCdEf12345-_x"),
            ("4/0AbCdEf12345-_x", "4/0AbCdEf12345-_x"),
            ("fake-code-1", "fake-code-1"),
            ("xQbRfGkTzWmLpYsD", "xQbRfGkTzWmLpYsD"),
            ("0123456789abcdef0123", "0123456789abcdef0123"),
            ("QWxhZGRpbjpvcGVu+c2VzYW1l==", "QWxhZGRpbjpvcGVu+c2VzYW1l=="),
        ] {
            assert_eq!(pasted(text), Ok(code.to_owned()), "{text}");
        }
    }
}
