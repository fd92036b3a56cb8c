//! The journal: what is noted before a grant is spent, and what becomes of the note.

use super::child::Player;
use super::subject::{CutOff, Subject, World, engines};
use super::{BOUND, within};
use openclaw_auth::store::{LastOutcome, OutcomeKind};
use openclaw_auth::system::now;

/// What one who has the lease next is told.
fn found(store: &Subject, id: &str, grant: &str) -> Option<CutOff> {
    let held = within(BOUND, || store.lease(id, grant)).unwrap();
    let earlier = store.begin(&held).unwrap();
    if earlier.is_none() {
        store.end(&held);
    }
    earlier
}

#[test]
fn a_refresh_whose_outcome_is_known_leaves_no_note() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        for _ in 0..2 {
            let held = store.lease("p:1", "fake-r0").unwrap();
            assert_eq!(store.begin(&held), Ok(None), "{engine:?}");
            store.end(&held);
        }
        assert_eq!(found(&store, "p:1", "fake-r0"), None, "{engine:?}");
        assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
    }
}

#[test]
fn who_was_cut_off_is_told_to_the_next_until_the_outcome_is_known() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let started = now();
        let mut player = Player::start(&world, "note", "p:1 fake-r0");
        player.wait_for("noted");
        player.kill();
        let killed = now();
        let cut_off = found(&store, "p:1", "fake-r0").unwrap();
        assert_eq!(cut_off.pid, player.pid, "{engine:?}");
        assert!((started..=killed).contains(&cut_off.at), "{engine:?}: {cut_off:?}");
        // Who found it and let go without an outcome was cut off as well: the first counts.
        assert_eq!(found(&store, "p:1", "fake-r0"), Some(cut_off), "{engine:?}");
        let held = store.lease("p:1", "fake-r0").unwrap();
        assert_eq!(store.begin(&held).unwrap().map(|it| it.pid), Some(player.pid), "{engine:?}");
        store.end(&held);
        drop(held);
        assert_eq!(found(&store, "p:1", "fake-r0"), None, "{engine:?}");
    }
}

#[test]
fn one_who_lets_go_without_an_outcome_was_cut_off() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let held = store.lease("p:1", "fake-r0").unwrap();
        assert_eq!(store.begin(&held), Ok(None), "{engine:?}");
        drop(held);
        let me = Some(std::process::id());
        assert_eq!(found(&store, "p:1", "fake-r0").map(|it| it.pid), me, "{engine:?}");
    }
}

#[test]
fn a_note_is_of_the_grant_whichever_profile_and_store_hold_it() {
    for engine in engines() {
        let world = World::new(engine);
        let mut player = Player::start(&world, "note", "p:1 fake-r0");
        player.wait_for("noted");
        player.kill();
        let (main, work) = (world.store("main"), world.store("work"));
        assert_eq!(found(&main, "p:1", "fake-r1"), None, "{engine:?}: another grant");
        for store in [&main, &work] {
            let pid = found(store, "p:2", "fake-r0").map(|it| it.pid);
            assert_eq!(pid, Some(player.pid), "{engine:?}");
        }
        // A lease that moves there finds it, too.
        let mut held = main.lease("p:3", "fake-r3").unwrap();
        main.follow(&mut held, "fake-r0", BOUND).unwrap();
        assert_eq!(main.begin(&held).unwrap().map(|it| it.pid), Some(player.pid), "{engine:?}");
    }
}

#[test]
fn a_refusal_takes_the_place_of_the_note_and_survives_its_writer() {
    for engine in engines() {
        let world = World::new(engine);
        let mut player = Player::start(&world, "refused", "p:1 fake-r0");
        player.wait_for("refused");
        player.kill();
        for store in ["main", "work"].map(|agent| world.store(agent)) {
            assert!(store.is_refused("fake-r0"), "{engine:?}");
            assert!(!store.is_refused("fake-r1"), "{engine:?}");
            // Nobody was cut off: the outcome is known.
            assert_eq!(found(&store, "p:1", "fake-r0"), None, "{engine:?}");
            assert!(store.is_refused("fake-r0"), "{engine:?}");
        }
        world.store("work").forget_refused("fake-r0");
        assert!(!world.store("main").is_refused("fake-r0"), "{engine:?}");
        assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
    }
}

#[test]
fn a_refusal_without_a_refresh_is_noted_as_well_and_neither_names_the_token() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let held = store.lease("p:1", "fake-r0").unwrap();
        store.begin(&held).unwrap();
        assert!(!store.is_refused("fake-r0"), "{engine:?}");
        assert!(!world.tells("fake-r0"), "{engine:?}");
        store.note_refused("fake-r0");
        store.note_refused("fake-r0");
        assert!(store.is_refused("fake-r0") && !world.tells("fake-r0"), "{engine:?}");
        store.end_refused(&held);
        drop(held);
        assert!(world.store("work").is_refused("fake-r0"), "{engine:?}");
        assert_eq!(found(&store, "p:1", "fake-r0"), None, "{engine:?}");
    }
}

#[test]
fn a_revocation_says_when_and_stays() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let held = store.lease("p:1", "fake-r0").unwrap();
        assert!(store.has_no_notes(), "{engine:?}");
        store.note_revoked("fake-r0", 1_795_867_200_000);
        assert!(store.is_refused("fake-r0") && !world.tells("fake-r0"), "{engine:?}");
        for store in [&store, &world.store("work")] {
            let refusal = store.note_of("fake-r0", 1).refusal.unwrap();
            assert_eq!(refusal.reason.as_deref(), Some("revoked"), "{engine:?}");
            assert_eq!(refusal.at, Some(1_795_867_200_000), "{engine:?}");
            assert!(store.note_of("fake-r1", 1).refusal.is_none(), "{engine:?}");
        }
        drop(held);
        // A refusal that comes later changes nothing.
        store.note_refused("fake-r0");
        let refusal = store.note_of("fake-r0", 1).refusal.unwrap();
        assert_eq!(refusal.reason.as_deref(), Some("revoked"), "{engine:?}");
    }
}

#[test]
fn the_notes_of_all_grants_say_what_is_said_of_each() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let now = now();
        let held = store.lease("p:1", "fake-r0").unwrap();
        store.begin(&held).unwrap();
        assert!(store.note_of("fake-r0", now).interrupted.is_none(), "{engine:?}: it is under way");
        drop(held);
        let cut_off = store.note_of("fake-r0", now).interrupted.map(|it| it.pid);
        assert_eq!(cut_off, Some(std::process::id()), "{engine:?}");
        store.note_refused("fake-r1");
        let refusal = store.note_of("fake-r1", now).refusal.unwrap();
        assert!(refusal.reason.is_none() && refusal.at.is_some(), "{engine:?}");
        let outcome = LastOutcome::after(None, OutcomeKind::Unknown, now, "500");
        store.remember_outcome("fake-r2", Some(&outcome));
        assert_eq!(store.note_of("fake-r2", now).outcome, Some(outcome), "{engine:?}");
        let none = store.note_of("fake-r3", now);
        assert!(none.refusal.is_none() && none.outcome.is_none(), "{engine:?}");
        assert!(none.interrupted.is_none() && !none.is_replaced, "{engine:?}");
    }
}

#[test]
fn the_last_outcome_is_of_the_grant_and_needs_no_lease() {
    for engine in engines() {
        let world = World::new(engine);
        let (main, work) = (world.store("main"), world.store("work"));
        for store in [&main, &work] {
            store.put("p:1", &super::login("fake-a0", "fake-r0")).unwrap();
        }
        assert_eq!(main.last_outcome("fake-r0"), None, "{engine:?}");
        let held = main.lease("p:1", "fake-r0").unwrap();
        let first = LastOutcome::after(None, OutcomeKind::Unknown, now() - 1, "500");
        let second = LastOutcome::after(Some(&first), OutcomeKind::Unknown, now(), "502");
        assert_eq!(second.tries, 2);
        main.remember_outcome("fake-r0", Some(&first));
        work.remember_outcome("fake-r0", Some(&second));
        for store in [&main, &work] {
            assert_eq!(store.last_outcome("fake-r0"), Some(second.clone()), "{engine:?}");
            assert_eq!(store.last_outcome("fake-r1"), None, "{engine:?}");
        }
        assert!(!world.tells("fake-r0"), "{engine:?}");
        // It is beside the note of a refresh, and neither ends the other.
        assert_eq!(main.begin(&held), Ok(None), "{engine:?}");
        work.remember_outcome("fake-r0", None);
        for store in [&main, &work] {
            assert_eq!(store.last_outcome("fake-r0"), None, "{engine:?}");
        }
        assert!(main.begin(&held).unwrap().is_some(), "{engine:?}");
        main.remember_outcome("fake-r0", Some(&first));
        main.end(&held);
        assert_eq!(work.last_outcome("fake-r0"), Some(first), "{engine:?}");
    }
}
