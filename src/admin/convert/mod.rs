//! Moving all logins of a state directory to the form in which another OpenClaw stores them,
//! and the configuration to the names that they have there.
//!
//! Invariant: the configuration is changed once the logins are stored, and the move ends with
//! that. What was interrupted is finished by the next run.

mod names;

use crate::app::{App, AppError};
use crate::config::{ConfigEdit, ConfigError};
use crate::profile::{Kind, ProviderId};
use crate::provider::{predecessor, successor};
use crate::store::{Conversion, ConversionError, Converted, Store, StoreFormat};
use names::Names;

/// Why the logins are not moved.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The configuration or a store cannot be used.
    #[error(transparent)]
    App(#[from] AppError),
    /// The logins cannot be moved.
    #[error(transparent)]
    Conversion(#[from] ConversionError),
    /// The logins have moved; the configuration still names them as they were.
    #[error("the logins are moved, and the configuration does not name them yet")]
    NotConfigured(#[source] ConfigError),
}

impl From<ConfigError> for ConvertError {
    fn from(error: ConfigError) -> Self {
        Self::App(error.into())
    }
}

/// What was done, or would be.
#[derive(Debug)]
pub struct Report {
    /// Where the logins are now.
    pub to: StoreFormat,
    /// Whether it was only planned.
    pub is_planned: bool,
    /// What becomes of the logins.
    pub moves: Converted,
    /// Whether the configuration was changed, or would be.
    pub is_config_changed: bool,
    /// Models whose names may be meant for another provider there.
    pub unclear_models: Vec<String>,
}

/// Moves the logins; with `plans_only`, says what that would do.
///
/// # Errors
/// Why it is not done.
pub fn convert(app: &App, to: StoreFormat, plans_only: bool) -> Result<Report, ConvertError> {
    let config = app.config()?;
    let mut stores = app.stores(&config);
    // `main` comes first, whether or not it has a directory.
    if !stores.first().is_some_and(|it| it.agent_id().is_main()) {
        stores.retain(|it| !it.agent_id().is_main());
        stores.insert(0, app.store(&app.main_agent(&config)));
    }
    app.require_private_of(&stores)?;
    let rename = |to: StoreFormat, provider: &ProviderId| match to {
        StoreFormat::Sqlite => successor(provider),
        StoreFormat::Json => predecessor(provider),
    };
    let conversion = Conversion {
        state_dir: &app.paths.state_dir,
        stores: &stores,
        to,
        now: app.now(),
        rename: &rename,
    };
    if plans_only {
        let moves = conversion.plan()?;
        let names = names_of(&moves, &stores, to);
        let is_config_changed = names.would_change(&app.paths.config)?;
        let unclear_models = names.unclear_models(&config);
        return Ok(Report { to, is_planned: true, moves, is_config_changed, unclear_models });
    }
    let mut moves = conversion.run()?;
    if moves.to != to {
        // An interrupted move the other way is finished first.
        finish(app, &moves, &stores)?;
        moves.finish().map_err(AppError::from)?;
        moves = conversion.run()?;
    }
    let (is_config_changed, unclear_models) = finish(app, &moves, &stores)?;
    let moves = moves.finish().map_err(AppError::from)?;
    Ok(Report { to, is_planned: false, moves, is_config_changed, unclear_models })
}

/// Brings the configuration to the new names.
fn finish(
    app: &App,
    moves: &Converted,
    stores: &[Store],
) -> Result<(bool, Vec<String>), ConvertError> {
    if !moves.has_begun() {
        return Ok((false, Vec::new()));
    }
    let names = names_of(moves, stores, moves.to);
    let edit = names.write(&app.paths.config).map_err(ConvertError::NotConfigured)?;
    let unclear = names.unclear_models(&app.config()?);
    Ok((edit == ConfigEdit::Written, unclear))
}

fn names_of(moves: &Converted, stores: &[Store], to: StoreFormat) -> Names {
    let profiles = moves.agents.iter().flat_map(|agent| &agent.profiles);
    let profiles: Vec<_> = profiles.cloned().collect();
    // A key of the provider keeps its models.
    let is_key = |provider: &ProviderId| {
        let has_key = |store: &Store| {
            store.profiles().is_ok_and(|document| {
                let mut profiles = document.profiles();
                profiles.any(|it| {
                    it.credential.kind() == Kind::ApiKey && it.credential.provider == *provider
                })
            })
        };
        to == StoreFormat::Json && stores.iter().any(has_key)
    };
    Names::of(to, profiles, is_key)
}
