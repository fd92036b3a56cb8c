//! Secret references: values from variables, and what is refused.

mod audit;
mod command;
mod file;

use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig, store};
use serde_json::{Value, json};
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

/// 2100-01-01.
const FAR: i64 = 4_102_444_800_000;

/// A rig with one key behind a reference, and a configuration of providers.
fn rig(reference: &Value, providers: &Value) -> Rig {
    let rig = Rig::new();
    rig.write(
        &store("main"),
        &json!({"profiles": {"p:1": {"type": "api_key", "provider": "p", "keyRef": reference}}})
            .to_string(),
    );
    rig.write("openclaw.json", &json!({"secrets": {"providers": providers}}).to_string());
    rig
}

fn reference(source: &str, provider: &str, id: &str) -> Value {
    json!({"source": source, "provider": provider, "id": id})
}

const TOKEN: [&str; 5] = ["models", "auth", "token", "--profile", "p:1"];

fn token(rig: &Rig, variables: &[(&str, &str)]) -> Finished {
    let mut command = rig.command(&TOKEN);
    command.envs(variables.iter().copied());
    command.finish_here()
}

fn mode(rig: &Rig, name: &str, mode: u32) {
    set_permissions(rig.path(name), Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn fails(finished: Finished, code: i32, parts: &[&str]) {
    let stderr = finished.failure(code);
    for part in parts.iter().chain(&["`p:1`", "hint: "]) {
        assert!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    assert!(!stderr.contains("fake-"), "{stderr}");
}

#[test]
fn a_variable_is_read_when_the_value_is_needed() {
    let rig = rig(&reference("env", "default", "P_KEY"), &json!({}));
    let before = rig.tree();
    assert_eq!(token(&rig, &[("P_KEY", " fake-key ")]).success(), "fake-key");
    fails(token(&rig, &[]), 1, &["env:default:P_KEY", "P_KEY is not set", "set P_KEY"]);
    fails(token(&rig, &[("P_KEY", "  ")]), 1, &["P_KEY is not set"]);
    rig.run(&["models", "auth", "list"]).success();
    rig.run(&["channels", "list"]).success();
    assert_eq!(rig.tree(), before, "reading writes nothing");
}

#[test]
fn every_spelling_leads_to_the_value() {
    for entry in [
        json!({"type": "api_key", "provider": "p", "key": "${P_KEY}"}),
        json!({"type": "api_key", "provider": "p", "key": {"source": "env", "id": "P_KEY"}}),
        json!({"mode": "api_key", "provider": "p", "apiKey": "${P_KEY}"}),
        json!({"type": "token", "provider": "p", "tokenRef": reference("env", "default", "P_KEY")}),
        json!({"type": "token", "provider": "p", "token": "${P_KEY}", "expires": FAR}),
        json!({"type": "api_key", "provider": "p", "key": "fake-key",
               "keyRef": reference("env", "default", "OTHER")}),
    ] {
        let rig = Rig::new();
        rig.write(&store("main"), &json!({"profiles": {"p:1": entry}}).to_string());
        assert_eq!(token(&rig, &[("P_KEY", "fake-key")]).success(), "fake-key", "{entry}");
    }
}

#[test]
fn a_text_that_does_not_resolve_is_no_literal_secret() {
    let rig = Rig::new();
    rig.edit_profile(&json!({"type": "api_key", "provider": "p", "key": "${P_KEY}"}));
    fails(token(&rig, &[]), 1, &["env:default:P_KEY"]);
}

#[test]
fn an_expired_token_is_not_resolved() {
    let rig = Rig::new();
    rig.edit_profile(&json!({"type": "token", "provider": "p", "token": "${P_KEY}", "expires": 1}));
    let stderr = token(&rig, &[("P_KEY", "fake-key")]).failure(3);
    assert!(stderr.contains("expired"), "{stderr}");
}

#[test]
fn an_object_that_is_no_reference_is_named() {
    let rig = Rig::new();
    rig.edit_profile(&json!({"type": "api_key", "provider": "p", "key": {"source": "vault"}}));
    fails(token(&rig, &[]), 1, &["`key`", "not a secret reference"]);
}

#[test]
fn variables_may_be_set_in_the_state_directory_or_the_configuration() {
    let rig = rig(&reference("env", "default", "P_KEY"), &json!({}));
    rig.write("openclaw.json", r#"{env: {vars: {P_KEY: "fake-configured"}}}"#);
    assert_eq!(token(&rig, &[]).success(), "fake-configured");
    rig.write(".env", "export P_KEY='fake-file'\n");
    assert_eq!(token(&rig, &[]).success(), "fake-file");
    assert_eq!(token(&rig, &[("P_KEY", "fake-env")]).success(), "fake-env");
}

#[test]
fn an_allowlist_is_kept_to() {
    let rig = rig(
        &reference("env", "shell", "P_KEY"),
        &json!({"shell": {"source": "env", "allowlist": ["OTHER"]}}),
    );
    fails(token(&rig, &[("P_KEY", "fake-key")]), 1, &["allowlist", "`shell`"]);
}

#[test]
fn a_provider_has_to_be_configured_and_of_the_source() {
    let providers = json!({"shell": {"source": "env"}});
    fails(token(&rig(&reference("file", "default", "/a"), &providers), &[]), 1, &["`default`"]);
    fails(token(&rig(&reference("env", "nope", "A"), &providers), &[]), 1, &["`nope`"]);
    let other = rig(&reference("exec", "shell", "a"), &providers);
    fails(token(&other, &[]), 1, &["`shell` is of source `env`"]);
}

#[test]
fn a_wrong_key_of_the_configuration_is_named_with_its_path() {
    let rig = rig(
        &reference("env", "default", "P_KEY"),
        &json!({"x": {"source": "exec", "command": "relative", "timeoutMs": 0}}),
    );
    let stderr = token(&rig, &[("P_KEY", "fake-key")]).failure(6);
    for part in ["openclaw.json", "secrets.providers.x.command", "secrets.providers.x.timeoutMs"] {
        assert!(stderr.contains(part), "{stderr}");
    }
}

#[test]
fn an_oauth_profile_with_a_reference_is_refused_and_listed_as_such() {
    for (entry, field) in [
        (json!({"access": reference("env", "default", "A"), "refresh": "fake-refresh"}), "access"),
        (json!({"access": "fake-access", "refresh": "${A}"}), "refresh"),
        (json!({"access": "fake-access", "keyRef": reference("env", "default", "A")}), "keyRef"),
    ] {
        let rig = Rig::new();
        let mut profile = json!({"type": "oauth", "provider": "p", "expires": FAR});
        profile.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
        rig.edit_profile(&profile);
        fails(token(&rig, &[("A", "fake-key")]), 1, &[&format!("`{field}`"), "OAuth"]);
        let rows = rig.run(&["models", "auth", "list", "--json"]).json()["profiles"].clone();
        assert_eq!(rows[0]["health"], "missing");
        assert!(rows[0]["problem"].as_str().unwrap().contains(field), "{rows}");
        let table = rig.run(&["models", "auth", "list"]).success();
        assert!(table.contains("sign in again (its"), "{table}");
        let report = rig.run(&["secrets", "audit", "--json"]).json();
        let finding = report["findings"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(finding["code"], "REF_NOT_ALLOWED");
        assert_eq!(finding["jsonPath"], format!("profiles.p:1.{field}"));
    }
}

#[test]
fn the_configured_mode_oauth_forbids_references_too() {
    let rig = rig(&reference("env", "default", "P_KEY"), &json!({}));
    rig.write("openclaw.json", r#"{auth: {profiles: {"p:1": {provider: "p", mode: "oauth"}}}}"#);
    fails(token(&rig, &[("P_KEY", "fake-key")]), 1, &["`keyRef`", "mode `oauth`"]);
    let report = rig.run(&["models", "auth", "list", "--json"]).json();
    assert_eq!(report["profiles"][0]["health"], "missing");
}

impl Rig {
    /// Makes `entry` the one profile of `main`.
    fn edit_profile(&self, entry: &Value) {
        self.write(&store("main"), &json!({"profiles": {"p:1": entry}}).to_string());
    }
}

/// The JSON texts of a page, in their order.
fn examples(page: &str) -> Vec<Value> {
    let blocks = page.split("```json").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

#[test]
fn the_examples_of_the_page_resolve() {
    let page = include_str!("../../docs/secret-references.md");
    let [config, profile] = &examples(page)[..] else { panic!("two examples") };
    let rig = Rig::new();
    let answer = r#"echo '{"protocolVersion": 1, "values": {"openai": "fake-of-vault"}}'"#;
    let program = command::script(&rig, "vault-read", answer);
    rig.write("keys.json", r#"{"openai": "fake-of-file"}"#);
    let keys = rig.path("keys.json");
    let config = config.to_string().replace("/run/secrets/keys.json", keys.to_str().unwrap());
    rig.write("openclaw.json", &config.replace("/usr/local/bin/vault-read", &program));
    let mut vault = profile.clone();
    vault["keyRef"] = reference("exec", "vault", "openai");
    let short = json!({"type": "api_key", "provider": "openai", "key": "${OPENAI_API_KEY}"});
    for (entry, expected) in
        [(profile, "fake-of-file"), (&vault, "fake-of-vault"), (&short, "fake-of-variable")]
    {
        rig.write(&store("main"), &json!({"profiles": {"p:1": entry}}).to_string());
        assert_eq!(token(&rig, &[("OPENAI_API_KEY", "fake-of-variable")]).success(), expected);
    }
}
