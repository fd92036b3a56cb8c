//! Refreshing a grant: once, however many processes ask.
//!
//! The process that gets the lease makes the request; the others watch the document and
//! adopt what it stores. Whatever changed since a process looked and is not expired
//! counts as that, however short its lifetime. The new credential is stored before
//! anybody gets it, and a refused refresh token is never posted again.

pub mod due;
mod error;
mod lease;
mod lifetime;
mod outcome;
mod propagate;
mod refusal;
mod settle;
mod transaction;
pub mod worker;

pub use error::{Earlier, NotRefreshable, Over, Reason, RefreshError, ReportedKind};
pub use lease::LeaseError;
pub use lifetime::Lifetime;

pub(super) use error::not_refreshable;
pub(super) use lease::{Waited, wait_for_lease};
pub(super) use lifetime::{DEFAULT_MIN_TTL, Validity, default_min_ttl, has_lifetime};
pub(crate) use propagate::holder;
pub(super) use propagate::store_spooled;

use super::Interaction;
use super::selection::Selected;
use crate::app::App;
use crate::config::Config;
use crate::profile::Credential;
use crate::system::trace::{Event, Hash};
use std::time::Duration;
use transaction::Transaction;

/// Refreshes the selected profile and returns the credential that is then in the store; what
/// the server gave is usable.
pub(super) async fn refresh(
    app: &App,
    config: &Config,
    selected: &Selected,
    lock_timeout: Duration,
    interaction: &mut dyn Interaction,
) -> Result<Credential, RefreshError> {
    let trace = &app.machine.trace;
    let profile = || Hash::of(selected.id.as_str());
    trace.tell(|| {
        let grant = selected.credential.refresh_token();
        Event::Refreshing { profile: profile(), grant: grant.map(|it| Hash::of(it.expose())) }
    });
    let renewed = renew(app, config, selected, lock_timeout, interaction).await;
    trace.tell(|| {
        let outcome = renewed.as_ref().map_or_else(RefreshError::code, |_| "refreshed");
        Event::Refreshed { profile: profile(), outcome }
    });
    renewed
}

async fn renew(
    app: &App,
    config: &Config,
    selected: &Selected,
    lock_timeout: Duration,
    interaction: &mut dyn Interaction,
) -> Result<Credential, RefreshError> {
    let by_worker = if app.refreshes_by.has_workers() {
        worker::refresh(app, selected, lock_timeout, interaction).await?
    } else {
        None
    };
    let renewed = match by_worker {
        Some(renewed) => renewed,
        None => Transaction::new(app, config, selected, lock_timeout).run(interaction).await?,
    };
    if renewed.is_usable_until(app.now()) {
        return Ok(renewed);
    }
    let profile_id = selected.id.clone();
    let granted = Validity::of(&renewed).granted();
    Err(if granted.is_some_and(|granted| granted <= 0) {
        RefreshError::NoLifetime { profile_id }
    } else {
        RefreshError::Expired { profile_id }
    })
}
