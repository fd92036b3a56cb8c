//! A change of profiles or state, carried into the rows that it is about.
//!
//! Invariant: it runs inside transactions that have read the rows again, and commits them as
//! its last act; where it fails, nothing has changed.

use super::connection::{invalid, write_failed};
use super::held::Held;
use super::look::{Look, Shared};
use super::merge::{self, Changes, Entries, Home, States};
use super::place::Sqlite;
use super::reading::{state_text, store_text};
use super::rows::{self, Owner, Rows, Which};
use crate::secret::Secret;
use crate::store::{Document, StateDocument, StoreError};
use crate::system::now;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

/// The rows of the agent and those of all, whether or not they count yet.
pub(super) struct Present<'l> {
    own: Option<&'l Rows>,
    shared: Option<&'l Rows>,
}

impl<'l> Present<'l> {
    pub(super) fn rows(&self, owner: Owner) -> Option<&'l Rows> {
        match owner {
            Owner::Agent => self.own,
            Owner::All => self.shared,
        }
    }
}

impl Sqlite {
    pub(super) fn present<'l>(&self, look: &'l Look) -> Present<'l> {
        let shared = look.shared.as_ref().map(|it| &it.rows).filter(|_| self.is_shared());
        Present { own: look.own.as_ref().map(|it| &it.rows), shared }
    }

    /// Writes what differs between `present` and `document`, each to the row that has it, and
    /// commits.
    pub(super) fn write_profiles(
        &self,
        held: &Held,
        look: &Look,
        present: &Document,
        document: &Document,
    ) -> Result<(), StoreError> {
        let odd = |error: serde_json::Error| self.invalid_row("the document", &error);
        let mut changes = Changes::between(present, document);
        let mut extras = self.extras();
        let hidden = self.hidden()?;
        let (others, mut taken): (Entries, Entries) =
            changes.entries.into_iter().partition(|(id, _)| hidden.has(id));
        if extras.take_fields(&mut taken).map_err(odd)? {
            extras.write(&self.extras_path())?;
        }
        let ids: Vec<String> = taken.iter().map(|(id, _)| id.clone()).collect();
        changes.entries = taken.into_iter().chain(others).collect();
        let rows = self.present(look);
        let mut states = States::new(state_text(rows.own), state_text(rows.shared)).map_err(odd)?;
        for (owner, changes) in self.by_owner(&rows, changes) {
            let row = store_text(rows.rows(owner));
            let old = self.old_layout(held, owner, &rows)?;
            if changes.is_empty() && old.is_none() {
                continue;
            }
            if let Some(old) = &old {
                states.take_over(owner == Owner::Agent, old).map_err(odd)?;
            }
            let text = merge::changed_profiles(row, &changes, old.is_some()).map_err(odd)?;
            self.write(held, owner, Which::Store, Some(text.expose()))?;
        }
        if document.has_old_layout() {
            states.take_over(!self.is_shared(), document).map_err(odd)?;
        }
        self.write_states(held, &states)?;
        self.claim(held, look)?;
        held.commit(self)?;
        if extras.settle(&ids) {
            // Without its marker, a claim says nothing.
            let _ = extras.write(&self.extras_path());
        }
        Ok(())
    }

    /// The changes of each row.
    pub(super) fn by_owner(&self, rows: &Present<'_>, changes: Changes) -> [(Owner, Changes); 2] {
        if !self.is_shared() {
            return [(Owner::Agent, changes), (Owner::All, Changes::default())];
        }
        let read = |row| store_text(row).and_then(|it| Document::parse(it.expose()).ok());
        let (own, shared) = (read(rows.own), read(rows.shared));
        let has =
            |row: &Option<Document>, id: &str| row.as_ref().is_some_and(|it| it.has_entry(id));
        // What comes in the place of one of the agent's own is its own: another id of it.
        let replaces_own = changes.entries.iter().any(|(id, it)| it.is_none() && has(&own, id));
        let has_own = |id: &str| has(&own, id) || replaces_own && !has(&shared, id);
        let grant = |row: &Option<Document>, id: &str| row.as_ref().and_then(|it| grant_in(it, id));
        let is_in_both = |id: &str| {
            let grants = grant(&own, id).zip(grant(&shared, id));
            grants.is_some_and(|(own, shared)| own.matches(&shared))
        };
        let (own, shared) = changes.split(has_own, is_in_both);
        [(Owner::Agent, own), (Owner::All, shared)]
    }

    /// Writes what a change of the state is about, and commits.
    pub(super) fn write_state_rows(
        &self,
        held: &Held,
        look: &Look,
        mut state: StateDocument,
    ) -> Result<(), StoreError> {
        let odd = |error: serde_json::Error| self.invalid_row(self.row_name(Which::State), &error);
        let rows = self.present(look);
        for text in [state_text(rows.own), state_text(rows.shared)].into_iter().flatten() {
            let row = StateDocument::parse(text.expose()).map_err(odd)?;
            if let Some(member) = row.foreign_member() {
                return Err(invalid(self.database(), &format!("`{member}` is not an object")));
            }
        }
        let mut before = self.state(look, None)?;
        let mut extras = self.extras();
        if extras.take_refusals(&mut state).map_err(odd)? {
            extras.write(&self.extras_path())?;
        }
        before.take_refusals();
        let mut states = States::new(state_text(rows.own), state_text(rows.shared)).map_err(odd)?;
        let home = match (self.is_shared(), held.own.is_some()) {
            (false, _) => Home::Own,
            (true, true) => Home::Split,
            (true, false) => Home::Shared,
        };
        // An old layout would say again what the change takes away.
        for owner in [Owner::Agent, Owner::All] {
            let Some(old) = self.old_layout(held, owner, &rows)? else { continue };
            states.take_over(owner == Owner::Agent, &old).map_err(odd)?;
            let text = store_text(rows.rows(owner));
            let text = merge::changed_profiles(text, &Changes::default(), true).map_err(odd)?;
            self.write(held, owner, Which::Store, Some(text.expose()))?;
        }
        states.change(&before, &state, home).map_err(odd)?;
        self.write_states(held, &states)?;
        if states.shared_changed {
            self.claim(held, look)?;
        }
        held.commit(self)
    }

    /// The profiles of `owner`, where order or usage still stand among them.
    fn old_layout(
        &self,
        held: &Held,
        owner: Owner,
        rows: &Present<'_>,
    ) -> Result<Option<Document>, StoreError> {
        let Some(text) = store_text(rows.rows(owner)).filter(|_| held.has(owner)) else {
            return Ok(None);
        };
        let document = Document::parse(text.expose());
        let document = document.map_err(|error| self.invalid_row(owner.name(Which::Store), &error));
        document.map(|document| document.has_old_layout().then_some(document))
    }

    fn write_states(&self, held: &Held, states: &States) -> Result<(), StoreError> {
        let changed = [
            (Owner::Agent, &states.own, states.own_changed),
            (Owner::All, &states.shared, states.shared_changed),
        ];
        for (owner, row, _) in changed.into_iter().filter(|(.., changed)| *changed) {
            let text = merge::state_text(row)
                .map_err(|error| self.invalid_row(owner.name(Which::State), &error))?;
            self.write(held, owner, Which::State, text.as_deref())?;
        }
        Ok(())
    }

    /// Says where the rows are, as OpenClaw does with the first that it writes. Where `main` has
    /// rows of its own and nothing says `state-db`, [`Self::refusal`] has kept all from being
    /// written.
    fn claim(&self, held: &Held, look: &Look) -> Result<(), StoreError> {
        let is_claimed = look.shared.as_ref().is_none_or(Shared::is_claimed);
        let Some(shared) = held.shared.as_ref().filter(|_| !is_claimed) else { return Ok(()) };
        rows::claim_shared(shared, now())
            .map_err(|error| write_failed(&self.shared, &error, Duration::ZERO))
    }

    pub(super) fn write(
        &self,
        held: &Held,
        owner: Owner,
        which: Which,
        text: Option<&str>,
    ) -> Result<(), StoreError> {
        let (connection, path) = match owner {
            Owner::All => (&held.shared, &self.shared),
            Owner::Agent => (&held.own, &self.own),
        };
        let Some(connection) = connection else {
            let source = Arc::new(ErrorKind::ReadOnlyFilesystem.into());
            return Err(StoreError::Write { location: path.as_path().into(), source });
        };
        owner
            .write(connection, which, text, now())
            .map_err(|error| write_failed(path, &error, Duration::ZERO))
    }
}

/// The refresh token that an entry holds, or the marker that stands for it.
fn grant_in(document: &Document, id: &str) -> Option<Secret> {
    #[derive(serde::Deserialize)]
    struct Held {
        refresh: Secret,
    }
    let entry = Secret::new(document.entry(id)?);
    serde_json::from_str::<Held>(entry.expose()).ok().map(|held| held.refresh)
}
