//! What is known to be secret: fields of the configuration (data, in `fields.json`),
//! variables, header names; and which texts in the place of a key are none.

use super::path::Pattern;
use crate::provider::Conventions;
use serde::Deserialize;

/// A field of the configuration that may hold a secret.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Field {
    /// Where it is.
    pub(super) path: Pattern,
    /// Where the reference beside it is.
    #[serde(default)]
    pub(super) reference: Option<Pattern>,
    /// Whether an object may stand there.
    #[serde(default)]
    pub(super) object: bool,
    /// Which segment of the path names a provider.
    #[serde(default)]
    pub(super) provider: Option<usize>,
    /// Whether profiles of that provider go before it.
    #[serde(default)]
    pub(super) shadowed: bool,
    /// Whether the last segment has to sound like a secret.
    #[serde(default)]
    pub(super) sensitive_names_only: bool,
}

#[derive(Debug, Deserialize)]
struct Fields {
    core: Vec<Field>,
    /// What OpenClaw's bundled plugins add.
    bundled: Vec<Field>,
}

/// What is known.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) fields: Vec<Field>,
    conventions: Conventions,
}

/// Header names that always hold a secret.
const SENSITIVE_HEADERS: [&str; 2] = ["authorization", "proxy-authorization"];
/// Parts of the names of headers that hold one.
const SENSITIVE_PARTS: [&str; 7] =
    ["api-key", "apikey", "token", "secret", "password", "credential", "secret-key"];

impl Known {
    /// What is known, with or without OpenClaw's bundled plugins.
    pub(super) fn of(conventions: Conventions) -> serde_json::Result<Self> {
        let Fields { core: mut fields, bundled } =
            serde_json::from_str(include_str!("fields.json"))?;
        if conventions.with_plugins() {
            fields.extend(bundled);
        }
        Ok(Self { fields, conventions })
    }

    /// Whether a variable of this name holds a secret.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.conventions.is_key_variable(name)
    }

    /// Whether this text in the place of a key is none.
    pub(super) fn is_marker(&self, text: &str) -> bool {
        let text = text.trim();
        self.conventions.is_marker(text) || self.conventions.is_variable_marker(text)
    }
}

/// Whether a header of this name holds a secret.
pub(super) fn is_sensitive_header(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    SENSITIVE_HEADERS.contains(&name.as_str())
        || SENSITIVE_PARTS.iter().any(|part| name.contains(part))
}

/// Whether this text in the place of a header value stands for a reference.
pub(super) fn is_header_marker(text: &str) -> bool {
    let text = text.trim();
    text == "secretref-managed" || text.starts_with("secretref-env:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_the_plugins_can_be_switched_off() {
        let all = Known::of(Conventions::of(true)).unwrap();
        let core = Known::of(Conventions::of(false)).unwrap();
        assert_eq!((all.fields.len(), core.fields.len()), (81, 24));
        assert!(all.is_variable("GEMINI_API_KEY") && !core.is_variable("GEMINI_API_KEY"));
        assert!(all.is_variable("OPENAI_API_KEY") && core.is_variable("OPENAI_API_KEY"));
        assert!(core.is_marker(" oauth:x ") && core.is_marker("OPENAI_API_KEY"));
        assert!(all.is_marker("ollama-local") && !core.is_marker("ollama-local"));
        assert!(!all.is_marker("fake-key"));
    }

    #[test]
    fn headers_that_sound_like_a_secret_hold_one() {
        for name in ["Authorization", "X-Api-Key", " x-auth-token ", "My-Secret", "apikey"] {
            assert!(is_sensitive_header(name), "{name}");
        }
        for name in ["Accept", "X-Other", "", "x-authorization"] {
            assert!(!is_sensitive_header(name), "{name}");
        }
    }
}
