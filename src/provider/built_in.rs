//! What the built-in rows of the catalog say by themselves: whose profiles an alias uses,
//! and which variables hold keys. The files of the user have no say here, as they have
//! none in OpenClaw.
//!
//! Aliases and variables are in files of their own: most commands need nothing else of the
//! catalog, and reading the whole of it would take longer than all else that they do.

use super::members::Members;
use crate::profile::normalize_provider_id;
use std::sync::LazyLock;

// A test reads both; what is compiled in cannot be wrong later.

/// The id of each row and its variables, in the order of the catalog. Their names are
/// separated by spaces: one text is read sooner than a list.
pub(super) static ROWS: LazyLock<Members<&str>> =
    LazyLock::new(|| serde_json::from_str(include_str!("variables.json")).unwrap_or_default());

static ALIASES: LazyLock<Members<&str>> =
    LazyLock::new(|| serde_json::from_str(include_str!("aliases.json")).unwrap_or_default());

/// The id by which the profiles of `provider` are compared: normalised, then the provider
/// whose login methods or plans go by that alias.
pub fn auth_provider_id(provider: &str) -> String {
    let id = normalize_provider_id(provider);
    ALIASES.get(&id).map_or(id, |id| (*id).to_owned())
}

/// The names in the variables of a row.
pub(super) fn names(variables: &str) -> impl Iterator<Item = &str> {
    variables.split(' ').filter(|name| !name.is_empty())
}

/// The aliases of a built-in row.
pub(super) fn aliases_of(id: &str) -> impl Iterator<Item = &'static str> {
    ALIASES.iter().filter(move |(_, of)| **of == id).map(|(alias, _)| alias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_valid() {
        assert!(ALIASES.iter().len() > 10 && ROWS.iter().len() > 50);
        for (alias, id) in ALIASES.iter() {
            assert_eq!(normalize_provider_id(alias), alias);
            assert_eq!(&auth_provider_id(id), id, "an alias leads to the end");
            assert!(ROWS.get(id).is_some(), "{alias} leads to a row");
        }
    }

    #[test]
    fn profiles_are_shared_under_the_alias() {
        assert_eq!(auth_provider_id(" Claude-CLI "), auth_provider_id("anthropic"));
        assert_eq!(auth_provider_id("z.ai"), "zai");
    }
}
