//! One recorded case: its folder, and how to run it.

use crate::support::here::InProcess as _;
use crate::support::recorded::{
    bare_program, files, fill_base, fill_now, run_directory, without_volatile,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A recorded case.
pub(super) struct Case {
    /// The name of its folder.
    pub name: String,
    /// The runs, in order, on one tree.
    pub steps: Vec<Step>,
    environment: BTreeMap<String, String>,
    folder: PathBuf,
    now: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    env: BTreeMap<String, String>,
    steps: Vec<Step>,
}

/// One run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// The arguments.
    pub argv: Vec<String>,
    /// The recorded exit code.
    pub rc: i32,
    /// What standard input holds; closed when `null`.
    stdin: Option<String>,
    /// Why the step is not run.
    pub skip: Option<String>,
    /// Why standard output is not compared, only the exit code and the tree.
    stdout: Option<String>,
}

/// The names and contents of the files below a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tree(BTreeMap<PathBuf, String>);

impl Tree {
    /// The files below `root`; volatile values are filtered.
    pub(super) fn of(root: &Path) -> Self {
        Self::filtered(files(root))
    }

    fn filtered(files: BTreeMap<PathBuf, String>) -> Self {
        Self(files.into_iter().map(|(name, text)| (name, without_volatile(&text))).collect())
    }

    /// What is different, in one line.
    pub(super) fn differs(&self, expected: &Self) -> String {
        let names = self.0.keys().chain(expected.0.keys());
        let mut names: Vec<_> = names.filter(|n| self.0.get(*n) != expected.0.get(*n)).collect();
        names.dedup();
        format!("{names:?}")
    }
}

impl Case {
    pub(super) fn load(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let meta = std::fs::read_to_string(folder.join("meta.json")).unwrap();
        let meta: Meta = serde_json::from_str(&meta).unwrap_or_else(|e| panic!("{name}: {e}"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        for (index, step) in meta.steps.iter().enumerate() {
            let is_recorded = folder.join(format!("out/{index:02}.stdout")).is_file();
            let is_excused = step.skip.is_some() || step.stdout.is_some();
            assert!(is_recorded != is_excused, "{name} step {index}: either recorded or excused");
        }
        let now = i64::try_from(now).unwrap();
        Self { name, steps: meta.steps, environment: meta.env, folder: folder.to_owned(), now }
    }

    /// A fresh copy of the input tree.
    pub(super) fn prepare(&self) -> tempfile::TempDir {
        run_directory(&self.folder.join("in"), |text, base| self.fill(text, base))
    }

    /// `text` with `@BASE@` and `"@NOW±milliseconds@"` filled in.
    fn fill(&self, text: &str, base: &Path) -> String {
        fill_now(&fill_base(text, base), self.now)
    }

    /// The tree before the first step.
    pub(super) fn tree_before(&self, run: &tempfile::TempDir) -> Tree {
        self.filtered("in", run)
    }

    /// The tree that was recorded after the last step: the input where nothing changed.
    pub(super) fn tree_afterwards(&self, run: &tempfile::TempDir) -> Tree {
        let changed = self.folder.join("after").is_dir();
        self.filtered(if changed { "after" } else { "in" }, run)
    }

    fn filtered(&self, folder: &str, run: &tempfile::TempDir) -> Tree {
        let files = files(&self.folder.join(folder)).into_iter();
        Tree::filtered(files.map(|(name, text)| (name, self.fill(&text, run.path()))).collect())
    }

    /// The recorded standard output of a step, where it is compared.
    pub(super) fn stdout(&self, index: usize, run: &tempfile::TempDir) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.join(format!("out/{index:02}.stdout")));
        text.ok().map(|text| self.fill(&text, run.path()))
    }

    /// Runs a step: its exit code and standard output.
    pub(super) fn run(&self, step: &Step, run: &tempfile::TempDir) -> (i32, String) {
        let here = |text: &String| fill_base(text, run.path());
        let mut command = bare_program(run.path());
        command
            .args(step.argv.iter().map(here))
            .envs(self.environment.iter().map(|(name, value)| (name, here(value))));
        let finished = command.here().input(step.stdin.clone().unwrap_or_default()).run();
        (finished.code, finished.stdout)
    }
}
