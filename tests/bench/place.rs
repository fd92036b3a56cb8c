//! Where the program under measurement is, and where the results go.

use crate::floor;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The places of one run.
pub(crate) struct Places {
    /// A copy of the program: how a file was written decides how its pages lie in memory,
    /// and the linker does not write as an installation does.
    pub program: PathBuf,
    /// This program.
    pub this: PathBuf,
    /// `bench/` in the target directory.
    pub output: PathBuf,
}

impl Places {
    /// The program is `named`, or beside this one, which is `<target>/release/examples/bench`.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self> {
        let this = std::env::current_exe().context("could not find this program")?;
        let profile_dir = this.ancestors().nth(2).unwrap_or(Path::new("."));
        let built = named.map_or_else(|| profile_dir.join("openclaw-auth"), Path::to_owned);
        ensure!(
            built.is_file() && (named.is_some() || profile_dir.ends_with("release")),
            "there is no release build at {}; start the benchmark as tests/bench/run",
            built.display()
        );
        let output = profile_dir.with_file_name("bench");
        std::fs::create_dir_all(&output)
            .with_context(|| format!("could not create {}", output.display()))?;
        let program = floor::copy(&built, &output.join("openclaw-auth"))?;
        Ok(Self { program, this, output })
    }
}
