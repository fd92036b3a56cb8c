//! The project of an account, which is found out after the login is stored.

use crate::support::rig::{Finished, Rig, RunningLogin};
use crate::support::service::{Asked, Service};
use crate::support::user_agent::follow;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::process::Command;

const PROFILE: &str = "google-gemini-cli:ada@example.test";
const LOGIN: [&str; 6] =
    ["models", "auth", "login", "--provider", "google-gemini-cli", "--no-browser"];
const LOAD: &str = "POST /v1internal:loadCodeAssist";
const ONBOARD: &str = "POST /v1internal:onboardUser";

/// A rig whose provider is at the rig's own server, with the project at `services`.
fn rig_for(services: &[&Service]) -> Rig {
    let rig = Rig::new();
    let endpoints: Vec<&str> = services.iter().map(|service| service.url.as_str()).collect();
    let mut file = rig.server.provider_file(&rig.ports);
    file["redirect"]["path"] = "/auth/callback".into();
    file["userinfoEndpoint"] = Value::Null;
    file["identity"] = json!({"email": ["/email", "/https:~1~1api.openai.com~1profile/email"]});
    file["project"] = json!({"endpoints": endpoints, "pollSeconds": 0});
    rig.write("providers/google-gemini-cli.json", &file.to_string());
    rig
}

fn command(rig: &Rig) -> Command {
    let mut command = rig.command(&LOGIN);
    // The client that the rig's server knows.
    let client = "app_EMoamEEZ73f0CkXaXp7hrann";
    command.env("GEMINI_CLI_OAUTH_CLIENT_ID", client);
    command
}

fn login(command: Command) -> Finished {
    let login = RunningLogin::start(command);
    assert_eq!(follow(&login.url).status, 200);
    login.finish()
}

fn project(rig: &Rig) -> Value {
    rig.document()["profiles"][PROFILE]["projectId"].clone()
}

/// A service that knows nobody.
fn down() -> Service {
    Service::start(|_: &Asked| (503, json!({})))
}

#[test]
fn the_project_of_the_account_is_kept_with_the_login() {
    for answer in [json!("p-1"), json!({"id": "p-1"})] {
        let service = Service::start(move |_| {
            (200, json!({"currentTier": {"id": "x"}, "cloudaicompanionProject": answer}))
        });
        let down = down();
        let rig = rig_for(&[&down, &service]);
        let finished = login(command(&rig));
        assert!(finished.stderr.contains("project of the account is p-1"), "{}", finished.stderr);
        finished.success();
        assert_eq!(project(&rig), "p-1");
        assert_eq!(down.asked().len(), 1, "the endpoints are asked in their order");
        let asked = &service.asked()[0];
        assert_eq!(asked.line, LOAD);
        let metadata = json!({"ideType": "IDE_UNSPECIFIED", "platform": "PLATFORM_UNSPECIFIED", "pluginType": "GEMINI"});
        assert_eq!(asked.body, json!({"metadata": metadata}));
        let access = &rig.document()["profiles"][PROFILE]["access"];
        assert_eq!(asked.header("authorization"), format!("Bearer {}", access.as_str().unwrap()));
    }
}

#[test]
fn an_account_that_is_new_there_is_made_ready() {
    let mut polls = 0;
    let service = Service::start(move |asked: &Asked| {
        let answer = match asked.line.as_str() {
            LOAD => json!({"allowedTiers": [{"id": "other"}, {"id": "usual", "isDefault": true}]}),
            ONBOARD => json!({"name": "operations/o-1", "done": false}),
            _ => {
                polls += 1;
                json!({"name": "operations/o-1", "done": polls == 2,
                       "response": {"cloudaicompanionProject": {"id": "p-new"}}})
            }
        };
        (200, answer)
    });
    let rig = rig_for(&[&service]);
    login(command(&rig)).success();
    assert_eq!(project(&rig), "p-new");
    let lines: Vec<String> = service.asked().into_iter().map(|asked| asked.line).collect();
    let poll = "GET /v1internal/operations/o-1";
    assert_eq!(lines, [LOAD, ONBOARD, poll, poll]);
    assert_eq!(service.asked()[1].body["tierId"], "usual");
}

#[test]
fn a_variable_names_the_project_for_those_who_pay() {
    let service = Service::start(|asked: &Asked| match asked.line.as_str() {
        LOAD => (200, json!({"allowedTiers": [{"id": "usual", "isDefault": true}]})),
        _ => (200, json!({"done": true, "response": {}})),
    });
    let rig = rig_for(&[&service]);
    let mut named = command(&rig);
    named.env("GOOGLE_CLOUD_PROJECT_ID", "p-mine");
    login(named).success();
    assert_eq!(project(&rig), "p-mine");
    for asked in service.asked() {
        assert_eq!(asked.body["cloudaicompanionProject"], "p-mine", "{}", asked.line);
        assert_eq!(asked.body["metadata"]["duetProject"], "p-mine", "{}", asked.line);
    }
    service.answer(|asked: &Asked| match asked.line.as_str() {
        LOAD => (200, json!({})),
        _ => {
            (200, json!({"done": true, "response": {"cloudaicompanionProject": {"id": "p-free"}}}))
        }
    });
    let mut named = command(&rig);
    named.env("GOOGLE_CLOUD_PROJECT", "p-mine");
    login(named).success();
    assert_eq!(project(&rig), "p-free");
    let free = service.asked().pop().unwrap();
    assert_eq!(
        (&free.body["tierId"], &free.body["cloudaicompanionProject"]),
        (&json!("free-tier"), &Value::Null)
    );
}

#[test]
fn what_is_not_found_out_loses_no_login() {
    let perimeter = json!({"error": {"details": [{"reason": "SECURITY_POLICY_VIOLATED"}]}});
    for (status, body, reason) in [
        (403, json!({"error": {"message": "no\u{1b}[2J way"}}), "403 Forbidden: no[2J way"),
        (500, json!({}), "500"),
        (403, perimeter, "no project of its own"),
        (200, json!({"currentTier": {"id": "x"}}), "no project of its own"),
        (200, json!({"name": "../elsewhere"}), "no operation"),
    ] {
        let service = Service::start(move |_| (status, body.clone()));
        let rig = rig_for(&[&service]);
        let finished = login(command(&rig));
        assert!(finished.stderr.contains(reason), "{reason}: {}", finished.stderr);
        assert!(finished.stderr.contains("set GOOGLE_CLOUD_PROJECT to"), "{}", finished.stderr);
        assert!(!finished.stderr.contains('\u{1b}'), "{}", finished.stderr);
        finished.success();
        assert_eq!(project(&rig), Value::Null);
        let token = ["models", "auth", "token", "--provider", "google-gemini-cli"];
        rig.run(&token).success();
        let mut named = command(&rig);
        named.env("GOOGLE_CLOUD_PROJECT", "p-mine");
        login(named).success();
        assert_eq!(project(&rig), "p-mine", "{reason}");
    }
}

#[test]
fn waiting_for_the_project_can_be_interrupted_and_the_login_stays() {
    let (sender, asked) = std::sync::mpsc::channel();
    let service = Service::start(move |it: &Asked| {
        if it.line.starts_with("GET") {
            // Nobody listens any more once the test is over.
            let _ = sender.send(());
        }
        (200, json!({"name": "operations/o-1", "done": false}))
    });
    let rig = rig_for(&[&service]);
    let login = RunningLogin::start(command(&rig));
    assert_eq!(follow(&login.url).status, 200);
    asked.recv().unwrap();
    login.signal(Signal::TERM);
    let finished = login.finish();
    assert_eq!(finished.code, 130);
    assert!(finished.stderr.contains("the login is stored as"), "{}", finished.stderr);
    assert!(rig.document()["profiles"][PROFILE]["refresh"].is_string());
}
