//! `secrets audit`: what it finds where, in OpenClaw's order, and how it exits.

use super::command::script;
use super::reference;
use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig, store};
use serde_json::{Value, json};

const AUDIT: [&str; 3] = ["secrets", "audit", "--json"];

fn audit(rig: &Rig, args: &[&str], variables: &[(&str, &str)]) -> Finished {
    let before = rig.tree();
    let mut command = rig.command(&[&AUDIT[..], args].concat());
    let finished = command.envs(variables.iter().copied()).finish_here();
    assert_eq!(rig.tree(), before, "an audit writes nothing");
    finished
}

fn report(finished: &Finished) -> Value {
    assert_eq!(finished.stderr, "");
    serde_json::from_str(&finished.stdout).unwrap()
}

/// Code, file below the state directory and place of every finding.
fn found(rig: &Rig, report: &Value) -> Vec<String> {
    let root = format!("{}/", rig.state_dir().display());
    let line = |finding: &Value| {
        assert!(!finding["message"].as_str().unwrap().is_empty());
        let part = |name: &str| finding[name].as_str().unwrap_or("-").replace(&root, "");
        [part("code"), part("file"), part("jsonPath"), part("provider"), part("profileId")]
            .join(" ")
    };
    report["findings"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn a_clean_state_directory_gives_openclaws_report() {
    let rig = Rig::new();
    let key = json!({"type": "api_key", "provider": "openai", "keyRef": reference("env", "default", "OPENAI_API_KEY")});
    rig.write(&store("main"), &json!({"version": 1, "profiles": {"openai:ref": key}}).to_string());
    let finished = audit(&rig, &["--check"], &[("OPENAI_API_KEY", "sk-FAKE-env")]);
    // Recorded from OpenClaw 2026.4.24: golden/sec-ok.
    let expected = r#"{
  "version": 1,
  "status": "clean",
  "resolution": {
    "refsChecked": 1,
    "skippedExecRefs": 0,
    "resolvabilityComplete": true
  },
  "filesScanned": [
    "@STATE@/agents/main/agent/auth-profiles.json",
    "@STATE@/openclaw.json"
  ],
  "summary": {
    "plaintextCount": 0,
    "unresolvedRefCount": 0,
    "shadowedRefCount": 0,
    "legacyResidueCount": 0
  },
  "findings": []
}
"#;
    assert_eq!(finished.stdout, expected.replace("@STATE@", rig.state_dir().to_str().unwrap()));
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
}

/// A state directory with something in every place that is looked at.
fn full() -> Rig {
    let rig = Rig::new();
    let exec = script(&rig, "command", r#"echo '{"protocolVersion":1,"values":{"a/b":"fake-v"}}'"#);
    rig.write(
        "openclaw.json",
        &json!({
            "secrets": {"providers": {
                "x": {"source": "exec", "command": exec},
                "few": {"source": "env", "allowlist": ["OTHER"]},
            }},
            "models": {"providers": {
                "openai": {
                    "apiKey": reference("env", "default", "OPENAI_API_KEY"),
                    "headers": {"X-Api-Key": "fake-plain", "X-Other": "o", "Authorization": reference("exec", "x", "a/b")},
                },
                "p2": {"apiKey": "${P2_KEY}"},
            }},
            "gateway": {"auth": {"token": "${MISSING}"}},
            "channels": {"telegram": {"accounts": {"b": {"botToken": "fake-plain"}}},
                         "googlechat": {"serviceAccount": {"a": 1}, "accounts": {"c": {"serviceAccountRef": reference("env", "default", "P2_KEY")}}}},
        })
        .to_string(),
    );
    rig.write(
        &store("main"),
        &json!({"profiles": {
            "openai:1": {"type": "api_key", "provider": "OpenAI", "key": "fake-plain"},
            "p:text": {"type": "api_key", "provider": "p", "key": "${NOPE}"},
            "p:both": {"type": "api_key", "provider": "p", "key": "fake-plain", "keyRef": reference("env", "few", "P2_KEY")},
            "p:climb": {"type": "token", "provider": "p", "tokenRef": reference("exec", "x", "a/../b")},
            "p:grant": {"type": "oauth", "provider": "p", "access": "fake-a", "refresh": "fake-r", "expires": 1},
            "none": {"type": "api_key", "key": "fake-plain"},
            "2": {"type": "token", "provider": "q", "token": "fake-plain"},
        }})
        .to_string(),
    );
    rig.write("agents/zed/agent/auth-profiles.json", "fake-no-json{");
    rig.write(
        "agents/work/agent/auth.json",
        &json!({"anthropic": {"type": "api_key", "key": "fake-plain"}, "o": {"type": "oauth", "access": "fake-a"}}).to_string(),
    );
    rig.write(
        "agents/main/agent/models.json",
        &json!({"providers": {
            "m": {"apiKey": "fake-plain", "headers": {"authorization": "fake-b", "x-api-key": "secretref-env:A", "x-token": reference("env", "d", "A")}},
            "n1": {"apiKey": "GEMINI_API_KEY"},
            "n2": {"apiKey": "oauth:x"},
            "n3": {"apiKey": {"source": "env", "id": "A"}},
        }})
        .to_string(),
    );
    rig.write(
        ".env",
        "export OPENAI_API_KEY=\"fake-x\"\nANTHROPIC_API_KEY=\nGEMINI_API_KEY=fake-g\nOTHER=1\n",
    );
    rig
}

#[test]
fn every_place_is_looked_at_in_openclaws_order() {
    let rig = full();
    let finished = audit(&rig, &[], &[("P2_KEY", "fake-p2")]);
    assert_eq!(finished.code, 2, "also without --check");
    assert!(!finished.stdout.contains("fake-"), "{}", finished.stdout);
    let report = report(&finished);
    let profiles = "agents/main/agent/auth-profiles.json";
    let models = "agents/main/agent/models.json";
    let expected: Vec<String> = [
        "PLAINTEXT_FOUND openclaw.json models.providers.p2.apiKey p2 -",
        "PLAINTEXT_FOUND openclaw.json models.providers.openai.headers.X-Api-Key openai -",
        "PLAINTEXT_FOUND openclaw.json channels.googlechat.serviceAccount - -",
        "PLAINTEXT_FOUND openclaw.json channels.telegram.accounts.b.botToken - -",
        "PLAINTEXT_FOUND @P profiles.2.token q 2",
        "PLAINTEXT_FOUND @P profiles.openai:1.key OpenAI openai:1",
        "PLAINTEXT_FOUND @P profiles.p:text.key p p:text",
        "PLAINTEXT_FOUND @P profiles.p:both.key p p:both",
        "LEGACY_RESIDUE @P profiles.p:grant p p:grant",
        "REF_UNRESOLVED agents/zed/agent/auth-profiles.json <root> - -",
        "PLAINTEXT_FOUND @M providers.m.apiKey m -",
        "PLAINTEXT_FOUND @M providers.m.headers.authorization m -",
        "REF_UNRESOLVED @M providers.m.headers.x-token m -",
        "REF_UNRESOLVED @M providers.n3.apiKey n3 -",
        "REF_UNRESOLVED openclaw.json gateway.auth.token - -",
        "REF_UNRESOLVED @P profiles.p:text.key p -",
        "REF_UNRESOLVED @P profiles.p:both.key p -",
        "REF_UNRESOLVED @P profiles.p:climb.token p -",
        "REF_SHADOWED openclaw.json models.providers.openai.apiKey openai -",
        "PLAINTEXT_FOUND .env $env.OPENAI_API_KEY - -",
        "PLAINTEXT_FOUND .env $env.GEMINI_API_KEY - -",
        "LEGACY_RESIDUE agents/work/agent/auth.json anthropic anthropic -",
    ]
    .map(|line| line.replace("@P", profiles).replace("@M", models))
    .to_vec();
    assert_eq!(found(&rig, &report), expected);
    assert_eq!(
        report["resolution"],
        json!({"refsChecked": 5, "skippedExecRefs": 2, "resolvabilityComplete": false})
    );
    assert_eq!(
        report["summary"],
        json!({"plaintextCount": 12, "unresolvedRefCount": 7, "shadowedRefCount": 1, "legacyResidueCount": 2})
    );
    let files: Vec<_> = report["filesScanned"].as_array().unwrap().iter().collect();
    assert_eq!(files.len(), 6);
    assert!(files.is_sorted_by_key(|file| file.as_str().unwrap()));
}

#[test]
fn severities_are_openclaws() {
    let rig = full();
    let report = report(&audit(&rig, &[], &[]));
    for finding in report["findings"].as_array().unwrap() {
        let expected = match (finding["code"].as_str().unwrap(), finding["profileId"].is_null()) {
            ("REF_UNRESOLVED", _) => "error",
            ("LEGACY_RESIDUE", false) => "info",
            _ => "warn",
        };
        assert_eq!(finding["severity"], expected, "{finding}");
    }
}

#[test]
fn commands_run_only_when_they_are_allowed_to() {
    let rig = Rig::new();
    let text = r#"echo ran >> "$0.ran"; cat > /dev/null
echo '{"protocolVersion":1,"values":{"one":"fake-1","two":5},"errors":{"three":{"message":"sealed"}}}'"#;
    let command = script(&rig, "command", text);
    let profile = |id: &str| json!({"type": "token", "provider": "p", "tokenRef": reference("exec", "x", id)});
    rig.write(
        &store("main"),
        &json!({"profiles": {"p:1": profile("one"), "p:2": profile("two"), "p:3": profile("three"), "p:4": profile("one")}}).to_string(),
    );
    rig.write(
        "openclaw.json",
        &json!({"secrets": {"providers": {"x": {"source": "exec", "command": command}}}})
            .to_string(),
    );
    let skipped = audit(&rig, &["--check"], &[]);
    assert_eq!(skipped.code, 0);
    let skipped = report(&skipped);
    assert_eq!(skipped["status"], "clean");
    assert_eq!(
        skipped["resolution"],
        json!({"refsChecked": 0, "skippedExecRefs": 3, "resolvabilityComplete": false})
    );
    let finished: Finished = rig.command(&[&AUDIT[..], &["--allow-exec"]].concat()).finish_here();
    assert_eq!(finished.code, 2);
    let allowed = report(&finished);
    assert_eq!(allowed["resolution"]["refsChecked"], 3);
    let places: Vec<_> =
        allowed["findings"].as_array().unwrap().iter().map(|f| f["jsonPath"].clone()).collect();
    assert_eq!(places, ["profiles.p:2.token", "profiles.p:3.token"]);
    assert_eq!(rig.read("command.ran"), "ran\n", "once for all ids");
}

#[test]
fn findings_are_a_failure_only_with_check() {
    let rig = Rig::new();
    let key = json!({"type": "api_key", "provider": "p", "key": "fake-plain"});
    rig.write(&store("main"), &json!({"profiles": {"p:1": key}}).to_string());
    assert_eq!(audit(&rig, &[], &[]).code, 0);
    let checked = audit(&rig, &["--check"], &[]);
    assert_eq!(checked.code, 1);
    assert_eq!(report(&checked)["status"], "findings");
}

#[test]
fn without_a_valid_configuration_only_plain_files_are_looked_at() {
    for text in ["{ nope", r#"{"secrets": {"providers": {"x": {"source": "vault"}}}}"#] {
        let rig = full();
        rig.write("openclaw.json", text);
        let finished = audit(&rig, &[], &[]);
        assert_eq!(finished.code, 2);
        let report = report(&finished);
        assert_eq!(
            found(&rig, &report),
            [
                "REF_UNRESOLVED openclaw.json <root> - -",
                "PLAINTEXT_FOUND .env $env.OPENAI_API_KEY - -",
                "PLAINTEXT_FOUND .env $env.GEMINI_API_KEY - -",
                "LEGACY_RESIDUE agents/work/agent/auth.json anthropic anthropic -",
            ]
        );
        assert_eq!(report["filesScanned"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn plugins_that_are_switched_off_add_nothing() {
    let rig = full();
    let off = [("OPENCLAW_DISABLE_BUNDLED_PLUGINS", "1"), ("P2_KEY", "fake-p2")];
    let found = found(&rig, &report(&audit(&rig, &[], &off))).join("\n");
    for place in ["GEMINI", "channels."] {
        assert!(!found.contains(place), "{found}");
    }
    assert!(found.contains("providers.n1.apiKey"), "no marker any more: {found}");
}

#[test]
fn a_document_that_is_no_object_is_not_taken_for_empty() {
    for text in ["[]", r#"{"profiles": []}"#] {
        let rig = Rig::new();
        rig.write(&store("main"), text);
        let finished = audit(&rig, &[], &[]);
        assert_eq!(finished.code, 2);
        assert_eq!(report(&finished)["findings"][0]["jsonPath"], "<root>");
    }
}

#[test]
fn agents_of_the_configuration_and_of_the_environment_are_looked_at() {
    let rig = Rig::new();
    let document =
        json!({"profiles": {"x": {"type": "api_key", "provider": "p", "key": "fake-plain"}}})
            .to_string();
    let models = json!({"providers": {"m": {"apiKey": "fake-plain"}}}).to_string();
    for name in ["else", "moved"] {
        rig.write(&format!("{name}/auth-profiles.json"), &document);
        rig.write(&format!("{name}/models.json"), &models);
    }
    rig.write(
        "openclaw.json",
        &json!({"agents": {"list": [{"id": "Work", "agentDir": rig.path("else")}]}}).to_string(),
    );
    let moved = rig.path("moved");
    let finished = audit(&rig, &[], &[("OPENCLAW_AGENT_DIR", moved.to_str().unwrap())]);
    assert_eq!(
        found(&rig, &report(&finished)),
        [
            "PLAINTEXT_FOUND else/auth-profiles.json profiles.x.key p x",
            "PLAINTEXT_FOUND moved/models.json providers.m.apiKey m -",
            "PLAINTEXT_FOUND else/models.json providers.m.apiKey m -",
        ]
    );
}

#[test]
fn the_text_names_every_finding_and_no_secret() {
    let rig = full();
    let finished: Finished = rig.command(&["secrets", "audit"]).finish_here();
    assert_eq!(finished.code, 2);
    for part in [
        "Secrets in plain text:",
        "models.providers.openai.headers.X-Api-Key",
        "MISSING is not set",
    ] {
        assert!(finished.stdout.contains(part), "{}", finished.stdout);
    }
    assert!(finished.stderr.contains("--allow-exec"), "{}", finished.stderr);
    assert!(!finished.stdout.contains("fake-") && !finished.stderr.contains("fake-"));
    let clean = Rig::new().run(&["secrets", "audit", "--check"]).success();
    assert_eq!(clean, "No findings; files: 1, references: 0");
}

#[test]
fn a_database_of_a_newer_openclaw_is_mentioned() {
    let rig = Rig::new();
    rig.write("state/openclaw.sqlite", "");
    let finished = audit(&rig, &[], &[]);
    assert_eq!(finished.code, 0);
    assert!(finished.stderr.contains("openclaw.sqlite"), "{}", finished.stderr);
}

#[test]
fn an_oauth_login_is_listed_and_is_no_failure() {
    let rig = Rig::signed_in();
    let finished = rig.run(&["secrets", "audit", "--check", "--json"]);
    assert_eq!(finished.code, 0, "{}", finished.stdout);
    let found = report(&finished);
    assert_eq!(found["status"], "findings");
    assert_eq!(found["findings"][0]["severity"], "info");
    // What can be mended counts all the same.
    rig.edit("main", |document| {
        document["profiles"]["p:k"] = json!({"type": "api_key", "provider": "p", "key": "fake"});
    });
    assert_eq!(rig.run(&["secrets", "audit", "--check"]).code, 1);
}

#[cfg(feature = "sqlite")]
#[test]
fn what_stands_in_a_database_is_found() {
    use crate::support::database::{Row, Text, make_own, make_shared};
    let rig = Rig::new();
    let agent = |id: &str| rig.path("agents").join(id).join("agent");
    make_shared(&rig.state_dir());
    make_own(&agent("work"), "work");
    let put = |id: &str, profiles: Value| {
        let text = json!({"version": 1, "profiles": profiles}).to_string();
        assert!(Text::of(&rig.state_dir(), &agent(id), id, Row::Store).write(&text));
    };
    put(
        "main",
        json!({
            "p:1": {"type": "api_key", "provider": "p", "key": "fake-key"},
            "p:2": {"type": "oauth", "provider": "p", "access": "fake", "refresh": "fake", "expires": 5},
            "q:1": {"type": "token", "provider": "q",
                "tokenRef": {"source": "env", "provider": "default", "id": "NOT_SET"}},
        }),
    );
    put("work", json!({"p:3": {"type": "token", "provider": "p", "token": "fake-token"}}));
    let finished = rig.run(&AUDIT);
    assert_eq!(finished.code, 2, "{}", finished.stderr);
    let report = report(&finished);
    let (shared, own) = ("state/openclaw.sqlite", "agents/work/agent/openclaw-agent.sqlite");
    assert_eq!(
        found(&rig, &report),
        [
            format!("PLAINTEXT_FOUND {shared} profiles.p:1.key p p:1"),
            format!("LEGACY_RESIDUE {shared} profiles.p:2 p p:2"),
            format!("PLAINTEXT_FOUND {own} profiles.p:3.token p p:3"),
            format!("REF_UNRESOLVED {shared} profiles.q:1.token q -"),
        ]
    );
}
