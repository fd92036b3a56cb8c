//! Processes that are killed: the store reads as before or as after, a reply is never lost,
//! and the next process has lock and lease in bounded time.

use super::child::{Player, tell, tell_and_wait};
use super::subject::{Waiting, World, engines, renewal};
use super::{BOUND, key, login, within};
use std::time::Instant;

/// The steps of a refresh, in the order in which they are told.
pub(super) const STEPS: [&str; 8] =
    ["leased", "prepared", "noted", "spooled", "committed", "ended", "cleaned", "released"];

/// A document of the old layout, so that a change is one of two documents.
pub(super) fn prepare(world: &World) {
    let profiles = serde_json::json!({"p:1": login("fake-a0", "fake-r0"), "p:2": key("fake")});
    let old =
        serde_json::json!({"version": 1, "profiles": profiles, "order": {"p": ["p:2", "p:1"]}});
    let store = world.store("main");
    if !store.foreign_write(&serde_json::to_string_pretty(&old).unwrap()) {
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        store.put("p:2", &key("fake")).unwrap();
        let order = ["p:2".into(), "p:1".into()];
        store.update_state(|state| state.set_order(&"p".into(), &order)).unwrap();
    }
}

/// A refresh as the store sees it, which stops after one of the steps.
pub(super) fn sequence(world: &World, stop: &str) {
    let pass = |step: &str| if step == stop { tell_and_wait(step) } else { tell(step) };
    let (store, spool) = (world.store("main"), world.spool());
    let reply = renewal("fake-a1", Some("fake-r1"));
    let held = store.lease("p:1", "fake-r0").unwrap();
    pass("leased");
    let prepared = store.prepare(BOUND).unwrap();
    pass("prepared");
    store.begin(&held).unwrap();
    pass("noted");
    assert!(spool.save("fake-r0", &reply));
    pass("spooled");
    store.commit(&held, prepared, "p:1", &reply).unwrap();
    pass("committed");
    store.end(&held);
    pass("ended");
    spool.pending().into_iter().for_each(Waiting::discard);
    pass("cleaned");
    drop(held);
    pass("released");
}

/// Looks at what a process left that was killed after it had told all of `told`, and does
/// the rest of its work.
pub(super) fn judge(world: &World, told: &[String], pid: u32) {
    let what = format!("{:?}: killed after {:?}", world.engine, told.last());
    let has = |step: &str| told.iter().any(|it| it == step);
    let (store, spool) = (world.store("main"), world.spool());
    // The documents are as before or as after.
    let found = store.read().unwrap();
    let entry = found.entry("p:1").unwrap();
    let tokens = (entry["access"].as_str().unwrap(), entry["refresh"].as_str().unwrap());
    let is_after = tokens == ("fake-a1", "fake-r1");
    assert!(is_after || tokens == ("fake-a0", "fake-r0"), "{what}: {tokens:?}");
    assert!(is_after || !has("committed"), "{what}: what was stored is stored");
    assert!(!is_after || has("spooled"), "{what}: nothing is stored ahead of its time");
    assert_eq!(found.entry("p:2"), Some(key("fake")), "{what}");
    let order = Some(vec!["p:2".into(), "p:1".into()]);
    assert_eq!(found.state.order(&"p".into()), order, "{what}: in one document or the other");
    // The reply waits until it is stored.
    let pending = spool.pending();
    assert!(pending.len() <= 1, "{what}");
    assert!(!has("spooled") || has("ended") || pending.len() == 1, "{what}: the reply is there");
    assert!(has("noted") || pending.is_empty(), "{what}");
    assert!(!has("cleaned") || pending.is_empty(), "{what}");
    for waiting in &pending {
        assert_eq!(waiting.refresh(), Some("fake-r1"), "{what}");
        assert_eq!(waiting.replaces("fake-r0"), Some(0), "{what}");
        assert!(spool.spent("fake-r0"), "{what}");
    }
    // The next one has the lease, and is told of who was cut off.
    let started = Instant::now();
    let held = within(BOUND, || store.lease("p:1", "fake-r0")).unwrap();
    let earlier = store.begin(&held).unwrap();
    assert!(!has("noted") || has("committed") || earlier.is_some(), "{what}: noted");
    assert!(has("prepared") || earlier.is_none(), "{what}: {earlier:?}");
    assert!(!has("ended") || earlier.is_none(), "{what}: {earlier:?}");
    assert!(earlier.is_none_or(|it| it.pid == pid), "{what}");
    let prepared = store.prepare(BOUND).unwrap();
    store.commit(&held, prepared, "p:1", &renewal("fake-a1", Some("fake-r1"))).unwrap();
    store.end(&held);
    pending.into_iter().for_each(Waiting::discard);
    drop(held);
    assert!(started.elapsed() < BOUND, "{what}: {:?}", started.elapsed());
    let found = store.read().unwrap();
    assert_eq!(found.entry("p:1").unwrap()["refresh"], "fake-r1", "{what}");
    assert_eq!(found.state.order(&"p".into()), order, "{what}");
    assert!(world.left_locks().is_empty(), "{what}: {:?}", world.left_locks());
    assert!(!world.tells("fake-r"), "{what}: a token stands where none belongs");
    assert!(world.open_to_others().is_empty(), "{what}: {:?}", world.open_to_others());
}

#[test]
fn a_refresh_that_is_killed_between_two_steps_loses_nothing() {
    for engine in engines() {
        for step in STEPS {
            let world = World::new(engine);
            prepare(&world);
            let mut player = Player::start(&world, "sequence", step);
            let mut told = Vec::new();
            while told.last().is_none_or(|last| last != step) {
                told.push(player.next().unwrap());
            }
            player.kill();
            judge(&world, &told, player.pid);
        }
    }
}

#[test]
fn who_is_killed_in_the_middle_of_a_change_has_changed_nothing_and_blocks_nobody() {
    for engine in engines() {
        for part in ["change", "change-state"] {
            let world = World::new(engine);
            let store = world.store("main");
            store.put("p:1", &key("fake")).unwrap();
            let mut player = Player::start(&world, part, "");
            player.wait_for("changing");
            player.kill();
            let found = store.read().unwrap();
            assert_eq!(found.ids(), ["p:1"], "{engine:?}: {part}");
            assert!(found.state.is_empty(), "{engine:?}: {part}");
            let started = Instant::now();
            store.put("p:2", &key("fake")).unwrap();
            store.update_state(|state| state.set_order(&"p".into(), &["p:2".into()])).unwrap();
            assert!(started.elapsed() < BOUND, "{engine:?}: {part}");
            assert_eq!(store.read().unwrap().ids(), ["p:1", "p:2"], "{engine:?}: {part}");
            assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
        }
    }
}

#[test]
fn who_is_killed_in_the_middle_of_a_write_leaves_the_whole_document() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &key("fake-1")).unwrap();
        store.put("p:long", &key(&"fake-long-".repeat(10_000))).unwrap();
        let long = store.read().unwrap().entry("p:long");
        // No file may be longer than this: the kernel kills who writes on.
        let (told, status) = Player::start(&world, "overlong", "50000").finish();
        let is_killed = !status.success();
        assert_eq!(told.first().map(String::as_str), Some("limited"), "{engine:?}");
        assert!(is_killed || told.len() == 2, "{engine:?}: {told:?}");
        let found = store.read().unwrap();
        let expected = if is_killed { "fake-1" } else { "fake-2" };
        assert_eq!(found.entry("p:1"), Some(key(expected)), "{engine:?}");
        assert_eq!(found.entry("p:long"), long, "{engine:?}");
        store.put("p:1", &key("fake-3")).unwrap();
        assert_eq!(store.read().unwrap().entry("p:long"), long, "{engine:?}");
    }
}

#[test]
fn what_a_process_has_said_to_be_stored_survives_it() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let mut player = Player::start(&world, "count", "");
        let last: u64 = (0..9).map(|_| player.next().unwrap().parse().unwrap()).last().unwrap();
        player.kill();
        let entry = store.read().unwrap().entry("p:count").unwrap();
        let number: u64 = entry["key"].as_str().unwrap()["fake-".len()..].parse().unwrap();
        assert!(number >= last, "{engine:?}: {number} after {last}");
        let started = Instant::now();
        store.put("p:1", &key("fake")).unwrap();
        assert!(started.elapsed() < BOUND, "{engine:?}");
        assert_eq!(store.read().unwrap().entry("p:count"), Some(entry), "{engine:?}");
    }
}
