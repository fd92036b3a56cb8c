//! `move` and `import -`: a login has one owner, whatever is killed on the way.

mod owner;

use crate::support::authorization_server::Endpoint;
#[cfg(feature = "sqlite")]
use crate::support::database::make_shared;
use crate::support::pseudo_terminal::PseudoTerminal;
use crate::support::rig::{Finished, PROFILE, Rig, store};
use openclaw_auth::secret::Secret;
use openclaw_auth::system::lock;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, symlink};

/// The refresh token of the profile.
fn grant(rig: &Rig) -> String {
    rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned()
}

/// How often the server was asked for a token by a refresh.
fn refreshes(rig: &Rig) -> usize {
    let requests = rig.server.requests_at(Endpoint::Token);
    requests.iter().filter(|it| it.parameter("grant_type") == Some("refresh_token")).count()
}

/// Runs the program with another state directory of the same rig.
fn elsewhere(rig: &Rig, args: &[&str], input: &str) -> Finished {
    rig.here(args).env("OPENCLAW_STATE_DIR", rig.home().join("other")).input(input).run()
}

/// A home with another state directory that knows the server.
fn other_home(rig: &Rig) {
    let file = rig.read("providers/openai-codex.json");
    rig.write_at_home("other/providers/openai-codex.json", &file);
    for name in ["other", "other/providers"] {
        let path = rig.home().join(name);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
    }
}

/// The access token of a login elsewhere is expired.
fn expire_elsewhere(rig: &Rig) {
    let name = format!("other/{}", store("main"));
    let mut document: Value = serde_json::from_str(&rig.read_at_home(&name).unwrap()).unwrap();
    document["profiles"][PROFILE]["expires"] = 1.into();
    rig.write_at_home(&name, &document.to_string());
}

/// Writes the note of a move that was killed.
fn note(rig: &Rig, to: &Value) {
    let name = Secret::new(grant(rig)).fingerprint();
    let noted = json!({"profileId": PROFILE, "agentId": "main", "to": to, "at": 1, "isThere": false, "isRemoved": false});
    rig.write(&format!("moves/{name}.json"), &noted.to_string());
}

#[test]
fn a_login_goes_through_a_pipe_and_has_one_owner_then() {
    let rig = Rig::signed_in();
    other_home(&rig);
    let entry = rig.document()["profiles"][PROFILE].clone();
    let carried = rig.run(&["move", "chatgpt", "--to", "-"]).success() + "\n";
    assert_eq!(rig.document()["profiles"], json!({}));
    assert!(!rig.read("openclaw.json").contains(PROFILE));
    let text = elsewhere(&rig, &["import", "-"], &carried).success();
    assert!(text.contains(PROFILE) && !text.contains("refresh"), "{text}");
    let there = rig.read_at_home(&format!("other/{}", store("main"))).unwrap();
    let there: Value = serde_json::from_str(&there).unwrap();
    assert_eq!(there["profiles"][PROFILE], entry, "as it was, byte for byte");
    rig.run(&["token", "chatgpt"]).failure(3);
    expire_elsewhere(&rig);
    elsewhere(&rig, &["token", "chatgpt"], "").success();
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn a_file_is_new_private_and_can_be_imported() {
    let rig = Rig::signed_in();
    let file = rig.home().join("login.json");
    let path = file.to_str().unwrap();
    let report = rig.run(&["move", "ada@example.test", "--to", path, "--json"]).json();
    assert_eq!((&report["profileId"], &report["file"]), (&json!(PROFILE), &json!(path)));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(rig.home().read_dir().unwrap().count(), 1, "no part stays");
    let text = std::fs::read_to_string(&file).unwrap();
    // It comes back, and is used again.
    rig.run_with_input(&["import", "-"], &text).success();
    rig.expire(PROFILE);
    rig.run(&["token", "chatgpt"]).success();
}

#[test]
fn nothing_is_replaced_and_no_link_is_followed() {
    let rig = Rig::signed_in();
    let before = rig.tree();
    let [present, link, target] = ["present", "link", "target"].map(|it| rig.home().join(it));
    std::fs::write(&present, "mine").unwrap();
    symlink(&target, &link).unwrap();
    for path in [&present, &link] {
        let stderr = rig.run(&["move", "chatgpt", "--to", path.to_str().unwrap()]).failure(1);
        assert!(stderr.contains("could not write"), "{stderr}");
    }
    let nowhere = rig.home().join("nowhere/login.json");
    rig.run(&["move", "chatgpt", "--to", nowhere.to_str().unwrap()]).failure(1);
    rig.run(&["move", "chatgpt"]).failure(2);
    rig.run(&["move", "nope", "--to", "-"]).failure(3);
    assert_eq!(std::fs::read_to_string(present).unwrap(), "mine");
    assert!(!target.exists());
    assert_eq!(rig.tree(), before);
}

#[test]
fn output_that_takes_nothing_costs_no_login() {
    let rig = Rig::signed_in();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = rig.command(&["move", "chatgpt", "--to", "-"]);
    let finished: Finished = command.stdout(full).output().unwrap().into();
    assert_eq!(finished.code, 1, "{finished:?}");
    rig.expire(PROFILE);
    rig.run(&["token", "chatgpt"]).success();
    let mut terminal =
        PseudoTerminal::start(&rig.command(&["move", "chatgpt", "--to", "-"]), 80, 24);
    assert_eq!(terminal.finish(), 2);
    assert!(!terminal.text().contains(&grant(&rig)));
}

#[test]
fn a_kill_after_the_file_is_there_leaves_its_owner_alone() {
    let rig = Rig::signed_in();
    let file = rig.home().join("login.json");
    let held = grant(&rig);
    let lock = lock::wait(&rig.path(&store("main")), lock::TIMEOUT).unwrap();
    let running = rig.start(&["move", "chatgpt", "--to", file.to_str().unwrap()]);
    while !file.exists() {
        std::thread::yield_now();
    }
    running.signal(Signal::KILL);
    drop(running);
    drop(lock);
    assert_eq!(grant(&rig), held, "it was killed before it was removed");
    rig.expire(PROFILE);
    let stderr = rig.run(&["token", "chatgpt"]).failure(3);
    assert!(stderr.contains("moved"), "{stderr}");
    assert_eq!(refreshes(&rig), 0);
    assert_eq!(rig.document()["profiles"], json!({}), "the next command ended the move");
}

#[test]
fn a_login_that_has_arrived_is_not_taken_back() {
    for to_agent in [false, true] {
        let rig = Rig::signed_in();
        rig.run(&["agents", "add", "work"]).success();
        let file = rig.home().join("login.json");
        let carried = json!({"schema": 1, "kind": "openclaw-auth login", "profileId": PROFILE,
                             "entry": rig.document()["profiles"][PROFILE]});
        if to_agent {
            rig.write(&store("work"), &rig.document().to_string());
            note(&rig, &json!({"agent": "work"}));
        } else {
            std::fs::write(&file, carried.to_string()).unwrap();
            note(&rig, &json!({"file": file}));
        }
        rig.expire(PROFILE);
        let stderr = rig.run(&["move", "chatgpt", "--undo"]).failure(3);
        assert!(stderr.contains("was moved away") && !stderr.contains("--undo"), "{stderr}");
        assert_eq!(rig.document()["profiles"], json!({}), "the move is ended");
        rig.run(&["token", "chatgpt"]).failure(3);
        assert_eq!(refreshes(&rig), 0);
        if to_agent {
            rig.run(&["token", "chatgpt", "--agent", "work"]).success();
        }
    }
}

#[test]
fn a_kill_before_the_file_has_its_name_leaves_the_login_here() {
    let rig = Rig::signed_in();
    let file = rig.home().join("login.json");
    let part = rig.home().join("login.json.openclaw-auth-part");
    std::fs::write(&part, "fake").unwrap();
    note(&rig, &json!({"file": file}));
    rig.expire(PROFILE);
    rig.run(&["token", "chatgpt"]).success();
    assert!(!part.exists() && !file.exists());
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn where_the_file_of_a_killed_move_is_gone_a_person_says_who_has_the_login() {
    for other in [None, Some("somebody else's")] {
        let rig = Rig::signed_in();
        let file = rig.home().join("login.json");
        note(&rig, &json!({"file": file}));
        if let Some(text) = other {
            std::fs::write(&file, text).unwrap();
        }
        rig.expire(PROFILE);
        let stderr = rig.run(&["token", "chatgpt"]).failure(3);
        assert!(stderr.contains("interrupted") && stderr.contains("--undo"), "{stderr}");
        assert_eq!(refreshes(&rig), 0);
        assert!(!grant(&rig).is_empty(), "it stays, for it may be the only one");
        rig.run(&["move", "chatgpt", "--undo"]).success();
        rig.run(&["token", "chatgpt"]).success();
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), other);
    }
}

#[test]
fn a_part_without_a_note_is_replaced_by_the_next_try() {
    let rig = Rig::signed_in();
    let file = rig.home().join("login.json");
    let part = rig.home().join("login.json.openclaw-auth-part");
    let entry = rig.document()["profiles"][PROFILE].clone();
    let carried =
        json!({"schema": 1, "kind": "openclaw-auth login", "profileId": PROFILE, "entry": entry});
    std::fs::write(&part, carried.to_string()).unwrap();
    rig.run(&["move", "chatgpt", "--to", file.to_str().unwrap()]).success();
    assert!(file.exists() && !part.exists());
    // What is not of this login stays.
    let other = rig.home().join("other.json.openclaw-auth-part");
    std::fs::write(&other, "somebody else's").unwrap();
    rig.run_with_input(&["import", "-"], &std::fs::read_to_string(&file).unwrap()).success();
    rig.run(&["move", "chatgpt", "--to", rig.home().join("other.json").to_str().unwrap()])
        .failure(1);
    assert_eq!(std::fs::read_to_string(other).unwrap(), "somebody else's");
    assert!(!grant(&rig).is_empty());
}

#[test]
fn an_interrupted_move_to_standard_output_waits_for_a_person() {
    let rig = Rig::signed_in();
    note(&rig, &json!("output"));
    rig.expire(PROFILE);
    let stderr = rig.run(&["token", "chatgpt"]).failure(3);
    assert!(stderr.contains(&format!("openclaw-auth move {PROFILE} --undo")), "{stderr}");
    let stderr = rig.run(&["move", "chatgpt", "--to", "-"]).failure(1);
    assert!(stderr.contains("--undo") && stderr.contains("logout"), "{stderr}");
    assert_eq!(refreshes(&rig), 0);
    rig.run(&["move", "chatgpt", "--undo"]).success();
    rig.run(&["token", "chatgpt"]).success();
}

#[test]
fn a_login_goes_to_another_agent_and_a_kill_between_is_repaired() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "work"]).success();
    let report = rig.run(&["move", "chatgpt", "--to-agent", "work", "--json"]).json();
    assert_eq!(report["toAgent"], "work");
    assert_eq!(rig.document()["profiles"], json!({}));
    rig.edit("work", |document| document["profiles"][PROFILE]["expires"] = 1.into());
    rig.run(&["token", "chatgpt", "--agent", "work"]).success();
    assert_eq!(refreshes(&rig), 1);
    rig.run(&["move", "chatgpt", "--agent", "work", "--to-agent", "nope"]).failure(2);
    rig.run(&["move", "chatgpt", "--agent", "work", "--to-agent", "work"]).failure(2);

    let lock = lock::wait(&rig.path(&store("work")), lock::TIMEOUT).unwrap();
    let running = rig.start(&["move", "chatgpt", "--agent", "work", "--to-agent", "main"]);
    while rig.document()["profiles"][PROFILE].is_null() {
        std::thread::yield_now();
    }
    running.signal(Signal::KILL);
    drop(running);
    drop(lock);
    rig.expire(PROFILE);
    rig.run(&["token", "chatgpt"]).success();
    assert_eq!(refreshes(&rig), 2);
    assert_eq!(rig.document_of("work")["profiles"], json!({}), "the copy is gone");
}

#[test]
fn a_login_that_comes_back_from_a_backup_is_not_posted() {
    let rig = Rig::signed_in();
    let before = rig.document().to_string();
    rig.run(&["move", "chatgpt", "--to", rig.home().join("l").to_str().unwrap()]).success();
    for force in [&["--force"][..], &[]] {
        let restored = rig.run(&[&["doctor", "--restore", "latest"], force].concat());
        assert!(restored.stdout.contains("it was moved away"), "{restored:?}");
        assert_eq!(rig.document()["profiles"], json!({}));
    }
    // By hand.
    rig.write(&store("main"), &before);
    rig.expire(PROFILE);
    for command in ["list", "doctor", "status"] {
        let finished = rig.run(&[command]);
        assert!(finished.stdout.contains("sign in again (moved away, 20"), "{finished:?}");
    }
    let checked = rig.run(&["check"]);
    assert!(checked.code != 0 && checked.stdout.contains("moved away"), "{checked:?}");
    let stderr = rig.run(&["token", "chatgpt"]).failure(3);
    assert!(stderr.contains("moved away"), "{stderr}");
    rig.run(&["move", "chatgpt", "--undo"]).failure(3);
    assert_eq!(refreshes(&rig), 0);
}

#[test]
fn what_is_over_or_shared_is_not_moved() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "work"]).success();
    rig.write(&store("work"), &rig.document().to_string());
    let before = rig.tree();
    let stderr = rig.run(&["move", "chatgpt", "--to", "-"]).failure(1);
    assert!(stderr.contains("holds the same login"), "{stderr}");
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_login_whose_refresh_was_cut_off_is_not_moved() {
    let rig = Rig::signed_in();
    let name = Secret::new(grant(&rig)).fingerprint().replace("sha256:", "grant-sha256-");
    for text in [r#"{"pid":1,"at":5}"#, "{"] {
        let note = format!("locks/oauth-refresh/{name}.intent");
        rig.write(&note, text);
        let stderr = rig.run(&["move", "chatgpt", "--to", "-"]).failure(4);
        assert!(stderr.contains("cut off") && stderr.contains("--force-refresh"), "{stderr}");
        assert!(!grant(&rig).is_empty());
        std::fs::remove_file(rig.path(&note)).unwrap();
    }
    rig.run(&["move", "chatgpt", "--to", "-"]).success();
}

#[test]
fn access_only_writes_a_token_and_the_login_stays() {
    let rig = Rig::signed_in();
    other_home(&rig);
    rig.expire(PROFILE);
    let text = rig.run(&["move", "chatgpt", "--access-only", "--to", "-"]).success();
    let token: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(token["entry"]["type"], "token");
    assert!(token["entry"]["expires"].as_i64().unwrap() > 1);
    assert!(!text.contains(&grant(&rig)));
    assert_eq!(refreshes(&rig), 1, "it is a fresh one");
    elsewhere(&rig, &["import", "-"], &text).success();
    let there = elsewhere(&rig, &["token", "chatgpt"], "").success();
    assert_eq!(there, rig.run(&["token", "chatgpt"]).success());
    rig.edit("main", |document| {
        document["profiles"]["openai:k"] =
            json!({"type": "api_key", "provider": "openai", "key": "fake"});
    });
    rig.run(&["move", "openai:k", "--access-only", "--to", "-"]).failure(2);
}

#[test]
fn an_import_that_is_run_again_replaces_no_newer_login() {
    let rig = Rig::signed_in();
    other_home(&rig);
    let carried = rig.run(&["move", "chatgpt", "--to", "-"]).success() + "\n";
    let file = format!("other/{}", store("main"));
    elsewhere(&rig, &["import", "-"], &carried).success();
    elsewhere(&rig, &["import", "-"], &carried).success();
    expire_elsewhere(&rig);
    let token = elsewhere(&rig, &["token", "chatgpt"], "").success();
    let before = rig.read_at_home(&file).unwrap();
    let stderr = elsewhere(&rig, &["import", "-"], &carried).failure(3);
    assert!(stderr.contains("replaced"), "{stderr}");
    assert_eq!(rig.read_at_home(&file).unwrap(), before);
    assert_eq!(elsewhere(&rig, &["token", "chatgpt"], "").success(), token);
    // Nor is a login of the same account that came in another way.
    let mut other: Value = serde_json::from_str(&carried).unwrap();
    other["entry"]["refresh"] = "fake-refresh-of-an-older-login".into();
    elsewhere(&rig, &["import", "-"], &other.to_string()).failure(1);
    assert_eq!(rig.read_at_home(&file).unwrap(), before);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_login_gets_the_provider_of_the_store_that_takes_it() {
    let rig = Rig::signed_in();
    other_home(&rig);
    make_shared(&rig.home().join("other"));
    let carried = rig.run(&["move", "chatgpt", "--to", "-"]).success() + "\n";
    let text = elsewhere(&rig, &["import", "-"], &carried).success();
    assert!(text.contains("openai:ada@example.test"), "{text}");
    let listed = elsewhere(&rig, &["list"], "").success();
    assert!(!listed.contains("openai-codex"), "{listed}");
    // The same again is the same login.
    elsewhere(&rig, &["import", "-"], &carried).success();
    let back = elsewhere(&rig, &["move", "chatgpt", "--to", "-"], "").success() + "\n";
    let entry: Value = serde_json::from_str(&back).unwrap();
    assert_eq!(
        (&entry["profileId"], &entry["entry"]["provider"]),
        (&json!("openai:ada@example.test"), &json!("openai"))
    );
    rig.run_with_input(&["import", "-"], &back).success();
    rig.expire(PROFILE);
    rig.run(&["token", "chatgpt"]).success();
    // A key is of the provider that it names.
    let key = json!({"schema": 1, "kind": "openclaw-auth login", "profileId": "openai:k",
                     "entry": {"type": "api_key", "provider": "openai", "key": "fake-k"}});
    rig.run_with_input(&["import", "-"], &key.to_string()).success();
    assert_eq!(rig.document()["profiles"]["openai:k"], key["entry"]);
}

#[test]
fn import_takes_no_odd_input_and_no_place_of_another_account() {
    let rig = Rig::signed_in();
    let before = rig.tree();
    for input in ["", "{}", "null", "fake-token\n", &"x".repeat(2_000_000)] {
        rig.run_with_input(&["import", "-"], input).failure(2);
    }
    let entry = json!({"type": "oauth", "provider": "openai-codex", "access": "fake-a",
                       "refresh": "fake-r", "email": "eve@example.test"});
    let carried =
        json!({"schema": 1, "kind": "openclaw-auth login", "profileId": PROFILE, "entry": entry});
    let stderr = rig.run_with_input(&["import", "-"], &carried.to_string()).failure(1);
    assert!(stderr.contains("--profile-id"), "{stderr}");
    rig.run_with_input(&["import", "-", "--move"], &carried.to_string()).failure(2);
    assert_eq!(rig.tree(), before);
    let id = ["import", "-", "--profile-id", "openai-codex:eve"];
    rig.run_with_input(&id, &carried.to_string()).success();
    assert_eq!(rig.document()["profiles"]["openai-codex:eve"], entry);
}
