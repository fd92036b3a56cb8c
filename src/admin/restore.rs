//! Getting back what a change of the credentials replaced.
//!
//! Invariant: a refresh token that was rotated is not brought back unasked. The server
//! takes a second use of it for theft and ends the login that replaced it. Nothing that is
//! stored now is removed, and what is replaced becomes a backup itself. What was moved away
//! stays away: it has another owner.

use super::doctor::store_of;
use crate::app::{App, AppError};
use crate::config::Config;
use crate::ops::login_state::{Judge, Judged};
use crate::ops::moving::moved_from;
use crate::ops::record::{Commit, RecordError, Recorded, Wait, record};
use crate::profile::{
    AgentId, Credential, LoginState, Millis, NeedsPerson, ProfileId, ProviderId, Refusal,
};
use crate::store::{Backup, Document, Location, StateDocument, Store, StoreFormat};
use crate::text::printable;
use serde::Serialize;

/// A backup and what it holds.
#[derive(Debug)]
pub struct Listed {
    /// Its name, which restores it.
    pub name: String,
    /// Where it is.
    pub location: Location,
    /// When it was replaced, in milliseconds since the epoch.
    pub replaced_at: Millis,
    /// Whether it was replaced by renewed tokens alone.
    pub is_renewal: bool,
    /// The form of the store that it is a backup of, where that is not the present one.
    pub other_format: Option<StoreFormat>,
    /// The ids of its profiles; `None` when it cannot be read.
    pub profiles: Option<Vec<ProfileId>>,
}

/// The backups of an agent.
#[derive(Debug)]
pub struct Listing {
    /// The agent.
    pub agent_id: AgentId,
    /// Where they are.
    pub directory: Location,
    /// The newest first; after them those of the other form of store.
    pub backups: Vec<Listed>,
}

/// What a restore did.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The agent.
    pub agent_id: AgentId,
    /// The backup.
    pub backup: String,
    /// The profiles that are now as they were then.
    pub restored: Vec<ProfileId>,
    /// The profiles that were left as they are, each with the reason.
    pub kept: Vec<Kept>,
    /// Those of the restored ones that a person has to look after.
    #[serde(skip)]
    pub over: Vec<OverLogin>,
}

/// A profile that was left as it is.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// The profile.
    pub id: ProfileId,
    /// Why.
    pub reason: &'static str,
}

/// A restored login that is over, or may be.
#[derive(Debug)]
pub struct OverLogin {
    /// The profile.
    pub id: ProfileId,
    /// Its provider.
    pub provider: ProviderId,
    /// How it is doing.
    pub state: LoginState,
}

/// Why a backup is not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The configuration or the store cannot be used. Nothing is restored.
    #[error(transparent)]
    App(AppError),
    /// There is no such backup.
    #[error("agent `{agent_id}` has no backup `{}`", printable(name, 80))]
    NoBackup {
        /// The agent.
        agent_id: AgentId,
        /// The name as it was given.
        name: String,
    },
    /// It is one of the form in which the logins were before they moved.
    #[error("the backup `{}` is of {format}, and the logins are in {}", printable(name, 80), format.other())]
    OtherFormat {
        /// The name as it was given.
        name: String,
        /// The form.
        format: StoreFormat,
    },
    /// The profiles are restored, and one is still noted as moved.
    #[error("the profiles are restored, but one is still noted as moved away")]
    MoveNoted(#[source] std::io::Error),
    /// The profiles are restored; a later step failed.
    #[error("the profiles are restored, but not recorded")]
    NotRecorded(#[source] AppError),
}

impl<E: Into<AppError>> From<E> for RestoreError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

impl From<RecordError> for RestoreError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Document(error) => Self::App(error.into()),
            RecordError::State(_, error) => Self::NotRecorded(error.into()),
            RecordError::Configuration(_, error) => Self::NotRecorded(error.into()),
        }
    }
}

/// Lists the backups of an agent.
///
/// # Errors
/// There is no such agent, or the configuration cannot be read.
pub fn list(app: &App, agent: Option<&AgentId>) -> Result<Listing, AppError> {
    let (_, agent, store) = store_of(app, agent)?;
    let listed = |backup: Backup, location, document: Option<Document>, other_format| Listed {
        name: backup.name(),
        profiles: document.map(|it| it.entries().map(|(id, _)| id.into()).collect()),
        replaced_at: backup.replaced_at,
        is_renewal: backup.is_renewal,
        other_format,
        location,
    };
    let own = store.backups().into_iter().map(|backup| {
        let (location, document) =
            (store.backup_location(&backup), store.read_backup(&backup).ok());
        listed(backup, location, document, None)
    });
    let format = Some(store.format().other());
    let others = store.backups_of_other_format().into_iter();
    let others = others.map(|(backup, location, held)| listed(backup, location, held, format));
    let backups = own.chain(others).collect();
    Ok(Listing { agent_id: agent.id, directory: store.backups_location(), backups })
}

/// The word for the newest backup.
const LATEST: &str = "latest";
/// Why an entry is left as it is.
const ROTATED: &str = "its refresh token was replaced by a newer one since";
const MOVED: &str = "it was moved away";
const DELETED: &str = "it was moved to an agent that was deleted since";
const UNINTERPRETABLE: &str = "its entry in the backup cannot be interpreted";

/// Brings the profiles of the backup `name` back: those that are gone, and those that have
/// changed. `force` brings back refresh tokens that were rotated since, as well.
///
/// # Errors
/// There is no such backup, it or the store cannot be read, or the store cannot be written.
pub fn restore(
    app: &App,
    agent: Option<&AgentId>,
    name: &str,
    force: bool,
) -> Result<Report, RestoreError> {
    let (config, agent, store) = store_of(app, agent)?;
    app.require_private(&config, &agent)?;
    let backups = store.backups();
    let is_meant = |backup: &Backup| name == LATEST || backup.is_named(name);
    let Some(at) = backups.iter().position(is_meant) else {
        let others = store.backups_of_other_format();
        if others.iter().any(|(backup, ..)| backup.is_named(name)) {
            let format = store.format().other();
            return Err(RestoreError::OtherFormat { name: name.to_owned(), format });
        }
        return Err(RestoreError::NoBackup { agent_id: agent.id, name: name.to_owned() });
    };
    let backup = store.read_backup(&backups[at])?;
    let since = newer(&store, &backups[..at]);
    let commit = |document: &mut Document| {
        let mut restored = Vec::new();
        let mut kept = Vec::new();
        for (id, entry) in backup.entries() {
            if document.entry(id) == Some(entry) {
                continue;
            }
            match obstacle((app, &config), &store, document, &backup, &since, id) {
                Some(reason) if !force || ![ROTATED, DELETED].contains(&reason) => {
                    kept.push(Kept { id: id.into(), reason });
                }
                _ => {
                    document.copy_entry(&backup, id);
                    restored.push(ProfileId::from(id));
                }
            }
        }
        let is_changed = !restored.is_empty();
        let profiles = restored.iter().filter_map(|id| recorded(&backup, id)).collect();
        Ok(Commit { is_changed, profiles, result: (restored, kept) })
    };
    let ((restored, kept), _) = record(app, &store, Wait::Usual, commit)?;
    if force {
        let credentials = restored.iter().filter_map(|id| backup.credential(id.as_str()));
        for token in credentials.filter_map(|held| held.refresh_token().cloned()) {
            store.forget_replaced(&token);
            if moved_from((app, &config), &store, &token).is_some() {
                app.moves().forget(&token).map_err(RestoreError::MoveNoted)?;
            }
        }
    }
    remember_revocations(app, &store, &backup, &restored)?;
    let over = over(app, &config, &store, &restored)?;
    Ok(Report { agent_id: agent.id, backup: backups[at].name(), restored, kept, over })
}

/// The store says from now on that the restored grants are over that a logout revoked: they are
/// not posted again, and their access tokens are not handed out.
fn remember_revocations(
    app: &App,
    store: &Store,
    backup: &Document,
    restored: &[ProfileId],
) -> Result<(), RestoreError> {
    let revoked = restored.iter().filter_map(|id| {
        let credential = backup.credential(id.as_str())?;
        let grant = credential.refresh_token().or_else(|| credential.bearer())?;
        let noted = store.noted_refusal(grant).filter(|noted| noted.code() == Refusal::REVOKED)?;
        Some((id.as_str(), credential, noted.at.unwrap_or_else(|| app.now())))
    });
    let revoked: Vec<_> = revoked.collect();
    if revoked.is_empty() {
        return Ok(());
    }
    let remember = |state: &mut StateDocument| {
        for (id, credential, at) in &revoked {
            if let Some(token) = credential.refresh_token() {
                state.set_refused(id, token, Refusal::REVOKED, *at);
            }
            if let Some(token) = credential.bearer() {
                state.set_rejected(id, token, *at);
            }
        }
        true
    };
    store.update_state(remember).map_err(|error| RestoreError::NotRecorded(error.into()))
}

/// The restored logins that a person has to sign in to all the same.
fn over(
    app: &App,
    config: &Config,
    store: &Store,
    restored: &[ProfileId],
) -> Result<Vec<OverLogin>, RestoreError> {
    let snapshot = store.read()?;
    let documents = (&snapshot.document, snapshot.state()?);
    let judge = Judge::new((app, config), store, documents, app.now());
    let logins = snapshot.document.inspections().filter_map(|(id, found)| {
        let (id, found) = (ProfileId::from(id), found?);
        let Judged { state, .. } = judge.judge(&id, &found);
        let is_over = restored.contains(&id) && state.needs_person() != NeedsPerson::No;
        is_over.then_some(OverLogin { id, provider: found.provider, state })
    });
    Ok(logins.collect())
}

/// A profile of the backup that is brought back: neither its cooldown nor the order changes.
fn recorded(backup: &Document, id: &ProfileId) -> Option<Recorded> {
    let credential = backup.credential(id.as_str())?;
    let kind = credential.kind();
    Some(Recorded { id: id.clone(), provider: credential.provider, kind, goes_first: false })
}

/// What the newer backups hold.
fn newer(store: &Store, backups: &[Backup]) -> Vec<Document> {
    backups.iter().filter_map(|backup| store.read_backup(backup).ok()).collect()
}

/// Why the entry `id` of the backup should not be brought back, if it should not.
fn obstacle(
    (app, config): (&App, &Config),
    store: &Store,
    present: &Document,
    backup: &Document,
    since: &[Document],
    id: &str,
) -> Option<&'static str> {
    let Some(old) = backup.credential(id) else { return Some(UNINTERPRETABLE) };
    let old_token = old.refresh_token()?;
    if let Some(elsewhere) = moved_from((app, config), store, old_token) {
        return Some(if elsewhere.is_deleted { DELETED } else { MOVED });
    }
    let replaced = |document: &Document| {
        document.credential(id).is_some_and(|newer| match newer.refresh_token() {
            Some(token) => !token.matches(old_token) && !outlives(&old, &newer),
            None => false,
        })
    };
    let is_replaced =
        store.is_replaced(old_token) || std::iter::once(present).chain(since).any(replaced);
    is_replaced.then_some(ROTATED)
}

/// Whether the old credential is the newer one after all: somebody has restored or copied
/// an older one meanwhile.
fn outlives(old: &Credential, new: &Credential) -> bool {
    matches!((old.expires(), new.expires()), (Some(old), Some(new)) if old > new)
}
