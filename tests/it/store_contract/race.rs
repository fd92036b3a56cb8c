//! Several writers: nothing is lost, and who changes a document sees the present one.

use super::child::Player;
use super::subject::{World, Wrong, engines, set};
use super::{BOUND, key, login, within};
use openclaw_auth::store::{Document, StateDocument};
use serde_json::json;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const ROUNDS: u64 = 8;

fn count_of(document: &Document, id: &str) -> u64 {
    let entry = document.entry(id).and_then(|it| serde_json::from_str(it).ok());
    entry.and_then(|entry: serde_json::Value| entry["n"].as_u64()).unwrap_or(0)
}

fn count_on(document: &mut Document, id: &str) {
    let entry = json!({"type": "api_key", "provider": "p", "n": count_of(document, id) + 1});
    set(document, id, &entry);
}

fn count_on_state(state: &mut StateDocument, id: &str) -> bool {
    state.change_usage(id, |usage| usage.error_count = Some(usage.error_count.unwrap_or(0) + 1))
}

/// What each writer does: it counts on what all share, and on what is its own.
pub(super) fn run(world: &World, writer: &str) {
    let store = world.store("main");
    let own = format!("p:{writer}");
    for _ in 0..ROUNDS {
        let change = |document: &mut Document| {
            count_on(document, "p:shared");
            count_on(document, &own);
            (true, ())
        };
        store.update(change).unwrap();
        let change_state = |state: &mut StateDocument| {
            count_on_state(state, "p:shared") | count_on_state(state, &own)
        };
        store.update_state(change_state).unwrap();
    }
}

fn assert_complete(world: &World, writers: &[String]) {
    let (engine, found) = (world.engine, world.store("main").read().unwrap());
    let counts = |id: &str| (count_of(&found.document, id), found.state.usage(id).error_count);
    for writer in writers {
        let own = counts(&format!("p:{writer}"));
        assert_eq!(own, (ROUNDS, Some(ROUNDS)), "{engine:?}: {writer}");
    }
    let all = ROUNDS * writers.len() as u64;
    assert_eq!(counts("p:shared"), (all, Some(all)), "{engine:?}");
    assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
}

#[test]
fn threads_that_change_one_document_lose_nothing() {
    for engine in engines() {
        let world = World::new(engine);
        let writers: Vec<_> = (0..4).map(|n| format!("thread-{n}")).collect();
        std::thread::scope(|scope| {
            for writer in &writers {
                scope.spawn(|| run(&world, writer));
            }
        });
        assert_complete(&world, &writers);
    }
}

#[test]
fn processes_that_change_one_document_lose_nothing() {
    for engine in engines() {
        let world = World::new(engine);
        let writers: Vec<_> = (0..4).map(|n| format!("process-{n}")).collect();
        let players: Vec<_> =
            writers.iter().map(|writer| Player::start(&world, "race", writer)).collect();
        for mut player in players {
            assert!(player.finish().1.success(), "{engine:?}");
        }
        assert_complete(&world, &writers);
    }
}

#[test]
fn who_reads_meanwhile_sees_whole_documents_and_never_an_older_one() {
    for engine in engines() {
        let world = World::new(engine);
        let (writing, reads) = (AtomicBool::new(true), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (store, started) = (world.store("main"), Instant::now());
                let mut seen = 0;
                while writing.load(Ordering::SeqCst) && started.elapsed() < BOUND * 2 {
                    let document = store.read().unwrap().document;
                    let counts = ["p:a", "p:b"].map(|id| count_of(&document, id));
                    assert_eq!(counts[0], counts[1], "{engine:?}: of one change");
                    assert!(counts[0] >= seen, "{engine:?}: {} after {seen}", counts[0]);
                    seen = counts[0];
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            });
            let store = world.store("main");
            let change = |document: &mut Document| {
                count_on(document, "p:a");
                set(document, "p:long", &key(&"fake-long-".repeat(5_000)));
                count_on(document, "p:b");
                (true, ())
            };
            // The reader is there before the writer is done.
            let mut changes = 0;
            let stored = within(BOUND, || {
                store.update(change).unwrap();
                changes += 1;
                (changes >= 20 && reads.load(Ordering::SeqCst) >= 20).then_some(())
            });
            writing.store(false, Ordering::SeqCst);
            assert!(stored.is_some(), "{engine:?}: {reads:?} reads");
        });
    }
}

#[test]
fn a_change_is_made_again_on_what_a_writer_without_the_lock_has_put_there() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        let (runs, let_in) = (Cell::new(0), Cell::new(false));
        let seen = store.update(|document| {
            let seen: Vec<_> = document.entries().map(|(id, _)| id.to_owned()).collect();
            if runs.replace(runs.get() + 1) == 0 {
                let theirs = r#"{"profiles": {"p:theirs": {"type": "weird"}}}"#;
                let_in.set(world.store("main").foreign_write(theirs));
            }
            set(document, "p:ours", &key("fake-2"));
            (true, seen)
        });
        let (seen, ids) = (seen.unwrap(), store.read().unwrap().ids());
        if let_in.get() {
            assert_eq!((runs.get(), seen), (2, vec!["p:theirs".to_owned()]), "{engine:?}");
            assert_eq!(ids, ["p:theirs", "p:ours"], "{engine:?}");
        } else {
            assert_eq!((runs.get(), seen), (1, vec!["p:1".to_owned()]), "{engine:?}");
            assert_eq!(ids, ["p:1", "p:ours"], "{engine:?}");
        }
    }
}

#[test]
fn what_is_broken_in_the_middle_of_a_change_is_not_overwritten() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        let (runs, let_in) = (Cell::new(0), Cell::new(false));
        let changed = store.update(|document| {
            if runs.replace(runs.get() + 1) == 0 {
                let_in.set(world.store("main").foreign_write("{ half a docu"));
            }
            set(document, "p:1", &key("fake-2"));
            (true, ())
        });
        if let_in.get() {
            assert_eq!(changed, Err(Wrong::Invalid), "{engine:?}");
            assert_eq!(store.text().as_deref(), Some("{ half a docu"), "{engine:?}");
        }
    }
}

#[test]
fn a_change_whose_lock_was_taken_away_is_made_again() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        let (runs, let_in) = (Cell::new(0), Cell::new(false));
        let change = |document: &mut Document| {
            if runs.replace(runs.get() + 1) == 0 {
                let_in.set(store.foreign_unlock());
            }
            count_on(document, "p:2");
            (true, ())
        };
        store.update(change).unwrap();
        assert_eq!(runs.get(), if let_in.get() { 2 } else { 1 }, "{engine:?}");
        assert_eq!(count_of(&store.read().unwrap().document, "p:2"), 1, "{engine:?}");
        assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
    }
}

#[test]
fn a_change_that_is_not_wanted_writes_nothing() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        let before = (store.text(), store.version(), store.backups().len());
        let change = |document: &mut Document| (false, document.remove_entry("p:1"));
        assert_eq!(store.update(change), Ok(true), "{engine:?}");
        store.update_state(|state| !state.set_order(&"p".into(), &["p:1".into()])).unwrap();
        assert_eq!((store.text(), store.version(), store.backups().len()), before, "{engine:?}");
        assert_eq!(store.state_text(), None, "{engine:?}");
    }
}

#[test]
fn what_was_set_aside_takes_the_change_and_is_given_back_without_one() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        let held = store.lease("p:1", "fake-r0").unwrap();
        let prepared = store.prepare(BOUND).unwrap();
        // Somebody else may change the document meanwhile.
        world.store("main").put("p:2", &key("fake")).unwrap();
        let renewal = super::subject::renewal("fake-a1", Some("fake-r1"));
        store.commit(&held, prepared, "p:1", &renewal).unwrap();
        let found = store.read().unwrap();
        assert_eq!(found.ids(), ["p:1", "p:2"], "{engine:?}");
        let entry = found.entry("p:1").unwrap();
        assert_eq!((&entry["access"], &entry["refresh"]), (&json!("fake-a1"), &json!("fake-r1")));
        assert_eq!((&entry["email"], &entry["region"]), (&json!("ada@example.test"), &json!("eu")));
        drop((held, store.prepare(BOUND).unwrap()));
        assert!(world.left_drafts().is_empty(), "{engine:?}: {:?}", world.left_drafts());
    }
}

#[test]
fn a_store_that_somebody_keeps_busy_is_told_after_the_time_that_was_given() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        let held = store.lease("p:1", "fake-r0").unwrap();
        let busy = store.busy();
        let patience = Duration::from_millis(20);
        let started = Instant::now();
        assert_eq!(store.prepare(patience).err(), Some(Wrong::Held), "{engine:?}");
        let changed = store.update_state_with(&held, patience, |_| panic!("it is not ours"));
        assert_eq!(changed, Err(Wrong::Held), "{engine:?}");
        assert!(started.elapsed() >= patience && started.elapsed() < BOUND, "{engine:?}");
        drop(busy);
        store.prepare(patience).unwrap();
    }
}
