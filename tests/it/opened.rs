//! What is opened and started for the user, as a test in this process sees it.

use crate::support::rig::{PROFILE, Rig};
use crate::support::user_agent::{Visit, follow};
use openclaw_auth::system::browser::Opening;
use serde_json::json;
use std::io;
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

const LOGIN: [&str; 5] = ["models", "auth", "login", "--provider", "openai-codex"];

/// A browser that visits what it opens, and the end of each visit.
fn visiting() -> (impl Fn(&url::Url) -> Opening + Send + Sync, std::sync::mpsc::Receiver<Visit>) {
    let (visited, visits) = channel();
    let open = move |url: &url::Url| {
        let (url, visited) = (url.to_string(), visited.clone());
        // The page is answered when the login is over.
        std::thread::spawn(move || visited.send(follow(&url)));
        Opening::Started
    };
    (open, visits)
}

#[test]
fn a_login_opens_its_authorization_request_and_ends_by_the_redirect() {
    let rig = Rig::new();
    let (open, visits) = visiting();
    let finished = rig.here(&LOGIN).env("BROWSER", "lynx").browser(open).run();
    assert!(finished.stderr.contains(rig.server.url()), "{}", finished.stderr);
    finished.success();
    assert_eq!(visits.recv().unwrap().status, 200);
    assert_eq!(visits.try_iter().count(), 0, "nothing else is opened");
    assert!(rig.document()["profiles"][PROFILE].is_object());
}

#[test]
fn no_browser_is_opened_where_the_user_wants_none_or_sits_elsewhere() {
    let rig = Rig::new();
    let (here, elsewhere) = (("BROWSER", "lynx"), ("SSH_TTY", "/dev/pts/1"));
    for (more, (name, value)) in [
        (&["--no-browser"][..], here),
        (&["--method", "paste"], here),
        // It would not reach the user.
        (&[], elsewhere),
    ] {
        let opened = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&opened);
        let browser = move |url: &url::Url| {
            seen.lock().unwrap().push(url.to_string());
            Opening::Started
        };
        let args = [&LOGIN[..], &["--timeout", "3s"], more].concat();
        let login = rig.here(&args).env(name, value).browser(browser);
        let finished = rig.run_quickly(login);
        assert_ne!(finished.code, 0, "{finished:?}");
        assert!(opened.lock().unwrap().is_empty(), "{more:?}");
    }
}

#[test]
fn a_browser_that_cannot_be_started_is_named_and_the_login_goes_on() {
    let rig = Rig::new();
    let refuses = |_: &url::Url| Opening::Failed("lynx: no such file".to_owned());
    let args = [&LOGIN[..], &["--timeout", "3s"]].concat();
    let login = rig.here(&args).env("BROWSER", "lynx").browser(refuses);
    let stderr = rig.run_quickly(login).failure(1);
    assert!(stderr.contains("lynx: no such file"), "{stderr}");
}

#[test]
fn the_command_behind_a_secret_is_started_as_the_configuration_says() {
    let rig = Rig::new();
    // It stands where the configuration says and nothing runs it.
    rig.write("vault", "");
    std::fs::set_permissions(
        rig.path("vault"),
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )
    .unwrap();
    let provider = json!({"source": "exec", "command": rig.path("vault"), "args": ["read"]});
    rig.write("openclaw.json", &json!({"secrets": {"providers": {"x": provider}}}).to_string());
    let entry = json!({"type": "api_key", "provider": "p",
        "keyRef": {"source": "exec", "provider": "x", "id": "a/b"}});
    rig.write(
        "agents/main/agent/auth-profiles.json",
        &json!({"version": 1, "profiles": {"p:1": entry}}).to_string(),
    );
    let started = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&started);
    let token = ["models", "auth", "token", "--provider", "p"];
    let finished = rig.here(&token).programs(move |command| {
        seen.lock().unwrap().push(format!("{command:?}"));
        let mut other = Command::new("/bin/echo");
        other.arg(r#"{"protocolVersion":1,"values":{"a/b":"fake-key"}}"#);
        Ok(other)
    });
    assert_eq!(finished.run().success(), "fake-key");
    let started = started.lock().unwrap().join("\n");
    assert!(started.contains("vault\" \"read\""), "{started}");
    let broken = rig.here(&token).programs(|_| Err(io::ErrorKind::PermissionDenied.into()));
    let stderr = broken.run().failure(1);
    assert!(stderr.contains("could not be run: permission denied"), "{stderr}");
}
