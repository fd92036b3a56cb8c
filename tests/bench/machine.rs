//! Where and when it was measured.

use serde::Serialize;
use std::process::Command;

/// The machine.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    pub date: String,
    pub cores: usize,
    pub cpu: String,
    pub kernel: String,
    pub rustc: String,
    pub commit: String,
    /// The load averages over 1, 5 and 15 minutes: what else was going on.
    pub load: String,
}

impl Machine {
    /// Says so when something else ran as well, one process for each second core or more.
    pub(crate) fn noise(&self) -> Option<String> {
        let load: f64 = self.load.split(' ').next()?.parse().ok()?;
        let cores = u32::try_from(self.cores).map(f64::from).ok()?;
        (load > cores / 2.0).then(|| {
            format!(
                "NOISY: a load of {load} on {cores} cores before this run began. Wall times and \
                 their ratios say little; CPU times say more, instructions are right"
            )
        })
    }
}

pub(crate) fn describe() -> Machine {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Machine {
        date: format!("{:.0}", jiff::Timestamp::now()),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
        kernel: kernel.trim().to_owned(),
        rustc: said_by(Command::new("rustc").arg("--version")),
        load: load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
        commit: said_by(Command::new("git").args(["describe", "--always", "--dirty"])),
    }
}

/// The largest resident set of this process so far. A child begins as a copy of it, and
/// the kernel counts that in (`exec_mmap` in fs/exec.c).
pub(crate) fn own_peak_bytes() -> u64 {
    let peak = field("/proc/self/status", "VmHWM").unwrap_or_default();
    let kibibytes: u64 = peak.trim_end_matches(" kB").trim().parse().unwrap_or(0);
    kibibytes * 1_024
}

/// The value in the first line `name: value` of a file.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let (_, value) =
        text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

pub(crate) fn said_by(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
