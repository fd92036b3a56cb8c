//! The lease: one holder of a profile, one holder of a grant, and nobody for ever.

use super::child::Player;
use super::subject::{Subject, Waited, World, Wrong, engines, renewal};
use super::{BOUND, key, login, within};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Who holds a lease that is tried; `None` where it is free.
fn holder(store: &Subject, id: &str, grant: &str) -> Option<u32> {
    store.try_lease(id, grant).unwrap().err().map(|holder| holder.unwrap())
}

#[test]
fn a_profile_has_one_holder_until_it_lets_go() {
    for engine in engines() {
        let world = World::new(engine);
        let (one, other) = (world.store("main"), world.store("main"));
        let held = one.lease("p:1", "fake-r0").unwrap();
        let me = Some(std::process::id());
        assert_eq!(holder(&other, "p:1", "fake-r0"), me, "{engine:?}");
        assert_eq!(holder(&other, "p:1", "fake-other"), me, "{engine:?}: by profile alone");
        assert_eq!(holder(&one, "p:1", "fake-r0"), me, "{engine:?}: the same handle");
        assert_eq!(holder(&other, "p:2", "fake-r2"), None, "{engine:?}: another profile");
        drop(held);
        assert_eq!(holder(&other, "p:1", "fake-r0"), None, "{engine:?}");
        assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
    }
}

#[test]
fn profiles_that_hold_one_grant_exclude_each_other_in_all_stores() {
    for engine in engines() {
        let world = World::new(engine);
        let (main, work) = (world.store("main"), world.store("work"));
        let held = main.lease("p:1", "fake-r0").unwrap();
        for store in [&main, &work] {
            assert!(holder(store, "p:2", "fake-r0").is_some(), "{engine:?}");
            // Who was refused the grant keeps nobody from the profile.
            assert_eq!(holder(store, "p:2", "fake-r2"), None, "{engine:?}");
        }
        drop(held);
        let held = work.lease("p:2", "fake-r0").unwrap();
        assert!(holder(&main, "p:1", "fake-r0").is_some(), "{engine:?}");
        drop(held);
        assert_eq!(holder(&main, "p:1", "fake-r0"), None, "{engine:?}");
    }
}

#[test]
fn a_profile_without_a_grant_has_a_lease_as_well() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let held = store.lease_without_grant("p:1").unwrap();
        assert!(store.lease_without_grant("p:1").is_none(), "{engine:?}");
        assert!(holder(&store, "p:1", "fake-r0").is_some(), "{engine:?}");
        assert_eq!(holder(&store, "p:2", "fake-r0"), None, "{engine:?}");
        drop(held);
        assert!(store.lease_without_grant("p:1").is_some(), "{engine:?}");
    }
}

#[test]
fn a_lease_moves_to_the_grant_that_the_profile_has_by_now() {
    for engine in engines() {
        let world = World::new(engine);
        let (one, other) = (world.store("main"), world.store("main"));
        let mut held = one.lease("p:1", "fake-r0").unwrap();
        assert_eq!(one.follow(&mut held, "fake-r0", BOUND), Ok(false), "{engine:?}");
        assert_eq!(one.follow(&mut held, "fake-r1", BOUND), Ok(true), "{engine:?}");
        assert!(holder(&other, "p:2", "fake-r1").is_some(), "{engine:?}: the new grant");
        assert!(holder(&other, "p:1", "fake-r2").is_some(), "{engine:?}: the profile");
        let on_old = other.lease("p:2", "fake-r0");
        assert!(on_old.is_some(), "{engine:?}: the old grant is free");
        let started = Instant::now();
        let patience = Duration::from_millis(20);
        assert_eq!(one.follow(&mut held, "fake-r0", patience), Err(Wrong::Held), "{engine:?}");
        assert!(started.elapsed() >= patience && started.elapsed() < BOUND, "{engine:?}");
        // Nobody waits for a grant and keeps others from one.
        assert_eq!(holder(&other, "p:3", "fake-r1"), None, "{engine:?}");
        drop(on_old);
        assert_eq!(one.follow(&mut held, "fake-r0", BOUND), Ok(true), "{engine:?}");
        drop(held);
        assert_eq!(holder(&other, "p:1", "fake-r0"), None, "{engine:?}");
        assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
    }
}

#[test]
fn who_follows_a_grant_waits_for_its_holder() {
    for engine in engines() {
        let world = World::new(engine);
        let (one, other) = (world.store("main"), world.store("main"));
        let mut held = one.lease("p:1", "fake-r0").unwrap();
        let on_new = other.lease("p:2", "fake-r1").unwrap();
        std::thread::scope(|scope| {
            let following = scope.spawn(|| one.follow(&mut held, "fake-r1", BOUND));
            drop(on_new);
            assert_eq!(following.join().unwrap(), Ok(true), "{engine:?}");
        });
        assert!(holder(&other, "p:3", "fake-r1").is_some(), "{engine:?}: it has it now");
    }
}

#[test]
fn a_lease_in_another_process_is_respected_and_outlived() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let mut player = Player::start(&world, "lease", "p:1 fake-r0");
        player.wait_for("leased");
        assert_eq!(holder(&store, "p:1", "fake-r0"), Some(player.pid), "{engine:?}");
        assert_eq!(holder(&store, "p:2", "fake-r0"), Some(player.pid), "{engine:?}: the grant");
        player.kill();
        for id in ["p:1", "p:2"] {
            let held = within(BOUND, || store.lease(id, "fake-r0"));
            assert!(held.is_some(), "{engine:?}: {id} of the dead is free");
        }
        let _held = store.lease("p:1", "fake-r0").unwrap();
        let (told, _) = Player::start(&world, "try-lease", "p:1 fake-r0").finish();
        let me = format!("held by {:?}", Some(std::process::id()));
        assert_eq!(told, [me], "{engine:?}");
    }
}

#[test]
fn one_of_many_takes_over_from_the_dead() {
    for engine in engines() {
        let world = World::new(engine);
        for round in 0..4 {
            let mut player = Player::start(&world, "lease", "p:1 fake-r0");
            player.wait_for("leased");
            player.kill();
            let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let start = Barrier::new(6);
            std::thread::scope(|scope| {
                for n in 0..6 {
                    let (world, start, inside, most) = (&world, &start, &inside, &most);
                    scope.spawn(move || {
                        let store = world.store("main");
                        // By the profile, and by the grant.
                        let id = if n % 2 == 0 { "p:1" } else { "p:2" };
                        start.wait();
                        let held = within(BOUND, || store.lease(id, "fake-r0")).unwrap();
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        store.put(&format!("p:{n}"), &key("fake")).unwrap();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(held);
                    });
                }
            });
            assert_eq!(most.into_inner(), 1, "{engine:?}: holders at a time, round {round}");
        }
        assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
    }
}

#[test]
fn a_lease_keeps_nobody_from_a_change_and_survives_it() {
    for engine in engines() {
        let world = World::new(engine);
        let (one, other) = (world.store("main"), world.store("main"));
        one.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        let held = one.lease("p:1", "fake-r0").unwrap();
        let started = Instant::now();
        other.put("p:2", &key("fake")).unwrap();
        one.put("p:3", &key("fake")).unwrap();
        one.update_state_with(&held, BOUND, |state| state.set_order(&"p".into(), &["p:3".into()]))
            .unwrap();
        other.update_state(|state| state.set_order(&"q".into(), &["q:1".into()])).unwrap();
        assert!(started.elapsed() < BOUND, "{engine:?}");
        assert!(holder(&other, "p:1", "fake-r0").is_some(), "{engine:?}: still held");
        assert!(holder(&other, "p:4", "fake-r0").is_some(), "{engine:?}: the grant as well");
    }
}

#[test]
fn who_waits_for_a_lease_gets_it_when_its_holder_lets_go_or_dies() {
    for engine in engines() {
        let world = World::new(engine);
        let (one, other) = (world.store("main"), world.store("main"));
        let mut held = one.lease("p:1", "fake-r0");
        let mut looks = 0;
        let look = || {
            looks += 1;
            // It was held when it was tried first.
            if looks == 2 {
                held.take();
            }
            None::<()>
        };
        let waited = other.turn("p:1", "fake-r0", BOUND, look).unwrap();
        let Waited::Leased(held) = waited else { panic!("{engine:?}: {waited:?}") };
        assert!(looks >= 2, "{engine:?}");
        assert!(holder(&one, "p:2", "fake-r0").is_some(), "{engine:?}: the grant as well");
        assert_eq!(other.begin(&held), Ok(None), "{engine:?}");
        other.end(&held);
        drop(held);
        let mut player = Player::start(&world, "lease", "p:1 fake-r0");
        player.wait_for("leased");
        let mut looks = 0;
        let look = || {
            looks += 1;
            if looks == 2 {
                player.kill();
            }
            None::<()>
        };
        let waited = other.turn("p:2", "fake-r0", BOUND, look).unwrap();
        assert!(matches!(waited, Waited::Leased(_)), "{engine:?}: {waited:?}");
        assert!(looks >= 2, "{engine:?}: it was held at first");
    }
}

#[test]
fn who_waits_for_a_lease_is_done_when_its_holder_has_stored_what_it_was_wanted_for() {
    for engine in engines() {
        let world = World::new(engine);
        let (one, other) = (world.store("main"), world.store("main"));
        one.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        let _held = one.lease("p:1", "fake-r0").unwrap();
        let seen = other.version();
        let mut looks = 0;
        let look = || {
            looks += 1;
            if looks == 3 {
                one.put("p:1", &login("fake-a1", "fake-r1")).unwrap();
            }
            let is_changed = other.version() != seen;
            is_changed.then(|| other.read().unwrap().entry("p:1").unwrap()["access"].clone())
        };
        let waited = other.turn("p:1", "fake-r0", BOUND, look).unwrap();
        let Waited::Found(found) = waited else { panic!("{engine:?}: {waited:?}") };
        assert_eq!((found, looks), ("fake-a1".into(), 3), "{engine:?}");
    }
}

#[test]
fn who_waits_for_a_lease_looks_first_and_does_not_wait_longer_than_is_said() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        let waited = store.turn("p:1", "fake-r0", BOUND, || Some(7)).unwrap();
        assert!(matches!(waited, Waited::Found(7)), "{engine:?}: {waited:?}");
        let _held = store.lease("p:1", "fake-r0").unwrap();
        let (started, patience) = (Instant::now(), Duration::from_millis(30));
        let waited = world.store("main").turn("p:1", "fake-r0", patience, || None::<()>);
        assert_eq!(waited.err(), Some(Wrong::Held), "{engine:?}");
        assert!(started.elapsed() >= patience && started.elapsed() < BOUND, "{engine:?}");
    }
}

#[test]
fn installations_that_share_a_store_take_turns_and_see_each_others_notes() {
    for engine in engines() {
        for by_document in [false, true] {
            let world = World::new(engine);
            let one = world.store("main");
            one.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
            let Some(neighbour) = world.neighbour("other", by_document) else { continue };
            let Some(third) = world.neighbour("third", !by_document) else { continue };
            let stores = [one, neighbour.store("main"), third.store("main")];
            for (first, then) in [(0, 1), (1, 0), (1, 2), (2, 1)] {
                let what = format!("{engine:?}: {by_document} {first} {then}");
                let (first, then) = (&stores[first], &stores[then]);
                let mut held = first.lease("p:1", "fake-r0").unwrap();
                assert!(holder(then, "p:1", "fake-r0").is_some(), "{what}");
                assert!(holder(then, "p:2", "fake-r0").is_some(), "{what}: by its grant");
                assert_eq!(holder(then, "p:2", "fake-r2"), None, "{what}: another grant");
                first.follow(&mut held, "fake-r3", BOUND).unwrap();
                assert!(holder(then, "p:1", "fake-r3").is_some(), "{what}: it moved");
                first.follow(&mut held, "fake-r0", BOUND).unwrap();
                // Cut off.
                assert_eq!(first.begin(&held), Ok(None), "{what}");
                drop(held);
                let held = then.lease("p:1", "fake-r0").unwrap();
                assert!(then.begin(&held).unwrap().is_some(), "{what}: it was noted");
                then.end(&held);
                drop(held);
                // Who was cut off may be told once more: that claims less than there is.
                let held = first.lease("p:1", "fake-r0").unwrap();
                first.begin(&held).unwrap();
                first.end(&held);
                assert_eq!(first.begin(&held), Ok(None), "{what}: the outcome is known");
                first.end(&held);
                drop(held);
                first.note_refused("fake-r9");
                assert!(then.is_refused("fake-r9"), "{what}");
                then.forget_refused("fake-r9");
                first.forget_refused("fake-r9");
            }
            assert!(world.left_locks().is_empty(), "{engine:?}: {:?}", world.left_locks());
        }
    }
}

#[test]
fn who_has_lost_a_lease_is_told_before_anything_is_spent() {
    for engine in engines() {
        for is_taken in [false, true] {
            let world = World::new(engine);
            let (one, other) = (world.store("main"), world.store("main"));
            one.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
            let held = one.lease("p:1", "fake-r0").unwrap();
            assert!(held.is_ours(), "{engine:?}");
            world.foreign_unlock();
            let taken = is_taken.then(|| other.lease("p:1", "fake-r0").unwrap());
            assert!(!held.is_ours(), "{engine:?}: {is_taken}");
            assert_eq!(one.begin(&held), Err(Wrong::Lost), "{engine:?}: {is_taken}");
            drop(held);
            // Whoever has it by now begins, commits and ends as always.
            let taken = taken.or_else(|| other.lease("p:1", "fake-r0")).unwrap();
            assert!(taken.is_ours(), "{engine:?}: {is_taken}");
            assert_eq!(other.begin(&taken), Ok(None), "{engine:?}: {is_taken}");
            other.commit(&taken, None, "p:1", &renewal("fake-a1", Some("fake-r1"))).unwrap();
            other.end(&taken);
        }
    }
}

#[test]
fn a_lease_that_is_lost_between_its_notes_and_the_request_is_told() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        let held = store.lease("p:1", "fake-r0").unwrap();
        assert_eq!(store.begin(&held), Ok(None), "{engine:?}");
        world.foreign_unlock();
        assert!(!held.is_ours(), "{engine:?}");
        drop(held);
        let held = store.lease("p:1", "fake-r0").unwrap();
        assert!(store.begin(&held).unwrap().is_some(), "{engine:?}: the note stays");
    }
}
