//! What was read of a store, and what tells one version of it from another.
//!
//! Invariant: profiles and state are read together; who has a snapshot reads no document
//! again to know more of that moment.

use super::kept_backup::KeptBackup;
use super::{Document, StateDocument, StoreError};
use crate::system::file::{Fingerprint, Reserved};
use crate::system::lock::SidecarLock;

/// What a store holds at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The profiles; none where nothing is stored yet.
    pub document: Document,
    /// The version of the profiles; `None` when nothing is stored yet.
    pub version: Option<Version>,
    state: Result<StateDocument, StoreError>,
}

impl Snapshot {
    pub(super) const fn new(
        document: Document,
        version: Option<Version>,
        state: Result<StateDocument, StoreError>,
    ) -> Self {
        Self { document, version, state }
    }

    /// What is remembered about the use of the profiles. The old layout, inside the profiles
    /// document, fills what the state document leaves out.
    ///
    /// # Errors
    /// The state document exists and cannot be read.
    pub fn state(&self) -> Result<&StateDocument, StoreError> {
        self.state.as_ref().map_err(Clone::clone)
    }

    /// Both documents.
    ///
    /// # Errors
    /// See [`Self::state`].
    pub fn into_documents(self) -> Result<(Document, StateDocument), StoreError> {
        Ok((self.document, self.state?))
    }
}

/// One version of the profiles in a store: every change makes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub(super) Fingerprint);

/// What a later change needs, set aside: it cannot fail for lack of space.
#[derive(Debug)]
pub struct Prepared {
    pub(super) reserved: Reserved,
    /// The backup of the profiles of that version.
    pub(super) backup: Option<(KeptBackup, Version)>,
}

/// The right to change the documents of a store, until it is dropped.
#[derive(Debug)]
pub(super) struct Exclusion(pub(super) Vec<SidecarLock>);
