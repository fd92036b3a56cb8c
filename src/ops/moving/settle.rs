//! The end of a move: the login is removed here, or a move that came to nothing is forgotten.
//!
//! Invariant: it runs under the lease on the grant, so that nobody moves or refreshes it.

use super::document;
use crate::app::App;
use crate::config::{AgentDir, Config, ConfigError, remove_profile};
use crate::profile::{Credential, Millis, ProfileId};
use crate::secret::Secret;
use crate::store::{Move, MovedTo, Store, StoreError, exchanged};
use crate::system::{file, new_file};
use std::io::ErrorKind;
use std::path::Path;

/// What is known of a move that is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum State {
    /// It came to nothing: the login is ours, and the note is gone.
    Ours,
    /// The login is elsewhere.
    Away,
    /// Nobody knows whether anybody else has it.
    Unknown,
}

/// Finds out what became of an earlier move of `grant`, and ends it. `store` is the one that wants
/// to use it.
pub(in crate::ops) fn settle(
    (app, config): (&App, &Config),
    store: &Store,
    grant: &Secret,
    noted: &Move,
) -> State {
    let is_owner = is_owner((app, config), store, noted);
    if noted.is_removed {
        return if is_owner { State::Ours } else { State::Away };
    }
    let Some(is_away) = is_there(app, config, grant, noted) else { return State::Unknown };
    if is_away {
        let agent = app.agent(config, Some(&noted.agent_id)).ok();
        let is_removed = agent.is_none_or(|it| {
            remove(app, config, &app.store(&it), &noted.profile_id, grant).is_ok()
        });
        let noted = Move { is_there: true, is_removed, ..noted.clone() };
        let is_noted = app.moves().note(grant, &noted).is_ok();
        return match is_owner {
            false => State::Away,
            // What a refresh brings would reach the copy that is still there.
            true if is_removed && is_noted => State::Ours,
            true => State::Unknown,
        };
    }
    if let MovedTo::File(path) = &noted.to {
        let _ = std::fs::remove_file(new_file::part_of(path));
    }
    // As long as the note is there, nothing is posted.
    if app.moves().forget(grant).is_ok() { State::Ours } else { State::Unknown }
}

/// Whether a move has made `store` the owner of the login: that of an agent here.
fn is_owner((app, config): (&App, &Config), store: &Store, noted: &Move) -> bool {
    let MovedTo::Agent(id) = &noted.to else { return false };
    let agent = || app.agent(config, Some(id)).ok();
    store.agent_id() == id || agent().is_some_and(|it| app.store(&it).is_same(store))
}

/// What a move of `grant` means to `store`, which has it; nothing is changed. `None` where it is
/// not noted as moved, or the login is that store's.
pub(crate) fn moved_from(of: (&App, &Config), store: &Store, grant: &Secret) -> Option<Elsewhere> {
    let (app, config) = of;
    let noted = app.moves().find(grant)?;
    if is_owner(of, store, &noted) {
        return None;
    }
    let is_deleted = match &noted.to {
        MovedTo::Agent(id) => app.agent(config, Some(id)).is_err(),
        MovedTo::File(_) | MovedTo::Output => false,
    };
    let is_there = if noted.is_away() { Some(true) } else { is_there(app, config, grant, &noted) };
    let is_certain = is_there.is_some();
    is_there.unwrap_or(true).then_some(Elsewhere { at: noted.at, is_certain, is_deleted })
}

/// Whether a store may take what a refresh of the grant with this hash brought: a copy of what
/// moved away may not.
pub(in crate::ops) fn may_take(of: (&App, &Config), store: &Store, hash: &str) -> bool {
    let noted = of.0.moves().find_by_hash(hash).filter(Move::is_away);
    noted.is_none_or(|noted| is_owner(of, store, &noted))
}

/// A login that is elsewhere, or may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// When it was moved, in milliseconds since the epoch.
    pub(crate) at: Millis,
    /// Whether it has arrived for certain. Else only a person can tell.
    pub(crate) is_certain: bool,
    /// Whether it went to an agent that was deleted since.
    pub(crate) is_deleted: bool,
}

/// Whether the login has reached the destination; `None` where nobody can tell.
fn is_there(app: &App, config: &Config, grant: &Secret, noted: &Move) -> Option<bool> {
    match &noted.to {
        _ if noted.is_there => Some(true),
        MovedTo::Output => None,
        MovedTo::File(path) => is_in_file(path, grant),
        MovedTo::Agent(id) => match app.agent(config, Some(id)) {
            Ok(agent) => holds(&app.store(&agent), grant).ok(),
            // Whoever deleted it may have the login in the trash.
            Err(_) => None,
        },
    }
}

/// Whether the file of a move has got its name. The part was there before the note was; where
/// both are gone, somebody has carried the file away or removed the part.
fn is_in_file(path: &Path, grant: &Secret) -> Option<bool> {
    match new_file::check_absent(&new_file::part_of(path)) {
        Ok(()) => carries(path, grant).then_some(true),
        Err(error) => (error.kind() == ErrorKind::AlreadyExists).then_some(false),
    }
}

/// Whether a file carries the login of `grant`.
pub(super) fn carries(path: &Path, grant: &Secret) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|it| it.is_file());
    let text = is_file.then(|| file::read_up_to(path, document::LARGEST));
    let Some(Ok(Some((text, _)))) = text else { return false };
    let carried = document::read(&text);
    carried.is_some_and(|it| held(&it.credential).is_some_and(|it| it.matches(grant)))
}

/// Whether a store holds the grant.
///
/// # Errors
/// It cannot be read.
pub(super) fn holds(store: &Store, grant: &Secret) -> Result<bool, StoreError> {
    let document = store.profiles()?;
    let mut profiles = document.profiles();
    Ok(profiles.any(|profile| held(&profile.credential).is_some_and(|it| it.matches(grant))))
}

/// What is moved of a credential: its refresh token, else the token or key.
pub(super) fn held(credential: &Credential) -> Option<&Secret> {
    credential.refresh_token().or_else(|| credential.bearer())
}

/// Removes a profile here, while it holds what was moved, with every mention of it.
pub(super) fn remove(
    app: &App,
    config: &Config,
    store: &Store,
    id: &ProfileId,
    grant: &Secret,
) -> Result<(), NotRemoved> {
    store.update(|document| {
        let present = document.credential(id.as_str());
        let is_same = present.as_ref().and_then(held).is_some_and(|it| it.matches(grant));
        Ok((is_same && document.remove_entry(id.as_str()), ()))
    })?;
    if store.profiles()?.has_entry(id.as_str()) {
        return Ok(());
    }
    store.update_state(|state| state.forget(id.as_str()))?;
    exchanged::remove(&app.paths.exchanged_tokens(), grant);
    let is_named = |other: &AgentDir| {
        app.store(other).profiles().is_ok_and(|document| document.has_entry(id.as_str()))
    };
    if !app.agents_with_directories(config).iter().any(is_named) {
        remove_profile(&app.paths.config, id)?;
    }
    Ok(())
}

/// Why a login that was moved is still here.
#[derive(Debug, thiserror::Error)]
pub enum NotRemoved {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
