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
pub struct Version(pub(super) Mark);

/// What tells one version from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The file that holds it.
    File(Fingerprint),
    /// The texts that say it, by their hash, and when they were written.
    #[cfg(feature = "sqlite")]
    Rows(u64),
}

/// What a later change needs, set aside: it cannot fail for lack of space.
#[derive(Debug)]
pub struct Prepared {
    pub(super) aside: Aside,
    /// The backup of the profiles of that version.
    pub(super) backup: Option<(KeptBackup, Version)>,
}

impl Prepared {
    pub(super) const fn nothing() -> Self {
        Self { aside: Aside::Nothing, backup: None }
    }
}

/// What is set aside.
#[derive(Debug)]
pub(super) enum Aside {
    /// Room for a file.
    Room(Reserved),
    /// Nothing: there is room, as far as can be told.
    Nothing,
}

/// The right to change the documents of a store, until it is dropped.
#[derive(Debug)]
pub(super) enum Exclusion {
    /// Lock files are held.
    Locks(Vec<SidecarLock>),
    /// Transactions are open.
    #[cfg(feature = "sqlite")]
    Rows(Box<super::sqlite::Held>),
}

impl Exclusion {
    /// The lock files.
    pub(super) const fn locks(&self) -> Option<&Vec<SidecarLock>> {
        match self {
            Self::Locks(locks) => Some(locks),
            #[cfg(feature = "sqlite")]
            Self::Rows(_) => None,
        }
    }
}
