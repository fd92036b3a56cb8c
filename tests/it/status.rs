//! `models status`

use crate::support::rig::{Rig, store};
use serde_json::{Value, json};
use std::time::Instant;

const FAR: i64 = 4_102_444_800_000;

fn grant(fields: &Value) -> Value {
    let mut grant = json!({"type": "oauth", "provider": "openai-codex", "access": "fake-access",
        "refresh": "fake-refresh", "expires": FAR});
    for (key, value) in fields.as_object().unwrap() {
        grant[key] = value.clone();
    }
    grant
}

fn with(profiles: &Value) -> Rig {
    let rig = Rig::new();
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    rig
}

fn soon() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap() + 3_600_000
}

#[test]
fn check_answers_by_its_exit_code() {
    let key = json!({"type": "api_key", "provider": "openai", "key": "k"});
    for (profiles, code) in [
        (json!({"k": key}), 0),
        (json!({"k": key, "a": grant(&json!({}))}), 0),
        (json!({"k": key, "a": grant(&json!({"expires": soon()}))}), 2),
        (json!({"k": key, "a": grant(&json!({"expires": 1}))}), 1),
        (
            json!({"k": key, "a": grant(&json!({"expires": soon()})), "b": grant(&json!({"expires": 1}))}),
            1,
        ),
        (json!({"a": grant(&json!({}))}), 1),
        (json!({}), 1),
    ] {
        let rig = with(&profiles);
        for form in [&[][..], &["--json"], &["--plain"]] {
            let args = [&["models", "status"], form].concat();
            let plain = rig.run(&args);
            let checked = rig.run(&[&args[..], &["--check"]].concat());
            assert_eq!((plain.code, checked.code), (0, code), "{profiles}");
            assert!(!checked.stdout.is_empty() && checked.stderr.is_empty(), "{checked:?}");
        }
    }
}

#[test]
fn json_and_plain_exclude_each_other() {
    let stderr = Rig::new().run(&["models", "status", "--json", "--plain"]).failure(2);
    assert!(stderr.contains("--plain") && stderr.contains("--json"), "{stderr}");
}

#[test]
fn an_unknown_agent_is_an_error() {
    let rig = Rig::new();
    let stderr = rig.run(&["models", "status", "--agent", "nope", "--json"]).failure(1);
    assert!(stderr.contains("there is no agent `nope`"), "{stderr}");
    rig.run(&["agents", "add", "work"]).success();
    let report = rig.run(&["models", "status", "--agent", " WORK", "--json"]).json();
    assert_eq!(report["agentId"], "work");
}

#[test]
fn an_unreadable_store_is_an_error_not_an_empty_one() {
    for text in ["", "null", "[]", "{", "{\"profiles\": []}", "\u{0}\u{1}", "{\"profiles\": {}"] {
        let rig = Rig::new();
        rig.write(&store("main"), text);
        let before = rig.tree();
        for args in [
            &["models", "status"][..],
            &["models", "status", "--json", "--check"],
            &["models", "status", "--plain"],
            &["channels", "list", "--json"],
            &["channels", "status"],
        ] {
            let stderr = rig.run(args).failure(6);
            assert!(stderr.contains("auth-profiles.json"), "{stderr}");
        }
        assert_eq!(rig.tree(), before);
    }
    let rig = Rig::new();
    rig.write("agents/main/agent/auth-state.json", "[");
    assert!(rig.run(&["models", "status"]).failure(6).contains("auth-state.json"));
    let rig = Rig::new();
    rig.write("agents/main/agent/auth.json", "not json");
    assert!(rig.run(&["models", "status"]).failure(6).contains("auth.json"));
}

#[test]
fn an_invalid_configuration_is_an_error() {
    let rig = Rig::new();
    for (config, place) in [
        (
            "{auth: {profiles: {'a:b': {provider: 'x', mode: 'weird'}}}}",
            "auth.profiles.a:b.mode: must be one of api_key, oauth, token",
        ),
        (
            "{agents: {defaults: {model: []}}}",
            "agents.defaults.model: must be a model or an object with primary and fallbacks",
        ),
        (
            "{agents: {list: [{id: 'a', agentDir: '~/x'}, {id: 'b', agentDir: '~/x/'}]}}",
            "agents.list: a and b have the same agentDir",
        ),
    ] {
        rig.write("openclaw.json", config);
        for args in
            [&["models", "status"][..], &["channels", "list"], &["channels", "status", "--json"]]
        {
            let stderr = rig.run(args).failure(6);
            assert!(stderr.contains(place), "{stderr}");
        }
    }
}

#[test]
fn values_of_the_wrong_type_are_no_crash() {
    let rig = with(&json!({"a": {"type": "api_key", "provider": "p", "key": 5},
        "b": {"type": "token", "provider": "p", "token": [], "expires": {}},
        "c": {"type": "oauth", "provider": "p", "expires": [1], "email": 3, "displayName": {}},
        "d": {"type": 5, "provider": "p"}, "e": {"type": "oauth", "provider": null}}));
    rig.write(
        "agents/main/agent/auth-state.json",
        r#"{"usageStats": {"a": 5, "b": {"cooldownUntil": "x"}, "c": {"cooldownUntil": 1e300, "disabledReason": 5}}, "order": 5}"#,
    );
    rig.write(
        "openclaw.json",
        "{agents: {list: [], defaults: {}}, models: {providers: {x: 5, y: {apiKey: 5, models: [3, {id: 4}]}}}, channels: 5, bindings: [3], env: 7}",
    );
    for args in [
        &["models", "status"][..],
        &["models", "status", "--json"],
        &["channels", "list", "--json"],
    ] {
        let finished = rig.run(args);
        assert!(finished.stderr.contains("2 entries in"), "{}", finished.stderr);
        finished.success();
    }
}

#[test]
fn an_oauth_profile_with_a_reference_is_reported() {
    let reference = json!({"source": "env", "provider": "default", "id": "X"});
    let rig = with(&json!({
        "k": {"type": "api_key", "provider": "openai", "key": "k"},
        "a": grant(&json!({"refresh": reference})),
    }));
    let finished = rig.run(&["models", "status", "--json", "--check"]);
    assert_eq!(finished.code, 1);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    let row = &report["auth"]["oauth"]["profiles"][1];
    assert_eq!(
        (&row["status"], &row["reasonCode"]),
        (&json!("missing"), &json!("unsupported_secret_ref"))
    );
    let text = rig.run(&["models", "status"]).success();
    assert!(text.contains("sign in again (its `refresh` is a secret reference"), "{text}");
    let configured =
        with(&json!({"k": {"type": "api_key", "provider": "openai", "keyRef": reference}}));
    configured
        .write("openclaw.json", "{auth: {profiles: {k: {provider: 'openai', mode: 'oauth'}}}}");
    assert_eq!(configured.run(&["models", "status", "--check"]).code, 1);
}

#[test]
fn a_reference_in_the_configuration_is_shown_by_name() {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "{models: {providers: {a: {apiKey: {source: 'env', provider: 'default', id: 'MY_KEY'}}, b: {apiKey: {source: 'file', provider: 'f', id: '/x'}}, c: {apiKey: '${UNSET_KEY}'}}}}",
    );
    let output = rig
        .command(&["models", "status", "--json"])
        .env("MY_KEY", "fake-key-0000000000000000000000")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let providers = &report["auth"]["providers"];
    assert_eq!(
        providers[0]["effective"],
        json!({"kind": "models.json", "detail": "fake-key...00000000"})
    );
    for (index, shown) in
        ["ref(env:MY_KEY)", "ref(file:/x)", "ref(env:UNSET_KEY)"].iter().enumerate()
    {
        assert_eq!(providers[index]["modelsJson"]["value"], *shown);
    }
    assert_eq!(providers[2]["effective"]["kind"], "missing");
}

#[test]
fn reading_writes_nothing() {
    let rig = Rig::new();
    rig.write("agents/main/agent/auth.json", r#"{"openai-codex": {"type": "oauth", "access": "A", "refresh": "R", "expires": 4102444800000}}"#);
    rig.write(
        "credentials/oauth.json",
        r#"{"anthropic": {"access": "A", "refresh": "R", "expires": 1}}"#,
    );
    rig.write("openclaw.json", "{agents: {list: [{id: 'main'}, {id: 'fresh'}]}}");
    let before = rig.tree();
    for args in [
        &["models", "status"][..],
        &["models", "status", "--json", "--agent", "fresh"],
        &["models", "status", "--check", "--plain"],
        &["channels", "list"],
        &["channels", "status", "--json"],
        &["models", "auth", "list"],
    ] {
        rig.run(args);
    }
    assert_eq!(rig.tree(), before);
    assert!(std::fs::read_dir(rig.home()).unwrap().next().is_none());
    let report = rig.run(&["models", "status", "--json", "--agent", "fresh"]).json();
    assert_eq!(report["auth"]["providersWithOAuth"], json!(["anthropic (1)", "openai-codex (1)"]));
}

#[test]
fn the_text_says_the_state_of_each_login() {
    let rig = with(&json!({
        "valid": grant(&json!({"email": "me@example.test"})),
        "refreshable": grant(&json!({"expires": 1})),
        "expired": {"type": "token", "provider": "p", "token": "fake", "expires": 1},
        "odd": {"type": "token", "provider": "p", "token": "fake", "expires": "soon"},
        "empty": {"type": "api_key", "provider": "p"},
        "paused": {"type": "api_key", "provider": "q", "key": "k"},
        "off": {"type": "api_key", "provider": "q", "key": "k"},
    }));
    rig.write(
        "agents/main/agent/auth-state.json",
        &json!({"usageStats": {"paused": {"cooldownUntil": FAR},
            "off": {"disabledUntil": FAR, "disabledReason": "billing"}}})
        .to_string(),
    );
    let output = rig.command(&["models", "status"]).env("GROQ_API_KEY", "gsk").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "Default model   not set (OpenClaw takes openai/gpt-5.5)",
        "valid (me@example.test)",
        "signed in",
        "sign in again (expired, 1970-01-01 00:00 UTC)",
        "sign in again (`expires` is not a time in milliseconds)",
        "sign in again (holds no credential)",
        "cooling down until 2100-01-01 00:00 UTC\n",
        "cooling down until 2100-01-01 00:00 UTC (billing)",
        "groq: GROQ_API_KEY = ***",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(!text.contains("In use"), "nobody has chosen a model: {text}");
    rig.write("openclaw.json", "{agents: {defaults: {model: 'openai/gpt-5.5'}}}");
    let text = rig.run(&["models", "status"]).success();
    assert!(text.contains("openai: set OPENAI_API_KEY"), "{text}");
    let empty = Rig::new().run(&["models", "status"]).success();
    assert!(empty.contains("No profiles"), "{empty}");
}

#[test]
fn a_refused_grant_is_told() {
    let rig = with(&json!({"a": grant(&json!({"expires": 1}))}));
    let hash = openclaw_auth::secret::Secret::new("fake-refresh").fingerprint();
    let state = json!({"usageStats": {"a": {"refusedGrant": {"hash": hash, "reason": "invalid_grant", "at": 1}}}});
    rig.write("agents/main/agent/auth-state.json", &state.to_string());
    let text = rig.run(&["models", "status"]).success();
    assert!(
        text.contains("sign in again (refused by the server: invalid_grant, 1970-01-01 00:00 UTC)"),
        "{text}"
    );
}

#[test]
fn no_form_shows_a_secret_or_moves_the_cursor() {
    let rig = with(&json!({
        "a\u{1b}[2J": grant(&json!({"email": "x\u{9b}31m\ny"})),
        "k": {"type": "api_key", "provider": "openai\u{1b}", "key": "fake-key-of-some-length-01"},
        "s": {"type": "api_key", "provider": "openai", "key": "fake-short"},
    }));
    for form in
        [&["models", "status"][..], &["models", "status", "--json"], &["channels", "status"]]
    {
        let finished = rig.run(form);
        for secret in ["fake-access", "fake-refresh", "key-of-some", "fake-short"] {
            assert!(!finished.stdout.contains(secret), "{}", finished.stdout);
        }
        let is_json = form.contains(&"--json");
        let moves =
            |c: char| c.is_ascii_control() && c != '\n' || !is_json && c.is_control() && c != '\n';
        assert!(!finished.stdout.contains(moves), "{:?}", finished.stdout);
    }
}

#[test]
fn ten_thousand_profiles_cost_ten_times_as_much_as_a_thousand() {
    let measure = |count: usize| {
        let profiles: serde_json::Map<_, _> = (0..count)
            .map(|n| (format!("openai-codex:{n}@example.test"), grant(&json!({}))))
            .collect();
        let usage: serde_json::Map<_, _> = (0..count)
            .map(|n| (format!("openai-codex:{n}@example.test"), json!({"cooldownUntil": FAR})))
            .collect();
        let rig = with(&Value::Object(profiles));
        rig.write("agents/main/agent/auth-state.json", &json!({"usageStats": usage}).to_string());
        let run = || {
            let started = Instant::now();
            rig.run(&["models", "status", "--json"]).success();
            started.elapsed()
        };
        (0..3).map(|_| run()).min().unwrap()
    };
    let (thousand, ten_thousand) = (measure(1_000), measure(10_000));
    // Quadratic work would cost a hundred times as much.
    assert!(ten_thousand < thousand * 40, "{thousand:?} and {ten_thousand:?}");
}
