//! What the built-in rows of the catalog say by themselves: whose profiles an alias uses,
//! and which variables hold keys. The files of the user have no say here, as they have
//! none in OpenClaw.

use crate::profile::ProviderId;

/// A built-in row.
#[derive(Debug)]
pub(super) struct BuiltIn {
    /// The normalised provider id.
    pub id: &'static str,
    /// Other ids under which the provider is known.
    pub aliases: &'static [&'static str],
    /// The environment variables that hold a key, first found wins.
    pub variables: &'static [&'static str],
    /// The whole row in JSON.
    pub text: &'static str,
}

/// The rows of `catalog.json`, in its order.
pub(super) static ROWS: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// The id by which the profiles of `provider` are compared: normalised, then the provider
/// whose login methods or plans go by that alias.
pub fn auth_provider_id(provider: impl Into<ProviderId>) -> ProviderId {
    let id = provider.into().normalized();
    let row = ROWS.iter().find(|row| row.aliases.contains(&id.as_str()));
    row.map_or(id, |row| row.id.into())
}

/// The id of a built-in row, where `provider` is one.
pub fn built_in_id(provider: &ProviderId) -> Option<&'static str> {
    ROWS.iter().map(|row| row.id).find(|id| provider.is_spelt(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_and_lead_to_one_row() {
        let mut names = std::collections::HashSet::new();
        for row in ROWS {
            for name in row.aliases.iter().chain([&row.id]) {
                assert_eq!(ProviderId::from(*name).as_str(), *name);
                assert_eq!(auth_provider_id(*name).spelling(), row.id);
                assert!(names.insert(name), "{name} is given twice");
            }
        }
        assert!(names.len() > 60);
    }

    #[test]
    fn profiles_are_shared_under_the_alias() {
        assert_eq!(auth_provider_id(" Claude-CLI "), auth_provider_id("anthropic"));
        assert_eq!(auth_provider_id("z.ai").spelling(), "zai");
    }
}
