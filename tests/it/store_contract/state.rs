//! What is remembered beside the profiles: their order and how they fared.

use super::key;
use super::subject::{World, Wrong, engines, set};
use openclaw_auth::profile::ProfileId;

fn ids(ids: &[&str]) -> Vec<ProfileId> {
    ids.iter().map(|id| (*id).into()).collect()
}

#[test]
fn order_and_usage_are_kept_beside_the_profiles() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake")).unwrap();
        let before = (store.text(), store.version());
        let change = |state: &mut openclaw_auth::store::StateDocument| {
            state.set_last_good(&"p".into(), "p:1");
            state.change_usage("p:1", |usage| usage.last_used = Some(7))
                | state.set_order(&"p".into(), &ids(&["p:2", "p:1"]))
        };
        store.update_state(change).unwrap();
        let found = world.store("main").read().unwrap().state;
        assert_eq!(found.order(&"p".into()), Some(ids(&["p:2", "p:1"])), "{engine:?}");
        assert_eq!(found.usage("p:1").last_used, Some(7), "{engine:?}");
        assert!(store.state_text().unwrap().contains("lastGood"), "{engine:?}");
        assert_eq!((store.text(), store.version()), before, "{engine:?}: the profiles as before");
        let state = store.state_text();
        store.put("p:2", &key("fake")).unwrap();
        assert_eq!(store.state_text(), state, "{engine:?}: the state as before");
        assert!(world.store("work").read().unwrap().state.is_empty(), "{engine:?}: another's");
    }
}

#[test]
fn a_state_that_says_nothing_any_more_is_not_kept() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.update_state(|state| state.set_order(&"p".into(), &ids(&["p:1"]))).unwrap();
        assert!(store.state_text().is_some(), "{engine:?}");
        store.update_state(|state| state.forget("p:1")).unwrap();
        assert_eq!(store.state_text(), None, "{engine:?}");
        assert_eq!(store.read().unwrap().state.order(&"p".into()), None, "{engine:?}");
    }
}

const ODD: &str = r#"{
  "version": 3,
  "odd": 1.50,
  "order": {
    "p": [
      "p:1",
      "p:2"
    ]
  },
  "usageStats": {
    "p:1": {
      "lastUsed": 5.0,
      "odd": "\u0041"
    }
  }
}
"#;

#[test]
fn a_rewrite_of_the_state_changes_no_byte_of_what_it_does_not_touch() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        if !store.foreign_write_state(ODD) {
            continue;
        }
        store.update_state(|state| state.set_order(&"p".into(), &ids(&["p:9"]))).unwrap();
        assert_ne!(store.state_text().as_deref(), Some(ODD), "{engine:?}");
        store.update_state(|state| state.set_order(&"p".into(), &ids(&["p:1", "p:2"]))).unwrap();
        assert_eq!(store.state_text().as_deref(), Some(ODD), "{engine:?}");
    }
}

#[test]
fn a_state_that_is_none_is_told_and_never_overwritten() {
    for engine in engines() {
        for text in ["{ half", "[]", r#"{"order": {}, "order": {}}"#, r#"{"order": 5}"#] {
            let world = World::new(engine);
            let store = world.store("main");
            if !store.foreign_write_state(text) {
                continue;
            }
            let changed = store
                .update_state(|state| state.change_usage("p:1", |usage| usage.last_used = Some(7)));
            assert_eq!(changed, Err(Wrong::Invalid), "{engine:?}: {text}");
            assert_eq!(store.state_text().as_deref(), Some(text), "{engine:?}");
        }
    }
}

/// A document of the time when the state stood among the profiles.
const OLD: &str = r#"{
  "version": 1,
  "profiles": {
    "p:1": {
      "type": "api_key",
      "provider": "p",
      "key": "fake"
    }
  },
  "order": {
    "p": [
      "p:1",
      "p:2"
    ],
    "q": [
      "q:1"
    ]
  },
  "lastGood": {
    "p": "p:1"
  },
  "usageStats": {
    "p:1": {
      "lastUsed": 5,
      "odd": 1
    }
  }
}
"#;

#[test]
fn the_old_layout_is_read_where_it_stands() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        if !store.foreign_write(OLD) {
            continue;
        }
        let newer = r#"{"version": 1, "order": {"p": ["p:9"]}}"#;
        for own in [false, true] {
            if own && !store.foreign_write_state(newer) {
                continue;
            }
            let state = store.read().unwrap().state;
            let order = if own { ids(&["p:9"]) } else { ids(&["p:1", "p:2"]) };
            assert_eq!(state.order(&"p".into()), Some(order), "{engine:?}: its own goes before");
            assert_eq!(state.order(&"q".into()), Some(ids(&["q:1"])), "{engine:?}");
            assert_eq!(state.usage("p:1").last_used, Some(5), "{engine:?}");
            assert_eq!(store.text().as_deref(), Some(OLD), "{engine:?}: reading moves nothing");
        }
    }
}

#[test]
fn the_first_change_of_either_document_moves_the_old_layout() {
    for engine in engines() {
        for of_profiles in [true, false] {
            let world = World::new(engine);
            let store = world.store("main");
            if !store.foreign_write(OLD) {
                continue;
            }
            if of_profiles {
                let change = |document: &mut openclaw_auth::store::Document| {
                    set(document, "p:3", &key("fake"));
                    (true, ())
                };
                store.update(change).unwrap();
            } else {
                store.update_state(|state| state.set_order(&"r".into(), &ids(&["r:1"]))).unwrap();
            }
            let (text, state_text) = (store.text().unwrap(), store.state_text().unwrap());
            for member in ["order", "lastGood", "usageStats"] {
                let quoted = format!("{member:?}");
                assert!(!text.contains(&quoted), "{engine:?}: {text}");
                assert!(state_text.contains(&quoted), "{engine:?}: {state_text}");
            }
            assert!(state_text.contains("\"odd\": 1"), "{engine:?}: {state_text}");
            let state = store.read().unwrap().state;
            assert_eq!(state.order(&"p".into()), Some(ids(&["p:1", "p:2"])), "{engine:?}");
            assert_eq!(state.usage("p:1").last_used, Some(5), "{engine:?}");
        }
    }
}
