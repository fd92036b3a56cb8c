//! How many instructions a process takes, which depends on little else than the program.

use crate::fixture::{self, Plan};
use crate::floor;
use crate::measure::Contestant;
use crate::section::{CHANNELS_LIST, COMMANDS, EMPTY_RUST, TOKEN};
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The instructions of one command, with what its document alone takes; 0 without one.
#[derive(Debug, Serialize)]
pub(crate) struct Count {
    pub name: String,
    pub instructions: u64,
    /// What `serde_json` takes to parse the document.
    pub parse: u64,
    /// What it takes to read it through and keep nothing.
    pub skim: u64,
}

/// The installed program.
pub(crate) struct Callgrind(PathBuf);

/// The commands that have a budget, with the number of profiles.
const SCENES: [(&str, u32); 6] = [
    ("--version", 1),
    (TOKEN, 1),
    (TOKEN, 100),
    (CHANNELS_LIST, 1),
    (CHANNELS_LIST, 100),
    ("models status", 1),
];

impl Callgrind {
    /// Where it is on the search path; `None` when it is not installed.
    pub(crate) fn find() -> Option<Self> {
        crate::peer::on_path("valgrind").next().map(Self)
    }

    /// What it calls itself.
    pub(crate) fn version(&self) -> String {
        crate::machine::said_by(Command::new(&self.0).arg("--version"))
    }

    /// Counts every command that has a budget, and the empty Rust program. `this` is the
    /// program that parses a document when it is told to `--parse` or `--skim` it.
    pub(crate) fn count_all(
        &self,
        program: &Path,
        empty_rust: &Path,
        this: &Path,
    ) -> Result<Vec<Count>> {
        let mut roots: BTreeMap<u32, TempDir> = BTreeMap::new();
        // Paths are of the same length everywhere, whatever TMPDIR says.
        let temporary = Path::new("/tmp");
        for profiles in [0, 1, 100] {
            let plan = Plan { profiles, configuration: false, statistics: false };
            roots.insert(profiles, fixture::lay_out_in(temporary, plan)?);
        }
        let programs = fixture::fresh_directory_in(temporary)?;
        let copy = |program: &Path, name| floor::copy(program, &programs.path().join(name));
        let (program, empty_rust, this) = (
            copy(program, "openclaw-auth")?,
            copy(empty_rust, "empty-rust")?,
            copy(this, "bench")?,
        );
        let reading = |option: &str, profiles: u32| {
            let document = roots[&profiles].path().join("agents/main/agent/auth-profiles.json");
            let document = document.to_string_lossy();
            self.count(&Contestant::new(option, &this).arguments(&[option, &document]))
        };
        let of_document = |option: &str, profiles: u32| -> Result<u64> {
            Ok(reading(option, profiles)?.saturating_sub(reading(option, 0)?))
        };
        let mut counts = vec![Count {
            name: EMPTY_RUST.to_owned(),
            instructions: self.count(&Contestant::new(EMPTY_RUST, &empty_rust))?,
            parse: 0,
            skim: 0,
        }];
        for (command, profiles) in SCENES {
            let arguments = COMMANDS.iter().find(|(name, _)| *name == command);
            let state_dir = roots[&profiles].path();
            let (name, parse, skim) = match arguments {
                None => (command.to_owned(), 0, 0),
                Some(_) => (
                    format!("{command}, {profiles}"),
                    of_document("--parse", profiles)?,
                    of_document("--skim", profiles)?,
                ),
            };
            let arguments = arguments.map_or(&["--version"][..], |(_, arguments)| arguments);
            let contestant = Contestant::ours(&name, &program, arguments, state_dir);
            counts.push(Count { instructions: self.count(&contestant)?, name, parse, skim });
        }
        Ok(counts)
    }

    fn count(&self, contestant: &Contestant) -> Result<u64> {
        let mut command = Command::new(&self.0);
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(&contestant.program)
            .args(&contestant.arguments)
            .env_clear()
            .envs(contestant.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null());
        let output = command.output().context("could not run valgrind")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`{}` under valgrind: {said}", contestant.name);
        let Some((_, count)) = said.split_once("Collected : ") else {
            bail!("valgrind says no count: {said}");
        };
        let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
        Ok(digits.parse()?)
    }
}
