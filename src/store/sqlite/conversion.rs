//! What the move between documents and databases needs of the rows.
//!
//! Invariant: each step is one change of one agent's rows, which has read them again.

use super::connection;
use super::look::Layout;
use super::make;
use super::place::Sqlite;
use crate::store::engine::{Engine, Swap};
use crate::store::{Document, ReadOnly, StateDocument, StoreError, Version};
use crate::system::lock::Holder;
use std::time::Duration;

/// The profiles, order and usage that the rows of an agent hold.
pub(in crate::store) struct RowsContent {
    pub(in crate::store) document: Document,
    pub(in crate::store) state: StateDocument,
    version: Option<Version>,
}

impl Sqlite {
    /// What the rows hold now, whatever documents there are.
    pub(in crate::store) fn rows(&self) -> Result<RowsContent, StoreError> {
        let look = self.look()?;
        let (document, state) = match look.layout {
            Layout::Nothing => (Document::default(), StateDocument::default()),
            _ => (self.profiles(&look)?, self.state(&look, None)?),
        };
        Ok(RowsContent { document, state, version: look.version(self.is_shared()) })
    }

    /// Fails where the first login of this agent could not be stored in a database.
    pub(in crate::store) fn check_first(&self) -> Result<(), StoreError> {
        if !self.is_shared() {
            return Err(self.no_database());
        }
        make::check_owner(&self.shared)
    }

    /// Fails where another user owns the databases, or the directories in which they are or
    /// would be.
    pub(in crate::store) fn check_owner(&self) -> Result<(), StoreError> {
        for path in [&self.shared, &self.own] {
            make::check_owner(path)?;
            if path.symlink_metadata().is_ok() {
                connection::check_owner(path)?;
            }
        }
        Ok(())
    }

    /// Makes the shared database for the first login.
    pub(in crate::store) fn make_first(&self) -> Result<(), StoreError> {
        self.check_first()?;
        self.make_shared()
    }

    /// Whether the rows are where OpenClaw 2026.8 and later have them.
    pub(in crate::store) fn is_claimed(&self) -> Result<bool, StoreError> {
        Ok(self.look()?.layout == Layout::Shared)
    }

    /// Fails where the rows could not be written once the shared database is there.
    pub(in crate::store) fn check_convertible(&self) -> Result<(), StoreError> {
        let look = self.look()?;
        let is_made = look.shared.is_none();
        if is_made && look.layout == Layout::Agents {
            return Err(self.read_only(ReadOnly::AgentLayout));
        }
        if is_made && self.is_shared() {
            return Ok(());
        }
        if is_made {
            let own = look.own.as_ref();
            return match own {
                Some(own) => own.refusal().map_or(Ok(()), |reason| Err(self.read_only(reason))),
                None => Err(self.no_database()),
            };
        }
        self.refusal(&look).map_or(Ok(()), Err)
    }

    /// Whether OpenClaw's gateway runs.
    ///
    /// # Errors
    /// Nobody knows: the database cannot be read.
    pub(in crate::store) fn is_gateway_running(&self) -> Result<bool, StoreError> {
        self.has_gateway()
    }

    /// Makes the shared database, unless there is one.
    pub(in crate::store) fn make_shared(&self) -> Result<(), StoreError> {
        make::shared(&self.shared)
    }

    /// Adds profiles, order and usage to the rows; nothing that stands there is replaced.
    pub(in crate::store) fn add(
        &self,
        document: &Document,
        state: &StateDocument,
        wait: Duration,
    ) -> Result<(), StoreError> {
        self.change(wait, |present| {
            for (id, _) in document.entries() {
                if !present.has_entry(id) {
                    present.copy_entry(document, id);
                }
            }
        })?;
        let text = state.to_text().map_err(|error| self.invalid(&error))?;
        let added = Document::parse(text).map_err(|error| self.invalid(&error))?;
        self.change_state(wait, |present| present.fill_from(&added))
    }

    /// Takes all profiles, order and usage out of the rows, where the profiles are still those
    /// of `held`; whether they were.
    pub(in crate::store) fn take_out(
        &self,
        held: &RowsContent,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        if self.rows()?.version != held.version {
            return Ok(false);
        }
        if held.version.is_some() {
            let exclusion = self.exclusive(None, wait)?;
            let mut document = self.rows()?.document;
            let ids: Vec<_> = document.entries().map(|(id, _)| id.to_owned()).collect();
            for id in ids {
                document.remove_entry(&id);
            }
            match self.swap(&exclusion, None, held.version, &mut document)? {
                Swap::Done => {}
                Swap::Changed(_) | Swap::ExclusionLost(_) => return Ok(false),
            }
        }
        if !held.state.is_empty() {
            self.change_state(wait, |state| *state = StateDocument::default())?;
        }
        Ok(true)
    }

    fn change(&self, wait: Duration, change: impl Fn(&mut Document)) -> Result<(), StoreError> {
        loop {
            let exclusion = self.exclusive(None, wait)?;
            let held = self.rows()?;
            let mut document = held.document;
            change(&mut document);
            match self.swap(&exclusion, None, held.version, &mut document) {
                Ok(Swap::Done) => return Ok(()),
                // What was hidden can be seen now.
                Ok(_) | Err(StoreError::Hidden { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn change_state(
        &self,
        wait: Duration,
        change: impl Fn(&mut StateDocument),
    ) -> Result<(), StoreError> {
        let exclusion = self.exclusive(None, wait)?;
        let held = self.rows()?;
        let mut state = held.state;
        change(&mut state);
        self.write_state(&exclusion, held.version, held.document, state)
    }

    /// The lock of the rows cannot be had for longer than this.
    pub(in crate::store) fn timed_out(&self, waited: Duration, holder: Holder) -> StoreError {
        StoreError::LockTimeout { location: self.location(), waited, holder }
    }

    pub(super) fn no_database(&self) -> StoreError {
        StoreError::NoAgentDatabase {
            location: self.own.as_path().into(),
            agent: self.agent.clone(),
        }
    }
}
