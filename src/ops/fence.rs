//! Logins that OpenClaw is refreshing, or has lost in a refresh.

use super::pool::Pool;
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::profile::{Millis, ProfileId, ProviderId};
use crate::provider::{auth_provider_id, is_one_login};
use crate::store::{Document, Fence, Store, StoreError};
use crate::system::Clock;
use std::time::Duration;

/// OpenClaw ends a refresh, well or not, within this time, in milliseconds.
const REFRESH_OF_OPENCLAW: Millis = 120_000;

/// How often it is looked whether that has ended.
const LOOK: Duration = Duration::from_millis(25);

/// Whether OpenClaw may still be at the refresh whose marker is in `store`.
pub(crate) fn is_in_refresh(fence: Fence, store: &Store, now: Millis) -> bool {
    let began = || store.written_at().unwrap_or(0);
    fence == Fence::Pending && began().saturating_add(REFRESH_OF_OPENCLAW) > now
}

/// The first login of `provider` whose tokens a marker replaces.
pub(super) fn first_marked(pool: &Pool, provider: &ProviderId) -> Option<ProfileId> {
    pool.owners().iter().find_map(|owner| {
        let document = &owner.snapshot.document;
        let mut ids = document.summaries().filter(|it| is_of(&it.provider, provider));
        ids.find(|it| document.fence(it.id).is_some()).map(|it| it.id.into())
    })
}

/// Waits for the refreshes of OpenClaw that the profile `id`, or every one of `provider`, is in;
/// whether one has ended. One that is older than a refresh can be was interrupted, and is not
/// waited for.
pub(super) async fn wait_for_openclaw(
    app: &App,
    config: &Config,
    agent: &AgentDir,
    (provider, id): (Option<&ProviderId>, Option<&ProfileId>),
    timeout: Duration,
) -> Result<bool, StoreError> {
    let pool = Pool::open(app, config, agent)?;
    let mut has_ended = false;
    for owner in pool.owners() {
        let document = &owner.snapshot.document;
        let ids = document.summaries().filter(|it| id.is_none_or(|id| *id == it.id));
        let ids = ids.filter(|it| provider.is_none_or(|wanted| is_of(&it.provider, wanted)));
        for id in ids.map(|it| it.id).filter(|id| document.fence(id) == Some(Fence::Pending)) {
            has_ended |= ends(&owner.store, id, timeout, &app.machine.clock).await?;
        }
    }
    Ok(has_ended)
}

fn is_of(stored: &str, wanted: &ProviderId) -> bool {
    let stored = ProviderId::from(stored);
    auth_provider_id(stored.clone()) == auth_provider_id(wanted) || is_one_login(&stored, wanted)
}

/// Whether the refresh that a profile is in ends in time.
async fn ends(
    store: &Store,
    id: &str,
    timeout: Duration,
    clock: &Clock,
) -> Result<bool, StoreError> {
    let is_pending = |document: &Document| document.fence(id) == Some(Fence::Pending);
    let patience = Millis::try_from(timeout.as_millis()).unwrap_or(Millis::MAX);
    let began = store.written_at().unwrap_or(0);
    let until = began.saturating_add(REFRESH_OF_OPENCLAW).min(clock.now().saturating_add(patience));
    let mut seen = None;
    while clock.now() < until {
        let version = store.version();
        if version != seen {
            seen = version;
            if !is_pending(&store.profiles()?) {
                return Ok(true);
            }
        }
        clock.sleep(LOOK).await;
    }
    Ok(false)
}
