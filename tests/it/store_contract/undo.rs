//! Undo: what a change replaced can be had back, and keeping it stops no change.

use super::subject::{Subject, World, engines, set};
use super::{key, login};
use openclaw_auth::store::Document;
use std::cell::Cell;

fn kinds(store: &Subject) -> Vec<bool> {
    store.backups().iter().map(|backup| backup.is_renewal).collect()
}

#[test]
fn renewals_are_counted_apart_from_other_changes() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store_with_backups("main", 2);
        for n in 0..4 {
            store.put(&format!("p:{n}"), &login("fake-a0", "fake-r0")).unwrap();
        }
        for n in 1..5 {
            let entry = login(&format!("fake-a{n}"), &format!("fake-r{n}"));
            store.put("p:0", &entry).unwrap();
        }
        assert_eq!(kinds(&store), [true, true, false, false], "{engine:?}");
        let held: Vec<_> = store
            .backups()
            .iter()
            .map(|backup| {
                let held = store.read_backup(backup).unwrap();
                let refresh = held.credential("p:0").unwrap().refresh_token().unwrap().clone();
                (held.entry_count(), refresh.expose().to_owned())
            })
            .collect();
        let expected = [(4, "fake-r3"), (4, "fake-r2"), (3, "fake-r0"), (2, "fake-r0")];
        assert_eq!(held, expected.map(|(count, it)| (count, it.to_owned())), "{engine:?}");
        let times: Vec<_> = store.backups().iter().map(|backup| backup.replaced_at).collect();
        assert!(times.is_sorted_by(|a, b| a > b), "{engine:?}: {times:?}");
        assert!(world.open_to_others().is_empty(), "{engine:?}: {:?}", world.open_to_others());
    }
}

#[test]
fn only_a_change_of_logins_alone_is_a_renewal() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let newest = |what: &str| {
            assert_eq!(world.store("main").notices(), [""; 0], "{engine:?}: {what}");
            store.backups()[0].is_renewal
        };
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        assert!(store.backups().is_empty(), "{engine:?}: nothing was replaced");
        store.put("p:2", &key("fake-1")).unwrap();
        assert!(!newest("one more"), "{engine:?}");
        store.put("p:1", &login("fake-a1", "fake-r1")).unwrap();
        assert!(newest("renewed"), "{engine:?}");
        store.put("p:2", &key("fake-2")).unwrap();
        assert!(!newest("another key"), "{engine:?}");
        store.put("p:1", &key("fake-3")).unwrap();
        assert!(!newest("a key in the place of a login"), "{engine:?}");
        store.update(|document| (document.remove_entry("p:1"), ())).unwrap();
        assert!(!newest("one less"), "{engine:?}");
        let count = store.backups().len();
        store.update(|_| (false, ())).unwrap();
        store.update_state(|state| state.set_order(&"p".into(), &["p:2".into()])).unwrap();
        assert_eq!(store.backups().len(), count, "{engine:?}: the profiles did not change");
    }
}

#[test]
fn what_is_read_back_is_what_was_there_to_the_byte() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let odd = "{\n  \"odd\": 1.50,\n  \"profiles\": {\n    \"bad:1\": \"\\u0041\"\n  }\n}\n";
        if !store.foreign_write(odd) {
            store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        }
        let before = store.text().unwrap();
        store.put("p:2", &key("fake")).unwrap();
        let backup = &store.backups()[0];
        assert_eq!(store.read_backup(backup).unwrap().to_text().unwrap(), before, "{engine:?}");
        let after = store.text();
        // Undone, and that undone as well.
        let back = store.read_backup(backup).unwrap().to_text().unwrap();
        let undo = |document: &mut Document| {
            *document = Document::parse(back.as_str()).unwrap();
            (true, ())
        };
        store.update(undo).unwrap();
        assert_eq!(store.text(), Some(before), "{engine:?}");
        let undone = store.read_backup(&store.backups()[0]).unwrap().to_text().unwrap();
        assert_eq!(Some(undone), after, "{engine:?}");
    }
}

#[test]
fn a_backup_that_fails_is_told_and_stops_nothing() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        store.refuse_backups();
        store.put("p:1", &key("fake-2")).unwrap();
        assert_eq!(store.read().unwrap().entry("p:1"), Some(key("fake-2")), "{engine:?}");
        let notices = store.notices();
        assert_eq!(notices.len(), 1, "{engine:?}: {notices:?}");
        assert!(notices[0].starts_with("could not back up"), "{engine:?}: {notices:?}");
        assert!(!notices[0].contains("fake-"), "{engine:?}: {notices:?}");
        assert!(store.backups().is_empty(), "{engine:?}");
    }
}

#[test]
fn none_is_kept_where_none_is_wanted_and_each_agent_has_its_own() {
    for engine in engines() {
        let world = World::new(engine);
        let (none, some) = (world.store_with_backups("main", 0), world.store("work"));
        for value in ["fake-1", "fake-2"] {
            none.put("p:1", &key(value)).unwrap();
            some.put("p:1", &key(value)).unwrap();
        }
        assert_eq!((none.backups().len(), some.backups().len()), (0, 1), "{engine:?}");
    }
}

#[test]
fn a_change_that_runs_again_keeps_what_it_replaces_and_nothing_else() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        let foreign = serde_json::json!({"version": 1, "profiles": {
            "p:1": login("fake-a0", "fake-r0"), "p:foreign": key("fake")}});
        let runs = Cell::new(0);
        let changed = store.update(|document| {
            runs.set(runs.get() + 1);
            let is_possible = runs.get() > 1 || store.foreign_write(&foreign.to_string());
            set(document, "p:2", &key("fake"));
            (true, is_possible)
        });
        if !changed.unwrap() {
            continue;
        }
        assert_eq!(runs.get(), 2, "{engine:?}");
        assert_eq!(store.read().unwrap().ids(), ["p:1", "p:foreign", "p:2"], "{engine:?}");
        let backups = store.backups();
        assert_eq!(backups.len(), 1, "{engine:?}");
        let held = store.read_backup(&backups[0]).unwrap();
        assert!(held.has_entry("p:foreign"), "{engine:?}: what was replaced");
    }
}
