//! Who owns a grant that was moved to another agent decides, wherever a copy of it turns up.

use super::{grant, note, refreshes};
use crate::support::rig::{PROFILE, Rig, store};
use serde_json::json;

/// The login is that of agent `work`.
fn moved() -> (Rig, String) {
    let rig = Rig::signed_in();
    let before = rig.document().to_string();
    rig.run(&["agents", "add", "work"]).success();
    rig.run(&["move", "chatgpt", "--to-agent", "work"]).success();
    (rig, before)
}

fn expire(rig: &Rig, agent: &str) {
    rig.edit(agent, |document| document["profiles"][PROFILE]["expires"] = 1.into());
}

#[test]
fn a_copy_of_what_another_agent_owns_is_neither_restored_nor_used() {
    let (rig, before) = moved();
    for force in [&["--force"][..], &[]] {
        let restored = rig.run(&[&["doctor", "--restore", "latest"], force].concat());
        assert!(restored.stdout.contains("it was moved away"), "{restored:?}");
        assert_eq!(rig.document()["profiles"], json!({}));
    }
    // By hand.
    rig.write(&store("main"), &before);
    rig.expire(PROFILE);
    for command in ["list", "doctor", "status", "check"] {
        let finished = rig.run(&[command]);
        assert!(finished.stdout.contains("sign in again (moved away, 20"), "{finished:?}");
    }
    rig.run(&["token", "chatgpt"]).failure(3);
    rig.run(&["move", "chatgpt", "--undo"]).failure(3);
    assert_eq!(refreshes(&rig), 0);
    // Its owner goes on.
    expire(&rig, "work");
    assert_eq!(rig.run(&["check", "--agent", "work"]).code, 0);
    rig.run(&["token", "chatgpt", "--agent", "work"]).success();
    assert_eq!(refreshes(&rig), 1);
    rig.run(&["token", "chatgpt"]).failure(3);
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn an_owner_moves_it_on_and_back() {
    let (rig, _) = moved();
    for (from, to) in [("work", "main"), ("main", "work"), ("work", "main")] {
        rig.run(&["move", "chatgpt", "--agent", from, "--to-agent", to]).success();
        rig.run(&["token", "chatgpt", "--agent", to]).success();
        assert_eq!(rig.run(&["check", "--agent", to]).code, 0);
    }
    let before = refreshes(&rig);
    rig.expire(PROFILE);
    rig.run(&["token", "chatgpt"]).success();
    assert_eq!(refreshes(&rig), before + 1);
}

#[test]
fn what_a_deleted_agent_had_comes_back_when_a_person_says_so() {
    let (rig, _) = moved();
    rig.run(&["agents", "delete", "work", "--force"]).success();
    let restored = rig.run(&["doctor", "--restore", "latest"]);
    assert!(restored.stdout.contains("an agent that was deleted since"), "{restored:?}");
    assert_eq!(rig.document()["profiles"], json!({}));
    rig.run(&["doctor", "--restore", "latest", "--force"]).success();
    assert_eq!(rig.run(&["check"]).code, 0);
    rig.expire(PROFILE);
    rig.run(&["token", "chatgpt"]).success();
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn whether_a_deleted_agent_got_the_login_of_an_interrupted_move_a_person_says() {
    let rig = Rig::signed_in();
    note(&rig, &json!({"agent": "gone"}));
    rig.expire(PROFILE);
    let stderr = rig.run(&["token", "chatgpt"]).failure(3);
    assert!(stderr.contains("--undo"), "{stderr}");
    assert_eq!(refreshes(&rig), 0);
    rig.run(&["move", "chatgpt", "--undo"]).success();
    rig.run(&["token", "chatgpt"]).success();
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn a_login_whose_move_was_interrupted_is_not_called_signed_in() {
    for to in [json!("output"), json!({"file": "/nowhere/login.json"}), json!({"agent": "gone"})] {
        let rig = Rig::signed_in();
        note(&rig, &to);
        for command in ["list", "doctor", "status", "check"] {
            let finished = rig.run(&[command]);
            assert!(finished.stdout.contains("a move was interrupted"), "{finished:?}");
            assert!(!finished.stdout.contains("signed in"), "{finished:?}");
        }
        let checked = rig.run(&["check"]);
        assert!(checked.code == 3 && checked.stdout.contains("--undo"), "{checked:?}");
        let report = rig.run(&["list", "--json"]).json();
        assert_eq!(report["profiles"][0]["stateReason"], "move-interrupted");
        // It may be the only one that is left.
        rig.run(&["prune"]).success();
        grant(&rig);
        rig.run(&["move", "chatgpt", "--undo"]).success();
        assert_eq!(rig.run(&["check"]).code, 0);
    }
}
