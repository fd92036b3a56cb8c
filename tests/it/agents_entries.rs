//! Agents that are listed by their ids, as OpenClaw 2026.8 and later list them.

use crate::support::database::{make_own, make_shared};
use crate::support::rig::Rig;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn config(rig: &Rig) -> Value {
    serde_json::from_str(&rig.read("openclaw.json")).unwrap()
}

const TWO: &str = r#"{
  // people
  "agents": {
    "ownership": "explicit",
    "defaults": {"systemAgent": {"agentId": "work"}, "model": "p/all"},
    "entries": {
      "main": {},
      "work": {"name": "Work", "model": "p/own", "agentDir": "~/elsewhere"} // mine
    }
  }
}
"#;

#[test]
fn they_are_listed_and_the_system_agent_is_the_default() {
    let rig = Rig::new();
    rig.write("openclaw.json", TWO);
    let listed = rig.run(&["agents", "list", "--json"]).json();
    let row = |at: usize, name: &str| listed[at][name].clone();
    assert_eq!((row(0, "id"), row(0, "isDefault")), (json!("main"), json!(false)));
    assert_eq!((row(1, "id"), row(1, "isDefault")), (json!("work"), json!(true)));
    assert_eq!((row(1, "name"), row(1, "model")), (json!("Work"), json!("p/own")));
    assert_eq!(row(1, "agentDir"), json!(rig.home().join("elsewhere")));
    // Its own database is where the configuration puts it.
    make_shared(&rig.state_dir());
    make_own(&rig.home().join("elsewhere"), "work");
    let paste = ["models", "auth", "paste-api-key", "--provider", "p", "--agent", "work"];
    rig.run_with_input(&paste, "fake-key-fake-key\n").success();
    let token = ["models", "auth", "token", "--profile", "p:manual", "--agent", "work"];
    assert_eq!(rig.run(&token).success(), "fake-key-fake-key");
    let of_main = ["models", "auth", "token", "--profile", "p:manual", "--agent", "main"];
    rig.run(&of_main).failure(3);
}

#[test]
fn an_agent_comes_and_goes_and_the_rest_stays() {
    let rig = Rig::new();
    rig.write("openclaw.json", TWO);
    let workspace = rig.path("ws/third");
    let add = ["agents", "add", "third", "--workspace", workspace.to_str().unwrap()];
    rig.run(&add).success();
    let after = config_with_comments(&rig);
    assert_eq!(after["agents"]["entries"]["third"]["name"], "third", "{after}");
    assert!(
        after["agents"].get("list").is_none()
            && after["agents"]["entries"]["third"].get("id").is_none()
    );
    rig.run(&["agents", "set-identity", "--agent", "third", "--name", "Three"]).success();
    assert_eq!(
        config_with_comments(&rig)["agents"]["entries"]["third"]["identity"]["name"],
        "Three"
    );
    rig.run(&["agents", "bind", "--agent", "third", "--bind", "irc"]).success();
    rig.run(&["agents", "delete", "third", "--force"]).success();
    let text = rig.read("openclaw.json");
    assert!(text.contains("// people") && text.contains("// mine"), "{text}");
    assert!(!text.contains("third"), "{text}");
}

/// The configuration, which has comments.
fn config_with_comments(rig: &Rig) -> Value {
    let text = rig.read("openclaw.json");
    let lines = text.lines().map(|line| line.split(" // ").next().unwrap());
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap()
}

#[test]
fn the_first_one_beside_main_is_listed_as_the_openclaw_of_the_logins_lists_it() {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    let workspace = rig.path("ws/work");
    let add = ["agents", "add", "Work Bot", "--workspace", workspace.to_str().unwrap()];
    rig.run(&add).success();
    assert_eq!(
        config(&rig),
        json!({"agents": {
            "entries": {
                "main": {},
                "work-bot": {"name": "Work Bot", "workspace": workspace,
                    "agentDir": rig.path("agents/work-bot/agent")},
            },
            "ownership": "explicit",
            "defaults": {"systemAgent": {"agentId": "main"}},
        }})
    );
    rig.run(&["agents", "add", "work-bot", "--workspace", workspace.to_str().unwrap()]).failure(1);
}

#[test]
fn values_of_the_wrong_form_are_named() {
    let rig = Rig::new();
    for (text, place) in [
        (r#"{"agents":{"entries":[]}}"#, "agents.entries"),
        (r#"{"agents":{"entries":{"a":5}}}"#, "agents.entries.a"),
        (r#"{"agents":{"entries":{"a":{"model":5}}}}"#, "agents.entries.a.model"),
    ] {
        rig.write("openclaw.json", text);
        let stderr = rig.run(&["agents", "list"]).failure(6);
        assert!(stderr.contains(place), "{stderr}");
    }
}

/// When this process was started, in ticks since the system was.
fn start_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    ticks.parse().unwrap()
}

#[test]
fn the_lock_that_openclaw_takes_for_the_configuration_is_waited_for() {
    let rig = Rig::new();
    rig.write("openclaw.json", TWO);
    let pid = std::process::id();
    // As OpenClaw 2026.9 writes it: what follows the JSON names who holds it.
    let body = json!({"pid": pid, "createdAt": "2026-11-28T00:00:00.000Z",
        "starttime": start_time()});
    let body = serde_json::to_string_pretty(&body).unwrap() + "\n\t\t\t\t\t\t\t\t \t \t\n";
    rig.write("openclaw.json.lock", &body);
    let workspace = rig.path("ws/w");
    let running = rig.start(&["agents", "add", "w", "--workspace", workspace.to_str().unwrap()]);
    let started = Instant::now();
    std::thread::sleep(Duration::from_millis(700));
    assert!(!rig.read("openclaw.json").contains("\"w\""), "it is not changed meanwhile");
    assert_eq!(rig.read("openclaw.json.lock"), body);
    std::fs::remove_file(rig.path("openclaw.json.lock")).unwrap();
    running.finish().success();
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(
        rig.read("openclaw.json").contains("\"w\"") && !rig.path("openclaw.json.lock").exists()
    );
}
