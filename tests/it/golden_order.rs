//! `models auth order` on state trees of which OpenClaw 2026.4.24 was recorded: the same
//! exit codes, the same JSON byte for byte, and the same documents afterwards, except for
//! the differences that are named here and in `docs/compatibility.md`.

use crate::support::here::InProcess as _;
use crate::support::recorded::{files, fill_base, program, run_directory};
use crate::support::rig::Finished;
use serde_json::Value;
use std::path::{Path, PathBuf};

struct Case {
    recorded: PathBuf,
    base: tempfile::TempDir,
}

impl Case {
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rotation");
        let recorded = root.join(name);
        let base = run_directory(&recorded.join("in"), fill_base);
        Self { recorded, base }
    }

    /// Recorded text with the folder of this run.
    fn here(&self, text: &str) -> String {
        fill_base(text, self.base.path())
    }

    fn run(&self, argv: &[&str]) -> Finished {
        program(self.base.path()).args(argv).finish_here()
    }

    /// Runs every recorded step and compares exit code and JSON.
    fn replay(&self) {
        let meta = std::fs::read_to_string(self.recorded.join("meta.json")).unwrap();
        let meta: Value = serde_json::from_str(&meta).unwrap();
        for (number, step) in meta["steps"].as_array().unwrap().iter().enumerate() {
            let argv: Vec<&str> =
                step["argv"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
            let finished = self.run(&argv);
            assert_eq!(finished.code, step["rc"], "step {number} {argv:?}: {finished:?}");
            let stdout = self.recorded.join(format!("out/{number:02}.stdout"));
            let stdout = self.here(&std::fs::read_to_string(stdout).unwrap());
            if argv.contains(&"--json") {
                assert_eq!(finished.stdout, stdout, "step {number} {argv:?}");
            } else if finished.code == 0 && !argv.contains(&"clear") {
                assert_eq!(finished.stdout, stdout, "the labels are an interface as well");
            } else if finished.code != 0 {
                assert!(finished.stderr.starts_with("error: "), "{finished:?}");
            }
        }
    }

    fn after(&self) -> Vec<(PathBuf, String)> {
        files(self.base.path()).into_iter().collect()
    }

    fn recorded_after(&self) -> Vec<(PathBuf, String)> {
        let files = files(&self.recorded.join("after")).into_iter();
        files.map(|(name, text)| (name, self.here(&text))).collect()
    }
}

#[test]
fn every_step_of_the_order_commands_is_as_recorded() {
    let case = Case::new("ord");
    case.replay();
    assert_eq!(case.after(), case.recorded_after());
}

#[test]
fn a_lock_of_a_dead_process_does_not_matter() {
    let case = Case::new("lock-stale");
    case.replay();
    assert_eq!(case.after(), case.recorded_after());
}

/// OpenClaw leaves an empty `auth-profiles.json` behind.
#[test]
fn clearing_nothing_writes_nothing() {
    let case = Case::new("ord-empty");
    case.replay();
    assert_eq!(case.after(), []);
    assert!(!case.base.path().join("state/agents").exists());
}

/// Other than with OpenClaw, unknown members and entries that cannot be interpreted
/// survive, and entries that nobody changes keep their form.
#[test]
fn the_old_layout_moves_to_the_state_document_on_the_first_write() {
    let case = Case::new("rt-order");
    case.replay();
    let [(_, before), (_, state_before)] =
        <[_; 2]>::try_from(Vec::from_iter(files(&case.recorded.join("in")))).unwrap();
    let [(_, after), (_, state_after)] = <[_; 2]>::try_from(case.after()).unwrap();
    let [_, (_, state_recorded)] = <[_; 2]>::try_from(case.recorded_after()).unwrap();
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();

    let mut expected = parse(&state_recorded);
    expected["stateExtra"] = parse(&state_before)["stateExtra"].clone();
    assert_eq!(parse(&state_after), expected);
    assert!(state_after.find("\"order\"").unwrap() < state_after.find("\"lastGood\"").unwrap());

    let mut expected = parse(&before);
    for moved in ["order", "usageStats"] {
        expected.as_object_mut().unwrap().shift_remove(moved);
    }
    expected["version"] = 1.into();
    assert_eq!(parse(&after), expected);
    assert!(after.contains("\"bad:1\": \"str\"") && after.contains("\"topExtra\": 1"), "{after}");
}
