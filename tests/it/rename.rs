//! `rename`: a login is under one id at every moment, and that id is in its orders.

#[cfg(feature = "sqlite")]
use crate::support::database::{Row, Text, make_own, make_shared};
use crate::support::rig::{PROFILE, Rig, store};
use openclaw_auth::system::lock;
use serde_json::{Value, json};

const NEW: &str = "openai-codex:work";

/// A rig with a second account, an order, usage and a configuration that name the first.
fn rig() -> Rig {
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        document["profiles"]["openai-codex:bob@example.test"] = json!({
            "type": "oauth", "provider": "openai-codex", "access": "fake-bob", "refresh": "fake-b",
            "expires": 4_102_444_800_000_i64, "email": "bob@example.test", "odd": [1.50]});
        document["profiles"]["p:key"] = json!({"type": "api_key", "provider": "p", "key": "fake"});
    });
    rig.run(&["use", PROFILE]).success();
    rig.run(&["models", "auth", "report", "--profile", PROFILE, "--reason", "rate_limit"])
        .success();
    let config = json!({
        "auth": {"profiles": {PROFILE: {"provider": "openai-codex", "mode": "oauth"},
                     "openai-codex:bob@example.test": {"provider": "openai-codex", "mode": "oauth"}},
                 "order": {"openai-codex": [PROFILE, "openai-codex:bob@example.test"]}},
        "agents": {"defaults": {"model": format!("openai-codex/gpt-5.5@{PROFILE}")}},
    });
    rig.write("openclaw.json", &config.to_string());
    rig
}

fn state(rig: &Rig) -> Value {
    serde_json::from_str(&rig.read("agents/main/agent/auth-state.json")).unwrap()
}

/// The ids of the agent that hold the grant of the rig.
fn holders(rig: &Rig, grant: &str) -> Vec<String> {
    let document = rig.document();
    let profiles = document["profiles"].as_object().unwrap().clone();
    let mut profiles = profiles.into_iter();
    profiles.by_ref().filter(|(_, it)| it["refresh"] == grant).map(|(id, _)| id).collect()
}

fn grant(rig: &Rig) -> String {
    rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned()
}

#[test]
fn everything_that_names_the_profile_names_its_new_id() {
    let rig = rig();
    let entry = rig.document()["profiles"][PROFILE].clone();
    let ids =
        || rig.document()["profiles"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let before = ids();
    let report = rig.run(&["rename", "ada@example.test", NEW, "--json"]).json();
    assert_eq!(
        report,
        json!({"schema": 1, "agentId": "main", "provider": "openai-codex", "profileId": NEW,
               "formerId": PROFILE, "configChanged": true})
    );
    assert_eq!(rig.document()["profiles"][NEW], entry);
    let expected: Vec<_> =
        before.iter().map(|id| if id == PROFILE { NEW.to_owned() } else { id.clone() }).collect();
    assert_eq!(ids(), expected, "in its place");
    let order = json!([NEW, "openai-codex:bob@example.test"]);
    assert_eq!(state(&rig)["order"]["openai-codex"], order);
    assert_eq!(state(&rig)["usageStats"][NEW]["cooldownReason"], "rate_limit");
    for name in ["openclaw.json", "agents/main/agent/auth-state.json", &store("main")] {
        assert!(!rig.read(name).contains(PROFILE), "{name}: {}", rig.read(name));
    }
    let config = rig.read("openclaw.json");
    assert!(config.contains(&format!("openai-codex/gpt-5.5@{NEW}")), "{config}");
    rig.expire(NEW);
    rig.run(&["token", NEW]).success();
    assert_eq!(rig.run(&["rename", "p:key", "p:other"]).success(), "p:key is named p:other now");
    assert_eq!(rig.run(&["token", "p:other"]).success(), "fake");
    // Once it is stored, an id that would stand for another program is ours.
    rig.edit("main", |document| {
        let entry = document["profiles"].as_object_mut().unwrap().remove("p:other").unwrap();
        document["profiles"]["openai-codex:default"] = entry;
    });
    rig.run(&["rename", "openai-codex:default", "p:back"]).success();
}

#[test]
fn nothing_is_replaced_and_no_login_of_another_program_is_renamed() {
    let rig = rig();
    rig.write_at_home(
        ".codex/auth.json",
        &json!({"tokens": {"access_token": "fake",
        "refresh_token": "fake", "account_id": "x"}})
        .to_string(),
    );
    rig.run(&["agents", "add", "work"]).success();
    rig.write(
        &store("work"),
        &json!({"profiles": {"q:own": {"type": "api_key", "provider": "q",
        "key": "fake"}}})
        .to_string(),
    );
    let mut config: Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    config["auth"]["profiles"]["x:1"] = json!({"provider": "x", "mode": "api_key"});
    rig.write("openclaw.json", &config.to_string());
    let before = rig.tree();
    for (args, code, words) in [
        (vec![PROFILE, "openai-codex:bob@example.test"], 1, "has a profile"),
        (vec![PROFILE, "q:own"], 1, "has a profile"),
        (vec![PROFILE, PROFILE], 2, "already"),
        (vec![PROFILE, "x:1"], 1, "auth.profiles has"),
        (vec![PROFILE, "openai-codex:default"], 2, "Codex"),
        (vec!["openai-codex:default", NEW], 2, "Codex"),
        (vec![PROFILE, "anthropic:claude-cli"], 2, "Claude"),
        (vec!["anthropic:claude-cli", NEW], 2, "Claude"),
        (vec![PROFILE, " outer"], 2, "outer spaces"),
        (vec![PROFILE, "a\nb"], 2, "outer spaces"),
        (vec![PROFILE, " "], 2, "blank"),
        (vec!["--agent", "work", PROFILE, NEW], 1, "from agent `main`"),
        (vec!["--agent", "work", "q:own", "p:key"], 1, "has a profile"),
        (vec!["nobody", NEW], 3, "no account"),
        (vec!["chatgpt", NEW], 2, "several profiles"),
    ] {
        let stderr = rig.run(&[&["rename"], &args[..]].concat()).failure(code);
        assert!(stderr.contains(words), "{args:?}: {stderr}");
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_profile_of_main_is_renamed_in_the_orders_of_the_agents_that_use_it() {
    let rig = rig();
    for agent in ["work", "own"] {
        rig.run(&["agents", "add", agent]).success();
    }
    rig.write(
        &store("own"),
        &json!({"profiles": {PROFILE: {"type": "api_key",
        "provider": "openai-codex", "key": "fake"}}})
        .to_string(),
    );
    for agent in ["work", "own"] {
        let order = json!({"version": 1, "order": {"openai-codex": [PROFILE]}});
        rig.write(&format!("agents/{agent}/agent/auth-state.json"), &order.to_string());
    }
    rig.run(&["rename", PROFILE, NEW]).success();
    let order = |agent: &str| {
        let text = rig.read(&format!("agents/{agent}/agent/auth-state.json"));
        serde_json::from_str::<Value>(&text).unwrap()["order"]["openai-codex"].clone()
    };
    assert_eq!((order("work"), order("own")), (json!([NEW]), json!([PROFILE])));
    let config: Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    let profiles = config["auth"]["profiles"].as_object().unwrap();
    assert!(profiles.contains_key(NEW) && profiles.contains_key(PROFILE), "{config}");
}

/// Renames, and kills that as soon as `is_time`; then the login is under one id, which is in the
/// orders, and the same command ends the rename.
#[track_caller]
fn killed(rig: &Rig, is_time: impl Fn(&Rig) -> bool) {
    let grant = grant(rig);
    let running = rig.start(&["rename", PROFILE, NEW]);
    let mut looks = 0_u32;
    while !is_time(rig) && looks < 2_000_000 {
        looks += 1;
        std::thread::yield_now();
    }
    running.kill();
    let held = holders(rig, &grant);
    assert_eq!(held.len(), 1, "{held:?}");
    let order = state(rig)["order"]["openai-codex"].as_array().unwrap().clone();
    assert!(order.contains(&json!(held[0])), "{held:?}: {order:?}");
    let config: Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert!(config["auth"]["profiles"][&held[0]].is_object(), "{held:?}: {config}");
    rig.run(&["token", &held[0]]).success();
    let again = rig.run(&["rename", PROFILE, NEW]);
    assert!([0, 3].contains(&again.code), "{again:?}");
    assert_eq!(holders(rig, &grant), [NEW]);
    for name in ["openclaw.json", "agents/main/agent/auth-state.json"] {
        assert!(!rig.read(name).contains(PROFILE), "{name}: {}", rig.read(name));
    }
}

#[test]
fn a_kill_leaves_the_login_under_one_id_and_the_same_command_goes_on() {
    let contains = |rig: &Rig, name: &str| {
        std::fs::read_to_string(rig.path(name)).is_ok_and(|text| text.contains(NEW))
    };
    killed(&rig(), |rig| contains(rig, "openclaw.json"));
    killed(&rig(), |rig| contains(rig, "agents/main/agent/auth-state.json"));
    killed(&rig(), |rig| contains(rig, &store("main")));
    killed(&rig(), |rig| !rig.read("openclaw.json").contains(PROFILE));
}

#[test]
fn what_a_kill_after_the_rename_left_is_ended_by_the_same_command() {
    let rig = rig();
    let held = lock::wait(&rig.path("openclaw.json"), lock::TIMEOUT).unwrap();
    let running = rig.start(&["rename", PROFILE, NEW]);
    running.kill();
    drop(held);
    assert!(rig.document()["profiles"][PROFILE].is_object(), "it waited for the configuration");
    rig.edit("main", |document| {
        let entry = document["profiles"].as_object_mut().unwrap().remove(PROFILE).unwrap();
        document["profiles"][NEW] = entry;
    });
    rig.run(&["rename", PROFILE, NEW]).success();
    assert_eq!(state(&rig)["order"]["openai-codex"][0], NEW);
    assert!(!rig.read("openclaw.json").contains(PROFILE));
    rig.run(&["rename", PROFILE, NEW]).failure(3);
}

#[cfg(feature = "sqlite")]
#[test]
fn in_databases_a_profile_is_renamed_in_the_row_that_has_it() {
    for is_own in [false, true] {
        let rig = Rig::new();
        make_shared(&rig.state_dir());
        let directory = rig.path("agents/main/agent");
        let entry = |name: &str| {
            json!({"type": "oauth", "provider": "openai", "access": format!("fake-{name}"),
                   "refresh": format!("fake-grant-{name}"), "expires": 4_102_444_800_000_i64,
                   "odd": {"kept": 1}})
        };
        // The row of all, and that of `main` alone, which is laid out as any agent's.
        let text = |of: &str| Text::of(&rig.state_dir(), &directory, of, Row::Store);
        let of_all =
            json!({"version": 1, "profiles": {"openai:a": entry("a"), "openai:b": entry("b")}});
        assert!(text("main").write(&of_all.to_string()));
        if is_own {
            make_own(&directory, "main");
            let own = json!({"version": 1, "profiles": {"openai:a": entry("own")}});
            assert!(text("own").write(&own.to_string()));
        }
        rig.run(&["rename", "openai:a", "openai:z"]).success();
        let read = |of: &str| -> Value {
            let text = text(of);
            let text = text.database().exists().then(|| text.read()).flatten();
            let text = text.unwrap_or_else(|| r#"{"profiles":{}}"#.to_owned());
            serde_json::from_str::<Value>(&text).unwrap()["profiles"].take()
        };
        let (own, all) = (read("own"), read("main"));
        let (with, without) = if is_own { (&own, &all) } else { (&all, &own) };
        let name = if is_own { "fake-own" } else { "fake-a" };
        assert_eq!(with["openai:z"]["access"], name, "{own} {all}");
        assert!(without["openai:z"].is_null() && with["openai:a"].is_null(), "{own} {all}");
        assert_eq!(rig.run(&["token", "openai:z"]).success(), name);
    }
}
