//! What the built-in rows of the catalog say by themselves: whose profiles an alias uses,
//! and which variables hold keys. The files of the user have no say here, as they have
//! none in OpenClaw.

use super::catalog::BUILT_IN;
use crate::profile::normalize_provider_id;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The names and variables of a row.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    pub(super) env: Vec<String>,
}

// A test reads the rows; what is compiled in cannot be wrong later.
pub(super) static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| serde_json::from_str(BUILT_IN).unwrap_or_default());

static ALIASES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let aliases = |row: &'static Row| row.aliases.iter().map(|alias| (&**alias, &*row.id));
    ROWS.iter().flat_map(aliases).collect()
});

/// The id by which the profiles of `provider` are compared: normalised, then the provider
/// whose login methods or plans go by that alias.
pub fn auth_provider_id(provider: &str) -> String {
    let id = normalize_provider_id(provider);
    ALIASES.get(id.as_str()).map_or(id, |id| (*id).to_owned())
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
        }
    }

    #[test]
    fn profiles_are_shared_under_the_alias() {
        assert_eq!(auth_provider_id(" Claude-CLI "), auth_provider_id("anthropic"));
        assert_eq!(auth_provider_id("z.ai"), "zai");
    }
}
