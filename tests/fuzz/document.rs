//! The documents of a store, and the references in them.

use indexmap::IndexMap;
use openclaw_auth::profile::ProviderId;
use openclaw_auth::profile::secret_ref::{Defaults, SecretRef};
use openclaw_auth::store::{Document, StateDocument};
use serde_json::value::RawValue;

/// A document is refused, or written so that it reads as it was; an edit of one entry
/// leaves the others.
pub(crate) fn profiles(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(mut document) = Document::parse(text) else { return };
    let written = document.to_text().unwrap();
    let again = Document::parse(&written).expect("what is written is a document");
    assert_eq!(again.to_text().unwrap(), written, "writing changes nothing more");
    assert_eq!(again.entry_count(), document.entry_count());
    let ids: Vec<String> = document.profiles().map(|profile| profile.id.to_owned()).collect();
    let inspected = document.inspections().filter(|(_, found)| found.is_some());
    let inspected: Vec<String> = inspected.map(|(id, _)| id.to_owned()).collect();
    assert_eq!(inspected, ids, "both read the same entries");
    let mut alone = Document::default();
    for (id, entry) in document.entries() {
        alone.set_entry(id, RawValue::from_string(entry.to_owned()).unwrap());
    }
    for (one, other) in document.inspections().zip(alone.inspections()) {
        assert_eq!(format!("{one:?}"), format!("{other:?}"), "an entry says the same alone");
    }
    let count = document.entry_count();
    let is_new = !document.has_entry("fuzz:new");
    document.set_entry("fuzz:new", RawValue::from_string("{\"type\":1}".to_owned()).unwrap());
    let edited = Document::parse(document.to_text().unwrap()).unwrap();
    assert_eq!(edited.entry_count(), count + usize::from(is_new));
    for id in ids.iter().filter(|id| *id != "fuzz:new") {
        assert_eq!(
            edited.entry(id).unwrap(),
            again.entry(id).unwrap(),
            "an entry that nobody edits stays"
        );
        assert!(document.remove_entry(id));
    }
}

/// The same for what is remembered about their use.
pub(crate) fn state(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(mut state) = StateDocument::parse(text) else { return };
    let written = state.to_text().unwrap();
    let again = StateDocument::parse(&written).expect("what is written is a document");
    assert_eq!(again.to_text().unwrap(), written);
    for (id, usage) in again.usages() {
        let _ = format!("{usage:?}");
        state.clear_cooldown(id);
    }
    // An `order` that is no object is left alone, whatever is set.
    let members: IndexMap<String, Box<RawValue>> = serde_json::from_str(&written).unwrap();
    let is_foreign = members.get("order").is_some_and(|order| {
        let orders = serde_json::from_str::<Option<IndexMap<String, &RawValue>>>(order.get());
        orders.is_err()
    });
    state.set_order(&"openai".into(), &["openai:a".into()]);
    let order = state.order(&"openai".into());
    assert!(is_foreign || order == Some(vec!["openai:a".into()]), "{order:?}");
    state.put_first(&"openai".into(), &"openai:b".into());
    state.forget("openai:a");
    StateDocument::parse(&state.to_text().unwrap()).expect("an edited document is one");
    let once = ProviderId::from(text).normalized();
    assert_eq!(ProviderId::from(once.spelling()).as_str(), once.as_str());
}

/// A reference is one, or none; shown and compared without a panic.
pub(crate) fn reference(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let defaults = Defaults::default();
    if let Some(reference) = SecretRef::of_text(text, &defaults) {
        assert!(!reference.to_string().is_empty());
    }
    let Ok(value) = serde_json::from_str(text) else { return };
    let _ = SecretRef::of(&value, &Defaults::of(&value));
}
