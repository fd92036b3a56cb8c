//! The questions of `agents add` and `agents delete` on a terminal

use openclaw_auth::cli;
use openclaw_auth::system::{Environment, Streams};
use std::ffi::OsString;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Runs the program in `base` on a terminal at which `typed` is typed; the exit code,
/// standard output and standard error.
fn run(base: &Path, args: &[&str], typed: &str) -> (u8, String, String) {
    let (stdout, stderr) = (Screen::default(), Screen::default());
    let mut streams = Streams {
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        stdin: Some(Box::new(Cursor::new(typed.to_owned()))),
        stdin_is_terminal: true,
        stdout_is_terminal: true,
        stderr_is_terminal: true,
    };
    let environment = Environment::of([("HOME", base.to_str().unwrap())]);
    let args = ["openclaw-auth", "agents"].iter().chain(args).map(OsString::from);
    let status = cli::run(args, environment, &mut streams, base);
    (status.code(), stdout.text(), stderr.text())
}

fn config(base: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(base.join(".openclaw/openclaw.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn a_terminal_is_asked_for_what_is_missing() {
    let base = tempfile::tempdir().unwrap();
    let typed = "main\n\nMy Bot\nplace\nopenai-codex/gpt-5.5\n";
    let (code, stdout, stderr) = run(base.path(), &["add", "--json"], typed);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("reserved") && stderr.contains("workspace-my-bot"), "{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["workspace"], base.path().join("place").to_str().unwrap());
    let entry = &config(base.path()).unwrap()["agents"]["list"][1];
    assert_eq!((&entry["id"], &entry["model"]), (&"my-bot".into(), &"openai-codex/gpt-5.5".into()));
    let (code, _, _) = run(base.path(), &["add", "second"], "\n\n");
    assert_eq!(code, 0);
    let entry = &config(base.path()).unwrap()["agents"]["list"][2];
    assert_eq!(
        entry["workspace"],
        base.path().join(".openclaw/workspace-second").to_str().unwrap()
    );
    assert_eq!(entry.get("model"), None);
}

#[test]
fn the_end_of_input_changes_nothing() {
    let base = tempfile::tempdir().unwrap();
    for (args, typed) in [(&["add"][..], ""), (&["add"], "bot\n"), (&["add", "bot"], "/tmp/x\n")] {
        let (code, stdout, stderr) = run(base.path(), args, typed);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains("no answer"), "{stderr}");
    }
    let (code, _, stderr) = run(base.path(), &["add", "Main"], "x\ny\n");
    assert_eq!(code, 1, "{stderr}");
    assert!(!base.path().join(".openclaw").exists());
}

#[test]
fn with_options_nothing_is_asked() {
    let base = tempfile::tempdir().unwrap();
    let (code, _, stderr) = run(base.path(), &["add", "a", "--model", "m"], "x\ny\n");
    assert_eq!(code, 1);
    assert!(stderr.contains("--workspace"), "{stderr}");
    let (code, _, _) = run(base.path(), &["add", "a", "--workspace", "w"], "");
    assert_eq!(code, 0);
}

#[test]
fn only_a_yes_deletes() {
    let base = tempfile::tempdir().unwrap();
    run(base.path(), &["add", "bot"], "\n\n");
    for (typed, code, is_kept) in
        [("\n", 0, true), ("n\n", 0, true), ("", 1, true), ("YES\n", 0, false)]
    {
        let (ended, stdout, stderr) = run(base.path(), &["delete", "bot"], typed);
        assert_eq!(ended, code, "{typed:?}: {stderr}");
        assert_eq!(stdout.is_empty(), is_kept, "{typed:?}");
        assert_eq!(base.path().join(".openclaw/workspace-bot").exists(), is_kept, "{typed:?}");
    }
    assert_eq!(config(base.path()).unwrap()["agents"]["list"].as_array().unwrap().len(), 1);
}
