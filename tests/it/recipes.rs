//! Every command in `docs/ci-and-containers.md`, `docs/several-accounts.md` and
//! `docs/troubleshooting.md` runs as it is printed.

use crate::support::rig::{Finished, PROFILE, Rig, RunningLogin, store};
use serde_json::json;
use std::process::Command;

const CI: &str = include_str!("../../docs/ci-and-containers.md");
const TROUBLE: &str = include_str!("../../docs/troubleshooting.md");
const ACCOUNTS: &str = include_str!("../../docs/several-accounts.md");

/// The blocks for a shell in a page.
fn blocks(page: &str) -> Vec<&str> {
    let after = page.split("```sh\n").skip(1);
    after.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A shell of the rig, in which the program has its name and `ssh` runs its command in the other
/// state directory of the home.
fn shell(rig: &Rig, text: &str) -> Command {
    let tools = rig.home().join("bin");
    if !tools.exists() {
        std::fs::create_dir(&tools).unwrap();
        let program = env!("CARGO_BIN_EXE_openclaw-auth");
        std::os::unix::fs::symlink(program, tools.join("openclaw-auth")).unwrap();
        let ssh = "#!/bin/sh\nshift\nOPENCLAW_STATE_DIR=\"$HOME/other\" exec \"$@\"\n";
        std::fs::write(tools.join("ssh"), ssh).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(tools.join("ssh"), mode).unwrap();
    }
    let program = rig.command(&[]);
    let variables = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut shell = Command::new("sh");
    shell.args(["-ec", text]).current_dir(rig.home()).env_clear().envs(variables);
    shell.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", tools.display()));
    shell
}

#[track_caller]
fn run(rig: &Rig, text: &str) -> String {
    let finished: Finished = shell(rig, text).output().unwrap().into();
    assert_eq!(finished.code, 0, "{text}: {finished:?}");
    finished.stdout
}

/// The block that begins so, which is taken out of those that are left.
#[track_caller]
fn take<'b>(blocks: &mut Vec<&'b str>, beginning: &str) -> &'b str {
    let at = blocks.iter().position(|block| block.starts_with(beginning));
    blocks.remove(at.unwrap_or_else(|| panic!("no block begins with {beginning}")))
}

#[test]
fn the_recipes_for_ci_and_containers_run() {
    let mut left = blocks(CI);
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    run(&rig, take(&mut left, "openclaw-auth move chatgpt --access-only"));
    let job = take(&mut left, "openclaw-auth import - < token.json");
    let token = run(&rig, &format!("export OPENCLAW_STATE_DIR=\"$HOME/job\"; {job}"));
    assert_eq!(token.lines().last(), Some(&*rig.run(&["token", "chatgpt"]).success()));

    // Another machine.
    let page = rig.home().join("other/providers");
    std::fs::create_dir_all(&page).unwrap();
    let provider = rig.read("providers/openai-codex.json");
    rig.write_at_home("other/providers/openai-codex.json", &provider);
    run(&rig, "chmod -R go= other");
    run(&rig, take(&mut left, "openclaw-auth move chatgpt --to - | ssh"));
    assert_eq!(rig.document()["profiles"], json!({}));
    let back = "OPENCLAW_STATE_DIR=\"$HOME/other\" openclaw-auth move chatgpt --to - | openclaw-auth import -";
    run(&rig, back);
    run(&rig, take(&mut left, "openclaw-auth move chatgpt --to login.json"));
    assert!(rig.document()["profiles"][PROFILE].is_object());

    let device = take(&mut left, "openclaw-auth login chatgpt --method device");
    let mut device = shell(&rig, &format!("{} --timeout 1s", device.trim_end()));
    let device: Finished = device.output().unwrap().into();
    // The server of the rig has no device flow; `device` signs in by it.
    assert!(device.stderr.contains("OpenAI Codex"), "{device:?}");
    let steps = take(&mut left, "openclaw-auth login start");
    let (start, finish) = steps.split_once('\n').unwrap();
    let started: serde_json::Value = serde_json::from_str(&run(&rig, start)).unwrap();
    let url = started["url"].as_str().unwrap();
    let redirect = crate::support::user_agent::authorize(url);
    run(&rig, &format!("REDIRECT_URL='{redirect}'; {finish}"));

    let chown = take(&mut left, "chown -R");
    run(&rig, &chown.replace("1000", "\"$(id -u)\""));
    run(&rig, take(&mut left, "if token="));
    assert!(rig.read_at_home("header.txt").unwrap().starts_with("Authorization: Bearer "));
    run(&rig, take(&mut left, "openclaw-auth token chatgpt --json"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_recipes_for_several_accounts_run() {
    let mut left = blocks(ACCOUNTS);
    let rig = Rig::new();
    let first = take(&mut left, "openclaw-auth login chatgpt");
    let (login, list) = first.split_once('\n').unwrap();
    let login = RunningLogin::start(shell(&rig, login));
    assert_eq!(login.visit().status, 200);
    login.finish().success();
    assert!(run(&rig, list).contains(PROFILE));
    rig.edit("main", |document| {
        document["profiles"]["openai-codex:bob@example.test"] = json!({
            "type": "oauth", "provider": "openai-codex", "access": "fake-bob",
            "refresh": "fake-refresh", "expires": 4_102_444_800_000_i64, "email": "bob@example.test"
        });
    });
    let tokens = run(&rig, take(&mut left, "openclaw-auth token ada@example.test"));
    let lines: Vec<&str> = tokens.lines().collect();
    assert_eq!((lines[0], lines[3]), (lines[1], "fake-bob"), "{tokens}");
    let tokens = run(&rig, take(&mut left, "openclaw-auth rename bob@example.test"));
    assert_eq!(tokens.lines().last(), Some("fake-bob"));
    rig.run(&["rename", "openai-codex:work", "openai-codex:bob@example.test"]).success();
    let tokens = run(&rig, take(&mut left, "openclaw-auth --profile work list"));
    assert_eq!(tokens.lines().last(), Some("fake-bob"));
    let moved = run(&rig, take(&mut left, "openclaw-auth agents add research"));
    assert_eq!(moved.lines().last(), Some("fake-bob"));
    assert!(rig.read(&store("research")).contains("fake-bob"));
    run(&rig, take(&mut left, "openclaw-auth prune"));
    assert_eq!(rig.document()["profiles"], json!({}));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_recipes_for_troubleshooting_run_and_every_step_is_documented() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    for block in blocks(TROUBLE) {
        run(&rig, block);
    }
    let log = rig.read_at_home("openclaw-auth.log").unwrap();
    assert!(log.contains("begin command=\"token\"") && rig.home().join("report.json").exists());
    rig.expire(PROFILE);
    let traced: Finished = rig.command(&["-vv", "token", "chatgpt"]).output().unwrap().into();
    let lines = traced.stderr.lines().map(|line| line.split_once("ms ").unwrap().1);
    let steps: Vec<&str> = lines.map(|line| line.split(' ').next().unwrap()).collect();
    assert!(steps.len() > 8, "{steps:?}");
    let rows: Vec<_> = TROUBLE.lines().filter(|line| line.starts_with("| `")).collect();
    for step in steps {
        assert!(rows.iter().any(|row| row.contains(&format!("`{step}`"))), "{step}");
    }
}
