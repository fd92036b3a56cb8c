//! From documents to databases.
//!
//! Invariant: a document is removed only while it is what was sealed. One that is a symbolic
//! link is not taken away.

use super::direction::{AgentStores, Contents, Direction, WAIT, invalid};
use super::error::ConversionError;
use super::movement::{Movement, RenameProvider};
use super::note::{read_failed, write_failed};
use crate::profile::Millis;
use crate::store::engine::Engine;
use crate::store::files::lease;
use crate::store::{Document, LeaseAttempt, LeaseKey, Location, StateDocument, StoreError};
use crate::system::file;
use crate::system::lock::StaleRule;
use std::io::ErrorKind;
use std::path::PathBuf;

/// To rows of databases.
pub(super) struct ToRows;

/// The files of an agent that hold logins, or held them before that one.
pub(super) fn files(mover: &AgentStores<'_>) -> Vec<PathBuf> {
    let own = ["auth-profiles.json", "auth-state.json", "auth.json"];
    let own = own.map(|name| mover.files.agent_dir.join(name));
    own.into_iter().chain(mover.files.oauth_file.clone()).collect()
}

/// What is in them, each by its name.
pub(super) fn originals(
    mover: &AgentStores<'_>,
) -> Result<Vec<(String, Vec<u8>)>, ConversionError> {
    let mut found = Vec::new();
    for path in files(mover) {
        let is_link = |path: &std::path::Path| {
            path.symlink_metadata().is_ok_and(|it| it.file_type().is_symlink())
        };
        let is_there = path.symlink_metadata().is_ok();
        if is_there && (is_link(&path) || path.parent().is_some_and(is_link)) {
            return Err(ConversionError::Link { location: path.as_path().into() });
        }
        match file::read_bytes(&path) {
            Ok(contents) => found.push((name(&path), contents)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(read_failed(&path, error).into()),
        }
    }
    Ok(found)
}

fn name(path: &std::path::Path) -> String {
    path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Removes the files, where they are still what `originals` has; whether they were.
pub(super) fn remove(
    mover: &AgentStores<'_>,
    originals: &[(String, Vec<u8>)],
) -> Result<bool, StoreError> {
    let exclusion = mover.files.exclusive(None, WAIT)?;
    // The document itself goes last: while it is there, those before it say nothing.
    for path in files(mover).into_iter().rev() {
        let sealed = originals.iter().find(|(it, _)| *it == name(&path));
        match file::read_bytes(&path) {
            Ok(present) if sealed.is_some_and(|(_, it)| *it == present) => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(read_failed(&path, error)),
        }
        file::remove(&path).map_err(|source| write_failed(&path, source))?;
    }
    drop(exclusion);
    Ok(true)
}

impl Direction for ToRows {
    fn check(&self, mover: &AgentStores<'_>) -> Result<(), ConversionError> {
        mover.sqlite.check_convertible()?;
        if !mover.sqlite.is_claimed()? && mover.sqlite.is_gateway_running()? {
            let location = mover.sqlite.location();
            return Err(ConversionError::GatewayRuns { location });
        }
        Ok(())
    }

    fn pack(
        &self,
        mover: &AgentStores<'_>,
        main: Option<&Document>,
        rename: RenameProvider<'_>,
    ) -> Result<Contents, ConversionError> {
        let originals = originals(mover)?;
        let nothing = || {
            let (movement, document) = (Movement::default(), Document::default());
            Contents { originals: Vec::new(), movement, document }
        };
        if originals.is_empty() {
            return Ok(nothing());
        }
        let (document, _) = mover.files.read_profiles()?;
        let state = mover.files.read_state(&document)?;
        let is_state_alone = originals.iter().all(|(name, _)| name == "auth-state.json");
        if is_state_alone && !mover.agent.is_main() && state.orders().is_empty() {
            // Usage alone keeps OpenClaw from nothing.
            return Ok(nothing());
        }
        let present = mover.sqlite.rows()?.document;
        let movement = Movement::plan((&document, &state), &present, main, rename);
        let movement = movement.map_err(|error| invalid(mover, &error))?;
        Ok(Contents { originals, movement, document })
    }

    fn lease(
        &self,
        mover: &AgentStores<'_>,
        key: &LeaseKey<'_>,
    ) -> Result<LeaseAttempt, StoreError> {
        let files = &mover.files;
        let path = lease::lease_path(&files.state_dir, key.provider, key.profile_id);
        lease::try_lease(&path, StaleRule::ByAge, files.locks(&files.profiles_path()), key)
    }

    fn take_out(&self, mover: &AgentStores<'_>, contents: &Contents) -> Result<bool, StoreError> {
        remove(mover, &contents.originals)
    }

    fn store(
        &self,
        mover: &AgentStores<'_>,
        (document, state): (&Document, &StateDocument),
        _: Millis,
    ) -> Result<(), StoreError> {
        if mover.agent.is_main() {
            mover.sqlite.make_shared()?;
        }
        mover.sqlite.add(document, state, WAIT)
    }

    fn stored(&self, mover: &AgentStores<'_>) -> Result<Document, StoreError> {
        mover.sqlite.rows().map(|held| held.document)
    }

    fn locations(&self, mover: &AgentStores<'_>) -> (Location, Location) {
        (mover.files.location(), mover.sqlite.location())
    }
}
