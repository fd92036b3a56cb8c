//! Traces and the report of `doctor`: built from typed fields alone. Every secret and every name
//! that the program gets is looked for in them, in pieces and in other spellings.

use crate::support::authorization_server::{Endpoint, Fault};
use crate::support::rig::{Finished, PROFILE, Rig, RunningLogin, store};
use crate::support::schema::faults;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

/// The program, with its traces in a file of the home directory.
fn traced(rig: &Rig, args: &[&str]) -> Command {
    let mut command = rig.command(args);
    command.env("OPENCLAW_AUTH_LOG", "~/trace.log");
    command.env("MARKER_VARIABLE_NAME", "marker-value-of-a-variable");
    command
}

fn run(rig: &Rig, args: &[&str]) -> Finished {
    traced(rig, args).output().unwrap().into()
}

/// The program as a process of its own: traces go to the standard error of the process.
fn process(rig: &Rig, args: &[&str]) -> Finished {
    rig.command(args).output().unwrap().into()
}

fn log(rig: &Rig) -> String {
    rig.read_at_home("trace.log").unwrap_or_default()
}

/// Every text in a JSON value, names of members as well.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(values) => values.iter().for_each(|it| texts(it, found)),
        Value::Object(members) => {
            found.extend(members.keys().cloned());
            members.values().for_each(|it| texts(it, found));
        }
        _ => {}
    }
}

/// What the server was sent, and what the stores hold.
fn secrets(rig: &Rig) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for request in rig.server.requests() {
        for name in ["refresh_token", "code", "code_verifier", "state", "client_id", "token"] {
            found.extend(request.parameter(name).map(str::to_owned));
        }
        found.extend(request.header("authorization").map(str::to_owned));
    }
    let text = std::fs::read_to_string(rig.path(&store("main"))).unwrap_or_default();
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    for (id, entry) in document["profiles"].as_object().into_iter().flatten() {
        found.insert(id.clone());
        entry.as_object().unwrap().values().for_each(|it| texts(it, &mut found));
    }
    found
}

/// Spellings in which a text could come out.
fn spellings(text: &str) -> Vec<String> {
    let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![text.to_owned(), percent, form, hex];
    // In whichever place it begins.
    for skipped in 0..3.min(text.len()) {
        let rest = &text.as_bytes()[skipped..];
        all.extend([STANDARD.encode(rest), URL_SAFE_NO_PAD.encode(rest)]);
    }
    all
}

/// Fails where any piece of nine bytes of any of these stands in `text`.
#[track_caller]
fn assert_nothing_of(secrets: &BTreeSet<String>, text: &str) {
    const PIECE: usize = 9;
    // The ids of built-in providers may stand there.
    let text = text.replace("openai-codex", "").replace("anthropic", "");
    let pieces: HashSet<&[u8]> = text.as_bytes().windows(PIECE).collect();
    for secret in secrets.iter().filter(|it| it.len() >= PIECE) {
        for spelling in spellings(secret) {
            let found = spelling.as_bytes().windows(PIECE).find(|it| pieces.contains(it));
            let found = found.map(String::from_utf8_lossy);
            assert!(found.is_none(), "{found:?} of {secret} in:\n{text}");
        }
    }
}

/// Journeys with secrets and names of every kind; all of them.
fn journeys(rig: &Rig) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = [
        "marker-value-of-a-variable",
        "MARKER_VARIABLE_NAME",
        "marker-agent-name",
        "marker-profile-id",
        "marker-api-key-0123456789",
        "marker-error-description",
        "marker-body-of-a-page",
        "marker-provider-id",
        "marker-model-name",
        "marker-config-text",
        "marker-path-segment",
        "marker-query-value",
        "marker-claude-access",
        "marker-claude-refresh",
    ]
    .map(str::to_owned)
    .into();
    let login = RunningLogin::start(traced(rig, &["login", "chatgpt", "--json"]));
    login.visit();
    login.finish().success();
    let mut see = |rig: &Rig| all.extend(secrets(rig));
    see(rig);
    rig.write(
        "openclaw.json",
        &json!({"agents": {"defaults": {"model": "openai-codex/marker-model-name"}},
        "env": {"X": "marker-config-text"}})
        .to_string(),
    );
    run(rig, &["agents", "add", "marker-agent-name"]);
    run(rig, &["token", "chatgpt", "--force-refresh"]).success();
    see(rig);
    run(rig, &["token", "marker-profile-id"]).failure(3);
    run(rig, &["token", "--marker-profile-id"]).failure(2);
    let key = [
        "models",
        "auth",
        "paste-api-key",
        "--provider",
        "marker-provider-id",
        "--profile-id",
        "marker-profile-id",
    ];
    let mut command = traced(rig, &key);
    let input = rig.home().join("key");
    std::fs::write(&input, "marker-api-key-0123456789").unwrap();
    command.stdin(std::fs::File::open(&input).unwrap());
    assert!(command.status().unwrap().success());
    see(rig);
    run(rig, &["rename", "marker-profile-id", "marker-profile-id-2"]).success();
    for body in [
        r#"{"error": "marker-error-description", "error_description": "marker-error-description"}"#,
        "<html>marker-body-of-a-page</html>",
    ] {
        for status in [400, 401, 500] {
            rig.server.inject_at(
                Endpoint::Token,
                Fault::Status { status, retry_after: None, body: body.to_owned() },
            );
            run(rig, &["token", PROFILE, "--force-refresh"]);
            // A grant that nothing is remembered of.
            rig.login(&[]).success();
            see(rig);
        }
    }
    rig.server.inject_at(
        Endpoint::Token,
        Fault::Redirect(format!("{}/marker-path-segment?a=marker-query-value", rig.server.url())),
    );
    run(rig, &["token", PROFILE, "--force-refresh"]);
    rig.login(&[]).success();
    let usage = format!("{}/marker-path-segment?x=marker-query-value", rig.server.url());
    let mut file: Value = serde_json::from_str(&rig.read("providers/openai-codex.json")).unwrap();
    file["usage"] = json!({"endpoint": usage});
    rig.write("providers/openai-codex.json", &file.to_string());
    run(rig, &["channels", "list"]);
    rig.write_at_home(
        ".claude/.credentials.json",
        &json!({"claudeAiOauth": {
        "accessToken": "marker-claude-access", "refreshToken": "marker-claude-refresh",
        "expiresAt": 4_102_444_800_000_i64}})
        .to_string(),
    );
    run(rig, &["import", "claude", "--copy"]).success();
    see(rig);
    for args in [
        &["list"][..],
        &["check", "--online"],
        &["status"],
        &["models", "auth", "refresh", "--all"],
        &["doctor"],
    ] {
        run(rig, args);
    }
    see(rig);
    run(rig, &["logout", "marker-profile-id-2"]).success();
    all
}

#[test]
fn no_piece_of_a_secret_or_a_name_is_in_a_trace_or_a_report() {
    let rig = Rig::new();
    let all = journeys(&rig);
    assert!(all.len() > 40, "{all:?}");
    let text = log(&rig);
    for step in [
        "begin command=\"token\"",
        "program version=",
        "request POST http://127.0.0.1:",
        "answer host=127.0.0.1:",
        "refresh profile=",
        "lease profile=",
        "worker ",
        "end exit=3",
        "outcome=refreshed",
        "status=500",
        "/*",
    ] {
        assert!(text.contains(step), "no {step} in:\n{text}");
    }
    assert_nothing_of(&all, &text);
    let (file, named) = (rig.home().join("report.json"), rig.home().join("named.json"));
    run(&rig, &["doctor", "--report", file.to_str().unwrap()]);
    let report = std::fs::read_to_string(file).unwrap();
    assert_nothing_of(&all, &report);
    run(&rig, &["doctor", "--report", named.to_str().unwrap(), "--names"]);
    let named = std::fs::read_to_string(named).unwrap();
    assert!(named.contains(PROFILE) && named.contains("marker-agent-name"), "{named}");
    let is_name = |text: &str| {
        ["marker-agent", "marker-profile", "marker-provider", "@", "default"]
            .iter()
            .any(|it| text.contains(it))
    };
    assert_nothing_of(&all.into_iter().filter(|it| !is_name(it)).collect(), &named);
}

#[test]
fn standard_output_is_the_same_with_traces_and_nothing_is_told_without() {
    let rig = Rig::signed_in();
    for args in [
        &["token", "chatgpt"][..],
        &["list", "--json"],
        &["status", "--plain"],
        &["channels", "list", "--json", "--no-usage"],
        &["models", "auth", "order", "get", "--json", "--provider", "openai-codex"],
        &["token", "nobody", "--json"],
        &["--version"],
        &["agents", "list"],
    ] {
        let plain = process(&rig, args);
        assert!(!plain.stderr.contains("trace: "), "{args:?}: {plain:?}");
        for verbose in [&["-v"][..], &["-vv"], &["--verbose", "-v"]] {
            let traced = process(&rig, &[args, verbose].concat());
            assert_eq!(traced.code, plain.code, "{args:?}");
            if args != ["--version"] {
                assert_eq!(traced.stdout, plain.stdout, "{args:?}");
                assert!(traced.stderr.contains(" end exit="), "{args:?}: {traced:?}");
            }
        }
        let mut command = rig.command(args);
        let off: Finished = command.env("OPENCLAW_AUTH_LOG", "0").output().unwrap().into();
        assert_eq!((off.stdout, off.stderr), (plain.stdout, plain.stderr));
    }
    let stderr = process(&rig, &["-v", "list"]).stderr;
    assert!(stderr.contains("begin command=\"list\"") && !stderr.contains("program "), "{stderr}");
    let mut command = rig.command(&["list"]);
    let all: Finished = command.env("OPENCLAW_AUTH_LOG", "2").output().unwrap().into();
    assert!(all.stderr.contains("program version="), "{all:?}");
}

#[test]
fn the_steps_of_a_refresh_are_told_in_their_order() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let stderr = process(&rig, &["-vv", "token", "chatgpt"]).stderr;
    let words = [
        "begin",
        "refresh ",
        "worker-start",
        "lease",
        "request POST",
        "answer",
        "refresh-end",
        "end exit=0",
    ];
    let mut rest = stderr.as_str();
    for word in words {
        let at = rest.find(word).unwrap_or_else(|| panic!("no {word} in {rest} of\n{stderr}"));
        rest = &rest[at + word.len()..];
    }
    assert!(stderr.lines().all(|line| line.starts_with("trace: ")), "{stderr}");
}

#[test]
fn a_log_is_private_grows_and_follows_no_link() {
    let rig = Rig::signed_in();
    run(&rig, &["list"]).success();
    let first = log(&rig);
    run(&rig, &["list"]).success();
    assert!(log(&rig).starts_with(&first) && log(&rig).len() > first.len());
    let mode = rig.home().join("trace.log").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::remove_file(rig.home().join("trace.log")).unwrap();
    symlink(rig.home().join("target"), rig.home().join("trace.log")).unwrap();
    let finished = run(&rig, &["list"]);
    assert!(
        finished.code == 0 && finished.stderr.contains("no traces are written"),
        "{finished:?}"
    );
    assert!(!rig.home().join("target").exists());
}

#[test]
fn a_report_is_new_private_and_fits_its_schema() {
    let rig = Rig::signed_in();
    rig.write(&store("broken"), "{");
    let schema =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/doctor-report.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let [file, named, link, target] =
        ["report.json", "named.json", "link.json", "target"].map(|it| rig.home().join(it));
    let plain = rig.run(&["doctor", "--json"]);
    for (file, more) in [(&file, &[][..]), (&named, &["--names"])] {
        let args = [&["doctor", "--json", "--report", file.to_str().unwrap()], more].concat();
        let finished = rig.run(&args);
        assert_eq!((finished.code, &finished.stdout), (plain.code, &plain.stdout));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let report: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let faults = faults(&schema, &report);
        assert!(faults.is_empty(), "{faults:#?}\n{report:#}");
        assert_eq!(report["agents"].as_array().unwrap().len(), 2);
        assert!(report["findings"].as_array().unwrap().iter().any(|it| it["code"] == "unreadable"));
        assert!(report["variables"].as_array().unwrap().contains(&json!("OPENCLAW_STATE_DIR")));
    }
    symlink(&target, &link).unwrap();
    for path in [&file, &link] {
        let before = std::fs::read(path).ok();
        let stderr = rig.run(&["doctor", "--report", path.to_str().unwrap()]).failure(1);
        assert!(
            stderr.contains("could not write") && stderr.contains("nothing is replaced"),
            "{stderr}"
        );
        assert_eq!(std::fs::read(path).ok(), before);
    }
    assert!(!target.exists());
    rig.run(&["doctor", "--names"]).failure(2);
    rig.run(&["doctor", "--restore", "--report", "x"]).failure(2);
}
