//! `agents …` beside recorded runs of OpenClaw 2026.4.24: exit codes, JSON byte for byte,
//! and the configuration afterwards. What differs on purpose is listed here and in
//! `docs/compatibility.md`.

use crate::support::here::InProcess as _;
use crate::support::recorded::{fill_base, program, run_directory};
use crate::support::rig::Finished;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A step that ends otherwise than OpenClaw's, and what it prints; `None` for nothing.
struct Difference {
    case: &'static str,
    step: usize,
    exit: i32,
    stdout: fn(&str) -> Option<Value>,
}

/// OpenClaw knows only the channels whose plugins are loaded and configured; here every
/// bundled channel can be bound.
const DIFFERENCES: &[Difference] = &[
    Difference {
        case: "ag-bind",
        step: 3,
        exit: 1,
        stdout: |_| {
            Some(json!({"agentId": "work", "added": ["telegram accountId=acc1"], "updated": [],
                "skipped": [], "conflicts": ["telegram accountId=acc0 (agent=main)"]}))
        },
    },
    Difference { case: "ag-bind", step: 4, exit: 0, stdout: |_| None },
    Difference {
        case: "ag-bind",
        step: 5,
        exit: 0,
        stdout: |_| {
            Some(json!({"agentId": "work", "removed": ["telegram accountId=acc1"],
                "missing": [], "conflicts": []}))
        },
    },
    Difference {
        case: "ag-bind",
        step: 6,
        exit: 0,
        stdout: |_| {
            Some(json!({"agentId": "work", "removed": [],
                "missing": ["telegram accountId=acc9"], "conflicts": []}))
        },
    },
    // `set-identity` does not invent an agent.
    Difference { case: "ag-ident", step: 5, exit: 1, stdout: |_| None },
    Difference {
        case: "ag-ident",
        step: 6,
        exit: 0,
        stdout: |recorded| {
            let mut agents: Value = serde_json::from_str(recorded).unwrap();
            agents.as_array_mut().unwrap().retain(|agent| agent["id"] != "ghost");
            Some(agents)
        },
    },
];

struct Run {
    case: &'static str,
    base: tempfile::TempDir,
}

impl Run {
    fn recorded(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(golden(self.case).join(name)).ok()?;
        Some(fill_base(&text, self.base.path()))
    }

    fn run(&self, argv: &[String], environment: &Value) -> Finished {
        let mut command = program(self.base.path());
        command.args(argv.iter().map(|word| fill_base(word, self.base.path())));
        for (name, value) in environment.as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        command.finish_here()
    }
}

fn golden(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/agents").join(case)
}

/// What the configuration says: JSON5 without comments, as the parser of the program reads it.
fn config(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    let value: Option<Value> =
        jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).unwrap();
    value.unwrap()
}

fn check(case: &'static str, after: fn(&mut Value)) {
    let run = Run { case, base: run_directory(&golden(case).join("in"), fill_base) };
    let script: Value =
        serde_json::from_str(&std::fs::read_to_string(golden(case).join("steps.json")).unwrap())
            .unwrap();
    for step in script["steps"].as_array().unwrap() {
        let number = usize::try_from(step["step"].as_u64().unwrap()).unwrap();
        let argv: Vec<String> = serde_json::from_value(step["argv"].clone()).unwrap();
        let finished = run.run(&argv, &script["environment"]);
        let place = format!("{case} step {number} {argv:?}\n{}", finished.stderr);
        let recorded = run.recorded(&format!("{number:02}.json"));
        let difference = DIFFERENCES.iter().find(|d| d.case == case && d.step == number);
        let (exit, expected) = match difference {
            None => (exit_of(step), recorded),
            Some(difference) => {
                let value = (difference.stdout)(recorded.as_deref().unwrap_or_default());
                let text = value.map(|value| format!("{value:#}\n"));
                assert!(
                    (exit_of(step), recorded) != (difference.exit, text.clone()),
                    "{place}: nothing differs"
                );
                (difference.exit, text)
            }
        };
        assert_eq!(finished.code, exit, "{place}");
        if argv.iter().any(|word| word == "--json") {
            let stdout = without_our_fields(&finished.stdout, &argv);
            assert_eq!(stdout, expected.unwrap_or_default(), "{place}");
        } else {
            assert_eq!(finished.stdout.is_empty(), exit != 0, "{place}");
        }
    }
    let mut expected: Value = serde_json::from_str(&run.recorded("config.json").unwrap()).unwrap();
    after(&mut expected);
    let ours = config(&run.base.path().join("state/openclaw.json"));
    assert_eq!(format!("{ours:#}"), format!("{expected:#}"), "{case}");
}

fn exit_of(step: &Value) -> i32 {
    i32::try_from(step["exit"].as_i64().unwrap()).unwrap()
}

/// `agents delete` says at the end what it moved, which OpenClaw does not.
fn without_our_fields(stdout: &str, argv: &[String]) -> String {
    if argv[1] != "delete" || stdout.is_empty() {
        return stdout.to_owned();
    }
    let mut report: Value = serde_json::from_str(stdout).unwrap();
    let fields = report.as_object_mut().unwrap();
    let names: Vec<_> = fields.keys().cloned().collect();
    assert!(names.ends_with(&["trash".into(), "moved".into(), "retained".into()]), "{names:?}");
    for name in ["trash", "moved", "retained"] {
        fields.shift_remove(name);
    }
    format!("{report:#}\n")
}

#[test]
fn adding_listing_and_deleting() {
    check("ag-basic", |_| {});
}

#[test]
fn binding_and_unbinding() {
    check("ag-bind", |_| {});
}

#[test]
fn identities() {
    check("ag-ident", |config| {
        let agents = config["agents"]["list"].as_array_mut().unwrap();
        agents.retain(|agent| agent["id"] != "ghost");
    });
}

#[test]
fn a_configuration_in_json5() {
    check("cfg-json5", |_| {});
}
