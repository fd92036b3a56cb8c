//! What is told where nothing is found: the store, the order, the entry (issue 14, kind 7).

use crate::support::rig::{Rig, store};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;

const FAR: i64 = 4_700_000_000_000;

fn write(rig: &Rig, document: &Value) {
    rig.write(&store("main"), &document.to_string());
}

/// The findings of `doctor`: code, message, next.
#[track_caller]
fn findings(rig: &Rig) -> Vec<(String, String, String)> {
    let finished = rig.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let found = report["findings"].as_array().unwrap().iter();
    found.map(|it| (text(it, "code"), text(it, "message"), text(it, "next"))).collect()
}

#[test]
fn a_store_without_the_profile_is_named() {
    let rig = Rig::new();
    let document = rig.path(&store("main")).to_str().unwrap().to_owned();
    let auth = ["models", "auth"];
    for (args, code) in [
        (&["token"][..], 3),
        (&["token", "--provider", "openai-codex"], 3),
        (&["token", "--profile", "p:1"], 3),
        (&["logout", "p:1"], 1),
        (&["refresh", "--profile", "p:1"], 3),
        (&["refresh", "--provider", "openai-codex"], 3),
        (&["resolve", "openai/x"], 3),
        (&["resolve", "openai/x@p:1"], 3),
        (&["report", "--profile", "p:1", "--reason", "timeout"], 3),
    ] {
        let stderr = rig.run(&[&auth[..], args].concat()).failure(code);
        assert!(stderr.contains(&document), "{args:?}: {stderr}");
    }
    let list = rig.run(&["models", "auth", "list"]);
    assert!(list.stderr.contains(&document), "{list:?}");
    let state_dir = rig.state_dir().to_str().unwrap().to_owned();
    let refreshed = rig.run(&["models", "auth", "refresh", "--all"]);
    assert!(refreshed.stderr.contains(&state_dir), "{refreshed:?}");
    let report = rig.run(&["models", "auth", "refresh", "--all", "--json"]).json();
    assert_eq!(report["stateDir"], state_dir);
    // An agent reads two stores.
    rig.run(&["agents", "add", "work"]).success();
    let stderr = rig.run(&["models", "auth", "token", "--agent", "work"]).failure(3);
    let own = rig.path(&store("work")).to_str().unwrap().to_owned();
    assert!(stderr.contains(&own) && stderr.contains(&document), "{stderr}");
}

#[test]
fn an_entry_that_cannot_be_interpreted_is_named_where_it_is_missed() {
    for entry in [
        r#"{"type":"oauth","provider":"openai-codex","access":"fake-old","access":"fake-a"}"#,
        r#"{"type":"api-key","provider":"openai-codex","key":"fake-a"}"#,
        r#""fake-a""#,
    ] {
        let rig = Rig::new();
        rig.write(
            &store("main"),
            &format!("{{\"profiles\":{{\"openai-codex:ada@x.test\":{entry}}}}}"),
        );
        for args in [&["token"][..], &["token", "--provider", "openai-codex"]] {
            let stderr = rig.run(&[&["models", "auth"], args].concat()).failure(3);
            let is_told = stderr.contains("ada@x.test") && stderr.contains("openclaw-auth doctor");
            assert!(is_told && !stderr.contains("fake-"), "{stderr}");
        }
        let found = findings(&rig);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "uninterpretable");
    }
}

#[test]
fn an_order_of_profiles_that_are_gone_is_named_with_the_command_that_mends_it() {
    let profile = |n: u8| {
        json!({"type": "oauth", "provider": "openai-codex", "access": format!("fake-{n}"),
               "refresh": format!("fake-r{n}"), "expires": FAR})
    };
    let profiles = json!({"openai-codex:a": profile(1), "openai-codex:b": profile(2)});
    let stale = json!({"openai-codex": ["openai-codex:default", "openai-codex:old"]});
    for (name, document) in [
        ("openclaw.json", json!({"auth": {"order": stale}})),
        ("agents/main/agent/auth-state.json", json!({"version": 1, "order": stale})),
    ] {
        let rig = Rig::new();
        write(&rig, &json!({"version": 1, "profiles": profiles}));
        rig.write(name, &document.to_string());
        let command = "models auth order set --provider openai-codex openai-codex:a openai-codex:b";
        for args in [&["token", "--stored"][..], &["resolve", "openai-codex/x"]] {
            let stderr = rig.run(&[&["models", "auth"], args].concat()).failure(3);
            let is_told =
                [name, "`openai-codex:old`", command].iter().all(|it| stderr.contains(it));
            assert!(is_told, "{args:?}: {stderr}");
        }
        let list = rig.run(&["models", "auth", "list"]);
        assert!(
            list.stderr.contains("`openai-codex:old`") && list.stderr.contains(command),
            "{list:?}"
        );
        let found = findings(&rig);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 == "order" && found[0].2.ends_with(command), "{found:?}");
        let words: Vec<&str> = command.split(' ').collect();
        rig.run(&words).success();
        assert_eq!(rig.run(&["models", "auth", "token", "--stored"]).success(), "fake-1");
        let found = rig.run(&["doctor"]);
        assert_eq!(found.code, 0, "what is left of it is no problem: {found:?}");
    }
    // One that names somebody who is there keeps nobody away.
    let rig = Rig::new();
    write(&rig, &json!({"version": 1, "profiles": profiles}));
    let order = json!({"openai-codex": ["openai-codex:old", "openai-codex:b"]});
    rig.write("openclaw.json", &json!({"auth": {"order": order}}).to_string());
    assert_eq!(rig.run(&["models", "auth", "token", "--stored"]).success(), "fake-2");
    let doctor = rig.run(&["doctor"]).success();
    assert!(doctor.contains("note: ") && doctor.contains("`openai-codex:old`"), "{doctor}");
}

#[test]
fn a_document_of_the_wrong_shape_is_a_finding_with_the_way_out() {
    let entry = |entry: Value| json!({"version": 1, "profiles": {"openrouter:x": entry}});
    let key = json!({"type": "api_key", "provider": "openrouter", "key": "fake-key"});
    let paste_key = "models auth paste-api-key --provider openrouter --profile-id openrouter:x";
    let paste_token = "models auth paste-token --provider openrouter --profile-id openrouter:x";
    let anew = "paste-api-key --provider openrouter";
    for (document, next) in [
        (json!({"openrouter:x": key}), paste_key),
        (json!({"version": 1, "profiles": {}, "openrouter:x": key}), paste_key),
        (json!({"openrouter": "sk-fake-0123456789"}), "paste-api-key --provider openrouter"),
        (json!({"openrouter": {"API_KEY": "fake"}}), "paste-api-key --provider openrouter"),
        (json!({"providers": {"openrouter": {"apiKey": "fake"}}}), "models auth login"),
        (json!({"auth_mode": "x", "OPENAI_API_KEY": null, "tokens": {}}), "import codex"),
        (
            entry(json!({"type": "api_key", "provider": "openrouter", "key": "sk-ab..yz"})),
            paste_key,
        ),
        (
            entry(json!({"type": "api_key", "provider": "openrouter", "keyRef": "env:FAKE"})),
            paste_key,
        ),
        (json!({"auth": {"profiles": {"openrouter:x": key}}}), "models auth login"),
        (json!({"tokens": {"access_token": "fake"}}), "models auth login"),
        (
            entry(json!({"type": "api_key", "provider": "openrouter", "api_key": "fake"})),
            "rename `api_key` to `key`",
        ),
        (entry(json!({"type": "oauth", "provider": "openrouter", "access_token": "fake"})), anew),
        (
            entry(json!({"type": "oauth", "provider": "openrouter", "token": "fake"})),
            "set its `type` to `token`",
        ),
        (entry(json!({"type": "api_key", "provider": "openrouter", "key": "sk-…abcd"})), paste_key),
        (entry(json!({"type": "api_key", "provider": "openrouter"})), paste_key),
        (
            entry(
                json!({"type": "token", "provider": "openrouter", "token": "fake", "expires": "soon"}),
            ),
            paste_token,
        ),
        (
            entry(
                json!({"type": "token", "provider": "openrouter", "token": "fake", "expires": 0}),
            ),
            paste_token,
        ),
        (
            entry(json!({"type": "apikey", "provider": "openrouter", "key": "fake"})),
            "correct it in",
        ),
    ] {
        let rig = Rig::new();
        write(&rig, &document);
        let before = rig.tree();
        let found = findings(&rig);
        let told: Vec<_> = found.iter().filter(|(code, ..)| code != "provider").collect();
        assert_eq!(told.len(), 1, "{document}: {found:?}");
        let (_, message, hint) = told[0];
        assert!(
            message.contains("auth-profiles.json") && hint.contains(next),
            "{document}: {told:?}"
        );
        assert!(!format!("{told:?}").contains("fake") && rig.tree() == before, "{document}");
    }
    // The way out leads out.
    let rig = Rig::new();
    write(&rig, &entry(json!({"type": "api_key", "provider": "openrouter", "api_key": "fake"})));
    let words: Vec<&str> = paste_key.split(' ').collect();
    rig.run_with_input(&words, "fake-pasted-key-0123456789\n").success();
    assert_eq!(findings(&rig), []);
}

#[test]
fn an_expiry_that_is_no_time_is_told_of_a_token_that_is_there() {
    for expires in [json!("4700000000000"), json!(0), json!(-1), json!({})] {
        let rig = Rig::new();
        let token =
            json!({"type": "token", "provider": "anthropic", "token": "fake", "expires": expires});
        write(&rig, &json!({"version": 1, "profiles": {"anthropic:manual": token}}));
        let list = rig.run(&["models", "auth", "list"]).success();
        assert!(list.contains("sign in again (`expires` is not a time"), "{list}");
        let row = rig.run(&["models", "auth", "list", "--json"]).json()["profiles"][0].clone();
        assert_eq!((row["health"].as_str(), row["problem"].is_string()), (Some("missing"), true));
    }
}

#[test]
fn agents_that_share_a_store_by_a_link_hold_one_login() {
    let rig = Rig::signed_in();
    rig.write("agents/x/agent/auth-state.json", "{}");
    symlink("../../main/agent/auth-profiles.json", rig.path(&store("x"))).unwrap();
    symlink("main", rig.path("agents/y")).unwrap();
    assert_eq!(findings(&rig), []);
    // A copy is two.
    std::fs::remove_file(rig.path(&store("x"))).unwrap();
    rig.write(&store("x"), &rig.read(&store("main")));
    assert!(findings(&rig)[0].1.contains("held 2 times"));
}
