//! What people call the providers, beside their ids, aliases and labels: the names of products
//! and makers.
//!
//! Invariant: it is data (`names.json`), compiled in: a name costs no catalog.

/// `names.json`.
struct Table {
    /// A name, and the providers that it can mean, the subscription first.
    words: &'static [(&'static str, &'static [&'static str])],
    /// The providers of subscriptions, and what people call each.
    subscriptions: &'static [(&'static str, &'static str)],
}

static TABLE: Table = include!(concat!(env!("OUT_DIR"), "/names.rs"));

/// The ids of the providers that people mean by `name`, in any case; none where it is no name
/// of this kind.
pub fn providers_called(name: &str) -> &'static [&'static str] {
    let found = TABLE.words.iter().find(|(word, _)| word.eq_ignore_ascii_case(name.trim()));
    found.map_or(&[], |(_, providers)| providers)
}

/// Every name.
pub fn all_names() -> impl Iterator<Item = &'static str> {
    TABLE.words.iter().map(|(word, _)| *word)
}

/// The names that mean a provider of this id.
pub fn names_of(provider: &str) -> impl Iterator<Item = &str> {
    let named = TABLE.words.iter().filter(move |(_, ids)| is_among(provider, ids));
    named.map(|(word, _)| *word)
}

fn is_among(provider: &str, ids: &[&str]) -> bool {
    ids.contains(&provider)
}

/// The shortest way to name a provider that no other provider shares: a name of the table,
/// else the id itself.
pub fn short_name(provider: &str) -> &str {
    let mut words = TABLE.words.iter();
    words.find(|(_, ids)| *ids == [provider]).map_or(provider, |(word, _)| word)
}

/// The ids of the providers that sell subscriptions, with what people call each.
pub const fn subscriptions() -> &'static [(&'static str, &'static str)] {
    TABLE.subscriptions
}

#[cfg(test)]
mod tests {
    use super::super::built_in::ROWS;
    use super::*;

    #[test]
    fn every_name_is_of_a_known_provider() {
        let is_row = |id: &&str| ROWS.iter().any(|row| row.id == *id);
        assert!(TABLE.words.iter().all(|(_, ids)| ids.iter().all(&is_row)));
        assert!(TABLE.subscriptions.iter().all(|(id, _)| is_row(id)));
    }

    #[test]
    fn a_name_that_is_an_id_can_mean_that_provider() {
        for (word, ids) in TABLE.words {
            let is_id = ROWS.iter().any(|row| row.id == *word || row.aliases.contains(word));
            assert!(!is_id || ids.contains(word), "{word}");
        }
    }

    #[test]
    fn names_have_no_case() {
        assert_eq!(providers_called(" ChatGPT "), ["openai-codex"]);
        assert_eq!(providers_called("openai"), ["openai-codex", "openai"]);
        assert!(providers_called("zai").is_empty());
        assert_eq!((short_name("openai-codex"), short_name("zai")), ("chatgpt", "zai"));
    }
}
