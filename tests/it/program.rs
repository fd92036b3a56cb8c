//! Programs that serve a provider: the example of the documentation, and what programs do
//! wrong.

use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig, store};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

const PROFILE: &str = "acme:default";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "acme"];
const LOGIN: [&str; 5] = ["models", "auth", "login", "--provider", "acme"];

/// Writes a program on the `PATH` of [`command`]. A shell does it, so that no child process
/// of another test holds it open for writing (ETXTBSY).
fn install(rig: &Rig, name: &str, text: &str) {
    let path = rig.home().join("bin").join(name);
    let write = "umask 022; mkdir -p \"${1%/*}\"; cat > \"$1\"; chmod 755 \"$1\"";
    let mut shell = Command::new("/bin/sh")
        .args(["-c", write, "sh"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

/// The program with the installed ones on its `PATH`.
fn command(rig: &Rig, args: &[&str]) -> Command {
    let mut command = rig.command(args);
    command.env("PATH", format!("{}:/usr/bin:/bin", rig.home().join("bin").display()));
    command
}

fn run(rig: &Rig, args: &[&str]) -> Finished {
    command(rig, args).finish_here()
}

fn run_with(rig: &Rig, args: &[&str], input: &str) -> Finished {
    command(rig, args).here().input(input).run()
}

/// The example of the documentation, and a server in the place of `curl`: it notes its
/// requests, and each refresh token is good for once.
fn documented() -> Rig {
    let text = include_str!("../../docs/providers.md");
    let example = text.split("runs this text -->\n```sh\n").nth(1).unwrap();
    let rig = Rig::new();
    install(&rig, "openclaw-auth-provider-acme", example.split("```").next().unwrap());
    let home = rig.home();
    let home = home.display();
    install(
        &rig,
        "curl",
        &format!(
            r#"#!/bin/sh
body=$(cat)
for last; do :; done
printf '%s %s\n' "$last" "$body" >> {home}/requests
env > {home}/environment
case $body in *"=$(cat {home}/next)"*) ;; *) echo '{{"error":"invalid_grant"}}'; exit ;; esac
[ ! -e {home}/down ] || exit "$(cat {home}/down)"
n=$(wc -l < {home}/requests)
echo "fake-refresh-$n" > {home}/next
echo "{{\"access_token\":\"fake-access-$n\",\"refresh_token\":\"fake-refresh-$n\",\"expires_in\": 3600}}"
"#
        ),
    );
    std::fs::write(rig.home().join("next"), "fake-code").unwrap();
    rig
}

fn requests(rig: &Rig) -> Vec<String> {
    let text = std::fs::read_to_string(rig.home().join("requests")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_documented_example_signs_in_refreshes_and_revokes() {
    let rig = documented();
    let mut login = command(&rig, &LOGIN);
    login.args(["--no-browser"]).env("OTHER_TOKEN", "fake-withheld").stdin(Stdio::piped());
    login.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut login = login.spawn().unwrap();
    login.stdin.take().unwrap().write_all(b"fake-code\n").unwrap();
    let login: Finished = login.wait_with_output().unwrap().into();
    assert!(login.stderr.contains("https://auth.acme.example/code"), "{}", login.stderr);
    assert!(login.stderr.contains("One-time code"), "{}", login.stderr);
    assert!(login.success().starts_with("Signed in to Acme\n"));
    let environment = std::fs::read_to_string(rig.home().join("environment")).unwrap();
    assert!(!environment.contains("fake-"), "{environment}");
    let entry = rig.document()["profiles"][PROFILE].clone();
    assert_eq!(
        (&entry["type"], &entry["provider"], &entry["refresh"]),
        (&json!("oauth"), &json!("acme"), &json!("fake-refresh-1"))
    );
    assert_eq!(run(&rig, &TOKEN).success(), "fake-access-1");
    rig.expire(PROFILE);
    assert_eq!(run(&rig, &TOKEN).success(), "fake-access-2");
    assert_eq!(rig.document()["profiles"][PROFILE]["refresh"], "fake-refresh-2");
    let listed = run(&rig, &["models", "auth", "list", "--json"]).json();
    assert_eq!(listed["profiles"][0]["provider"], "acme", "{listed}");
    assert_eq!(run(&rig, &["doctor"]).code, 0);
    let text = run(&rig, &["models", "auth", "logout", PROFILE]).success();
    assert!(text.contains("evoked"), "{text}");
    assert!(rig.document()["profiles"][PROFILE].is_null());
    assert_eq!(
        requests(&rig),
        [
            "https://auth.acme.example/token grant_type=one_time_code&code=fake-code",
            "https://auth.acme.example/token grant_type=refresh_token&refresh_token=fake-refresh-1",
            "https://auth.acme.example/revoke token=fake-refresh-2",
        ]
    );
}

#[test]
fn a_refused_refresh_is_remembered_and_what_cannot_be_reached_is_not() {
    let rig = documented();
    run_with(&rig, &LOGIN, "fake-code\n").success();
    rig.expire(PROFILE);
    std::fs::write(rig.home().join("down"), "7").unwrap();
    let stderr = run(&rig, &TOKEN).failure(4);
    assert!(stderr.contains("Acme was not reached"), "{stderr}");
    let asked = requests(&rig).len();
    std::fs::write(rig.home().join("down"), "28").unwrap();
    rig.let_pass(Duration::from_secs(5));
    let stderr = run(&rig, &TOKEN).failure(4);
    assert!(stderr.contains("without an answer (exit status: 1)"), "{stderr}");
    assert_eq!(requests(&rig).len(), asked + 1, "what may be spent is not repeated");
    std::fs::remove_file(rig.home().join("down")).unwrap();
    std::fs::write(rig.home().join("next"), "another").unwrap();
    rig.let_pass(Duration::from_secs(10));
    let stderr = run(&rig, &TOKEN).failure(3);
    assert!(stderr.contains("invalid_grant") && stderr.contains("is unknown"), "{stderr}");
    let asked = requests(&rig).len();
    run(&rig, &TOKEN).failure(3);
    assert_eq!(requests(&rig).len(), asked, "a refused refresh token is not sent again");
}

#[test]
fn however_many_ask_one_program_refreshes() {
    let rig = documented();
    run_with(&rig, &LOGIN, "fake-code\n").success();
    rig.expire(PROFILE);
    let start = |_| {
        let mut command = command(&rig, &TOKEN);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..8).map(start).collect();
    for child in running {
        let finished: Finished = child.wait_with_output().unwrap().into();
        assert_eq!(finished.success(), "fake-access-2");
    }
    assert_eq!(requests(&rig).len(), 2);
}

/// A program for `acme` that describes itself and answers everything else by `script`.
fn scripted(script: &str) -> Rig {
    let rig = Rig::new();
    reinstall(&rig, script);
    rig
}

fn reinstall(rig: &Rig, script: &str) {
    let describe = r#"{"event":"describe","protocolVersion":1,"label":"Acme \u001b[2J","operations":["login","refresh"]}"#;
    let text = format!(
        "#!/bin/sh\nread -r request\ncase $request in *describe*) echo '{describe}'; exit ;; esac\n{script}\n"
    );
    install(rig, "openclaw-auth-provider-acme", &text);
}

fn done(more: &str) -> String {
    format!(
        r#"echo '{{"event":"done","credential":{{"access":"fake-a","refresh":"fake-r"{more}}}}}'"#
    )
}

#[test]
fn everything_that_a_program_says_is_shown_and_told() {
    let rig = scripted(&format!(
        r#"echo 'careless' >&2
echo '{{"event":"note","text":"look \u001b[2Jhere"}}'
echo '{{"event":"later"}}'
echo '{{"event":"url","url":"https://acme.example/page"}}'
echo '{{"event":"user_code","userCode":"AB-CD","verificationUri":"https://acme.example/code","expiresIn":60}}'
echo '{{"event":"prompt","text":"Region"}}'
read -r answer
case $answer in '{{"answer":"a\"b"}}') ;; *) exit 9 ;; esac
{}
echo 'parting' >&2"#,
        done(
            r#","email":"ada@example.test","accountId":"7","expiresIn":60,"fields":{"region":"eu","type":"x"}"#
        )
    ));
    let args = [&LOGIN[..], &["--json", "--no-browser"]].concat();
    let finished = run_with(&rig, &args, "a\"b\n");
    for shown in [
        "look [2Jhere",
        "provider-acme: careless",
        "acme.example/page",
        "AB-CD",
        "Region",
        "provider-acme: parting",
    ] {
        assert!(finished.stderr.contains(shown), "{shown}: {}", finished.stderr);
    }
    assert!(!finished.stderr.contains('\u{1b}'), "{}", finished.stderr);
    let events: Vec<Value> =
        finished.success().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| events.iter().find(|event| event["event"] == name).unwrap();
    assert_eq!(named("page")["url"], "https://acme.example/page");
    for name in ["page", "user_code", "done"] {
        assert_eq!(named(name)["provider"], "acme", "the id, as everywhere");
    }
    assert_eq!(named("user_code")["userCode"], "AB-CD");
    assert_eq!(named("prompt")["text"], "Region");
    assert_eq!(named("done")["profileId"], "acme:ada@example.test");
    let entry = &rig.document()["profiles"]["acme:ada@example.test"];
    assert_eq!(
        (&entry["type"], &entry["region"], &entry["accountId"]),
        (&json!("oauth"), &json!("eu"), &json!("7"))
    );
}

#[test]
fn questions_that_are_asked_at_once_are_answered_in_their_order() {
    let rig = scripted(&format!(
        r#"echo '{{"event":"prompt","text":"User"}}'
echo '{{"event":"prompt","text":"Password","secret":true}}'
read -r user
read -r password
[ "$user $password" = '{{"answer":"ada"}} {{"answer":"fake-password"}}' ] || exit 9
{}"#,
        done("")
    ));
    let finished = run_with(&rig, &LOGIN, "ada\nfake-password\n");
    assert!(!finished.stderr.contains("fake-"), "{}", finished.stderr);
    finished.success();
}

#[test]
fn what_a_profile_keeps_comes_back_to_the_program() {
    let rig = scripted(&done(r#","expiresIn":60,"fields":{"region":"eu"}"#));
    run(&rig, &LOGIN).success();
    rig.expire(PROFILE);
    reinstall(
        &rig,
        &format!(
            "printf '%s\\n' \"$request\" > {}/request\n{}",
            rig.home().display(),
            r#"echo '{"event":"done","credential":{"access":"fake-b","fields":{"region":"us"}}}'"#
        ),
    );
    assert_eq!(run(&rig, &TOKEN).success(), "fake-b");
    let request = std::fs::read_to_string(rig.home().join("request")).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&request).unwrap(),
        json!({
            "protocolVersion": 1, "operation": "refresh", "provider": "acme",
            "credential": {"access": "fake-a", "refresh": "fake-r", "expiresAt": 1,
                           "fields": {"region": "eu"}},
        })
    );
    let entry = &rig.document()["profiles"][PROFILE];
    assert_eq!((&entry["region"], &entry["refresh"]), (&json!("us"), &json!("fake-r")));
}

#[test]
fn a_program_that_does_wrong_is_an_error_and_nothing_is_stored() {
    for (script, part) in [
        ("exit 3", "ended without an answer (exit status: 3)"),
        ("echo fake-secret", "printed a line that is not JSON"),
        ("printf '\\377\\n'", "not text"),
        ("while :; do echo; done", "printed more than 1024 KiB"),
        (r#"echo '{"event":"done"}'"#, "returned no credential"),
        (r#"echo '{"event":"done","credential":{"refresh":"fake-r"}}'"#, "lacks what it needs"),
        (r#"echo '{"event":"url","url":"file:///etc/passwd"}'"#, "neither https"),
        (r#"echo '{"event":"error","code":"access_denied","message":"no\u001b[2J"}'"#, "no[2J"),
        (r#"echo '{"event":"prompt","text":"Code"}'; read -r x"#, "nobody answered"),
    ] {
        let rig = scripted(script);
        let before = rig.tree();
        let stderr = run(&rig, &LOGIN).failure(1);
        assert!(stderr.contains(part), "{script}: {stderr}");
        assert!(!stderr.contains("fake-") && !stderr.contains('\u{1b}'), "{stderr}");
        assert_eq!(rig.tree(), before, "{script}");
    }
    let rig = scripted("exit 3");
    for args in [&["--method", "device"][..], &["--device-code"]] {
        run(&rig, &[&LOGIN[..], args].concat()).failure(2);
    }
    run(&rig, &["models", "auth", "login", "start", "--provider", "acme"]).failure(2);
}

#[test]
fn an_interrupted_login_leaves_no_program_behind() {
    let rig = scripted("echo '{\"event\":\"note\",\"text\":\"ready\"}'; sleep 600 & wait");
    // The program and its child hold the other end for as long as they run.
    let alive = rig.home().join("alive");
    rustix::fs::mkfifoat(rustix::fs::CWD, &alive, rustix::fs::Mode::RWXU).unwrap();
    reinstall(
        &rig,
        &format!(
            "exec 3>{}\necho '{{\"event\":\"url\",\"url\":\"https://acme.example/\"}}'\nsleep 600 & wait",
            alive.display()
        ),
    );
    let reader = std::thread::spawn(move || std::fs::read(alive).unwrap());
    let mut login = command(&rig, &LOGIN);
    login.arg("--no-browser");
    let login = crate::support::rig::RunningLogin::start(login);
    login.signal(Signal::TERM);
    assert_eq!(login.finish().code, 130);
    reader.join().unwrap();
}

#[test]
fn a_program_that_others_can_change_is_not_run() {
    let rig = scripted("exit 3");
    let program = rig.home().join("bin/openclaw-auth-provider-acme");
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&program, 0o777);
    let stderr = run(&rig, &LOGIN).failure(6);
    assert!(stderr.contains("open to other users") && stderr.contains("chmod"), "{stderr}");
    mode(&program, 0o755);
    mode(&rig.home().join("bin"), 0o777);
    run(&rig, &LOGIN).failure(6);
    let doctor = run(&rig, &["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("open to other users"), "{}", doctor.stdout);
}

#[test]
fn a_built_in_provider_is_never_served_by_a_program() {
    let rig = Rig::new();
    install(&rig, "openclaw-auth-provider-openai-codex", "#!/bin/sh\ntouch \"$HOME/ran\"\n");
    install(&rig, "openclaw-auth-provider-deepseek", "#!/bin/sh\ntouch \"$HOME/ran\"\n");
    run(&rig, &["models", "auth", "login", "--provider", "deepseek"]).failure(2);
    let doctor = run(&rig, &["doctor"]);
    assert!(doctor.stdout.contains("is not used"), "{}", doctor.stdout);
    assert_eq!(doctor.code, 0, "it does no harm");
    assert!(!rig.home().join("ran").exists());
}

#[test]
fn a_broken_or_missing_program_is_found_by_doctor() {
    let rig = Rig::new();
    install(&rig, "openclaw-auth-provider-acme", "#!/bin/sh\nexit 3\n");
    let doctor = run(&rig, &["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("ended without an answer"), "{}", doctor.stdout);
    std::fs::remove_file(rig.home().join("bin/openclaw-auth-provider-acme")).unwrap();
    let entry = json!({"type": "oauth", "provider": "acme", "access": "fake-a", "refresh": "fake-r", "expires": 1});
    rig.write(&store("main"), &json!({"version": 1, "profiles": {PROFILE: entry}}).to_string());
    let doctor = run(&rig, &["doctor"]);
    assert!(doctor.stdout.contains("nothing can refresh"), "{}", doctor.stdout);
    let stderr = run(&rig, &TOKEN).failure(1);
    assert!(stderr.contains("no definition of the provider `acme`"), "{stderr}");
    let text = run(&rig, &["models", "auth", "logout", PROFILE]).success();
    assert!(text.contains("no revocation endpoint"), "{text}");
}
