//! Recording how a use of a profile went, so that the next choice takes it into account.
//!
//! A time-out says nothing of the credential: like OpenClaw's runner, we record none.
//! Neither do failures count of providers that only pass requests on.

use crate::app::App;
use crate::ops::pool::Pool;
use crate::ops::selection::SelectionError;
use crate::profile::{AgentId, FailureReason, Kind, ProfileId, ProviderId, UsageStats};
use crate::provider::{auth_provider_id, cools_down};
use crate::store::{StateDocument, exchanged};

/// An outcome to record.
#[derive(Clone, Debug)]
pub struct Request {
    /// The profile that was used.
    pub profile_id: ProfileId,
    /// Why it failed; `None` when it worked.
    pub failure: Option<FailureReason>,
    /// The model that was used.
    pub model: Option<String>,
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
}

/// What was recorded. It holds no secret.
#[derive(Debug)]
pub struct Report {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider as the profile spells it.
    pub provider: ProviderId,
    /// The agent whose store holds the profile.
    pub agent_id: AgentId,
    /// Why nothing was recorded, when nothing was.
    pub skipped: Option<&'static str>,
    /// Whether the access token will be refreshed before it is handed out again.
    pub refresh_next: bool,
    /// What is remembered now.
    pub usage: UsageStats,
}

/// Records an outcome.
///
/// # Errors
/// There is no such profile, or the store cannot be written.
pub fn report(app: &App, request: &Request) -> Result<Report, SelectionError> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    let pool = Pool::open(app, &config, &agent)?;
    let id = &request.profile_id;
    let Some((owner, credential)) = pool.find(id)? else {
        return Err(SelectionError::NoProfile {
            profile_id: id.clone(),
            looked_in: pool.looked_in(),
        });
    };
    let key = id.as_str();
    let provider = &credential.provider;
    let counts = cools_down(provider);
    let skipped = match request.failure {
        Some(FailureReason::Timeout) => Some("a time-out does not count against the profile"),
        Some(reason) if !counts && reason != FailureReason::Auth => {
            Some("failures of this provider do not count against a profile")
        }
        _ => None,
    };
    let auth_id = auth_provider_id(provider);
    let model = request.model.as_deref().map(|model| within_provider(model, &auth_id));
    let backoff = config.backoff(provider);
    let rejected = credential.bearer().filter(|_| {
        request.failure == Some(FailureReason::Auth) && credential.kind() == Kind::OAuth
    });
    // What was given for the stored token is had anew.
    let was_exchanged = request.failure == Some(FailureReason::Auth)
        && credential
            .bearer()
            .is_some_and(|token| exchanged::remove(&app.paths.exchanged_tokens(), token));
    let now = app.now();
    let mut usage = UsageStats::default();
    if skipped.is_some() {
        usage = pool.usage(owner, key)?;
    } else {
        let count = |state: &mut StateDocument| {
            match request.failure {
                None => state.change_usage(key, |usage| usage.succeed(now)),
                Some(reason) => {
                    counts
                        && state.change_usage(key, |usage| usage.fail(reason, model, &backoff, now))
                }
            };
            state.usage(key)
        };
        let counted_by = pool.usage_owner(owner, key)?;
        let is_elsewhere = !std::ptr::eq(counted_by, owner);
        owner.store.update_state(|state| {
            if !is_elsewhere {
                usage = count(state);
            }
            if request.failure.is_none() {
                state.clear_rejected(key);
                state.set_last_good(&auth_id, key);
            }
            if let Some(token) = rejected {
                state.set_rejected(key, token, now);
            }
            true
        })?;
        if is_elsewhere {
            counted_by.store.update_state(|state| {
                usage = count(state);
                true
            })?;
        }
    }
    Ok(Report {
        profile_id: id.clone(),
        provider: provider.clone(),
        agent_id: owner.agent.id.clone(),
        skipped,
        refresh_next: rejected.is_some() || was_exchanged,
        usage,
    })
}

/// The model without the provider in front of it: so it stands in the state file.
fn within_provider<'m>(model: &'m str, auth_id: &ProviderId) -> &'m str {
    match model.split_once('/') {
        Some((provider, rest)) if auth_provider_id(provider) == *auth_id => rest,
        _ => model,
    }
}
