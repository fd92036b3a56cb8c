//! Secrets as a listing shows them, and how such a text is told from a secret.
//!
//! Invariant: what is shown never exceeds two thirds of a secret, and nothing of one that
//! is shorter than 24 characters. OpenClaw 2026.4.24 shows eight characters at each end
//! of any secret of 17 or more, which is nearly all of a short one.

/// What stands for a secret that is too short to show any of.
const WHOLE: &str = "***";
/// How many characters are shown at each end.
const SHOWN: usize = 8;
/// From this length on, the ends are shown.
const SHORTEST_SHOWN: usize = 24;

/// `secret` with its middle left out; `missing` when there is nothing.
pub fn mask(secret: &str) -> String {
    let secret = secret.trim();
    let length = secret.chars().count();
    if length == 0 {
        return "missing".to_owned();
    }
    if length < SHORTEST_SHOWN {
        return WHOLE.to_owned();
    }
    let start: String = secret.chars().take(SHOWN).collect();
    let end: String = secret.chars().skip(length - SHOWN).collect();
    format!("{start}...{end}")
}

/// Whether a text is a secret with a part of it hidden, as listings, logs and pages show one.
pub fn is_masked(text: &str) -> bool {
    const HIDDEN: [char; 14] =
        ['…', '•', '●', '∙', '⋯', '■', '█', '∗', '＊', '×', '▒', '░', '○', '◦'];
    if text.contains(HIDDEN) || text.matches('*').count() >= 3 {
        return true;
    }
    // Two asterisks hide; two periods do as well, but for a token that is encrypted without a
    // key of its own (RFC 7516 section 5.1, step 5): its second part is empty.
    let is_encrypted = text.starts_with("eyJ")
        && text.split('.').enumerate().all(|(at, part)| at < 5 && part.is_empty() == (at == 1))
        && text.split('.').count() == 5;
    ["**", "··"].iter().any(|hidden| text.contains(hidden))
        || (text.contains("..") && !is_encrypted)
}

/// Whether a text stands in the place of a secret: one with a part hidden, or the example of
/// a document, such as `<your-key>`.
pub fn is_stand_in(text: &str) -> bool {
    let text = text.trim();
    is_masked(text)
        || is_example(text)
        || has_filling(text)
        || (text.starts_with('<') && text.ends_with('>'))
}

/// Whether it is what an example, a form or a program has in the place of a secret.
pub(super) fn is_example(secret: &str) -> bool {
    const WORDS: [&str; 9] =
        ["null", "undefined", "nil", "hidden", "masked", "removed", "changeme", "todo", "bearer"];
    const PARTS: [&str; 4] = ["redacted", "[hidden", "(hidden", "<hidden"];
    let small = secret.to_ascii_lowercase();
    let names_secret = small.contains("key") || small.contains("token");
    let is_asked_for = ["your", "insert", "replace"].iter().any(|part| small.contains(part));
    // In a long token such words are there by chance.
    (secret.len() <= 64 && names_secret && is_asked_for)
        || WORDS.contains(&small.trim_end_matches([':', '}']))
        || PARTS.iter().any(|part| small.contains(part))
}

/// So many equal characters in a row are the middle of a secret that is hidden. A long secret
/// of `x` has the length that the whole one has, which no display keeps.
pub(super) fn has_filling(secret: &str) -> bool {
    const FILLINGS: [&str; 4] = ["------", "______", "####", "~~~~"];
    const SHORT_FILLINGS: [&str; 2] = ["xxxxxx", "XXXXXX"];
    const WHOLE: usize = 80;
    let has = |filling: &&str| secret.contains(*filling);
    let is_short = secret.len() < WHOLE;
    // A prefix alone.
    let is_begun = secret.starts_with("sk-") && secret.ends_with('-') && secret.len() < 16;
    is_begun || FILLINGS.iter().any(has) || (is_short && SHORT_FILLINGS.iter().any(has))
}

#[cfg(test)]
mod tests {
    use super::{is_masked, is_stand_in, mask};

    #[test]
    fn what_stands_in_the_place_of_a_secret_is_told_from_one() {
        for text in [
            "sk-…abcd",
            "sk-...abcd",
            "sk-ab..cd",
            "sk-***abcd",
            "sk-a**d",
            "eyJhbGci...abcd",
            "eyJhbGci....abcd",
            "sk-ab*c*d*",
            "gho_••••",
            "***",
        ] {
            assert!(is_masked(text) && is_stand_in(text), "{text}");
        }
        for text in [
            "[REDACTED]",
            "sk-XXXXXXXXXXXX",
            "<your-key>",
            "YOUR_API_KEY",
            "your-token-here",
            "<token>",
            " <key>\n",
        ] {
            assert!(is_stand_in(text), "{text}");
        }
        for text in [
            "sk-FAKE-0123456789abcdef",
            "fake.token.value",
            "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn",
            "fake*token",
            "yourself-fake",
            "",
        ] {
            assert!(!is_masked(text) && !is_stand_in(text), "{text}");
        }
        assert!(is_masked(&mask("sk-FAKE-000000000000000000000000")));
    }

    #[test]
    fn a_short_secret_is_masked_whole() {
        for secret in ["a", "abcdef", "abcdefghijklmnop", "abcdefghijklmnopq", &"x".repeat(23)] {
            assert_eq!(mask(secret), "***");
        }
        assert_eq!(mask(" \n"), "missing");
    }

    #[test]
    fn a_long_secret_shows_its_ends() {
        assert_eq!(mask("sk-ant-FAKE-000000000000000000000000"), "sk-ant-F...00000000");
        assert_eq!(mask(" 01234567é9012345678901ü3 "), "01234567...678901ü3");
    }
}
