//! What rotation has to know of providers: which ids share their profiles, and whose
//! failures keep no profile away.

use crate::profile::normalize_provider_id;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

const BUILT_IN: &str = include_str!("rotation.json");

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rotation {
    /// Ids of login methods and plans, with the provider whose profiles they use.
    aliases: HashMap<String, String>,
    /// Providers that route to many others: a failure says nothing of the credential.
    without_cooldown: Vec<String>,
}

static ROTATION: LazyLock<Rotation> =
    LazyLock::new(|| serde_json::from_str(BUILT_IN).unwrap_or_default());

/// The id by which the profiles of `provider` are compared: normalised, then its alias.
pub fn auth_provider_id(provider: &str) -> String {
    let id = normalize_provider_id(provider);
    ROTATION.aliases.get(&id).cloned().unwrap_or(id)
}

/// Whether failures keep profiles of `provider` away for a while.
pub fn cools_down(provider: &str) -> bool {
    !ROTATION.without_cooldown.contains(&normalize_provider_id(provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_valid() {
        let table: Rotation = serde_json::from_str(BUILT_IN).unwrap();
        for (alias, id) in &table.aliases {
            assert_eq!(&normalize_provider_id(alias), alias);
            assert_eq!(&auth_provider_id(id), id, "an alias leads to the end");
        }
    }

    #[test]
    fn profiles_are_shared_under_the_alias() {
        assert_eq!(auth_provider_id(" Claude-CLI "), auth_provider_id("anthropic"));
        assert_eq!(auth_provider_id("z.ai"), "zai");
        assert!(!cools_down("OpenRouter") && cools_down("p"));
    }
}
