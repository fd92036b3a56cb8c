//! A usable access token with its expiry, for who must not have the login.

use super::document;
use super::error::MoveError;
use super::{Report, Request};
use crate::app::{App, AppError};
use crate::ops::Interaction;
use crate::ops::token::{self, NoTokenError, token};
use crate::profile::Kind;
use crate::secret::Secret;
use crate::store::MovedTo;
use crate::system::new_file;
use serde_json::json;
use std::time::Duration;

/// What was shared.
#[derive(Debug)]
pub struct Shared {
    /// What was done.
    pub report: Report,
    /// The document with the token.
    pub text: Secret,
}

/// Why nothing is shared.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// There is no usable token.
    #[error(transparent)]
    NoToken(Box<NoTokenError>),
    /// The runtime.
    #[error(transparent)]
    App(#[from] AppError),
    /// It cannot be written.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// It is a key, or a token that does not end by itself.
    #[error("`{0}` holds a key or token that does not end by itself, so there is none to hand out")]
    Key(crate::profile::ProfileId),
}

/// Finds a usable access token, refreshing it where needed, and writes it to the file of the
/// request, if there is one. The login stays.
///
/// # Errors
/// See [`ShareError`].
pub async fn share(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Shared, ShareError> {
    let asked = token::Request {
        agent: request.agent.clone(),
        provider: None,
        profile: None,
        name: Some(request.name.clone()),
        min_ttl: None,
        strict: false,
        stored: false,
        force_refresh: false,
        lock_timeout: LOCK_TIMEOUT,
        tells_lifetime: false,
    };
    let token =
        token(app, &asked, interaction).await.map_err(|it| ShareError::NoToken(it.into()))?;
    if token.kind == Kind::ApiKey || token.expires.is_none() {
        return Err(ShareError::Key(token.profile_id));
    }
    let mut entry =
        json!({"type": Kind::Token, "provider": token.provider, "token": token.value.expose()});
    if let Some(expires) = token.expires {
        entry["expires"] = expires.into();
    }
    let entry = Secret::new(entry.to_string());
    let empty = || MoveError::Empty { profile_id: token.profile_id.clone() };
    let text = document::write(&token.profile_id, entry.expose()).ok_or_else(empty)?;
    if let MovedTo::File(path) = &request.to {
        let failed = |source| MoveError::File { path: path.clone(), source };
        new_file::check_absent(path).map_err(failed)?;
        new_file::write_part(path, text.expose().as_bytes()).map_err(failed)?;
        new_file::name_part(path).map_err(|source| {
            let _ = std::fs::remove_file(new_file::part_of(path));
            failed(source)
        })?;
    }
    let report = Report {
        profile_id: token.profile_id,
        provider: token.provider,
        agent_id: token.agent_id,
        to: request.to.clone(),
    };
    Ok(Shared { report, text })
}

/// How long another process is waited for that is refreshing.
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);
