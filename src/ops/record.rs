//! Recording credentials: the one commit that makes a credential a profile in use.
//!
//! Invariant: the steps have one order. First the entries of the document (durably), then
//! the cooldown and the order of the state document, last the configuration. A step that
//! fails leaves what the steps before it have done, and the error says which step it was.
//!
//! The callers choose the profile id inside the commit, from the document as it is then:
//!
//! | caller | profile id | goes first | waits |
//! |---|---|---|---|
//! | login | of the same account, else the wanted or the natural one | yes | with a reservation |
//! | paste | the wanted one, else `<provider>:manual` | yes | as usual |
//! | import | of the same grant or account, for each login | what is stored; not what was held | as usual |
//! | restore | as in the backup | no | as usual |
//!
//! The configuration is written once, however many profiles there are: each edit leaves a
//! backup of the file, and pushes out an older one.

use super::stored_as::is_stored_as;
use crate::app::{App, AppError};
use crate::config::{ConfigEdit, ConfigError, record_profiles};
use crate::profile::{Credential, Kind, ProfileId, ProviderId};
use crate::store::{Document, PATIENT_LOCK_TIMEOUT, Prepared, Store, StoreError};
use serde_json::value::RawValue;

/// A profile whose credential is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// The profile id.
    pub(crate) id: ProfileId,
    /// The provider id.
    pub(crate) provider: ProviderId,
    /// The credential kind, which the configuration calls the mode.
    pub(crate) kind: Kind,
    /// Whether its cooldown ends, and it comes first in the order of the store, where the
    /// provider has one there.
    pub(crate) goes_first: bool,
}

/// What a caller has done to the document.
pub(crate) struct Commit<T> {
    /// Whether the document has to be written.
    pub(crate) is_changed: bool,
    /// The profiles that the other steps are for; the configuration gets all of them.
    pub(crate) profiles: Vec<Recorded>,
    /// What the caller wants to know afterwards.
    pub(crate) result: T,
}

/// How long the store's lock is waited for.
pub(crate) enum Wait {
    /// As for any change.
    Usual,
    /// With more patience, and with what [`Store::prepare`] gave: the credential exists
    /// nowhere else.
    Prepared(Option<Prepared>),
}

/// The step that failed. The steps before it are done.
#[derive(Debug)]
pub(crate) enum RecordError {
    /// The entries are not stored; nothing has changed.
    Document(StoreError),
    /// The cooldown and the order are as they were. The entry of the first profile has this
    /// id.
    State(ProfileId, StoreError),
    /// The configuration is not complete. The entry of the first profile has this id.
    Configuration(ProfileId, ConfigError),
}

impl RecordError {
    /// The error of a use case: the failure itself where nothing has changed, else what
    /// `not_recorded` makes of the id of the first entry and the failure.
    pub(crate) fn into_error<E: From<AppError>>(
        self,
        not_recorded: impl FnOnce(ProfileId, AppError) -> E,
    ) -> E {
        match self {
            Self::Document(error) => AppError::from(error).into(),
            Self::State(id, error) => not_recorded(id, error.into()),
            Self::Configuration(id, error) => not_recorded(id, error.into()),
        }
    }
}

/// Why a credential cannot go to the profile that the user names.
#[derive(Debug, thiserror::Error)]
pub enum ProfileIdError {
    /// It is empty, begins with `-`, or has outer spaces or control characters.
    #[error("--profile-id must be a name without outer spaces, and cannot begin with `-`")]
    Invalid,
    /// The profile holds a credential of another provider.
    #[error("the profile `{profile_id}` is for {present}, not {wanted}")]
    OtherProvider {
        /// The profile.
        profile_id: ProfileId,
        /// The provider of its credential.
        present: Box<ProviderId>,
        /// The provider of the credential that would replace it.
        wanted: Box<ProviderId>,
    },
}

/// Records credentials. `commit` sets the entries in the document as it is under the lock,
/// and may run again, on another document. Returns its result, and whether the configuration
/// was changed.
///
/// # Errors
/// See [`RecordError`].
pub(crate) fn record<T>(
    app: &App,
    store: &Store,
    wait: Wait,
    commit: impl Fn(&mut Document) -> serde_json::Result<Commit<T>>,
) -> Result<(T, bool), RecordError> {
    let change = |document: &mut Document| {
        let Commit { is_changed, profiles, result } = commit(document)?;
        Ok((is_changed, (profiles, result)))
    };
    let (profiles, result) = match wait {
        Wait::Usual => store.update(change),
        Wait::Prepared(prepared) => {
            store.update_prepared(prepared, None, PATIENT_LOCK_TIMEOUT, change)
        }
    }
    .map_err(RecordError::Document)?;
    let Some(first) = profiles.first() else { return Ok((result, false)) };
    put_first(store, &profiles).map_err(|error| RecordError::State(first.id.clone(), error))?;
    let is_edited = configure(app, &profiles)
        .map_err(|error| RecordError::Configuration(first.id.clone(), error))?;
    Ok((result, is_edited))
}

/// Sets the entry `id` to what `make` makes of the text of the present one; whether there
/// was one.
///
/// # Errors
/// Those of `make`.
pub(crate) fn set_entry(
    document: &mut Document,
    id: &ProfileId,
    make: impl FnOnce(Option<&str>) -> serde_json::Result<Box<RawValue>>,
) -> serde_json::Result<bool> {
    let present = document.entry(id.as_str());
    let was_there = present.is_some();
    let entry = make(present)?;
    document.set_entry(id.as_str(), entry);
    Ok(was_there)
}

/// Ends the cooldown of the profiles that go first, and puts each before the ones that came
/// earlier.
fn put_first(store: &Store, profiles: &[Recorded]) -> Result<(), StoreError> {
    let going_first = || profiles.iter().filter(|profile| profile.goes_first);
    if going_first().next().is_none() {
        return Ok(());
    }
    store.update_state(|state| {
        let mut is_changed = false;
        for Recorded { id, provider, .. } in going_first() {
            is_changed |= state.clear_cooldown(id.as_str());
            is_changed |= state.put_first(provider, id);
        }
        is_changed
    })
}

/// Records the profiles in the configuration; whether it was changed.
fn configure(app: &App, profiles: &[Recorded]) -> Result<bool, ConfigError> {
    let profiles: Vec<_> =
        profiles.iter().map(|profile| (&profile.id, &profile.provider, profile.kind)).collect();
    let edit = record_profiles(&app.paths.config, &profiles)?;
    Ok(edit == ConfigEdit::Written)
}

/// Checks the form of the id of a profile that comes in. One that begins with `-` would be an
/// option of the commands that it is pasted into.
///
/// # Errors
/// [`ProfileIdError::Invalid`].
pub(crate) fn check_profile_id(id: &ProfileId) -> Result<(), ProfileIdError> {
    let is_option = id.as_str().starts_with('-');
    if id.is_valid() && !is_option { Ok(()) } else { Err(ProfileIdError::Invalid) }
}

/// The credential that the profile `id` holds now, if it holds one that can be interpreted.
///
/// # Errors
/// [`ProfileIdError::OtherProvider`]: it is of another provider than `provider`.
pub(crate) fn replaceable(
    store: &Store,
    document: &Document,
    id: &ProfileId,
    provider: &ProviderId,
) -> Result<Option<Credential>, ProfileIdError> {
    match document.credential(id.as_str()) {
        Some(other) if !is_stored_as(store, &other.provider, provider, other.kind()) => {
            Err(ProfileIdError::OtherProvider {
                profile_id: id.clone(),
                present: Box::new(other.provider),
                wanted: Box::new(provider.clone()),
            })
        }
        present => Ok(present),
    }
}
