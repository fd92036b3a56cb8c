//! One process from start to end, and what many such measurements say.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// A command that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    /// How the report calls it.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, OsString)>,
    /// How often it is measured, when that is not as often as the others.
    pub runs: Option<u32>,
    /// Whether what it says beside its output is not worth showing.
    pub quiet: bool,
}

impl Contestant {
    pub(crate) fn new(name: &str, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            runs: None,
            quiet: false,
        }
    }

    /// The same with these arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// The same with one more variable in its environment.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The program under measurement with these arguments, on a state directory. Like every
    /// user it has a home directory.
    pub(crate) fn ours(name: &str, program: &Path, arguments: &[&str], state_dir: &Path) -> Self {
        Self::new(name, program)
            .arguments(arguments)
            .variable("OPENCLAW_STATE_DIR", state_dir)
            .variable("HOME", state_dir.join("home"))
    }

    /// The process, with nothing to read and nobody to read it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs it once to see that it does what it is measured for; also says how many bytes
    /// it prints. They are not kept: this process must stay small.
    pub(crate) fn rehearse(&self) -> Result<(Sample, u64)> {
        let mut command = self.command();
        command.stdout(Stdio::piped());
        if !self.quiet {
            command.stderr(Stdio::inherit());
        }
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| format!("could not run {}", self.name))?;
        let mut printed = 0;
        if let Some(mut stdout) = child.stdout.take() {
            printed = std::io::copy(&mut stdout, &mut std::io::sink())?;
        }
        Ok((self.sample(child, started)?, printed))
    }

    /// Runs it once and measures it.
    pub(crate) fn run(&self) -> Result<Sample> {
        let mut command = self.command();
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("could not run {}", self.name))?;
        self.sample(child, started)
    }

    fn sample(&self, child: Child, started: Instant) -> Result<Sample> {
        let used = child.wait4().context("could not wait for a process")?;
        let wall = started.elapsed();
        if !used.status.success() {
            bail!("`{}` failed ({})", self.name, used.status);
        }
        let cpu = used.rusage.utime + used.rusage.stime;
        Ok(Sample { wall, cpu, peak_bytes: used.rusage.maxrss })
    }
}

/// What one process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// From before its start until after its end.
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// The largest resident set.
    pub peak_bytes: u64,
}

/// What many measurements say, in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub count: usize,
    pub min_us: f64,
    pub median_us: f64,
    pub p99_us: f64,
    pub max_us: f64,
}

impl Summary {
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<f64> = times.into_iter().map(|time| time.as_secs_f64() * 1e6).collect();
        times.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (times.first(), times.last()) else {
            return Self::default();
        };
        Self {
            count: times.len(),
            min_us: *min,
            median_us: f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2]),
            p99_us: times[(times.len() * 99).div_ceil(100) - 1],
            max_us: *max,
        }
    }
}
