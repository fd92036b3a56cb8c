//! What the rows say of profiles and state.
//!
//! Invariant: an error quotes no text of a row, which can be a secret.

use super::Sqlite;
use super::connection::invalid;
use super::look::Look;
use super::merge;
use super::rows::{Owner, Row, Rows, Which};
use crate::secret::Secret;
use crate::store::{Document, StateDocument, StoreError};
use serde_json::error::Category;

pub(super) fn store_text(rows: Option<&Rows>) -> Option<&Secret> {
    rows?.store.as_ref().map(|row: &Row| &row.text)
}

pub(super) fn state_text(rows: Option<&Rows>) -> Option<&Secret> {
    rows?.state.as_ref().map(|row: &Row| &row.text)
}

impl Sqlite {
    pub(super) fn profiles(&self, look: &Look) -> Result<Document, StoreError> {
        self.read_profiles_of(look).map(|(document, _)| document)
    }

    /// The profiles, and whether the rows are older than what is beside them.
    pub(super) fn read_profiles_of(&self, look: &Look) -> Result<(Document, bool), StoreError> {
        let extras = self.extras();
        let document = merge::profiles(store_text(look.own_rows()), self.shared_store(look));
        let read = document.and_then(|document| {
            let is_old = extras.is_ahead_of(&document);
            Ok((extras.complete(document)?, is_old))
        });
        read.map_err(|error| self.invalid_row(self.row_name(Which::Store), &error))
    }

    /// What the databases say, and the profiles, both of one moment.
    pub(super) fn look_and_read(&self) -> Result<(Look, Document), StoreError> {
        let look = self.look()?;
        let (document, is_old) = self.read_profiles_of(&look)?;
        if !is_old {
            return Ok((look, document));
        }
        let look = self.look()?;
        let document = self.profiles(&look)?;
        Ok((look, document))
    }

    /// The state: the agent's own, then that of all, each before what an old layout keeps
    /// among the profiles. Where these are read already, as `profiles`, they are not parsed again:
    /// beside their entries they hold what the row of all says, else that of the agent.
    pub(super) fn state(
        &self,
        look: &Look,
        profiles: Option<&Document>,
    ) -> Result<StateDocument, StoreError> {
        let shared = look.shared_rows().filter(|_| self.is_shared());
        let has_shared = store_text(shared).is_some();
        let fill = |state: &mut StateDocument, row, is_parsed| match profiles {
            Some(profiles) if is_parsed => {
                state.fill_from(profiles);
                Ok(())
            }
            _ => merge::fill_state(state, row),
        };
        let compose = || {
            let first = state_text(look.own_rows()).or_else(|| state_text(shared));
            let first = first.map(|it| StateDocument::parse(it.expose()));
            let mut state = first.transpose()?.unwrap_or_default();
            fill(&mut state, store_text(look.own_rows()), !has_shared)?;
            merge::fill_state(&mut state, state_text(shared))?;
            fill(&mut state, store_text(shared), has_shared)?;
            self.extras().complete_state(&mut state);
            Ok(state)
        };
        compose().map_err(|error| self.invalid_row(self.row_name(Which::State), &error))
    }

    pub(super) fn shared_store<'l>(&self, look: &'l Look) -> Option<&'l Secret> {
        store_text(look.shared_rows().filter(|_| self.is_shared()))
    }

    pub(super) fn row_name(&self, which: Which) -> &'static str {
        let owner = if self.is_shared() { Owner::All } else { Owner::Agent };
        owner.name(which)
    }

    pub(super) fn invalid_row(&self, name: &str, error: &serde_json::Error) -> StoreError {
        // The text of such an error can quote a secret, unless it is our own.
        let reason = match error.classify() {
            Category::Syntax | Category::Eof => "is not JSON",
            Category::Data if error.to_string().contains("repeats the ") => "repeats a key",
            _ => "is not an object of profiles",
        };
        invalid(self.database(), &format!("`{name}` {reason}"))
    }
}
