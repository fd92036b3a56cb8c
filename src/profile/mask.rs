//! Secrets as a listing shows them.
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

#[cfg(test)]
mod tests {
    use super::mask;

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
