//! Recorded runs of OpenClaw 2026.4.24, repeated with this program: standard output, exit
//! code and the tree afterwards are the same byte for byte, but for what
//! `golden/difference.rs` names. `tests/golden/README.md` says how to add a case.

mod case;
mod difference;

use crate::support::recorded::without_volatile;
use case::{Case, Step, Tree};
use difference::{Change, DIFFERENCES};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn cases() -> Vec<Case> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("meta.json").is_file())
        .collect();
    names.sort();
    names.iter().map(|path| Case::load(path)).collect()
}

/// The changes that the table makes to a step, or to the tree when `step` is `None`.
fn changes(
    case: &str,
    step: Option<usize>,
) -> impl Iterator<Item = (&'static str, &'static Change)> {
    let rows =
        DIFFERENCES.iter().flat_map(|row| row.changes.iter().map(|change| (row.what, change)));
    rows.filter(move |(_, change)| change.is_for(case, step))
}

#[test]
fn every_recorded_run_is_repeated() {
    let mut failures = Vec::new();
    let mut used = BTreeSet::new();
    for case in cases() {
        let run = case.prepare();
        for (index, step) in case.steps.iter().enumerate() {
            if step.skip.is_none() {
                compare_step(&case, index, step, &run, &mut used, &mut failures);
            }
        }
        let mut expected = case.tree_afterwards(&run);
        for (what, change) in changes(&case.name, None) {
            used.insert(format!("{what} in {}", case.name));
            if let Change::TreeUnchanged { .. } = change {
                assert_ne!(
                    expected,
                    case.tree_before(&run),
                    "{what}: nothing to name in {}",
                    case.name
                );
                expected = case.tree_before(&run);
            }
        }
        let actual = Tree::of(run.path());
        if actual != expected {
            failures.push(format!(
                "{}: the tree afterwards: {}",
                case.name,
                actual.differs(&expected)
            ));
        }
    }
    for row in DIFFERENCES {
        for change in row.changes {
            if !used.contains(&format!("{} in {}", row.what, change.case())) {
                failures.push(format!("{}: no case {}", row.what, change.case()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn compare_step(
    case: &Case,
    index: usize,
    step: &Step,
    run: &tempfile::TempDir,
    used: &mut BTreeSet<String>,
    failures: &mut Vec<String>,
) {
    let (code, stdout) = case.run(step, run);
    let mut expected_code = step.rc;
    let mut expected = case.stdout(index, run).map(|text| without_volatile(&text));
    for (what, change) in changes(&case.name, Some(index)) {
        used.insert(format!("{what} in {}", case.name));
        let before = (expected_code, expected.clone());
        match change {
            Change::Code { code, .. } => expected_code = *code,
            Change::Stdout { text, .. } => {
                let text = text.replace("@BASE@", &run.path().display().to_string());
                expected = Some(without_volatile(&text));
            }
            Change::Json { pointer, value, .. } => {
                let mut json: Value = serde_json::from_str(expected.as_deref().unwrap()).unwrap();
                let target = json.pointer_mut(pointer);
                *target.unwrap_or_else(|| panic!("{what}: {} has no {pointer}", case.name)) =
                    serde_json::from_str(value).unwrap();
                expected = Some(serde_json::to_string_pretty(&json).unwrap() + "\n");
            }
            Change::TreeUnchanged { .. } => {}
        }
        assert_ne!(
            before,
            (expected_code, expected.clone()),
            "{what}: nothing to name in {}",
            case.name
        );
    }
    let name = format!("{} step {index} {:?}", case.name, step.argv);
    if code != expected_code {
        failures.push(format!("{name}: exit code {code}, not {expected_code}"));
    }
    if let Some(expected) = expected {
        let actual = without_volatile(&stdout);
        if actual != expected {
            failures.push(format!("{name}:\n{}", first_difference(&expected, &actual)));
        }
    }
}

fn first_difference(expected: &str, actual: &str) -> String {
    let (mut expected, mut actual) = (expected.lines(), actual.lines());
    let mut line = 0;
    loop {
        line += 1;
        match (expected.next(), actual.next()) {
            (None, None) => return "only the final newline differs".to_owned(),
            (a, b) if a == b => {}
            (a, b) => return format!("line {line}\n  recorded: {a:?}\n  here:     {b:?}"),
        }
    }
}

/// The table of `docs/compatibility.md`.
fn table() -> String {
    let rows = DIFFERENCES.iter().map(|row| {
        let tests = row.tests.iter().map(|test| format!("`{test}`"));
        let cases: BTreeSet<_> = row.changes.iter().map(Change::case).collect();
        let cases = cases.into_iter().map(|case| format!("`golden/{case}`"));
        let tests = tests.chain(cases).collect::<Vec<_>>().join(", ");
        format!("| {} | {} | {} | {tests} |\n", row.what, row.openclaw, row.ours)
    });
    let head = "| what | OpenClaw 2026.4.24 | openclaw-auth | test |\n|---|---|---|---|\n";
    head.to_owned() + &rows.collect::<String>()
}

#[test]
fn the_documented_differences_are_these_differences() {
    let documented = std::fs::read_to_string(folder().join("../../docs/compatibility.md")).unwrap();
    assert!(documented.contains(&table()), "docs/compatibility.md should hold:\n{}", table());
}

#[test]
fn every_difference_has_a_test() {
    let mut sources = String::new();
    for folder in ["tests/it", "src"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources);
    }
    for row in DIFFERENCES {
        assert!(!(row.tests.is_empty() && row.changes.is_empty()), "{} has no test", row.what);
        for test in row.tests {
            let name = test.rsplit("::").next().unwrap();
            assert!(sources.contains(&format!("fn {name}()")), "there is no test {test}");
        }
    }
}

fn collect(directory: &Path, text: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}
