//! Reading: without a lock, of one moment, and so that nothing is lost by a rewrite.

use super::subject::{Subject, World, Wrong, engines, set};
use super::{BOUND, PROVIDER, key, login};
use openclaw_auth::store::Document;
use std::time::{Duration, Instant};

/// What no version of ours has written, laid out as OpenClaw lays it out.
const ODD: &str = r#"{
  "topFirst": 1.0e+400,
  "version": 7,
  "profiles": {
    "p:1": {
      "type": "oauth",
      "provider": "p",
      "access": "fake-access",
      "expires": 4102444800000,
      "custom": {
        "x": 12345678901234567890123
      }
    },
    "bad:1": "str",
    "bad:2": {
      "type": "weird",
      "provider": "x"
    },
    "p:2": {
      "mode": "api_key",
      "apiKey": "fake-k\u0065y",
      "provider": "p"
    }
  },
  "later": [
    -0,
    "\ud83d\ude00"
  ]
}
"#;

#[test]
fn a_store_that_is_absent_is_empty_and_reading_does_not_make_it() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let found = store.read().unwrap();
        assert_eq!((found.ids(), found.version), (vec![], None), "{engine:?}");
        assert!(found.state.is_empty(), "{engine:?}");
        assert_eq!((store.text(), store.state_text()), (None, None), "{engine:?}");
        assert_eq!(store.update(|_| (false, 7)), Ok(7), "{engine:?}");
        assert_eq!((store.text(), store.version()), (None, None), "{engine:?}");
        store.put("p:1", &key("fake")).unwrap();
        assert_eq!(store.read().unwrap().ids(), ["p:1"], "{engine:?}");
        assert!(world.store("work").read().unwrap().ids().is_empty(), "{engine:?}: another's");
    }
}

#[test]
fn what_one_handle_writes_another_reads_as_it_was_written() {
    for engine in engines() {
        let world = World::new(engine);
        let entry = login("fake-a0", "fake-r0");
        world.store("main").put("p:1", &entry).unwrap();
        let found = world.store("main").read().unwrap();
        assert_eq!(found.entry("p:1"), Some(entry), "{engine:?}");
        let credential = found.document.credential("p:1").unwrap();
        assert_eq!(credential.refresh_token().unwrap().expose(), "fake-r0", "{engine:?}");
    }
}

#[test]
fn a_rewrite_changes_no_byte_of_what_it_does_not_touch() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        if !store.foreign_write(ODD) {
            continue;
        }
        store.put("p:3", &key("fake")).unwrap();
        assert_eq!(store.read().unwrap().ids(), ["p:1", "bad:1", "bad:2", "p:2", "p:3"]);
        store.update(|document| (document.remove_entry("p:3"), ())).unwrap();
        assert_eq!(store.text().as_deref(), Some(ODD), "{engine:?}");
    }
}

#[test]
fn entries_that_are_no_credentials_survive_and_are_not_listed() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let odd = [("bad:1", "\"str\""), ("bad:2", r#"{"type":"weird","n":1.50}"#)];
        let change = |document: &mut Document| {
            for (id, text) in odd {
                document.set_entry(id, serde_json::from_str(text).unwrap());
            }
            (true, ())
        };
        store.update(change).unwrap();
        store.put("p:1", &key("fake-1")).unwrap();
        store.put("p:1", &key("fake-2")).unwrap();
        let found = store.read().unwrap();
        let squeezed = |id| found.document.entry(id).map(|it| it.replace([' ', '\n'], ""));
        for (id, text) in odd {
            assert_eq!(squeezed(id).as_deref(), Some(text), "{engine:?}");
            assert!(found.document.credential(id).is_none(), "{engine:?}");
        }
        assert_eq!(found.document.profiles().count(), 1, "{engine:?}");
    }
}

#[test]
fn what_does_not_parse_is_told_and_never_overwritten() {
    for engine in engines() {
        for text in ["", "{ somebody is editing this", "[]", r#"{"profiles": []}"#] {
            let world = World::new(engine);
            let store = world.store("main");
            if !store.foreign_write(text) {
                continue;
            }
            assert_eq!(store.read().unwrap_err(), Wrong::Invalid, "{engine:?}: {text}");
            let changed = store.update::<()>(|_| panic!("{engine:?}: there is nothing to change"));
            assert_eq!(changed, Err(Wrong::Invalid), "{engine:?}: {text}");
            let changed = store.update_state(|_| true);
            assert_eq!(changed, Err(Wrong::Invalid), "{engine:?}: {text}");
            assert_eq!(store.text().as_deref(), Some(text), "{engine:?}");
            assert_eq!(store.state_text(), None, "{engine:?}");
        }
    }
}

#[test]
fn a_store_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        let before = store.text();
        let unreadable = store.unreadable();
        assert_eq!(store.read().unwrap_err(), Wrong::Unreadable, "{engine:?}");
        assert_eq!(store.put("p:2", &key("fake-2")), Err(Wrong::Unreadable), "{engine:?}");
        drop(unreadable);
        assert_eq!(store.text(), before, "{engine:?}");
        assert_eq!(store.read().unwrap().ids(), ["p:1"], "{engine:?}");
    }
}

#[test]
fn a_store_that_cannot_be_written_says_so_before_anything_is_asked_of_a_server() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        let before = store.text();
        let unwritable = store.unwritable();
        assert_eq!(store.prepare(BOUND).err(), Some(Wrong::Unwritable), "{engine:?}");
        assert_eq!(store.put("p:1", &key("fake-2")), Err(Wrong::Unwritable), "{engine:?}");
        assert_eq!(store.read().unwrap().ids(), ["p:1"], "{engine:?}");
        drop(unwritable);
        assert_eq!(store.text(), before, "{engine:?}");
        store.put("p:1", &key("fake-2")).unwrap();
    }
}

#[test]
fn reading_waits_for_nobody() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        let _lease = store.lease("p:1", "fake-r0").unwrap();
        let started = Instant::now();
        let seen = store.update(|document| {
            set(document, "p:2", &key("fake"));
            // In the middle of a change, and beside a lease.
            let other = world.store("main");
            assert!(other.version().is_some(), "{engine:?}");
            (true, other.read().unwrap().ids())
        });
        assert_eq!(seen.unwrap(), ["p:1"], "{engine:?}: as it was before");
        assert!(started.elapsed() < BOUND, "{engine:?}");
        assert_eq!(store.read().unwrap().ids(), ["p:1", "p:2"], "{engine:?}");
    }
}

#[test]
fn the_version_changes_with_every_change_and_with_nothing_else() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        let first = store.version();
        assert!(first.is_some(), "{engine:?}");
        assert_eq!(store.read().unwrap().version, first, "{engine:?}");
        store.update(|_| (false, ())).unwrap();
        store.update_state(|state| state.set_order(&PROVIDER.into(), &["p:1".into()])).unwrap();
        drop(store.prepare(BOUND).unwrap());
        assert_eq!(world.store("main").version(), first, "{engine:?}");
        store.put("p:1", &key("fake-2")).unwrap();
        let second = store.version();
        assert_ne!(second, first, "{engine:?}");
        // The same length, in the same moment.
        store.put("p:1", &key("fake-3")).unwrap();
        assert_ne!(store.version(), second, "{engine:?}");
    }
}

#[test]
fn a_store_that_another_generation_took_over_is_left_alone() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        let before = store.text();
        if !store.foreign_takeover() {
            continue;
        }
        assert_eq!(store.put("p:2", &key("fake")), Err(Wrong::Elsewhere), "{engine:?}");
        assert_eq!(store.update_state(|_| true), Err(Wrong::Elsewhere), "{engine:?}");
        assert_eq!(store.try_lease("p:1", "fake-r0").err(), Some(Wrong::Elsewhere), "{engine:?}");
        assert_eq!(store.prepare(Duration::ZERO).err(), Some(Wrong::Elsewhere), "{engine:?}");
        assert_eq!((store.text(), store.state_text()), (before, None), "{engine:?}");
        // Where nothing is stored, it has moved on, and is not empty.
        let moved = world.store("work");
        assert!(moved.foreign_takeover(), "{engine:?}");
        assert_eq!(moved.read().err(), Some(Wrong::Elsewhere), "{engine:?}");
    }
}

#[test]
fn nobody_else_can_read_what_is_stored_and_nothing_is_left_behind() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        store.put("p:1", &login("fake-a1", "fake-r1")).unwrap();
        store.update_state(|state| state.set_order(&PROVIDER.into(), &["p:1".into()])).unwrap();
        drop(store.prepare(BOUND).unwrap());
        assert!(world.open_to_others().is_empty(), "{engine:?}: {:?}", world.open_to_others());
        assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
        assert!(world.left_drafts().is_empty(), "{engine:?}: {:?}", world.left_drafts());
    }
}

#[test]
fn what_others_can_read_is_told() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        assert_eq!(store.exposures(), [""; 0], "{engine:?}");
        if store.foreign_opening() {
            assert_eq!(store.exposures().len(), 1, "{engine:?}");
        }
    }
}

/// What a program does that replaces the profiles in two steps: it takes a part away, and
/// brings the whole a moment later.
fn replaced_in_two_steps(first: fn(&Subject) -> Option<String>) {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake")).unwrap();
        let Some(whole) = first(&store) else { continue };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(40));
                world.store("main").foreign_overwrite(&whole);
            });
            let found = store.read().map(|found| found.ids());
            assert_eq!(found, Ok(vec!["p:1".to_owned()]), "{engine:?}");
        });
    }
}

#[test]
fn who_renames_the_profiles_away_and_writes_them_anew_is_waited_for() {
    replaced_in_two_steps(|store| store.text().filter(|_| store.foreign_rename()));
}

#[test]
fn who_empties_the_profiles_and_fills_them_is_waited_for() {
    replaced_in_two_steps(|store| store.text().filter(|_| store.foreign_overwrite("")));
}

#[test]
fn who_writes_the_profiles_piece_by_piece_is_waited_for() {
    replaced_in_two_steps(|store| {
        let text = store.text()?;
        store.foreign_overwrite(&text[..text.len() / 2]).then_some(text)
    });
}

#[test]
fn what_stays_broken_is_told_in_bounded_time() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake")).unwrap();
        if !store.foreign_overwrite("{") {
            continue;
        }
        let started = Instant::now();
        assert_eq!(store.read().err(), Some(Wrong::Invalid), "{engine:?}");
        assert!(started.elapsed() < BOUND, "{engine:?}");
    }
}
