//! What came and cannot be stored: a login, an answer that nobody can read, a reply that waits
//! in one home directory. And a refresh token that was replaced and is brought back.

use crate::support::authorization_server::Fault;
use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, PROFILE, Rig, store};
use crate::support::user_agent::follow;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const PATIENCE: Duration = Duration::from_mins(1);
const TORN: &str = "{ somebody is editing this";

fn refreshes(rig: &Rig) -> usize {
    rig.server.token_requests("refresh_token")
}

fn kept(rig: &Rig) -> Vec<PathBuf> {
    let places = [rig.path("recovery"), rig.home().join(".openclaw-auth-recovery")];
    let files = places.iter().filter_map(|place| place.read_dir().ok()).flatten().flatten();
    files.map(|file| file.path()).collect()
}

/// What `doctor` says of what waits: the message and the next step.
fn waiting(rig: &Rig) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&rig.run(&["doctor", "--json"]).stdout).unwrap();
    let found = report["findings"].as_array().unwrap().clone().into_iter();
    let text = |found: &Value, name: &str| found[name].as_str().unwrap().to_owned();
    let found = found.filter(|found| found["code"] == "unstored");
    found.map(|found| (text(&found, "message"), text(&found, "next"))).collect()
}

/// Lets nothing be written to the spool.
fn close_spool(rig: &Rig) {
    rig.write("recovery", "");
    rig.write_at_home(".openclaw-auth-recovery", "");
}

/// A login whose store becomes unreadable once the code is spent.
fn login_to_a_torn_store(rig: &Rig, args: &[&str]) -> Finished {
    let hold = rig.server.hold_token_responses();
    let login = rig.start_login(args);
    let url = login.url.clone();
    let visitor = std::thread::spawn(move || follow(&url));
    assert!(hold.wait_until_held(1, PATIENCE));
    rig.write(&store("main"), TORN);
    hold.release();
    assert!(visitor.join().unwrap().body.contains("did not complete"));
    login.finish()
}

#[test]
fn a_login_that_cannot_be_stored_is_kept_until_it_can() {
    for args in [&[][..], &["--profile-id", "openai-codex:work"]] {
        let rig = Rig::new();
        let stderr = login_to_a_torn_store(&rig, args).failure(6);
        assert!(stderr.contains("the login is in"), "{stderr}");
        assert!(stderr.contains("models auth token --provider openai-codex"), "{stderr}");
        assert_eq!(kept(&rig).len(), 1);
        assert!(waiting(&rig)[0].0.contains("a login to openai-codex of agent `main`"));
        // While it cannot be stored, it stays.
        rig.run(&TOKEN).failure(6);
        assert_eq!(kept(&rig).len(), 1);
        std::fs::remove_file(rig.path(&store("main"))).unwrap();
        let finished = rig.run(&TOKEN);
        assert!(
            finished.stderr.contains("stored a login that an earlier command could not save, from")
        );
        let token = finished.success();
        let id = args.get(1).copied().unwrap_or(PROFILE);
        let profile = &rig.document()["profiles"][id];
        assert_eq!(profile["access"], token.as_str());
        assert!(rig.server.is_alive(profile["refresh"].as_str().unwrap()));
        assert!(rig.read("openclaw.json").contains(id));
        assert!(kept(&rig).is_empty() && waiting(&rig).is_empty());
    }
}

#[test]
fn a_login_that_was_kept_comes_before_a_later_one() {
    let rig = Rig::new();
    login_to_a_torn_store(&rig, &[]).failure(6);
    std::fs::remove_file(rig.path(&store("main"))).unwrap();
    rig.login(&[]).success();
    let newer = rig.document();
    rig.run(&TOKEN).success();
    assert_eq!(rig.document(), newer);
    assert!(kept(&rig).is_empty());
}

#[test]
fn a_login_that_can_be_kept_nowhere_is_revoked() {
    let rig = Rig::new();
    close_spool(&rig);
    let stderr = login_to_a_torn_store(&rig, &[]).failure(6);
    assert!(
        stderr.contains("could not be stored anywhere, and was revoked at the server"),
        "{stderr}"
    );
    assert!(stderr.contains("sign in again: openclaw-auth models auth login"), "{stderr}");
    assert!(rig.server.live_refresh_tokens().is_empty());
}

#[test]
fn a_store_that_became_unreadable_is_seen_before_the_code_is_spent() {
    let rig = Rig::new();
    let login = rig.start_login(&[]);
    rig.write(&store("main"), TORN);
    assert!(login.visit().body.contains("did not complete"));
    login.finish().failure(6);
    assert_eq!(rig.server.token_requests("authorization_code"), 0);
}

#[test]
fn a_refresh_token_that_comes_alone_at_a_login_is_revoked() {
    let rig = Rig::new();
    rig.server.inject(Fault::MissingField("access_token".into()));
    let login = rig.start_login(&[]);
    login.visit();
    let stderr = login.finish().failure(1);
    assert!(stderr.contains("the refresh token that came alone was revoked"), "{stderr}");
    assert!(rig.server.live_refresh_tokens().is_empty());
}

#[test]
fn an_answer_that_nobody_can_read_is_kept_as_it_came() {
    for body in ["fake-access fake-refresh in some way", "{\"data\": \"fake-new\"}", "\u{1}\u{2}"] {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        let content_type = "application/json".to_owned();
        let body = body.to_owned();
        rig.server.inject(Fault::Text { status: 200, content_type, body: body.clone() });
        let stderr = rig.run(&TOKEN).failure(4);
        let files = kept(&rig);
        assert_eq!(files.len(), 1);
        assert!(
            stderr.contains(&format!("stored as it came in {}", files[0].display())),
            "{stderr}"
        );
        assert_eq!(std::fs::read(&files[0]).unwrap(), body.as_bytes());
        let posted = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
        let hash = openclaw_auth::secret::Secret::new(posted).fingerprint().replace(':', "-");
        assert!(files[0].file_name().unwrap().to_str().unwrap().starts_with(&hash));
        let (message, next) = &waiting(&rig)[0];
        assert!(message.contains("could not be read") && next.contains("rm "), "{message} {next}");
    }
}

/// A refresh whose reply can be kept in the home directory alone. Returns the document that
/// holds the spent token.
fn keep_at_home(rig: &Rig) -> String {
    rig.expire(PROFILE);
    rig.write("recovery", "");
    let hold = rig.server.hold_token_responses();
    let refreshing =
        rig.command(&TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(hold.wait_until_held(1, PATIENCE));
    let document = rig.read(&store("main"));
    rig.write(&store("main"), TORN);
    hold.release();
    let stderr = Finished::from(refreshing.wait_with_output().unwrap()).failure(6);
    assert!(stderr.contains(".openclaw-auth-recovery"), "{stderr}");
    rig.write(&store("main"), &document);
    document
}

#[test]
fn a_reply_in_another_home_directory_is_known_from_its_note() {
    let rig = Rig::signed_in();
    keep_at_home(&rig);
    let at = kept(&rig)[0].display().to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut command = rig.command(&TOKEN);
        let stderr = command.env("HOME", elsewhere.path()).finish_here();
        let stderr = stderr.failure(6);
        assert!(stderr.contains(&at), "{stderr}");
    }
    assert_eq!(refreshes(&rig), 1);
    let mut command = rig.command(&["doctor"]);
    let told = command.env("HOME", elsewhere.path()).finish_here().stdout;
    assert!(told.contains("refreshed with another home directory"), "{told}");
    // At home, it is stored, and the note goes.
    std::fs::remove_file(rig.path("recovery")).unwrap();
    rig.run(&TOKEN).success();
    assert_eq!((refreshes(&rig), rig.server.reuse_attempts()), (1, 0));
    let locks = rig.path("locks/oauth-refresh").read_dir().unwrap().flatten();
    assert_eq!(locks.count(), 0);
    rig.expire(PROFILE);
    let mut command = rig.command(&TOKEN);
    command.env("HOME", elsewhere.path()).finish_here().success();
}

#[test]
fn a_token_that_was_replaced_is_not_posted_wherever_it_comes_back_from() {
    let put_back: [fn(&Rig, &str); 3] = [
        |rig, old| rig.write(&store("main"), old),
        |rig, old| {
            // Without any trace of the document but this one.
            let agent = rig.path("agents/main/agent");
            std::fs::remove_dir_all(&agent).unwrap();
            rig.write(&store("main"), old);
        },
        |rig, old| {
            let agent = rig.path("agents/main/agent");
            std::fs::remove_dir_all(&agent).unwrap();
            let old: Value = serde_json::from_str(old).unwrap();
            let legacy = serde_json::json!({"openai-codex": old["profiles"][PROFILE]});
            rig.write("agents/main/agent/auth.json", &legacy.to_string());
        },
    ];
    for (way, put_back) in put_back.into_iter().enumerate() {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        let old = rig.read(&store("main"));
        rig.run(&TOKEN).success();
        rig.expire(PROFILE);
        rig.run(&TOKEN).success();
        put_back(&rig, &old);
        for _ in 0..2 {
            let stderr = rig.run(&TOKEN).failure(3);
            assert!(stderr.contains("was replaced by a newer one"), "{way}: {stderr}");
            assert!(stderr.contains("hint: "), "{stderr}");
        }
        assert_eq!((refreshes(&rig), rig.server.reuse_attempts()), (2, 0), "{way}");
        rig.login(&[]).success();
        rig.run(&TOKEN).success();
    }
}

/// Runs a command under a limit of the shell (`ulimit <limit>`).
fn run_limited(rig: &Rig, limit: &str, args: &[&str]) -> Finished {
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", &format!("ulimit {limit}; exec \"$@\""), "sh"]);
    let ours = rig.command(args);
    command.arg(ours.get_program()).args(ours.get_args()).env_clear();
    command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Finished::from(command.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_limit_on_the_size_of_files_ends_a_command_in_its_own_words() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let commands: [&[&str]; 4] = [
        &TOKEN,
        &["models", "auth", "login", "start", "--provider", "openai-codex"],
        &["models", "auth", "refresh", "--all"],
        &["models", "auth", "order", "set", "--provider", "openai-codex", PROFILE],
    ];
    for args in commands {
        let finished = run_limited(&rig, "-f 0", args);
        assert!(finished.stderr.contains("File too large"), "{args:?}: {finished:?}");
        assert!(finished.stderr.contains("hint: "), "{args:?}: {finished:?}");
    }
    assert_eq!(refreshes(&rig), 0);
    rig.run(&TOKEN).success();
    assert_eq!(rig.server.reuse_attempts(), 0);
}

#[test]
fn few_descriptors_end_a_command_in_its_own_words_or_not_at_all() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let commands: [&[&str]; 4] = [
        &TOKEN,
        &["models", "auth", "list"],
        &["models", "auth", "login", "start", "--provider", "openai-codex"],
        &["models", "auth", "refresh", "--all"],
    ];
    for (limit, args) in (3..26).flat_map(|limit| commands.map(|args| (limit, args))) {
        let finished = run_limited(&rig, &format!("-n {limit}"), args);
        assert!(!finished.stderr.contains("panicked"), "{limit} {args:?}: {finished:?}");
        let refresh = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
        assert!(rig.server.is_alive(&refresh), "{limit} {args:?}: {finished:?}");
    }
    assert_eq!(rig.server.reuse_attempts(), 0);
}
