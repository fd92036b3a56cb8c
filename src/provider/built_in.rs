//! What the built-in rows of the catalog say by themselves: whose profiles an alias uses,
//! and which variables hold keys. The files of the user have no say here, as they have
//! none in OpenClaw.
//!
//! The aliases are in a file of their own: every command needs them, and reading the whole
//! catalog for them would take longer than all else that a command does.

use super::catalog_text::BUILT_IN;
use crate::profile::normalize_provider_id;
use indexmap::IndexMap;
use serde::Deserialize;
use std::sync::LazyLock;

/// The name and variables of a row.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    #[serde(default)]
    pub(super) env: Vec<String>,
}

// A test reads both; what is compiled in cannot be wrong later.
pub(super) static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| serde_json::from_str(BUILT_IN).unwrap_or_default());

static ALIASES: LazyLock<IndexMap<&str, &str>> =
    LazyLock::new(|| serde_json::from_str(include_str!("aliases.json")).unwrap_or_default());

/// The id by which the profiles of `provider` are compared: normalised, then the provider
/// whose login methods or plans go by that alias.
pub fn auth_provider_id(provider: &str) -> String {
    let id = normalize_provider_id(provider);
    ALIASES.get(id.as_str()).map_or(id, |id| (*id).to_owned())
}

/// The aliases of a built-in row.
pub(super) fn aliases_of(id: &str) -> impl Iterator<Item = &'static str> {
    ALIASES.iter().filter(move |(_, of)| **of == id).map(|(alias, _)| *alias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_valid() {
        assert!(ALIASES.len() > 10);
        for (alias, id) in &*ALIASES {
            assert_eq!(&normalize_provider_id(alias), alias);
            assert_eq!(&auth_provider_id(id), id, "an alias leads to the end");
            assert!(ROWS.iter().any(|row| row.id == *id), "{alias} leads to a row");
        }
    }

    #[test]
    fn profiles_are_shared_under_the_alias() {
        assert_eq!(auth_provider_id(" Claude-CLI "), auth_provider_id("anthropic"));
        assert_eq!(auth_provider_id("z.ai"), "zai");
    }
}
