//! What servers refused, beside the profiles: of which grant, to which profile.

use super::child::Player;
use super::subject::{World, engines};
use super::{BOUND, key, login};
use openclaw_auth::secret::Secret;
use openclaw_auth::store::is_refused;

const STATE: &str = r#"{
  "version": 1,
  "odd": 1.50,
  "usageStats": {
    "p:1": {
      "lastUsed": 5,
      "odd": "\u0041",
      "cooldownUntil": 9
    }
  }
}
"#;

#[test]
fn a_refused_grant_is_remembered_by_the_profile_and_told_to_all() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        store.put("p:2", &login("fake-a0", "fake-r0")).unwrap();
        let is_odd = store.foreign_write_state(STATE);
        let token = Secret::new("fake-r0");
        let refuse = |state: &mut openclaw_auth::store::StateDocument| {
            state.set_refused("p:1", &token, "invalid_grant", 7);
            true
        };
        let held = store.lease("p:1", "fake-r0").unwrap();
        store.update_state_with(&held, BOUND, refuse).unwrap();
        let found = world.store("main").read().unwrap();
        let refused = Some("invalid_grant".to_owned());
        assert_eq!(found.state.refusal("p:1", &token), refused, "{engine:?}");
        assert_eq!(found.state.refusal("p:2", &token), None, "{engine:?}");
        assert_eq!(found.state.refusal_by_any(&token), refused, "{engine:?}");
        assert_eq!(found.state.refusal_of(&found.document, "p:1"), refused, "{engine:?}");
        assert_eq!(found.state.refusal_by_any(&Secret::new("fake-r1")), None, "{engine:?}");
        assert!(!world.tells("fake-r0"), "{engine:?}");
        if is_odd {
            assert_eq!(found.state.usage("p:1").cooldown_until, Some(9), "{engine:?}");
            let text = store.state_text().unwrap();
            assert!(text.contains("\"odd\": 1.50"), "{engine:?}: {text}");
            assert!(text.contains(r#""odd": "\u0041""#), "{engine:?}: {text}");
        }
    }
}

#[test]
fn another_login_is_not_refused_and_nothing_has_to_be_taken_back() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        store
            .update_state(|state| {
                state.set_refused("p:1", &Secret::new("fake-r0"), "invalid_grant", 7);
                state.set_rejected("p:1", &Secret::new("fake-a0"), 7);
                true
            })
            .unwrap();
        let said = || {
            let found = store.read().unwrap();
            let credential = found.document.credential("p:1").unwrap();
            let rejects = found.state.rejects(&found.document, "p:1");
            (is_refused(&found.state, "p:1", &credential), rejects)
        };
        assert_eq!(said(), (true, true), "{engine:?}");
        store.put("p:1", &login("fake-a1", "fake-r1")).unwrap();
        assert_eq!(said(), (false, false), "{engine:?}");
        // It is put back, as by a restore.
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        assert_eq!(said(), (true, true), "{engine:?}");
        let forget = |state: &mut openclaw_auth::store::StateDocument| {
            state.clear_rejected("p:1");
            true
        };
        store.update_state(forget).unwrap();
        assert_eq!(said(), (true, false), "{engine:?}");
    }
}

#[test]
fn the_journal_remembers_what_a_logout_forgets() {
    for engine in engines() {
        let world = World::new(engine);
        let store = world.store("main");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        store.put("p:2", &key("fake")).unwrap();
        let mut player = Player::start(&world, "refused", "p:1 fake-r0");
        player.wait_for("refused");
        player.kill();
        store.update(|document| (document.remove_entry("p:1"), ())).unwrap();
        store.update_state(|state| state.forget("p:1")).unwrap();
        assert!(store.is_refused("fake-r0"), "{engine:?}");
        store.put("p:1", &login("fake-a0", "fake-r0")).unwrap();
        assert!(store.is_refused("fake-r0"), "{engine:?}");
    }
}
