//! Everything that was measured, as JSON and as Markdown.

use crate::machine::Machine;
use crate::section::Section;
use crate::storm::Storm;
use crate::table;
use crate::target::Target;
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A run of the benchmark.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub machine: Machine,
    pub sections: Vec<Section>,
    pub storms: Vec<Storm>,
    pub targets: Vec<Target>,
}

impl Report {
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, sections: Vec::new(), storms: Vec::new(), targets: Vec::new() }
    }

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

    fn markdown(&self) -> String {
        let mut parts = vec![table::machine(&self.machine)];
        parts.extend(self.sections.iter().map(table::section));
        if !self.sections.is_empty() {
            parts.push(table::growth(&self.sections));
        }
        if !self.storms.is_empty() {
            parts.push(table::storms(&self.storms));
        }
        parts.push(table::targets(&self.targets));
        parts.join("\n")
    }
}
