//! What is known to be secret: fields of the configuration, variables, header names; and
//! which texts in the place of a key are none. Data, in `known.json`.

use super::path::Pattern;
use crate::exit::Failure;
use crate::system::Environment;
use anyhow::Context;
use serde::Deserialize;
use std::collections::HashSet;

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
struct Part {
    fields: Vec<Field>,
    variables: Vec<String>,
    markers: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Parts {
    core: Part,
    bundled: Part,
}

/// What is known.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) fields: Vec<Field>,
    variables: HashSet<String>,
    markers: HashSet<String>,
}

/// Header names that always hold a secret.
const SENSITIVE_HEADERS: [&str; 2] = ["authorization", "proxy-authorization"];
/// Parts of the names of headers that hold one.
const SENSITIVE_PARTS: [&str; 7] =
    ["api-key", "apikey", "token", "secret", "password", "credential", "secret-key"];

impl Known {
    /// What is known, without what OpenClaw's bundled plugins add where the environment
    /// switches those off.
    pub(super) fn of(environment: &Environment) -> Result<Self, Failure> {
        let parts: Parts = serde_json::from_str(include_str!("known.json"))
            .context("the built-in table of secrets cannot be read")?;
        let Part { mut fields, variables, markers } = parts.core;
        let mut variables: HashSet<_> = variables.into_iter().collect();
        let mut markers: HashSet<_> = markers.into_iter().collect();
        let switch = environment.text("OPENCLAW_DISABLE_BUNDLED_PLUGINS");
        let is_off = switch.is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"));
        if !is_off {
            fields.extend(parts.bundled.fields);
            variables.extend(parts.bundled.variables);
            markers.extend(parts.bundled.markers);
        }
        // The name of a variable in the place of a key means that variable.
        markers.extend(variables.iter().cloned());
        Ok(Self { fields, variables, markers })
    }

    /// Whether a variable of this name holds a secret.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.variables.contains(name)
    }

    /// Whether this text in the place of a key is none.
    pub(super) fn is_marker(&self, text: &str) -> bool {
        let text = text.trim();
        text.starts_with("oauth:") || self.markers.contains(text)
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
        let all = Known::of(&Environment::default()).unwrap();
        let core =
            Known::of(&Environment::of([("OPENCLAW_DISABLE_BUNDLED_PLUGINS", "1")])).unwrap();
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
