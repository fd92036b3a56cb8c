//! Our JSON reports against the schemas of `docs/schema`, and the examples of `docs/json.md` and
//! `docs/states.md`.

use crate::support::rig::{PROFILE, Rig, store};
use crate::support::schema::faults;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn schema(name: &str) -> Value {
    let path = docs().join("schema").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn fits(name: &str, report: &Value) {
    let faults = faults(&schema(name), report);
    assert!(faults.is_empty(), "{name}: {faults:#?}\n{report:#}");
}

/// Runs a command, whose report has to fit whatever the exit code says; returns the report.
#[track_caller]
fn run(rig: &Rig, name: &str, args: &[&str]) -> Value {
    let finished = rig.run(&[args, &["--json"]].concat());
    let report = serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|error| panic!("{name}: {error}: {finished:?}"));
    fits(name, &report);
    report
}

#[track_caller]
fn fit_lines(text: &str) {
    assert!(!text.is_empty());
    for line in text.lines() {
        fits("login-event", &serde_json::from_str(line).unwrap());
    }
}

/// Every situation that the reports of many logins tell apart.
fn of_many(rig: &Rig) {
    for (name, args) in [
        ("list", &["list"][..]),
        ("check", &["check"]),
        ("check", &["check", "--all", "--max-age", "1s"]),
        ("refresh", &["models", "auth", "refresh"]),
        ("check", &["check", "--online"]),
        ("doctor", &["doctor"]),
        ("channels-status", &["channels", "status"]),
        ("doctor-backups", &["doctor", "--restore", "--list"]),
    ] {
        run(rig, name, args);
    }
}

#[test]
fn reports_of_a_login_fit_their_schemas_from_its_beginning_to_its_end() {
    let rig = Rig::new();
    of_many(&rig);
    let login = rig.start_login(&["--json"]);
    login.visit();
    fit_lines(&login.finish().success());
    of_many(&rig);
    let auth = |rest: &[&'static str]| [&["models", "auth"][..], rest].concat();
    run(&rig, "token", &auth(&["token"]));
    run(&rig, "report", &auth(&["report", "--profile", PROFILE, "--reason", "rate_limit"]));
    of_many(&rig);
    run(&rig, "report", &auth(&["report", "--profile", PROFILE, "--reason", "ok"]));
    run(&rig, "resolve", &auth(&["resolve", "openai-codex/gpt-5.5"]));
    rig.server.revoke_all();
    rig.expire(PROFILE);
    of_many(&rig);
    run(&rig, "logout", &auth(&["logout", PROFILE]));
    let restored = run(&rig, "doctor-restore", &["doctor", "--restore", "latest"]);
    assert_eq!(restored["signInAgain"][0]["id"], PROFILE, "{restored}");
    of_many(&rig);
}

#[test]
fn reports_of_odd_stores_fit_their_schemas() {
    let rig = Rig::new();
    let id = "q:\u{1b}[2J\u{202e}";
    let profiles = json!({
        id: {"type": "token", "provider": "q", "token": "fake", "expires": "soon"},
        "q:2": {"type": "oauth", "provider": "q", "access": {"source": "env", "id": "X"}},
        "q:3": {"type": "api_key", "provider": "q", "keyRef": {"source": "env", "id": "X"}},
        "q:4": 5,
    });
    rig.write(&store("main"), &json!({"profiles": profiles}).to_string());
    of_many(&rig);
    rig.write(&store("main"), "{");
    run(&rig, "check", &["check"]);
    run(&rig, "doctor", &["doctor"]);
}

#[test]
fn reports_of_a_login_in_two_steps_fit_their_schemas() {
    let rig = Rig::new();
    let start = ["models", "auth", "login", "start", "--provider", "openai-codex"];
    let started = run(&rig, "login-start", &start);
    run(&rig, "login-list", &["models", "auth", "login", "list"]);
    let id = started["loginId"].as_str().unwrap();
    run(&rig, "login-cancel", &["models", "auth", "login", "cancel", "--login", id]);
    let gone = rig.run(&["models", "auth", "login", "finish", "--login", id, "--json"]);
    fit_lines(&gone.stdout);
}

#[test]
fn reports_of_what_is_stored_by_hand_fit_their_schemas() {
    let rig = Rig::new();
    let token = format!("sk-ant-oat01-{}", "fake".repeat(20));
    for (verb, value) in [("paste-token", token.as_str()), ("paste-api-key", "fake-key-0123456789")]
    {
        let args = ["models", "auth", verb, "--provider", "openai-codex", "--json"];
        fits("paste", &rig.run_with_input(&args, &format!("{value}\n")).json());
    }
    run(&rig, "list", &["models", "auth", "list"]);
    rig.write("agents/main/sessions/sessions.json", r#"{"agent:main:main": {}}"#);
    let show = ["models", "auth", "session", "show", "--session", "agent:main:main"];
    run(&rig, "session", &show);
}

#[test]
fn reports_of_the_short_commands_fit_their_schemas() {
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        document["profiles"]["anthropic:old"] =
            json!({"type": "token", "provider": "anthropic", "token": "fake-old", "expires": 1});
    });
    rig.write(&store("work"), r#"{"profiles": {}}"#);
    run(&rig, "providers-list", &["providers", "list"]);
    run(&rig, "use", &["use", PROFILE]);
    run(&rig, "rename", &["rename", PROFILE, "openai-codex:other"]);
    run(&rig, "rename", &["rename", "openai-codex:other", PROFILE]);
    run(&rig, "prune-dry-run", &["prune", "--dry-run"]);
    run(&rig, "logout-all", &["prune"]);
    run(&rig, "error", &["token", "nobody"]);
    run(&rig, "error", &["logout", "--odd"]);
    run(&rig, "move", &["move", PROFILE, "--to-agent", "work"]);
    let moved = rig.run(&["move", PROFILE, "--agent", "work", "--to", "-"]).stdout;
    let received = rig.run_with_input(&["import", "-", "--json"], &moved);
    fits("import-moved", &received.json());
    run(&rig, "logout-all", &["logout", "--all"]);
}

/// Values that are not spelt `like-this`: words of OpenClaw, and what was published before values
/// had one spelling. The list is closed.
const OTHERWISE_SPELT: [(&str, &[&str]); 4] = [
    ("the type of a credential in OpenClaw's files", &["api_key"]),
    ("a reason in OpenClaw's files", &["auth_permanent", "model_not_found", "rate_limit"]),
    (
        "OpenClaw's reason codes, and those that stand beside them in `resolve`",
        &[
            "profile_missing",
            "provider_mismatch",
            "mode_mismatch",
            "missing_credential",
            "invalid_expires",
            "later_in_order",
            "not_in_order",
            "not_configured",
            "stored_order",
            "configured_order",
            "configured_profiles",
            "all_profiles",
        ],
    ),
    (
        "the names of exit codes and of an event of a login",
        &[
            "login_required",
            "lock_timeout",
            "store_unusable",
            "login_expired",
            "login_expiring",
            "user_code",
        ],
    ),
];

/// The values that a schema lists.
fn listed(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            let values = members.get("enum").and_then(Value::as_array).into_iter().flatten();
            let values = values.chain(members.get("const")).filter_map(Value::as_str);
            found.extend(values.map(str::to_owned));
            members.values().for_each(|it| listed(it, found));
        }
        Value::Array(values) => values.iter().for_each(|it| listed(it, found)),
        _ => {}
    }
}

/// The names of members that a schema describes.
fn members(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(own) => {
            let names = own.get("properties").and_then(Value::as_object).into_iter().flatten();
            found.extend(names.map(|(name, _)| name.clone()));
            own.values().for_each(|it| members(it, found));
        }
        Value::Array(values) => values.iter().for_each(|it| members(it, found)),
        _ => {}
    }
}

#[test]
fn values_and_members_have_one_spelling_each() {
    let (mut values, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (name, _) in documented() {
        listed(&schema(&name), &mut values);
        members(&schema(&name), &mut names);
    }
    let is_word = |word: &str| {
        let ok = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !word.is_empty() && word.bytes().all(ok)
    };
    let otherwise: BTreeSet<String> =
        OTHERWISE_SPELT.iter().flat_map(|(_, words)| *words).map(ToString::to_string).collect();
    let (usual, odd): (BTreeSet<_>, BTreeSet<_>) =
        values.into_iter().partition(|value| value.split('-').all(is_word));
    assert_eq!(odd, otherwise);
    assert!(usual.contains("sign-in-again") && usual.len() > 60, "{usual:?}");
    let is_camel = |name: &&String| {
        let first = name.bytes().next().is_some_and(|it| it.is_ascii_lowercase());
        !first || !name.bytes().all(|it| it.is_ascii_alphanumeric())
    };
    assert_eq!(names.iter().find(is_camel), None);
}

#[test]
fn no_schema_has_a_member_twice() {
    for (name, _) in documented() {
        let path = docs().join("schema").join(format!("{name}.json"));
        let text = std::fs::read_to_string(path).unwrap();
        let read = serde_json::from_str::<Value>(&text).unwrap();
        let colons = |text: &str| text.matches("\":").count();
        assert_eq!(colons(&text), colons(&read.to_string()), "{name}");
    }
}

#[test]
fn the_report_of_an_import_fits_its_schema() {
    let rig = Rig::new();
    let login = json!({"claudeAiOauth": {"accessToken": "fake-access", "refreshToken": "fake",
        "expiresAt": 4_102_444_800_000_i64}});
    rig.write_at_home(".claude/.credentials.json", &login.to_string());
    run(&rig, "import", &["models", "auth", "import", "claude", "--copy"]);
    run(&rig, "import", &["models", "auth", "import", "claude", "--move"]);
    of_many(&rig);
}

#[test]
fn the_report_of_a_move_to_another_form_fits_its_schema() {
    let rig = Rig::signed_in();
    for to in ["sqlite", "json"] {
        for more in [&["--dry-run"][..], &[], &[]] {
            run(&rig, "convert", &[&["store", "convert", "--to", to][..], more].concat());
        }
        of_many(&rig);
    }
}

/// The rows of the table in `docs/json.md`: report, and file of its schema.
fn documented() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(docs().join("json.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let file = cells[3].split(['(', ')']).nth(1).unwrap().to_owned();
        (cells[1].trim_matches('`').to_owned(), file)
    });
    rows.collect()
}

#[test]
fn every_schema_is_documented_and_every_documented_report_has_one() {
    let files = std::fs::read_dir(docs().join("schema")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> = files.map(|file| format!("schema/{file}")).collect();
    let documented = documented();
    assert_eq!(documented.iter().map(|(_, file)| file.clone()).collect::<BTreeSet<_>>(), files);
    for (name, file) in documented {
        assert_eq!(file, format!("schema/{name}.json"));
    }
}

/// The blocks of a document in `language`, each with the heading above it.
fn blocks(document: &str, language: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(docs().join(document)).unwrap();
    let mut heading = String::new();
    let mut block: Option<String> = None;
    let mut found = Vec::new();
    for line in text.lines() {
        match &mut block {
            None if line.starts_with('#') => {
                line.trim_matches(['#', ' ', '`']).clone_into(&mut heading);
            }
            None if line == format!("```{language}") => block = Some(String::new()),
            None => {}
            Some(_) if line == "```" => {
                found.push((heading.clone(), block.take().unwrap_or_default()));
            }
            Some(text) => text.extend([line, "\n"]),
        }
    }
    found
}

#[test]
fn the_examples_of_the_documents_are_what_the_program_prints() {
    let examples = blocks("json.md", "json");
    assert!(examples.len() >= 3);
    for (heading, example) in examples {
        fits(&heading, &serde_json::from_str(&example).unwrap());
    }
    let rig = Rig::signed_in();
    for document in ["json.md", "states.md"] {
        let lines = blocks(document, "sh");
        let lines: Vec<_> = lines.iter().flat_map(|(_, text)| text.lines()).collect();
        assert!(!lines.is_empty(), "{document}");
        for line in lines {
            // The program under the name that it has there.
            let script = line.replace("openclaw-auth", env!("CARGO_BIN_EXE_openclaw-auth"));
            let program = rig.command(&[]);
            let variables = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", &script]).env_clear().envs(variables);
            let finished = shell.env("PATH", "/usr/bin:/bin").output().unwrap();
            let code = finished.status.code().unwrap();
            let is_unknown = line.contains("ada@example.com");
            assert_eq!(code, if is_unknown { 3 } else { 0 }, "{line}: {finished:?}");
            if line.contains("--json") && !is_unknown {
                assert!(serde_json::from_slice::<Value>(&finished.stdout).is_ok(), "{line}");
            }
        }
    }
}
