//! What the runners of recorded runs share: the tree that a run starts from, and the
//! program in it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use openclaw_auth::system::lock::iso;
use tempfile::TempDir;

/// Stands for the run directory in recorded texts.
const BASE: &str = "@BASE@";

/// Recorded text with the run directory filled in.
pub(crate) fn fill_base(text: &str, base: &Path) -> String {
    text.replace(BASE, base.to_str().expect("a path in UTF-8"))
}

/// Recorded text with `"@NOW±milliseconds@"` filled in by the time that many milliseconds from
/// `now`, and `@ISO±milliseconds@` by that time as a text.
pub(crate) fn fill_now(text: &str, now: i64) -> String {
    let mut filled = text.to_owned();
    for (open, close) in [("\"@NOW", "@\""), ("@ISO", "@")] {
        while let Some(start) = filled.find(open) {
            let from = start + open.len();
            let end = from + filled[from..].find(close).expect("an end");
            let at = now + filled[from..end].parse::<i64>().expect("milliseconds");
            let at = if open == "@ISO" { iso(at) } else { at.to_string() };
            filled.replace_range(start..end + close.len(), &at);
        }
    }
    filled
}

/// The files below a folder with their texts; none when there is no such folder.
pub(crate) fn files(root: &Path) -> BTreeMap<PathBuf, String> {
    fn visit(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                visit(root, &path, found);
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                let name = path.strip_prefix(root).expect("a path below the root").to_owned();
                found.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(root, root, &mut found);
    found
}

/// A fresh run directory with a copy of the folder `input`, its texts filled in by `fill`.
pub(crate) fn run_directory(input: &Path, fill: impl Fn(&str, &Path) -> String) -> TempDir {
    let run = tempfile::tempdir().expect("a temporary directory");
    for name in ["state", "home", "codex", "ws"] {
        std::fs::create_dir(run.path().join(name)).expect("a directory");
    }
    set_mode(&run.path().join("state"), 0o700);
    for (name, text) in files(input) {
        let path = run.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, fill(&text, run.path())).expect("a file");
        set_mode(&path, 0o600);
    }
    run
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

/// The program in a run directory, with an empty environment.
pub(crate) fn bare_program(base: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw-auth"));
    command
        .env_clear()
        .env("HTTPS_PROXY", super::rig::NOWHERE)
        .current_dir(base.join("ws"))
        .stdin(Stdio::null());
    command
}

/// The program in a run directory, whose folders the environment names.
pub(crate) fn program(base: &Path) -> Command {
    let mut command = bare_program(base);
    command
        .env("HOME", base.join("home"))
        .env("CODEX_HOME", base.join("codex"))
        .env("OPENCLAW_STATE_DIR", base.join("state"));
    command
}

/// `text` without the values that no two runs share: the time and spans that depend on it
/// (their sign stays), and the durations in labels.
pub(crate) fn without_volatile(text: &str) -> String {
    let mut filtered = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        filtered.push_str(&filter_line(line));
    }
    filtered
}

fn filter_line(line: &str) -> String {
    for field in ["\"remainingMs\": ", "\"updatedAt\": ", "\"lastTouchedAt\": "] {
        if let Some(at) = line.find(field) {
            let value = &line[at + field.len()..];
            let end = value.find([',', '\n']).unwrap_or(value.len());
            let sign = if value.starts_with('-') { "-" } else { "" };
            return format!("{}{sign}1{}", &line[..at + field.len()], &value[end..]);
        }
    }
    let mut line = line.to_owned();
    for open in ["[cooldown ", "[disabled"] {
        let Some(start) = line.find(open) else { continue };
        let Some(end) = line[start..].find(']').map(|end| start + end) else { continue };
        let Some(span) = line[start..end].rfind(' ').map(|space| start + space + 1) else {
            continue;
        };
        line.replace_range(span..end, "1m");
    }
    line
}
