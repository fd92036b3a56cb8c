//! Where the program comes from: what `--version -v` says.

use std::io::{Result, Write};
use std::path::Path;
use std::process::Command;

/// Tells cargo the commit, or `unknown`, and the target.
pub(super) fn tell(out: &mut impl Write) -> Result<()> {
    let target = std::env::var("TARGET").unwrap_or_default();
    writeln!(out, "cargo:rustc-env=OPENCLAW_AUTH_TARGET={target}")?;
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        Some(text.trim().to_owned())
    };
    // A package that lies in the repository of something else is not of its commit.
    let is_ours = git(&["rev-parse", "--show-prefix"]).is_some_and(|prefix| prefix.is_empty());
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).filter(|_| is_ours);
    let commit = commit.unwrap_or_else(|| "unknown".to_owned());
    writeln!(out, "cargo:rustc-env=OPENCLAW_AUTH_COMMIT={commit}")?;
    // What is tried out need not be built again for every commit.
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|_| is_release);
    if let Some(log) = log.filter(|log| Path::new(log).exists()) {
        writeln!(out, "cargo:rerun-if-changed={log}")?;
    }
    Ok(())
}
