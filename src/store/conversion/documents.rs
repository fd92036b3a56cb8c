//! From databases to documents.
//!
//! Invariant: the databases stay where they are, with no login in them; a document that is left
//! from before gives what the databases have not.

use super::direction::{AgentStores, Contents, Direction, WAIT, invalid};
use super::error::ConversionError;
use super::movement::{Movement, RenameProvider};
use super::note::write_failed;
use super::rows;
use crate::profile::Millis;
use crate::store::engine::Engine;
use crate::store::sqlite::Sqlite;
use crate::store::{Document, LeaseAttempt, LeaseKey, Location, StateDocument, StoreError};
use crate::system::file;

/// To JSON documents.
pub(super) struct ToDocuments;

impl Direction for ToDocuments {
    fn check(&self, mover: &AgentStores<'_>) -> Result<(), ConversionError> {
        if Sqlite::is_there(&mover.files) {
            mover.sqlite.check_convertible()?;
        }
        if mover.sqlite.is_gateway_running()? {
            let location = mover.sqlite.location();
            return Err(ConversionError::GatewayRuns { location });
        }
        mover.files.check_writable()?;
        Ok(())
    }

    fn pack(
        &self,
        mover: &AgentStores<'_>,
        _: Option<&Document>,
        rename: RenameProvider<'_>,
    ) -> Result<Contents, ConversionError> {
        let nothing = || {
            let (movement, document) = (Movement::default(), Document::default());
            Contents { originals: Vec::new(), movement, document }
        };
        if !Sqlite::is_there(&mover.files) {
            return Ok(nothing());
        }
        let held = mover.sqlite.rows()?;
        let odd = |error: serde_json::Error| invalid(mover, &error);
        let text = |document: &Document| document.to_text().map_err(odd);
        let mut originals = rows::originals(mover)?;
        let is_stored = held.document.entry_count() > 0 || !held.state.is_empty();
        if is_stored {
            let state = held.state.to_text().map_err(odd)?;
            originals.push(("rows-profiles.json".to_owned(), text(&held.document)?.into_bytes()));
            originals.push(("rows-state.json".to_owned(), state.into_bytes()));
        } else if originals.is_empty() {
            return Ok(nothing());
        }
        let source = (&held.document, &held.state);
        let mut movement =
            Movement::plan(source, &Document::default(), None, rename).map_err(odd)?;
        // What was left from before comes second.
        let (left, _) = mover.files.read_profiles()?;
        let state = mover.files.read_state(&left)?;
        let present = Document::parse(text(&movement.document)?).map_err(odd)?;
        let second = Movement::plan((&left, &state), &present, None, &|_| None).map_err(odd)?;
        movement.add(&second);
        Ok(Contents { originals, movement, document: held.document })
    }

    fn lease(
        &self,
        mover: &AgentStores<'_>,
        key: &LeaseKey<'_>,
    ) -> Result<LeaseAttempt, StoreError> {
        mover.sqlite.try_lease(key)
    }

    fn take_out(&self, mover: &AgentStores<'_>, contents: &Contents) -> Result<bool, StoreError> {
        let held = mover.sqlite.rows()?;
        let is_same = contents.originals.iter().all(|(name, sealed)| {
            let now = match name.as_str() {
                "rows-profiles.json" => held.document.to_text(),
                "rows-state.json" => held.state.to_text(),
                _ => return true,
            };
            now.is_ok_and(|now| now.as_bytes() == sealed.as_slice())
        });
        if !is_same || !rows::remove(mover, &contents.originals)? {
            return Ok(false);
        }
        mover.sqlite.take_out(&held, WAIT)
    }

    fn store(
        &self,
        mover: &AgentStores<'_>,
        (document, state): (&Document, &StateDocument),
        now: Millis,
    ) -> Result<(), StoreError> {
        let files = &mover.files;
        let (path, state_path) = (files.profiles_path(), files.state_path());
        files.make_agent_dir(None).map_err(|source| write_failed(&path, source))?;
        let _exclusion = files.exclusive(None, WAIT)?;
        let odd = |error: serde_json::Error| invalid(mover, &error);
        // Somebody may have signed in since the source was emptied.
        let (mut present, _) = files.read_profiles()?;
        let mut present_state = files.read_state(&present)?;
        let news = state.to_text().and_then(Document::parse).map_err(odd)?;
        present_state.fill_from(&news);
        if !present_state.is_empty() {
            let text = present_state.to_text().map_err(odd)?;
            file::replace(&state_path, text.as_bytes())
                .map_err(|source| write_failed(&state_path, source))?;
        }
        for (id, _) in document.entries() {
            if !present.has_entry(id) {
                present.copy_entry(document, id);
            }
        }
        let text = present.to_text().map_err(odd)? + &stamp(now);
        file::replace(&path, text.as_bytes()).map_err(|source| write_failed(&path, source))
    }

    fn stored(&self, mover: &AgentStores<'_>) -> Result<Document, StoreError> {
        mover.files.read_profiles().map(|(document, _)| document)
    }

    fn locations(&self, mover: &AgentStores<'_>) -> (Location, Location) {
        (mover.sqlite.location(), mover.files.location())
    }
}

/// White space that no other document ends with: OpenClaw does not import the same bytes from
/// the same place twice.
fn stamp(now: Millis) -> String {
    let bits = format!("{now:b}\n");
    bits.replace('0', " ").replace('1', "\t")
}
