//! Two logins that want the same port.

use crate::support::rig::{PROFILE, Rig};
use crate::support::user_agent::{authorize, follow};
use std::net::TcpListener;
use std::time::Duration;

/// A rig whose provider has one redirect port.
fn with_one_port() -> Rig {
    let mut rig = Rig::new();
    rig.ports.truncate(1);
    rig.write("providers/openai-codex.json", &rig.server.provider_file(&rig.ports).to_string());
    rig
}

#[test]
fn logins_coexist_while_there_is_a_port_for_each() {
    let rig = Rig::new();
    let first = rig.start_login(&["--json"]);
    let second = rig.start_login(&["--json"]);
    let seen = second.seen();
    assert!(seen.contains("port") && seen.contains("is taken by another login (pid "), "{seen}");
    assert_eq!(second.visit().status, 200);
    assert_eq!(second.finish().json()["profileId"], PROFILE);
    assert_eq!(first.visit().status, 200);
    assert_eq!(first.finish().json()["renewed"], true);
}

#[test]
fn with_every_port_taken_a_later_login_takes_over_from_one_that_waits() {
    let rig = Rig::new();
    let first = rig.start_login(&["--json"]);
    let second = rig.start_login(&["--json"]);
    let third = rig.start_login(&["--json"]);
    let seen = third.seen();
    assert!(
        seen.contains(&format!("took port {} over from an earlier login", rig.ports[0])),
        "{seen}"
    );
    assert!(third.url.contains(&format!("localhost%3A{}", rig.ports[0])), "{}", third.url);
    let ended = first.finish();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("took over the port"), "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing was stored"), "{}", ended.stderr);
    assert!(ended.stdout.contains(r#""event":"error""#), "{}", ended.stdout);
    assert!(!rig.path("agents").exists(), "nothing was stored");
    assert_eq!(third.visit().status, 200);
    third.finish().success();
    assert_eq!(second.visit().status, 200, "the other port was left alone");
    second.finish().success();
    assert_eq!(std::fs::read_dir(rig.path("locks/login")).unwrap().count(), 0);
}

#[test]
fn a_login_that_has_its_response_is_not_interrupted() {
    let rig = with_one_port();
    let hold = rig.server.hold_token_responses();
    let first = rig.start_login(&["--json"]);
    let redirect = authorize(&first.url);
    let visitor = std::thread::spawn(move || follow(&redirect));
    assert!(hold.wait_until_held(1, Duration::from_mins(1)));
    let later = std::thread::scope(|scope| {
        let later = scope.spawn(|| rig.start_login(&[]));
        // It asks for the port while the first waits for the server.
        let asks = |name: &str| name.ends_with(".next.lock");
        let directory = rig.path("locks/login");
        while !std::fs::read_dir(&directory)
            .unwrap()
            .flatten()
            .any(|entry| asks(&entry.file_name().to_string_lossy()))
        {
            std::thread::yield_now();
        }
        hold.release();
        later.join().unwrap()
    });
    assert!(visitor.join().unwrap().body.contains("You are signed in"));
    assert_eq!(first.finish().json()["profileId"], PROFILE);
    assert!(later.seen().contains("over from an earlier login"), "{}", later.seen());
    assert_eq!(later.visit().status, 200);
    later.finish().success();
}

#[test]
fn a_port_of_another_program_is_left_to_it() {
    let rig = with_one_port();
    let _taken = TcpListener::bind(("127.0.0.1", rig.ports[0])).unwrap();
    let mut login = rig.start_login(&[]);
    assert!(login.seen().contains(&format!("pid {}", std::process::id())), "{}", login.seen());
    let redirect = authorize(&login.url);
    login.paste(&redirect);
    login.finish().success();
}

#[test]
fn a_login_that_does_not_answer_keeps_its_port_and_pasting_remains() {
    let rig = with_one_port();
    let mut first = rig.start_login_process(&[]);
    first.wait_for("paste its address");
    first.signal(rustix::process::Signal::STOP);
    let mut second = rig.start_login_process(&[]);
    let seen = second.seen();
    assert!(seen.contains("waiting for an earlier login to give up its port"), "{seen}");
    assert!(seen.contains("is taken by another login (pid "), "{seen}");
    let redirect = authorize(&second.url);
    second.paste(&redirect);
    second.finish().success();
    first.signal(rustix::process::Signal::CONT);
    assert_eq!(first.visit().status, 200, "the request for its port is gone");
    first.finish().success();
}

#[test]
fn a_killed_login_is_no_obstacle() {
    let rig = with_one_port();
    let first = rig.start_login_process(&[]);
    first.signal(rustix::process::Signal::KILL);
    drop(first);
    let second = rig.start_login_process(&[]);
    assert_eq!(second.visit().status, 200);
    second.finish().success();
}
