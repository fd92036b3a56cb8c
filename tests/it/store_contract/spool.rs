//! The spool: the only copy of a reply that could not be stored yet.

use super::child::Player;
use super::subject::{Waiting, World, engines, renewal};
use serde_json::json;

#[test]
fn a_reply_waits_as_it_came_and_survives_its_process() {
    for engine in engines() {
        let world = World::new(engine);
        assert!(world.spool().pending().is_empty(), "{engine:?}");
        let mut player = Player::start(&world, "save", "fake-r0");
        player.wait_for("saved");
        player.kill();
        let spool = world.spool();
        let mut pending = spool.pending();
        let waiting = pending.pop().unwrap();
        assert!(pending.is_empty(), "{engine:?}: one");
        assert_eq!(waiting.access(), "fake-a1", "{engine:?}");
        assert_eq!(waiting.refresh(), Some("fake-r1"), "{engine:?}");
        assert_eq!((waiting.expires(), waiting.field("region")), (Some(9_000), Some(&json!("eu"))));
        assert_eq!(waiting.replaces("fake-r0"), Some(0), "{engine:?}");
        assert!(waiting.is_spent() && spool.spent("fake-r0"), "{engine:?}");
        assert!(!spool.spent("fake-r1") && !spool.spent("fake-other"), "{engine:?}");
        waiting.discard();
        assert!(spool.pending().is_empty() && !spool.spent("fake-r0"), "{engine:?}");
    }
}

#[test]
fn a_reply_that_waits_follows_its_grant_from_one_refresh_to_the_next() {
    for engine in engines() {
        let world = World::new(engine);
        let spool = world.spool();
        assert!(!spool.follow("fake-r0", &renewal("fake-a1", Some("fake-r1"))), "{engine:?}");
        assert!(spool.pending().is_empty(), "{engine:?}: nothing waited");
        assert!(spool.save("fake-r0", &renewal("fake-a1", Some("fake-r1"))), "{engine:?}");
        assert!(spool.save("fake-s0", &renewal("fake-b1", Some("fake-s1"))), "{engine:?}");
        assert!(spool.follow("fake-r1", &renewal("fake-a2", Some("fake-r2"))), "{engine:?}");
        assert!(spool.follow("fake-r2", &renewal("fake-a3", Some("fake-r3"))), "{engine:?}");
        // It does not give that one any more.
        assert!(!spool.follow("fake-r1", &renewal("fake-x", Some("fake-y"))), "{engine:?}");
        let pending = spool.pending();
        assert_eq!(pending.len(), 2, "{engine:?}: one a grant");
        let of = |grant| pending.iter().find(|it| it.replaces(grant).is_some()).unwrap();
        let waiting = of("fake-r2");
        assert_eq!(waiting.refresh(), Some("fake-r3"), "{engine:?}");
        assert_eq!(waiting.access(), "fake-a3", "{engine:?}");
        // A store may hold any of those that were spent, in this order.
        let places = ["fake-r0", "fake-r1", "fake-r2"].map(|grant| waiting.replaces(grant));
        assert_eq!(places, [Some(0), Some(1), Some(2)], "{engine:?}");
        for spent in ["fake-r0", "fake-r1", "fake-r2", "fake-s0"] {
            assert!(spool.spent(spent), "{engine:?}: {spent}");
        }
        assert!(!spool.spent("fake-r3") && !spool.spent("fake-s1"), "{engine:?}");
        assert_eq!(of("fake-s0").access(), "fake-b1", "{engine:?}: the other one waits as it did");
    }
}

#[test]
fn a_later_reply_to_one_grant_takes_the_place_of_the_earlier() {
    for engine in engines() {
        let world = World::new(engine);
        let spool = world.spool();
        assert!(spool.save("fake-r0", &renewal("fake-a1", Some("fake-r1"))), "{engine:?}");
        assert!(spool.save("fake-r0", &renewal("fake-a2", Some("fake-r2"))), "{engine:?}");
        let pending = spool.pending();
        let given: Vec<_> = pending.iter().filter_map(Waiting::refresh).collect();
        assert_eq!(given, ["fake-r2"], "{engine:?}");
    }
}

#[test]
fn a_grant_that_was_not_rotated_is_not_spent() {
    for engine in engines() {
        for refresh in [None, Some("fake-r0")] {
            let world = World::new(engine);
            let spool = world.spool();
            assert!(spool.save("fake-r0", &renewal("fake-a1", refresh)), "{engine:?}");
            assert!(!spool.spent("fake-r0"), "{engine:?}: {refresh:?}");
            let pending = spool.pending();
            assert!(!pending[0].is_spent(), "{engine:?}: {refresh:?}");
            assert_eq!(pending[0].refresh(), refresh, "{engine:?}");
        }
    }
}

#[test]
fn what_waits_is_private_and_nothing_else_tells_of_it() {
    for engine in engines() {
        let world = World::new(engine);
        let spool = world.spool();
        assert!(spool.save("fake-r0", &renewal("fake-a1", Some("fake-r1"))), "{engine:?}");
        assert!(spool.follow("fake-r1", &renewal("fake-a2", Some("fake-r2"))), "{engine:?}");
        assert!(world.open_to_others().is_empty(), "{engine:?}: {:?}", world.open_to_others());
        for token in ["fake-r0", "fake-r1", "fake-r2", "fake-a2"] {
            assert!(!world.tells(token), "{engine:?}: {token}");
        }
        assert!(world.left_drafts().is_empty(), "{engine:?}: {:?}", world.left_drafts());
    }
}

#[test]
fn where_the_usual_place_cannot_be_written_another_one_takes_it() {
    for engine in engines() {
        let world = World::new(engine);
        let spool = world.spool();
        spool.refuse_first_place();
        assert!(spool.save("fake-r0", &renewal("fake-a1", Some("fake-r1"))), "{engine:?}");
        assert!(spool.follow("fake-r1", &renewal("fake-a2", Some("fake-r2"))), "{engine:?}");
        assert!(spool.spent("fake-r1"), "{engine:?}");
        let pending = spool.pending();
        let given: Vec<_> = pending.iter().filter_map(Waiting::refresh).collect();
        assert_eq!(given, ["fake-r2"], "{engine:?}");
        assert!(world.open_to_others().is_empty(), "{engine:?}: {:?}", world.open_to_others());
    }
}

#[test]
fn what_is_no_reply_hides_none() {
    for engine in engines() {
        for text in ["", "{ half a repl", r#"{"grant": 5}"#] {
            let world = World::new(engine);
            let spool = world.spool();
            if !spool.foreign_write(text) {
                continue;
            }
            assert!(spool.save("fake-r0", &renewal("fake-a1", Some("fake-r1"))), "{engine:?}");
            assert_eq!(spool.pending().len(), 1, "{engine:?}: {text}");
            assert!(spool.spent("fake-r0"), "{engine:?}: {text}");
        }
    }
}

#[test]
fn a_reply_that_cannot_be_read_says_all_the_same_that_its_grant_is_spent() {
    for engine in engines() {
        let damage: [fn(&str) -> String; 6] = [
            |_| String::new(),
            |text| text[..text.len() / 2].to_owned(),
            |text| text.replace("9000", "\"soon\""),
            |text| format!("[{text}]"),
            |text| text.replace("access", "acces"),
            |text| format!("\0{text}"),
        ];
        for (number, damage) in damage.into_iter().enumerate() {
            let world = World::new(engine);
            let spool = world.spool();
            assert!(spool.save("fake-r0", &renewal("fake-a1", Some("fake-r1"))), "{engine:?}");
            assert!(spool.follow("fake-r1", &renewal("fake-a2", Some("fake-r2"))), "{engine:?}");
            if !spool.damage(damage) {
                continue;
            }
            assert!(spool.pending().is_empty(), "{engine:?}: {number}");
            assert!(spool.is_unreadable("fake-r0"), "{engine:?}: {number}");
            // Those that followed are found as far as the text is there.
            assert!(number < 2 || spool.is_unreadable("fake-r1"), "{engine:?}: {number}");
            assert!(!spool.spent("fake-other"), "{engine:?}: {number}");
            assert!(!spool.spent("fake-r2"), "{engine:?}: {number}");
        }
    }
}

#[test]
fn a_mark_in_front_of_a_reply_hides_nothing() {
    for engine in engines() {
        let world = World::new(engine);
        let spool = world.spool();
        assert!(spool.save("fake-r0", &renewal("fake-a1", Some("fake-r1"))), "{engine:?}");
        if spool.damage(|text| format!("\u{feff}{text}")) {
            assert_eq!(spool.pending().len(), 1, "{engine:?}");
            assert!(spool.spent("fake-r0") && !spool.is_unreadable("fake-r0"), "{engine:?}");
        }
    }
}
