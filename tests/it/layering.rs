//! The rules of `docs/development/architecture.md` that a reader of one file cannot see.

use std::path::{Path, PathBuf};

/// The layers from the top down, with what each may name beside what is below it; the
/// leaves may be named by anyone.
const LAYERS: [(&str, u8); 13] = [
    ("main", 8),
    ("cli", 7),
    ("admin", 6),
    ("ops", 5),
    ("app", 4),
    ("provider", 3),
    ("store", 3),
    ("reference", 3),
    ("external", 3),
    ("config", 2),
    ("oauth", 2),
    ("system", 1),
    ("profile", 0),
];
const LEAVES: [&str; 3] = ["profile", "secret", "text"];

fn sources() -> Vec<(PathBuf, String)> {
    files("rs")
}

/// The files below `src` with this extension, and what is in them.
fn files(extension: &str) -> Vec<(PathBuf, String)> {
    files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), extension)
}

fn files_below(directory: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    fn visit(directory: &Path, extension: &str, files: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, extension, files);
            } else if path.extension().is_some_and(|own| own == extension) {
                files.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    visit(directory, extension, &mut files);
    files
}

/// The module that a file belongs to: `store` for `src/store/file.rs`.
fn layer_of(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn rank(layer: &str) -> u8 {
    let found = LAYERS.iter().find(|(name, _)| *name == layer);
    found.unwrap_or_else(|| panic!("`{layer}` is in no layer")).1
}

/// The code of a file without its unit tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

#[test]
fn imports_go_down_only() {
    let mut checked = 0;
    for (path, text) in sources() {
        let layer = layer_of(&path);
        if layer == "lib" {
            continue;
        }
        for (_, rest) in
            code(&text).match_indices("crate::").map(|(at, m)| text.split_at(at + m.len()))
        {
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap();
            let named = &rest[..end];
            checked += 1;
            if named == layer || LEAVES.contains(&named) {
                continue;
            }
            assert!(
                !LEAVES.contains(&layer.as_str()),
                "{}: a leaf names `{named}`",
                path.display()
            );
            assert!(
                rank(named) < rank(&layer),
                "{}: `{layer}` must not name `{named}`",
                path.display()
            );
        }
    }
    assert!(checked > 100, "the scan has found imports");
}

/// The files that start other programs: what those are given is decided in the first.
const STARTERS: [&str; 2] = ["system/child/command.rs", "system/browser.rs"];

#[test]
fn other_programs_are_started_in_one_place() {
    for (path, text) in sources() {
        // The `Command` of a hint starts nothing.
        let of_system = code(&text).contains("process::Command");
        let is_exempt = STARTERS.iter().any(|file| path.ends_with(file))
            || layer_of(&path) == "build"
            || layer_of(&path) == "cli" && !of_system;
        assert!(
            is_exempt || !code(&text).contains("Command::new("),
            "{}: programs are started by `system::child`",
            path.display()
        );
    }
}

#[test]
fn a_program_or_a_page_is_opened_by_the_machine_that_was_handed_in() {
    // The machine is made by the command line, and by what a worker is given.
    let made = ["Browser::", "Programs::", "Machine::default", "Browser::default"];
    let mut checked = 0;
    for (path, text) in sources().into_iter().filter(|(path, _)| layer_of(path) != "system") {
        checked += usize::from(code(&text).contains("machine.programs"));
        let is_known = ["cli/mod.rs", "app.rs"].iter().any(|file| path.ends_with(file));
        let found = made.iter().find(|word| code(&text).contains(**word));
        assert!(found.is_none() || is_known, "{} makes {found:?}", path.display());
    }
    assert!(checked > 3, "the scan has found who starts programs");
}

/// What only the command line may say: how a run ends, and what to type next.
const OF_THE_COMMAND_LINE: [&str; 7] = [
    "anyhow",
    "Failure::",
    "cli::",
    "openclaw-auth models",
    "openclaw-auth agents",
    "openclaw-auth doctor",
    "openclaw-auth onboard",
];

#[test]
fn nothing_below_the_command_line_words_a_failure_or_a_command() {
    for (path, text) in sources() {
        if ["cli", "main", "lib"].contains(&layer_of(&path).as_str()) {
            continue;
        }
        let lines = code(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            let is_ours = |word: &&&str| line.contains(**word);
            let found = OF_THE_COMMAND_LINE.iter().find(is_ours);
            let is_other = line.contains("process::ExitStatus");
            assert!(
                found.is_none() && (is_other || !line.contains("ExitStatus::")),
                "{}: {line}",
                path.display()
            );
        }
    }
}

/// What the store hides: where its files are, and what tells that they changed.
const OF_THE_STORE: [&str; 8] = [
    "auth-profiles.json",
    "auth-state.json",
    "oauth-refresh",
    "file::Fingerprint",
    "file::Reserved",
    "profiles_path",
    "newer_database",
    "SidecarLock",
];

#[test]
fn the_use_cases_know_no_file_of_a_store() {
    for (path, text) in sources() {
        // What OpenClaw audits is files by their names, and a port has a lock of its own.
        let is_another = ["admin/audit/mod.rs", "ops/login/takeover.rs"];
        if !["ops", "admin"].contains(&layer_of(&path).as_str())
            || is_another.iter().any(|it| path.ends_with(it))
        {
            continue;
        }
        let lines = code(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            let found = OF_THE_STORE.iter().find(|word| line.contains(**word));
            assert_eq!(found, None, "{}: {line}", path.display());
        }
    }
}

/// What the process owns and a use case is handed in: the clock, the environment, runtimes,
/// signals, the browser, other programs.
const OF_THE_PROCESS: [&str; 17] = [
    "now()",
    "::now",
    ".elapsed()",
    "thread::sleep",
    "tokio::time",
    "std::env::",
    "env::var",
    "of_process",
    "Runtime::new",
    "Builder::new",
    "block_on",
    "with_runtime",
    "StopSignals",
    "signal::",
    "HttpClient::new",
    "Browser::",
    "Programs::",
];

#[test]
fn a_use_case_takes_time_and_signals_from_the_machine_that_it_is_given() {
    for (path, text) in sources() {
        if !["ops", "admin"].contains(&layer_of(&path).as_str()) {
            continue;
        }
        let lines = code(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            let line = line.replace("clock.now()", "").replace("app.now()", "");
            let found = OF_THE_PROCESS.iter().find(|word| line.contains(**word));
            assert_eq!(found, None, "{}: {line}", path.display());
        }
    }
}

/// Where a runtime is started, and why there.
const STARTS_RUNTIMES: [&str; 5] = [
    // The worker that is this process.
    "cli/mod.rs",
    // The commands that wait.
    "cli/wait.rs",
    // What starts one.
    "system/mod.rs",
    // A thread that ends what waits for the user when a signal comes.
    "system/signal.rs",
    // A worker that is a thread.
    "system/worker/thread.rs",
];

#[test]
fn a_runtime_is_started_where_it_is_known() {
    for (path, text) in sources() {
        let is_known = STARTS_RUNTIMES.iter().any(|it| path.ends_with(it));
        let starts =
            ["block_on", "with_runtime", "Runtime::new", "runtime()", "new_current_thread"];
        let found = starts.iter().find(|it| code(&text).contains(*it));
        assert!(found.is_none() || is_known, "{} has {found:?}", path.display());
    }
}

/// The files that read the clock of the system, and why: everybody else asks the clock of the
/// machine, which a test may move.
const READS_THE_CLOCK: [(&str, &str); 21] = [
    ("system/clock.rs", "it is the clock"),
    ("system/lock/heartbeat.rs", FILES),
    ("system/lock/wait.rs", FILES),
    ("system/lock/foreign.rs", FILES),
    ("system/temporary.rs", FILES),
    ("system/process.rs", "when a process began is known by the clock of the system"),
    ("system/worker/life.rs", "a worker that is a process has its time by the clock of the system"),
    ("system/trace.rs", "a trace says how long steps really take"),
    ("system/child/bounded.rs", "what another program may take is real time"),
    ("store/files/backup.rs", FILES),
    ("store/files/journal.rs", FILES),
    ("store/files/lease.rs", FILES),
    ("store/files/leftover.rs", FILES),
    ("store/files/mod.rs", FILES),
    ("store/files/reading.rs", FILES),
    ("store/sqlite/connection.rs", FILES),
    ("store/sqlite/gateway.rs", FILES),
    ("store/sqlite/hold.rs", FILES),
    ("store/sqlite/mod.rs", FILES),
    ("store/sqlite/token.rs", FILES),
    ("store/sqlite/write.rs", "the time of a write is part of a row"),
];
const FILES: &str = "it compares times that the system and other processes write, or writes one";

/// What reads it, and, above `system`, what waits by it.
const CLOCKS: [&str; 4] = ["SystemTime::now", "Instant::now", "now()", "::now,"];
const WAITS: [&str; 2] = ["thread::sleep", "tokio::time::"];

#[test]
fn the_clock_of_the_system_is_read_where_that_has_a_reason() {
    let mut known = READS_THE_CLOCK.map(|(file, _)| file).to_vec();
    for (path, text) in sources() {
        let lines = code(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        let lines = lines.map(|line| {
            let other = ["clock.now()", "app.now()", "self.0.now()", "yield_now()", "fn now("];
            other.iter().fold(line.to_owned(), |line, word| line.replace(word, ""))
        });
        let waits = if layer_of(&path) == "system" { &[][..] } else { &WAITS };
        let words: Vec<_> = CLOCKS.iter().chain(waits).collect();
        let found = lines.into_iter().find(|line| words.iter().any(|word| line.contains(**word)));
        let Some(line) = found else { continue };
        let is_known = READS_THE_CLOCK.iter().any(|(file, _)| path.ends_with(file));
        assert!(is_known, "{} reads the clock: {line}", path.display());
        known.retain(|file| !path.ends_with(file));
    }
    assert_eq!(known, Vec::<&str>::new(), "these have no reason any more");
}

/// The table of former provider names, which the stored files need below the catalog.
const FORMER_NAMES: &str = "profile/provider_id.rs";

#[test]
fn no_module_but_the_catalog_branches_on_a_provider() {
    let catalog = include_str!("../../src/provider/catalog.json");
    let rows: serde_json::Value = serde_json::from_str(catalog).unwrap();
    for row in rows.as_array().unwrap() {
        let quoted = row["id"].to_string();
        for (path, text) in sources() {
            if path.ends_with(FORMER_NAMES) || path.ends_with("provider/mod.rs") {
                continue;
            }
            let found = code(&text)
                .lines()
                .find(|line| line.contains(&quoted) && !line.trim_start().starts_with("//"));
            assert_eq!(found, None, "{} names a provider", path.display());
        }
    }
}

/// Names some variables without saying whose they are.
const CONVENTIONS: &str = "provider/conventions.json";

#[test]
fn a_variable_of_a_provider_stands_in_one_table_alone() {
    let rows = crate::support::catalog::rows();
    let variables = rows.iter().flat_map(|row| row["env"].as_array().into_iter().flatten());
    let quoted: Vec<String> = variables.map(ToString::to_string).collect();
    assert!(quoted.len() > 60, "the providers have variables");
    for (path, text) in files("rs").into_iter().chain(files("json")) {
        if path.ends_with("provider/catalog.json") || path.ends_with(CONVENTIONS) {
            continue;
        }
        let found = quoted.iter().find(|variable| code(&text).contains(variable.as_str()));
        assert_eq!(found, None, "{} names a variable of a provider", path.display());
    }
}

#[test]
fn files_stay_readable_and_documented() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= 450, "{} is too long", path.display());
        assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
    }
}

#[test]
fn what_systems_have_differently_is_in_one_layer() {
    for (path, text) in sources() {
        let is_exempt = ["system", "build"].contains(&layer_of(&path).as_str());
        assert!(
            is_exempt || !code(&text).contains("target_os"),
            "{}: what Linux and macOS have differently is in `system`",
            path.display()
        );
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = include_str!("../../Cargo.toml");
    let reasons = include_str!("../../docs/development/architecture.md");
    let section = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in section.lines().filter(|line| line.contains(" = ")) {
        let name = line.split(' ').next().unwrap();
        assert!(
            reasons.contains(&format!("| {name} |")),
            "docs/development/architecture.md lacks {name}"
        );
    }
}

#[test]
fn every_intended_difference_names_a_test() {
    let tables =
        [include_str!("../../docs/compatibility.md"), include_str!("../../docs/security.md")];
    let table = tables.join("\n");
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut checked = 0;
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit("| ").next().unwrap();
        for test in tests.split(", ").map(|test| test.trim_matches('`')) {
            // The table of the golden suite is compared there.
            let Some((module, name)) = test.rsplit_once("::") else { continue };
            let module = module.replace("::tests", "").replace("::", "/");
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let mut files = ["tests/it", "src"].map(|folder| root.join(folder)).into_iter();
            let source = files.find_map(|folder| {
                let file = folder.join(format!("{module}.rs"));
                let part = folder.join(format!("{module}/mod.rs"));
                std::fs::read_to_string(file).or_else(|_| std::fs::read_to_string(part)).ok()
            });
            let source = source.unwrap_or_else(|| panic!("{row}"));
            assert!(source.contains(&format!("fn {name}()")), "{test} does not exist");
            checked += 1;
        }
    }
    assert!(checked > 5);
}

/// What says that a test is about a process: signals, terminals, the death of a worker.
const OF_A_PROCESS: [&str; 5] =
    [".signal(", "Signal::", "pseudo_terminal::", "kill_worker", "kill_process"];

#[test]
fn a_test_file_that_is_about_a_process_is_in_the_list() {
    let list = include_str!("../../docs/development/testing.md");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut checked = 0;
    for (path, text) in files_below(&tests, "rs") {
        let name = path.strip_prefix(&tests).unwrap().with_extension("");
        // What the tests share, and this list.
        let is_other = name.starts_with("support") || name == Path::new("layering");
        if is_other || !OF_A_PROCESS.iter().any(|word| text.contains(word)) {
            continue;
        }
        checked += 1;
        assert!(list.contains(&format!("`{}`", name.display())), "{}", name.display());
    }
    assert!(checked > 10, "there are such tests");
}
