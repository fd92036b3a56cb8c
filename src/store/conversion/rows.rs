//! From documents to databases.
//!
//! Invariant: a document is removed only while it is what was sealed. One that is a symbolic
//! link is not taken away.

use super::error::ConversionError;
use super::movement::{Movement, RenameProvider};
use super::note::{read_failed, write_failed};
use super::way::{Luggage, Traveller, WAIT, Way, invalid};
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
pub(super) fn files(traveller: &Traveller<'_>) -> Vec<PathBuf> {
    let own = ["auth-profiles.json", "auth-state.json", "auth.json"];
    let own = own.map(|name| traveller.files.agent_dir.join(name));
    own.into_iter().chain(traveller.files.oauth_file.clone()).collect()
}

/// What is in them, each by its name.
pub(super) fn originals(
    traveller: &Traveller<'_>,
) -> Result<Vec<(String, Vec<u8>)>, ConversionError> {
    let mut found = Vec::new();
    for path in files(traveller) {
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
    traveller: &Traveller<'_>,
    originals: &[(String, Vec<u8>)],
) -> Result<bool, StoreError> {
    let exclusion = traveller.files.exclusive(None, WAIT)?;
    // The document itself goes last: while it is there, those before it say nothing.
    for path in files(traveller).into_iter().rev() {
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

impl Way for ToRows {
    fn check(&self, traveller: &Traveller<'_>) -> Result<(), ConversionError> {
        traveller.sqlite.check_convertible()?;
        if !traveller.sqlite.is_claimed()? && traveller.sqlite.is_gateway_running()? {
            let location = traveller.sqlite.location();
            return Err(ConversionError::GatewayRuns { location });
        }
        Ok(())
    }

    fn pack(
        &self,
        traveller: &Traveller<'_>,
        main: Option<&Document>,
        rename: RenameProvider<'_>,
    ) -> Result<Luggage, ConversionError> {
        let originals = originals(traveller)?;
        let nothing = || {
            let (movement, document) = (Movement::default(), Document::default());
            Luggage { originals: Vec::new(), movement, document }
        };
        if originals.is_empty() {
            return Ok(nothing());
        }
        let (document, _) = traveller.files.read_profiles()?;
        let state = traveller.files.read_state(&document)?;
        let is_state_alone = originals.iter().all(|(name, _)| name == "auth-state.json");
        if is_state_alone && !traveller.agent.is_main() && state.orders().is_empty() {
            // Usage alone keeps OpenClaw from nothing.
            return Ok(nothing());
        }
        let present = traveller.sqlite.rows()?.document;
        let movement = Movement::plan((&document, &state), &present, main, rename);
        let movement = movement.map_err(|error| invalid(traveller, &error))?;
        Ok(Luggage { originals, movement, document })
    }

    fn lease(
        &self,
        traveller: &Traveller<'_>,
        key: &LeaseKey<'_>,
    ) -> Result<LeaseAttempt, StoreError> {
        let files = &traveller.files;
        let path = lease::lease_path(&files.state_dir, key.provider, key.profile_id);
        lease::try_lease(&path, StaleRule::ByAge, files.locks(&files.profiles_path()), key)
    }

    fn take_out(&self, traveller: &Traveller<'_>, luggage: &Luggage) -> Result<bool, StoreError> {
        remove(traveller, &luggage.originals)
    }

    fn store(
        &self,
        traveller: &Traveller<'_>,
        (document, state): (&Document, &StateDocument),
        _: Millis,
    ) -> Result<(), StoreError> {
        if traveller.agent.is_main() {
            traveller.sqlite.make_shared()?;
        }
        traveller.sqlite.add(document, state, WAIT)
    }

    fn stored(&self, traveller: &Traveller<'_>) -> Result<Document, StoreError> {
        traveller.sqlite.rows().map(|held| held.document)
    }

    fn locations(&self, traveller: &Traveller<'_>) -> (Location, Location) {
        (traveller.files.location(), traveller.sqlite.location())
    }
}
