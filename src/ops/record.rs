//! Recording credentials: the one commit that makes a credential a profile in use.
//!
//! Invariant: the steps have one order. First the entries of the document (durably), then
//! the cooldown and the order of the state document, last the configuration. A step that
//! fails leaves what the steps before it have done, and the error says which step it was.
//!
//! The callers choose the profile id inside the commit, from the document as it is then:
//!
//! | caller | profile id | goes first | waits | edits of the configuration |
//! |---|---|---|---|---|
//! | login | of the same account, else the wanted or the natural one | yes | with a reservation | one |
//! | paste | the wanted one, else `<provider>:manual` | yes | as usual | one |
//! | import | of the same grant or account, for each login | what is stored; not what was held | as usual | one for all |
//! | restore | as in the backup | no | as usual | one for each profile |

use crate::app::App;
use crate::config::{ConfigEdit, ConfigError, record_profiles};
use crate::exit::Failure;
use crate::profile::{Credential, Kind, ProfileId, ProviderId};
use crate::store::{AgentStore, Document, PATIENT_LOCK_TIMEOUT, Prepared, StoreError};
use serde_json::value::RawValue;

/// A profile whose credential is recorded.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    /// The profile id.
    pub(super) id: ProfileId,
    /// The provider id.
    pub(super) provider: ProviderId,
    /// The credential kind, which the configuration calls the mode.
    pub(super) kind: Kind,
    /// Whether its cooldown ends, and it comes first in the order of the store, where the
    /// provider has one there.
    pub(super) goes_first: bool,
}

/// What a caller has done to the document.
pub(super) struct Commit<T> {
    /// Whether the document has to be written.
    pub(super) is_changed: bool,
    /// The profiles that the other steps are for; the configuration gets all of them.
    pub(super) profiles: Vec<Recorded>,
    /// What the caller wants to know afterwards.
    pub(super) result: T,
}

/// How long the store's lock is waited for.
pub(super) enum Wait {
    /// As for any change.
    Usual,
    /// With more patience, and with what [`AgentStore::prepare`] gave: the credential exists
    /// nowhere else.
    Prepared(Option<Prepared>),
}

/// How often the configuration is written. Each edit leaves a backup of the file.
#[derive(Clone, Copy)]
pub(super) enum Edits {
    /// Once for all profiles.
    One,
    /// Once for each profile.
    Each,
}

/// The step that failed. The steps before it are done.
#[derive(Debug)]
pub(super) enum RecordError {
    /// The entries are not stored; nothing has changed.
    Document(StoreError),
    /// The cooldown and the order are as they were. The entry of the first profile has this
    /// id.
    State(ProfileId, StoreError),
    /// The configuration is not complete. The entry of the first profile has this id.
    Configuration(ProfileId, ConfigError),
}

impl RecordError {
    /// The failure for the user. Where the entries are stored, `stored` says so, given the
    /// id of the first.
    pub(super) fn into_failure(self, stored: impl FnOnce(&ProfileId) -> String) -> Failure {
        match self {
            Self::Document(error) => error.into(),
            Self::State(id, error) => Failure::from(error).context(stored(&id)),
            Self::Configuration(id, error) => Failure::from(error).context(stored(&id)),
        }
    }
}

/// Records credentials. `commit` sets the entries in the document as it is under the lock,
/// and may run again, on another document. Returns its result, and whether the configuration
/// was changed.
///
/// # Errors
/// See [`RecordError`].
pub(super) fn record<T>(
    app: &App,
    store: &AgentStore,
    wait: Wait,
    edits: Edits,
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
    let is_edited = configure(app, &profiles, edits)
        .map_err(|error| RecordError::Configuration(first.id.clone(), error))?;
    Ok((result, is_edited))
}

/// Sets the entry `id` to what `make` makes of the text of the present one; whether there
/// was one.
///
/// # Errors
/// Those of `make`.
pub(super) fn set_entry(
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
fn put_first(store: &AgentStore, profiles: &[Recorded]) -> Result<(), StoreError> {
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
fn configure(app: &App, profiles: &[Recorded], edits: Edits) -> Result<bool, ConfigError> {
    let profiles: Vec<_> =
        profiles.iter().map(|profile| (&profile.id, &profile.provider, profile.kind)).collect();
    let for_one_edit = match edits {
        Edits::One => profiles.len(),
        Edits::Each => 1,
    };
    let mut is_changed = false;
    for profiles in profiles.chunks(for_one_edit) {
        let edit = record_profiles(&app.paths.config, profiles)?;
        is_changed |= edit == ConfigEdit::Written;
    }
    Ok(is_changed)
}

/// Checks the form of a `--profile-id`.
///
/// # Errors
/// It is empty, or has outer spaces or control characters.
pub(super) fn check_profile_id(id: &ProfileId) -> Result<(), Failure> {
    if id.is_valid() {
        return Ok(());
    }
    Err(Failure::usage("--profile-id must be a name without outer spaces"))
}

/// The credential that the profile `id` holds now, if it holds one that can be interpreted.
///
/// # Errors
/// It is one of another provider than `provider`.
pub(super) fn replaceable(
    document: &Document,
    id: &ProfileId,
    provider: &ProviderId,
) -> Result<Option<Credential>, Failure> {
    match document.credential(id.as_str()) {
        Some(other) if other.provider != *provider => Err(Failure::usage(format!(
            "the profile `{id}` is for {}, not {provider}",
            other.provider
        ))),
        present => Ok(present),
    }
}
