//! Everything that was measured, as JSON and as Markdown.

use crate::callgrind::Count;
use crate::durable::{self, Writes};
use crate::handover::{self, Handover};
use crate::interrupted::{self, Interrupted};
use crate::large::{self, Reading};
use crate::login::Logins;
use crate::machine::Machine;
use crate::peer_table::Comparison;
use crate::refresh::Refreshes;
use crate::section::Section;
use crate::storm::Storm;
use crate::target::Target;
use crate::{budget, table};
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A run of the benchmark. A part that was not asked for is empty.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub machine: Machine,
    /// What was left out or went wrong.
    pub remarks: Vec<String>,
    pub sections: Vec<Section>,
    pub peers: Option<Comparison>,
    pub storms: Vec<Storm>,
    pub refreshes: Option<Refreshes>,
    pub interrupted: Vec<Interrupted>,
    pub handovers: Vec<Handover>,
    pub writes: Vec<Writes>,
    pub logins: Option<Logins>,
    pub instructions: Vec<Count>,
    pub readings: Vec<Reading>,
    pub targets: Vec<Target>,
}

impl Report {
    /// Writes `report.json` and `report.md` into `directory`; their paths.
    pub(crate) fn write(&self, directory: &Path) -> Result<[PathBuf; 2]> {
        let json = serde_json::to_string_pretty(self)? + "\n";
        let files =
            [(directory.join("report.json"), json), (directory.join("report.md"), self.markdown())];
        for (file, text) in &files {
            std::fs::write(file, text)
                .with_context(|| format!("could not write {}", file.display()))?;
        }
        Ok(files.map(|(file, _)| file))
    }

    /// The tables, after the line about the machine.
    pub(crate) fn markdown(&self) -> String {
        let mut parts = vec![table::machine(&self.machine)];
        if !self.remarks.is_empty() {
            parts.push(table::remarks(&self.remarks));
        }
        parts.extend(self.sections.iter().map(table::section));
        if !self.sections.is_empty() {
            parts.push(table::growth(&self.sections));
        }
        parts.extend(self.peers.as_ref().map(Comparison::markdown));
        if !self.instructions.is_empty() {
            parts.push(budget::markdown(&self.instructions));
        }
        if !self.storms.is_empty() {
            parts.push(table::storms(&self.storms));
        }
        parts.extend(self.refreshes.as_ref().map(Refreshes::markdown));
        if !self.interrupted.is_empty() {
            parts.push(interrupted::markdown(&self.interrupted));
        }
        if !self.handovers.is_empty() {
            parts.push(handover::markdown(&self.handovers));
        }
        if !self.writes.is_empty() {
            parts.push(durable::markdown(&self.writes));
        }
        parts.extend(self.logins.as_ref().map(Logins::markdown));
        if !self.readings.is_empty() {
            parts.push(large::markdown(&self.readings));
        }
        parts.push(table::targets(&self.targets));
        parts.join("\n")
    }
}
