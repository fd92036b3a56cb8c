//! Logins that OpenClaw is refreshing, or has lost in a refresh.

use super::pool::Pool;
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::profile::{Millis, ProfileId, ProviderId};
use crate::provider::{auth_provider_id, is_one_login};
use crate::store::{Document, Fence, Store, StoreError};
use crate::system::Clock;
use crate::system::lock::Holder;
use std::time::Duration;

/// OpenClaw ends a refresh, well or not, within this time, in milliseconds.
const REFRESH_OF_OPENCLAW: Millis = 120_000;

/// How often it is looked whether that has ended.
const LOOK: Duration = Duration::from_millis(25);

/// Whether OpenClaw may still be at the refresh whose marker is in the profile `id` of `store`.
pub(crate) fn is_in_refresh(
    (store, document): (&Store, &Document),
    id: &ProfileId,
    now: Millis,
) -> bool {
    if document.fence(id.as_str()) != Some(Fence::Pending) {
        return false;
    }
    let since = document.marker(id.as_str()).and_then(|marker| store.marked_since(&marker, now));
    since.is_some_and(|since| since.saturating_add(REFRESH_OF_OPENCLAW) > now)
}

/// The first login of `provider` whose tokens a marker replaces.
pub(super) fn first_marked(pool: &Pool, provider: &ProviderId) -> Option<ProfileId> {
    pool.owners().iter().find_map(|owner| {
        let document = &owner.snapshot.document;
        let mut ids = document.summaries().filter(|it| is_of(&it.provider, provider));
        ids.find(|it| document.fence(it.id).is_some()).map(|it| it.id.into())
    })
}

/// What became of a refresh of OpenClaw.
pub(super) enum Waited {
    /// It has ended.
    Ended,
    /// It is older than a refresh can be, and was interrupted: it is not waited for.
    Interrupted,
    /// It may go on still, and the time to wait for it is over.
    GoesOn {
        /// The profile that is refreshed.
        profile_id: ProfileId,
        /// What was waited for.
        source: StoreError,
    },
}

/// Waits for the refreshes of OpenClaw that the profile `id`, or every one of `provider`, is in;
/// what became of one of them: one that has ended, else one that goes on.
pub(super) async fn wait_for_openclaw(
    app: &App,
    config: &Config,
    agent: &AgentDir,
    (provider, id): (Option<&ProviderId>, Option<&ProfileId>),
    timeout: Duration,
) -> Result<Waited, StoreError> {
    let pool = Pool::open(app, config, agent)?;
    let mut waited = Waited::Interrupted;
    for owner in pool.owners() {
        let document = &owner.snapshot.document;
        let ids = document.summaries().filter(|it| id.is_none_or(|id| *id == it.id));
        let ids = ids.filter(|it| provider.is_none_or(|wanted| is_of(&it.provider, wanted)));
        for id in ids.map(|it| it.id).filter(|id| document.fence(id) == Some(Fence::Pending)) {
            waited = match (ends(&owner.store, id, timeout, &app.machine.clock).await?, waited) {
                (Waited::Ended, _) | (_, Waited::Ended) => Waited::Ended,
                (Waited::Interrupted, other) => other,
                (goes_on, _) => goes_on,
            };
        }
    }
    Ok(waited)
}

fn is_of(stored: &str, wanted: &ProviderId) -> bool {
    let stored = ProviderId::from(stored);
    auth_provider_id(stored.clone()) == auth_provider_id(wanted) || is_one_login(&stored, wanted)
}

/// Waits until the refresh that a profile is in has ended. Another refresh of OpenClaw's that
/// begins meanwhile has its own time.
pub(super) async fn ends(
    store: &Store,
    id: &str,
    timeout: Duration,
    clock: &Clock,
) -> Result<Waited, StoreError> {
    let patience = Millis::try_from(timeout.as_millis()).unwrap_or(Millis::MAX);
    let end = clock.now().saturating_add(patience);
    let mut seen = None;
    let mut waited: Option<(String, Millis)> = None;
    loop {
        let version = Some(store.version());
        if version != seen {
            seen = version;
            let Some(marker) = pending(&store.profiles()?, id) else {
                if let Some((marker, _)) = waited {
                    store.forget_marker(&marker);
                }
                return Ok(Waited::Ended);
            };
            if waited.as_ref().is_none_or(|(waited, _)| *waited != marker) {
                store.note_marker(&marker, clock.now());
                let since = store.marked_since(&marker, clock.now()).unwrap_or(0);
                waited = Some((marker, since.saturating_add(REFRESH_OF_OPENCLAW)));
            }
        }
        if waited.as_ref().is_none_or(|(_, until)| clock.now() >= *until) {
            return Ok(Waited::Interrupted);
        }
        if clock.now() >= end {
            let (location, holder) = (store.location(), Holder::default());
            let source = StoreError::LockTimeout { location, waited: timeout, holder };
            return Ok(Waited::GoesOn { profile_id: id.into(), source });
        }
        clock.sleep(LOOK).await;
    }
}

/// The marker of a refresh that has not ended, in the profile `id`.
fn pending(document: &Document, id: &str) -> Option<String> {
    document.marker(id).filter(|_| document.fence(id) == Some(Fence::Pending))
}
