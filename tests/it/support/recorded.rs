//! What the runners of recorded runs share: the tree that a run starts from, and the
//! program in it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Stands for the run directory in recorded texts.
const BASE: &str = "@BASE@";

/// Recorded text with the run directory filled in.
pub(crate) fn fill_base(text: &str, base: &Path) -> String {
    text.replace(BASE, base.to_str().expect("a path in UTF-8"))
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
