//! A gateway of OpenClaw is told of what was done to a login, and of nothing else; and a login
//! that every agent has goes only when that is asked for.

use crate::support::database::{Row, Text, make_own, make_shared};
use crate::support::rig::Rig;
use openclaw_auth::system::{now, process};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const PASTE: [&str; 5] = ["models", "auth", "paste-api-key", "--provider", "p"];

fn row(rig: &Rig, agent: &str) -> Text {
    let directory = rig.path("agents").join(agent).join("agent");
    Text::of(&rig.state_dir(), &directory, agent, Row::Store)
}

fn put(rig: &Rig, agent: &str, profiles: &Value) {
    let text = json!({"version": 1, "profiles": profiles}).to_string();
    assert!(row(rig, agent).write(&text));
}

fn ids(rig: &Rig, agent: &str) -> Vec<String> {
    let text = row(rig, agent).read().unwrap_or_else(|| "{}".into());
    let document: Value = serde_json::from_str(&text).unwrap();
    document["profiles"].as_object().into_iter().flat_map(|it| it.keys().cloned()).collect()
}

fn key(key: &str) -> Value {
    json!({"type": "api_key", "provider": "p", "key": key})
}

/// A state directory beside which a gateway runs as process `pid`.
fn beside_gateway(pid: u32) -> Rig {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    put(&rig, "main", &json!({"p:1": key("fake-1")}));
    let owner = json!({"owner": {"pid": pid, "host": process::host_name(), "startedAt": process::start_ticks(pid)}});
    row(&rig, "main").run(&format!(
        "CREATE TABLE state_leases (scope TEXT, lease_key TEXT, owner TEXT, expires_at INTEGER,
           payload_json TEXT);
         INSERT INTO state_leases VALUES ('gateway-owner', 'global', 'x', {}, '{owner}')",
        now() + 300_000
    ));
    rig
}

/// Puts a program named `openclaw` on a path of its own, which notes how it is called and does
/// `then`; the path.
fn openclaw(rig: &Rig, then: &str) -> String {
    let bin = rig.home().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let called = rig.home().join("called");
    let script = format!("#!/bin/sh\n(echo \"$@\"; env) >> '{}'\n{then}\n", called.display());
    let program = bin.join("openclaw");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", bin.display())
}

fn called(rig: &Rig) -> String {
    std::fs::read_to_string(rig.home().join("called")).unwrap_or_default()
}

const REFRESHED: &str = r#"echo '{"ok":true,"refreshed":true}'"#;

/// Runs the program with that path; what it says.
fn run(rig: &Rig, path: &str, args: &[&str], input: &str) -> String {
    rig.write_at_home("input", input);
    let input = std::fs::File::open(rig.home().join("input")).unwrap();
    let mut command = rig.command(args);
    command.env("PATH", path).env("FAKE_API_KEY", "fake-secret").env("NODE_OPTIONS", "--fake");
    let output = command.stdin(input).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_gateway_that_runs_is_told_of_a_paste_and_of_a_logout() {
    let rig = beside_gateway(std::process::id());
    let path = openclaw(&rig, REFRESHED);
    let said = run(&rig, &path, &PASTE, "fake-key-fake-key\n");
    assert!(!said.contains("gateway"), "{said}");
    let told = called(&rig);
    let line = "gateway call models.authRefresh --params {\"operation\":\"update\"} --json";
    assert_eq!(told.lines().next(), Some(line));
    assert!(told.contains(&format!("OPENCLAW_STATE_DIR={}", rig.state_dir().display())));
    assert!(!told.contains("FAKE_API_KEY") && !told.contains("NODE_OPTIONS"), "{told}");
    make_own(&rig.path("agents/work/agent"), "work");
    put(&rig, "work", &json!({"p:2": key("fake-2")}));
    run(&rig, &path, &["models", "auth", "logout", "p:2", "--agent", "work"], "");
    let params = r#"{"operation":"logout","agentId":"work"}"#;
    assert!(called(&rig).contains(params), "{}", called(&rig));
    assert_eq!(called(&rig).matches("gateway call").count(), 2);
}

#[test]
fn a_gateway_is_not_called_where_none_runs_or_nothing_was_done() {
    let rig = beside_gateway(4_100_000);
    let path = openclaw(&rig, REFRESHED);
    assert!(!run(&rig, &path, &PASTE, "fake-key-fake-key\n").contains("gateway"));
    let rig = beside_gateway(std::process::id());
    let path = openclaw(&rig, REFRESHED);
    run(&rig, &path, &["models", "auth", "list"], "");
    run(&rig, &path, &["models", "auth", "token", "--profile", "p:1"], "");
    // To bring back what was there before is none of the four.
    run(&rig, &path, &["models", "auth", "logout", "p:1"], "");
    std::fs::remove_file(rig.home().join("called")).unwrap();
    let said = run(&rig, &path, &["doctor", "--restore", "latest"], "");
    assert!(said.contains("openclaw gateway call models.authRefresh"), "{said}");
    assert_eq!(called(&rig), "");
}

#[test]
fn one_line_says_what_to_do_where_the_gateway_cannot_be_told() {
    let broken = ["exit 1", "echo nonsense", r#"echo '{"ok":true,"refreshed":false}'"#];
    for then in broken {
        let rig = beside_gateway(std::process::id());
        let path = openclaw(&rig, then);
        let said = run(&rig, &path, &PASTE, "fake-key-fake-key\n");
        let lines: Vec<_> = said.lines().filter(|line| line.contains("gateway")).collect();
        assert_eq!(lines.len(), 1, "{said}");
        assert!(lines[0].contains("openclaw gateway call models.authRefresh --params"), "{said}");
    }
    // One that others can change, and one that is only found from where somebody happens to be.
    let rig = beside_gateway(std::process::id());
    let path = openclaw(&rig, REFRESHED);
    let program = rig.home().join("bin/openclaw");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o777)).unwrap();
    for (number, path) in [path.as_str(), "bin:/usr/bin:/bin", "/usr/bin:/bin"].iter().enumerate() {
        let said = run(&rig, path, &PASTE, &format!("fake-key-fake-key-{number}\n"));
        assert!(said.contains("openclaw gateway call"), "{path}: {said}");
        assert_eq!(called(&rig), "", "{path}");
    }
}

#[test]
fn a_gateway_that_does_not_answer_is_not_waited_for_longer_than_ten_seconds() {
    let rig = beside_gateway(std::process::id());
    let path = openclaw(&rig, "sleep 60");
    let begun = Instant::now();
    let said = run(&rig, &path, &PASTE, "fake-key-fake-key\n");
    assert!(said.contains("openclaw gateway call"), "{said}");
    assert!((9..40).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(Duration::from_secs(1) < begun.elapsed());
}

#[test]
fn a_profile_that_every_agent_has_goes_only_when_told_so() {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    put(&rig, "main", &json!({"p:1": key("fake-1"), "p:2": key("fake-2")}));
    for agent in ["work", "play"] {
        make_own(&rig.path("agents").join(agent).join("agent"), agent);
    }
    put(&rig, "work", &json!({"p:2": key("fake-own")}));
    let logout = |id: &'static str, more: &[&'static str]| {
        rig.run(&[&["models", "auth", "logout", id, "--agent", "work"], more].concat())
    };
    let stderr = logout("p:1", &[]).failure(1);
    assert!(stderr.contains("as all agents have") && stderr.contains("--all-agents"), "{stderr}");
    assert_eq!(ids(&rig, "main"), ["p:1", "p:2"]);
    // What is its own goes, and that of `main` shows again.
    logout("p:2", &[]).success();
    assert_eq!((ids(&rig, "work").len(), ids(&rig, "main").len()), (0, 2));
    let report = logout("p:1", &["--all-agents", "--json"]).json();
    assert_eq!(report["agentIds"], json!(["main"]));
    assert_eq!(ids(&rig, "main"), ["p:2"]);
    put(&rig, "work", &json!({"p:2": key("fake-own")}));
    put(&rig, "play", &json!({"p:2": key("fake-own")}));
    logout("p:2", &["--all-agents"]).success();
    for agent in ["main", "work", "play"] {
        assert_eq!(ids(&rig, agent), Vec::<String>::new(), "{agent}");
    }
    assert!(logout("p:2", &["--all-agents"]).failure(1).contains("has no profile"));
}

#[test]
fn the_databases_of_agents_are_not_written_while_openclaw_repairs_them() {
    for (agent, expires_in, is_repaired) in
        [("work", 60_000, true), ("main", 60_000, true), ("work", -1, false), ("main", -1, false)]
    {
        let rig = Rig::new();
        make_shared(&rig.state_dir());
        put(&rig, "main", &json!({"p:1": key("fake-1")}));
        make_own(&rig.path("agents").join(agent).join("agent"), agent);
        row(&rig, "main").run(&format!(
            "CREATE TABLE state_leases (scope TEXT, lease_key TEXT, owner TEXT, expires_at INTEGER,
               payload_json TEXT);
             INSERT INTO state_leases VALUES
               ('core:agent-database-maintenance', 'global', 'x', {}, '{{}}')",
            now() + expires_in
        ));
        let all = || ["main", agent].map(|agent| ids(&rig, agent));
        let before = all();
        let paste = [&PASTE[..], &["--profile-id", "p:2", "--agent", agent]].concat();
        let pasted = rig.run_with_input(&paste, "fake-key-0123456789\n");
        if is_repaired {
            let stderr = pasted.failure(5);
            assert!(stderr.contains("maintenance"), "{stderr}");
            assert_eq!(all(), before);
        } else {
            pasted.success();
            assert_ne!(all(), before, "{agent}");
        }
    }
}
