//! Recorded runs of OpenClaw 2026.9.6, repeated with this program on databases with the same
//! rows: the JSON on standard output, the exit code and the credentials afterwards are the same,
//! but for what `golden_sqlite/difference.rs` names. `tests/golden/README.md` says how to add a
//! case.

mod difference;

use crate::support::here::InProcess as _;
use crate::support::recorded::{
    bare_program, files, fill_base, fill_now, run_directory, without_volatile,
};
use difference::{Change, DIFFERENCES};
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The rows of one database by their names.
type Rows = BTreeMap<String, Value>;

/// What holds credentials: table, column of the key, key, column of the text, name.
const ROWS: [[&str; 5]; 5] = [
    ["config_machine_state", "state_key", "auth.sharedStore", "value_json", "auth.sharedStore"],
    ["config_machine_state", "state_key", "authProfiles.store", "value_json", "authProfiles.store"],
    ["config_machine_state", "state_key", "authProfiles.state", "value_json", "authProfiles.state"],
    ["auth_profile_store", "store_key", "primary", "store_json", "auth_profile_store"],
    ["auth_profile_state", "state_key", "primary", "state_json", "auth_profile_state"],
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    env: BTreeMap<String, String>,
    steps: Vec<Step>,
}

/// One run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    argv: Vec<String>,
    rc: i32,
    stdin: Option<String>,
    /// Somebody else writes to the shared database all the time.
    #[serde(default)]
    hold: bool,
    /// Why the step is not run.
    skip: Option<String>,
}

struct Case {
    name: String,
    folder: PathBuf,
    meta: Meta,
    base: tempfile::TempDir,
    /// In milliseconds since the epoch.
    now: i64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/sqlite")
}

impl Case {
    /// A case with a fresh copy of its input, the databases made of their statements.
    fn new(folder: PathBuf) -> Self {
        let now = openclaw_auth::system::now();
        let fill = |text: &str, base: &Path| fill_now(&fill_base(text, base), now);
        let base = run_directory(&folder.join("in"), fill);
        for name in files(base.path()).into_keys() {
            let statements = base.path().join(name);
            if statements.extension().is_none_or(|it| it != "sql") {
                continue;
            }
            let path = statements.with_extension("");
            let text = std::fs::read_to_string(&statements).unwrap();
            std::fs::remove_file(statements).unwrap();
            let database = Connection::open(&path).unwrap();
            database.execute_batch(&format!("PRAGMA journal_mode = WAL; {text}")).unwrap();
            drop(database);
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        }
        let meta = std::fs::read_to_string(folder.join("meta.json")).unwrap();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        Self { name, meta: serde_json::from_str(&meta).unwrap(), folder, base, now }
    }

    fn run(&self, step: &Step) -> (i32, String, String) {
        let here = |text: &String| fill_base(text, self.base.path());
        let mut command = bare_program(self.base.path());
        command
            .args(step.argv.iter().map(here))
            .envs(self.meta.env.iter().map(|(name, value)| (name, here(value))));
        let _held = step.hold.then(|| {
            let path = self.base.path().join("state/state/openclaw.sqlite");
            let other = Connection::open(path).unwrap();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            other
        });
        let finished = command.here().input(step.stdin.clone().unwrap_or_default()).run();
        (finished.code, finished.stdout, finished.stderr)
    }

    /// The recorded output of a step that prints JSON.
    fn stdout(&self, index: usize) -> Option<Value> {
        let text = std::fs::read_to_string(self.folder.join(format!("out/{index:02}.stdout")));
        text.ok().map(|text| json(&fill_now(&fill_base(&text, self.base.path()), self.now)))
    }

    /// The recorded rows after a step that may have changed them.
    fn recorded_rows(&self, index: usize) -> Option<BTreeMap<String, Rows>> {
        let text = std::fs::read_to_string(self.folder.join(format!("out/{index:02}.rows.json")));
        text.ok().map(|text| serde_json::from_str(&fill_now(&text, self.now)).unwrap())
    }

    /// The rows as they are now.
    fn rows(&self) -> BTreeMap<String, Rows> {
        let names = files(self.base.path()).into_keys();
        let names = names.filter(|name| name.extension().is_some_and(|it| it == "sqlite"));
        let found =
            names.map(|name| (name.display().to_string(), rows(&self.base.path().join(name))));
        found.filter(|(_, rows)| !rows.is_empty()).collect()
    }
}

fn rows(path: &Path) -> Rows {
    let database = Connection::open(path).unwrap();
    let mut found = Rows::new();
    for [table, key, name, text, shown] in ROWS {
        let query = format!("SELECT {text} FROM {table} WHERE {key} = ?1");
        let Ok(mut statement) = database.prepare(&query) else { continue };
        let text: Option<String> =
            statement.query_row([name], |row| row.get(0)).optional().unwrap();
        let value = text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)));
        found.extend(value.map(|value| (shown.to_owned(), value)));
    }
    found
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn every_recorded_run_on_databases_is_repeated() {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let (mut failures, mut used) = (Vec::new(), BTreeSet::new());
    for case in folders.into_iter().map(Case::new) {
        for (index, step) in case.meta.steps.iter().enumerate() {
            if step.skip.is_none() {
                compare(&case, index, step, &mut used, &mut failures);
            }
        }
    }
    for row in DIFFERENCES {
        for (case, step, _) in row.changes {
            if !used.contains(&(row.what, *case, *step)) {
                failures.push(format!("{}: no step {step} of {case}", row.what));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn compare(
    case: &Case,
    index: usize,
    step: &Step,
    used: &mut BTreeSet<(&'static str, &'static str, usize)>,
    failures: &mut Vec<String>,
) {
    let name = format!("{} step {index} {:?}", case.name, step.argv);
    let (code, stdout, stderr) = case.run(step);
    let (mut expected_code, mut expected, mut rows) =
        (step.rc, case.stdout(index), case.recorded_rows(index));
    let changes =
        DIFFERENCES.iter().flat_map(|row| row.changes.iter().map(move |it| (row.what, it)));
    for (what, (of, number, change)) in changes.filter(|(_, it)| it.0 == case.name && it.1 == index)
    {
        used.insert((what, of, *number));
        match change {
            Change::Code(code) => expected_code = *code,
            Change::Output => expected = None,
            Change::Rows => rows = None,
            Change::Says(recorded, here) => {
                expected = expected.map(|it| json(&it.to_string().replace(recorded, here)));
            }
            Change::Message(part) => {
                assert!(stderr.contains(part), "{name}: {stderr}");
                if let Some(message) =
                    expected.as_mut().and_then(|it| it.pointer_mut("/error/message"))
                {
                    *message = json(&stdout)["error"]["message"].take();
                }
            }
        }
    }
    if code != expected_code {
        failures.push(format!("{name}: exit code {code}, not {expected_code}: {stderr}"));
    }
    if let Some(expected) = expected {
        let expected = serde_json::to_string_pretty(&expected).unwrap() + "\n";
        let (expected, stdout) = (without_volatile(&expected), without_volatile(&stdout));
        if stdout != expected {
            failures.push(format!("{name}:\n{}", first_difference(&expected, &stdout)));
        }
    }
    let actual = case.rows();
    for (database, expected) in rows.into_iter().flatten() {
        if actual.get(&database) != Some(&expected) {
            failures.push(format!(
                "{name}: {database}: {:?}\n  not {expected:?}",
                actual.get(&database)
            ));
        }
    }
}

fn first_difference(expected: &str, actual: &str) -> String {
    let line = expected.lines().zip(actual.lines()).take_while(|(a, b)| a == b).count();
    let at = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
    format!("line {}\n  recorded: {}\n  here:     {}", line + 1, at(expected), at(actual))
}

#[test]
fn the_steps_that_are_not_repeated_are_documented() {
    let mut table = "| case | step | why it is not repeated |\n|---|---|---|\n".to_owned();
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for case in folders.into_iter().map(Case::new) {
        for step in &case.meta.steps {
            if let Some(reason) = &step.skip {
                let command = step.argv.join(" ");
                let row = format!("| `golden/sqlite/{}` | `{command}` | {reason} |\n", case.name);
                table.push_str(&row);
            }
        }
    }
    let documented = folder().join("../../../docs/compatibility.md");
    let documented = std::fs::read_to_string(documented).unwrap();
    assert!(documented.contains(&table), "docs/compatibility.md should hold:\n{table}");
}

#[test]
fn the_documented_differences_on_databases_are_these() {
    let rows = DIFFERENCES.iter().map(|row| {
        let cases: BTreeSet<_> = row.changes.iter().map(|(case, ..)| *case).collect();
        let cases = cases.into_iter().map(|case| format!("`golden/sqlite/{case}`"));
        let tests = row.tests.iter().map(|test| format!("`{test}`"));
        let tests = tests.chain(cases).collect::<Vec<_>>().join(", ");
        format!("| {} | {} | {} | {tests} |\n", row.what, row.openclaw, row.ours)
    });
    let head = "| what | OpenClaw 2026.9.6 | openclaw-auth | test |\n|---|---|---|---|\n";
    let table = head.to_owned() + &rows.collect::<String>();
    let documented = folder().join("../../../docs/compatibility.md");
    let documented = std::fs::read_to_string(documented).unwrap();
    assert!(documented.contains(&table), "docs/compatibility.md should hold:\n{table}");
}
