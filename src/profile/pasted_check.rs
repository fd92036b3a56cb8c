//! What no token or API key can be: markup, a piece of a document, an example, a mask.
//!
//! Invariant: what providers issue passes; nothing here changes the text or quotes it.

use super::pasted_value::NoSecret;
use super::secret_ref::{is_variable, variable};

/// Refuses what no secret can be.
///
/// # Errors
/// See [`NoSecret`].
pub(super) fn check(secret: &str, prefix: Option<&str>) -> Result<(), NoSecret> {
    if variable(secret).is_some() {
        return Ok(());
    }
    if is_example(secret) {
        return Err(NoSecret::Placeholder);
    }
    if names_a_variable(secret) {
        return Err(NoSecret::Unexpanded);
    }
    if has_filling(secret) {
        return Err(NoSecret::Masked);
    }
    if prefix.is_some_and(|prefix| secret.matches(prefix).count() > 1) {
        return Err(NoSecret::Several);
    }
    // Base64 ends with `=`; elsewhere it gives a value to a name.
    let is_assignment = secret.trim_end_matches('=').contains('=');
    let name = secret.strip_suffix(['=', ':']).filter(|name| name.contains(['_', '-']));
    if name.is_some_and(|name| is_variable(&name.to_ascii_uppercase().replace('-', "_"))) {
        return Err(NoSecret::Nothing);
    }
    let is_unfit = secret.contains(is_markup)
        || (prefix.is_some() && !is_bearer(secret))
        || is_path(secret)
        || secret.contains("://")
        || is_assignment
        || has_percent_encoding(secret)
        || !secret.contains(char::is_alphanumeric);
    if is_unfit { Err(NoSecret::Unfit) } else { Ok(()) }
}

/// Whether a character is none of a secret: what shells, documents and pages have around
/// text, and what no key was ever made of.
fn is_markup(c: char) -> bool {
    c.is_control() || c.is_whitespace() || u32::from(c) > 0xFF || "\\\"'`<>()[]{},;&^".contains(c)
}

/// Whether a token has the characters that one in a request has (RFC 6750 section 2.1).
fn is_bearer(token: &str) -> bool {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    token.trim_end_matches('=').chars().all(is_of_token)
}

/// Whether it is the path of a file.
fn is_path(secret: &str) -> bool {
    const STARTS: [&str; 7] = ["~/", "./", "../", "/home/", "/etc/", "/run/", "/tmp/"];
    STARTS.iter().any(|start| secret.starts_with(start))
}

/// Whether it stands for a secret that a shell, a template or a program has.
fn names_a_variable(secret: &str) -> bool {
    let is_expanded = secret.starts_with('%') && secret.len() > 1 && secret.ends_with('%');
    let is_name = is_variable(secret) && secret.contains('_');
    let names_secret = ["KEY", "TOKEN", "SECRET"].iter().any(|part| secret.contains(part));
    secret.starts_with(['$', '!']) || is_expanded || (is_name && names_secret)
}

/// Whether it is what an example, a form or a program has in the place of a secret.
fn is_example(secret: &str) -> bool {
    const WORDS: [&str; 9] =
        ["null", "undefined", "nil", "hidden", "masked", "removed", "changeme", "todo", "bearer"];
    const PARTS: [&str; 4] = ["redacted", "[hidden", "(hidden", "<hidden"];
    let small = secret.to_ascii_lowercase();
    let names_secret = small.contains("key") || small.contains("token");
    let is_asked_for = ["your", "insert", "replace"].iter().any(|part| small.contains(part));
    (names_secret && is_asked_for)
        || WORDS.contains(&small.trim_end_matches([':', '}']))
        || PARTS.iter().any(|part| small.contains(part))
}

/// So many equal characters in a row are the middle of a secret that is hidden. A long secret
/// of `x` has the length that the whole one has, which no display keeps.
fn has_filling(secret: &str) -> bool {
    const FILLINGS: [&str; 4] = ["------", "______", "####", "~~~~"];
    const SHORT_FILLINGS: [&str; 2] = ["xxxxxx", "XXXXXX"];
    const WHOLE: usize = 80;
    let has = |filling: &&str| secret.contains(*filling);
    let is_short = secret.len() < WHOLE;
    // A prefix alone.
    let is_begun = secret.starts_with("sk-") && secret.ends_with('-') && secret.len() < 16;
    is_begun || FILLINGS.iter().any(has) || (is_short && SHORT_FILLINGS.iter().any(has))
}

/// Whether bytes are written as `%22`, as in an address.
fn has_percent_encoding(secret: &str) -> bool {
    let is_byte = |bytes: &[u8]| {
        bytes[0] == b'%' && bytes[1].is_ascii_hexdigit() && bytes[2].is_ascii_hexdigit()
    };
    secret.as_bytes().windows(3).any(is_byte)
}
