//! What the audit gathers on its way, and how its parts add to that.

use super::finding::{Code, Finding};
use super::known::Known;
use super::object::read_object;
use crate::config::Variables;
use crate::profile::secret_ref::SecretRef;
use crate::profile::{ProfileId, ProviderId};
use crate::reference::Wanted;
use crate::text::chain;
use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The place of a finding about a file as a whole.
pub(super) const ROOT: &str = "<root>";

/// What the audit gathers on its way.
pub(super) struct Collector<'a> {
    pub(super) known: Known,
    pub(super) variables: &'a Variables<'a>,
    pub(super) findings: Vec<Finding>,
    pub(super) files: Vec<PathBuf>,
    /// The places that hold a reference.
    pub(super) assignments: Vec<Assignment>,
    /// Where the configuration has a reference for a provider.
    pub(super) configured: IndexMap<ProviderId, Vec<String>>,
    /// The kinds of credentials that profiles have for a provider.
    pub(super) held: IndexMap<ProviderId, IndexSet<&'static str>>,
}

/// A place that holds a reference.
pub(super) struct Assignment {
    pub(super) file: PathBuf,
    pub(super) path: String,
    pub(super) reference: SecretRef,
    pub(super) wanted: Wanted,
    pub(super) provider: Option<String>,
}

impl Collector<'_> {
    /// Adds a finding.
    pub(super) fn find(
        &mut self,
        (code, severity): (Code, &'static str),
        (file, path): (&Path, String),
        message: String,
        (provider, profile_id): (Option<&str>, Option<&ProfileId>),
    ) {
        self.findings.push(Finding {
            code,
            severity,
            file: file.to_owned(),
            path,
            message,
            provider: provider.map(ProviderId::from),
            profile_id: profile_id.cloned(),
        });
    }

    /// Adds the finding of a secret in plain text.
    pub(super) fn find_plaintext(
        &mut self,
        at: (&Path, String),
        message: impl Into<String>,
        about: (Option<&str>, Option<&ProfileId>),
    ) {
        self.find((Code::Plaintext, "warn"), at, message.into(), about);
    }

    /// Adds the finding of what does not resolve or cannot be read.
    pub(super) fn find_unresolved(
        &mut self,
        at: (&Path, String),
        message: String,
        provider: Option<&str>,
    ) {
        self.find((Code::Unresolved, "error"), at, message, (provider, None));
    }

    /// The JSON object in a file that is there. What cannot be interpreted is a finding.
    pub(super) fn object(&mut self, path: &Path, limit: Option<u64>) -> Option<Map<String, Value>> {
        if !path.exists() {
            return None;
        }
        self.files.push(path.to_owned());
        match read_object(path, limit) {
            Ok(object) => Some(object),
            Err(error) => {
                self.find_unresolved((path, ROOT.to_owned()), chain(&error), None);
                None
            }
        }
    }
}
