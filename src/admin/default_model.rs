//! The model that agents use unless they have one of their own.

use crate::app::{App, AppError};
use crate::config::{ConfigEdit, set_default_model};

/// Why the default model is not set.
#[derive(Debug, thiserror::Error)]
pub enum DefaultModelError {
    /// The configuration or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The text names no model.
    #[error("a model is named as provider/model")]
    NoModel,
}

impl<E: Into<AppError>> From<E> for DefaultModelError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// Makes `model` (`provider/model`) the default model.
///
/// # Errors
/// It is no model reference, or the configuration cannot be written.
pub fn set(app: &App, model: &str) -> Result<ConfigEdit, DefaultModelError> {
    check(model)?;
    app.config_to_change()?;
    Ok(set_default_model(&app.paths.config, model.trim())?)
}

/// Whether `model` names a model as `provider/model`.
///
/// # Errors
/// It does not.
pub fn check(model: &str) -> Result<(), DefaultModelError> {
    let model = model.trim();
    let is_reference = model.split_once('/').is_some_and(|(provider, name)| {
        !provider.is_empty() && !name.is_empty() && !model.contains(char::is_whitespace)
    });
    if !is_reference || model.contains(char::is_control) {
        return Err(DefaultModelError::NoModel);
    }
    Ok(())
}
