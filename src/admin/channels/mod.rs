//! The listing that OpenClaw's `channels list` gives: the channels of the configuration
//! and the profiles of the main store.

pub mod account;
pub mod channel;

use super::quota::{self, Quotas};
use crate::admin::channels::account::ActiveChannel;
use crate::app::{App, AppError};
use crate::profile::{Kind, ProfileId, ProviderId, compare, sort_as_object_keys};
use crate::store::{Location, ProfileSummary};
use crate::system::permissions::{Exposure, Permissions};
use serde::Serialize;

/// What `channels list` shows.
#[derive(Debug)]
pub struct Listing {
    /// The channels that are switched on, sorted by id.
    pub channels: Vec<ActiveChannel>,
    /// The profiles of the main store.
    pub auth: Vec<Row>,
    /// The store.
    pub location: Location,
    /// How many entries of the store cannot be interpreted.
    pub invalid_entries: usize,
    /// What somebody else could read or change.
    pub exposures: Vec<Exposure>,
}

/// One profile, as reports show it.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The profile id.
    pub id: ProfileId,
    /// The provider as the profile spells it.
    pub provider: ProviderId,
    /// The credential kind.
    #[serde(rename = "type")]
    pub kind: Kind,
}

/// How much of the subscriptions of the main store is used up. Asks their providers.
///
/// # Errors
/// The configuration, the store or the directory of the provider files cannot be read.
pub async fn quotas(app: &App) -> Result<Quotas, AppError> {
    quota::quotas(app, &app.config()?, &app.paths.main_without_config()).await
}

/// Lists the configured channels and the profiles of the main store, whichever agent is
/// the default.
///
/// # Errors
/// The configuration or the store cannot be read.
pub fn list(app: &App) -> Result<Listing, AppError> {
    let config = app.config()?;
    let has_plugins = app.environment.has_bundled_plugins();
    let mut channels = if has_plugins { config.active_channels() } else { Vec::new() };
    channels.sort_by(|a, b| compare(&a.channel.id, &b.channel.id));
    let store = app.store(&app.paths.main_without_config());
    let snapshot = store.read()?;
    let document = snapshot.document;
    let mut auth: Vec<Row> = document
        .summaries()
        .map(|ProfileSummary { id, provider, facts }| Row {
            id: id.into(),
            provider: provider.into_owned().into(),
            kind: facts.kind,
        })
        .collect();
    sort_as_object_keys(&mut auth, |row| row.id.as_str());
    let invalid_entries = document.entry_count() - auth.len();
    let exposures = store.exposures(&Permissions::of(&app.paths.state_dir));
    let location = store.location();
    Ok(Listing { channels, auth, location, invalid_entries, exposures })
}
