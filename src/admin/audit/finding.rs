//! What the audit says: its findings, and the report of them all. Neither holds a secret.

use crate::profile::{ProfileId, ProviderId};
use crate::store::StoreError;
use std::path::PathBuf;

/// What the audit found.
#[derive(Debug)]
pub struct Report {
    /// How many references were looked up.
    pub references_checked: usize,
    /// How many were not, because that would have run a command.
    pub commands_skipped: usize,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// The findings.
    pub findings: Vec<Finding>,
    /// A database of a newer OpenClaw that the audit does not look into.
    pub newer_store: Option<StoreError>,
}

/// The severity of what nobody has to mend.
pub(super) const INFORMATION: &str = "info";

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A secret stands in clear.
    Plaintext,
    /// A reference does not resolve, or a file cannot be interpreted.
    Unresolved,
    /// A reference is never used, because profiles go before it.
    Shadowed,
    /// Something that references do not replace.
    LegacyResidue,
    /// A reference where none may be.
    ReferenceMisplaced,
}

impl Code {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT_FOUND",
            Self::Unresolved => "REF_UNRESOLVED",
            Self::Shadowed => "REF_SHADOWED",
            Self::LegacyResidue => "LEGACY_RESIDUE",
            Self::ReferenceMisplaced => "REF_NOT_ALLOWED",
        }
    }
}

/// One finding. It holds no secret.
#[derive(Debug)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// `info`, `warn` or `error`.
    pub severity: &'static str,
    /// The file.
    pub file: PathBuf,
    /// The place in it.
    pub path: String,
    /// What is to be said about it.
    pub message: String,
    /// The provider that it concerns.
    pub provider: Option<ProviderId>,
    /// The profile that it concerns.
    pub profile_id: Option<ProfileId>,
}

impl Report {
    /// How many findings have this code.
    pub fn count(&self, code: Code) -> usize {
        self.findings.iter().filter(|finding| finding.code == code).count()
    }

    /// Whether a finding is one that a user can mend: an OAuth login stands in clear because no
    /// reference can replace it.
    pub fn has_work(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity != INFORMATION)
    }

    /// `clean`, `findings` or `unresolved`.
    pub fn status(&self) -> &'static str {
        match (self.count(Code::Unresolved), self.findings.is_empty()) {
            (0, true) => "clean",
            (0, false) => "findings",
            _ => "unresolved",
        }
    }
}
