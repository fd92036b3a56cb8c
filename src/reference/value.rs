//! Values that come out of a reference.

use crate::secret::Secret;
use serde_json::Value;

/// Whether `value` is a text with something in it.
pub fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// A secret as it can be sent in a header: without line breaks and characters beyond
/// Latin-1, trimmed. OpenClaw stores what is pasted in the same form.
pub fn normalize_secret(text: &str) -> Secret {
    let kept = |c: &char| !matches!(c, '\r' | '\n' | '\u{2028}' | '\u{2029}') && *c <= '\u{ff}';
    let sendable: String = text.chars().filter(kept).collect();
    Secret::new(sendable.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_loses_what_a_header_cannot_carry() {
        // vectors.json: normalizeSecretInput.
        for (text, expected) in [
            ("  a b \n", "a b"),
            ("kéy", "kéy"),
            (" x", "x"),
            ("", ""),
            ("a\r\nb\u{2028}c…", "abc"),
        ] {
            assert_eq!(normalize_secret(text).expose(), expected);
        }
    }
}
