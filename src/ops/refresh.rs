//! Refreshing a grant: once, however many processes ask.
//!
//! The process that gets the lease makes the request; the others watch the document and
//! adopt what it stores. Whatever changed since a process looked and is not expired
//! counts as that, however short its lifetime. The new credential is stored before
//! anybody gets it, and a refused refresh token is never posted again.

use super::login_command;
use super::renewal::{Outcome, store_renewal};
use super::selection::Selected;
use crate::app::App;
use crate::config::Config;
use crate::exit::{ExitStatus, Failure};
use crate::oauth::{Client, Grant, TokenError};
use crate::profile::{Credential, Identity, Millis};
use crate::provider::Registration;
use crate::secret::Secret;
use crate::store::{AgentStore, Lease, LeaseAttempt, Renewal, StoreError};
use crate::system::http::HttpClient;
use crate::system::signal::StopSignals;
use crate::system::{block_on, lock, now};
use crate::text::printable;
use anyhow::Context;
use std::time::{Duration, Instant};

/// An access token without any word on its lifetime is taken to live for an hour.
const ASSUMED_LIFETIME: Millis = 3_600_000;

/// When the access token of a grant expires: as the server says, else after an hour when
/// it can be refreshed, else never as far as we know.
pub(super) fn expiry(grant: &Grant, now: Millis) -> Option<Millis> {
    grant.expires.or_else(|| grant.refresh.is_some().then(|| now.saturating_add(ASSUMED_LIFETIME)))
}

/// Refreshes the selected profile and returns the credential that is then in the store.
pub(super) fn refresh(
    app: &App,
    config: &Config,
    selected: &Selected,
    lock_timeout: Duration,
) -> Result<Credential, Failure> {
    let catalog = app.catalog()?;
    if let Some(problem) = catalog.problem(&selected.credential.provider) {
        return Err(problem.clone().into());
    }
    let provider = catalog.find(&selected.credential.provider);
    let registration = provider.and_then(|provider| provider.definition.registration.as_ref());
    let registration = registration.ok_or_else(|| {
        let provider = printable(&selected.credential.provider, 80);
        Failure::message(
            ExitStatus::Failure,
            format!("there is no definition of the provider `{provider}` to refresh with"),
        )
        .hint(format!("describe it in {}/{provider}.json", app.paths.providers().display()))
    })?;
    let client =
        registration.client(&app.environment).map_err(|variable| no_client_secret(&variable))?;
    // The wait is over as soon as somebody has stored a fresh credential.
    let _lease = match wait_for_lease(selected, lock_timeout, adopt)? {
        Waited::Adopted(credential) => return Ok(*credential),
        leased @ Waited::Leased(_) => leased,
    };
    if let Some(credential) = adopt(selected)? {
        return Ok(credential);
    }
    let document = selected.store.read()?.document;
    let current = document.credential(&selected.id);
    let Some(refresh_token) = current.as_ref().and_then(Credential::refresh_token) else {
        return Err(signed_out(selected));
    };
    // The holder before us may have learnt that the login is over.
    let state = selected.store.read_state(&document)?;
    if let Some(code) = state.refusal(&selected.id, refresh_token) {
        return Err(refused(selected, &code));
    }
    let stores = app.stores(config);
    request(selected, registration, &client, refresh_token, lock_timeout, &stores)
}

/// The failure when the variable that should hold the client secret is not set.
pub(super) fn no_client_secret(variable: &str) -> Failure {
    Failure::message(
        ExitStatus::Failure,
        format!("{variable} is not set: it holds the client secret"),
    )
}

/// What ended the wait for a lease.
pub(super) enum Waited {
    /// The lease is ours.
    Leased(#[expect(dead_code, reason = "held for its drop")] Lease),
    /// There is no need for it any more.
    Adopted(Box<Credential>),
}

/// Waits for the lease on a profile, or until `adopt` finds, in a document that has
/// changed, what the lease was wanted for.
pub(super) fn wait_for_lease(
    selected: &Selected,
    timeout: Duration,
    adopt: impl Fn(&Selected) -> Result<Option<Credential>, Failure>,
) -> Result<Waited, Failure> {
    let provider = &selected.credential.provider;
    let started = Instant::now();
    let mut seen = selected.fingerprint;
    loop {
        let holder = match selected.store.try_lease(provider, &selected.id)? {
            LeaseAttempt::Acquired(lease) => return Ok(Waited::Leased(lease)),
            LeaseAttempt::Held(holder) => holder,
        };
        let present = selected.store.fingerprint();
        if present != seen {
            seen = present;
            if let Some(credential) = adopt(selected)? {
                return Ok(Waited::Adopted(Box::new(credential)));
            }
        }
        if started.elapsed() >= timeout {
            let path = selected.store.lease_path(provider, &selected.id);
            return Err(StoreError::LockTimeout { path, waited: timeout, holder }
                .into_failure_of(&selected.id));
        }
        std::thread::sleep(lock::POLL);
    }
}

/// The stored credential when it is another one than this process first read, and not
/// expired.
fn adopt(selected: &Selected) -> Result<Option<Credential>, Failure> {
    let stored = selected.store.read()?.document.credential(&selected.id);
    Ok(stored
        .filter(|stored| differs(stored, &selected.credential) && stored.is_usable_until(now())))
}

fn differs(a: &Credential, b: &Credential) -> bool {
    let same = |a: Option<&Secret>, b: Option<&Secret>| match (a, b) {
        (Some(a), Some(b)) => a.matches(b),
        (None, None) => true,
        _ => false,
    };
    !same(a.bearer(), b.bearer()) || !same(a.refresh_token(), b.refresh_token())
}

fn request(
    selected: &Selected,
    registration: &Registration,
    client: &Client,
    refresh_token: &Secret,
    lock_timeout: Duration,
    stores: &[AgentStore],
) -> Result<Credential, Failure> {
    let http = HttpClient::new(&client.endpoints.token)
        .map_err(|error| unavailable(selected, &error.to_string()))?;
    // What cannot be stored must not be asked for.
    let reserved = selected.store.reserve(lock_timeout)?;
    let (outcome, interrupted) = block_on(async {
        // From here until the new credential is stored, a signal waits.
        let mut signals = StopSignals::catch()?;
        let grant = crate::oauth::refresh(&http, client, refresh_token, now).await;
        let outcome = grant.map(|grant| {
            let renewal = renewal_of(selected, registration, grant);
            store_renewal(selected, &renewal, refresh_token, reserved, stores)
        });
        anyhow::Ok((outcome, signals.has_come().await))
    })
    .context("could not start the runtime")??;
    let outcome = match outcome {
        Ok(outcome) => outcome?,
        Err(error) => {
            let failed = refresh_failed(selected, refresh_token, &error);
            return if interrupted { Err(Failure::interrupted()) } else { failed };
        }
    };
    if interrupted {
        return Err(Failure::interrupted());
    }
    match outcome {
        Outcome::Stored(credential) | Outcome::Replaced(credential) => Ok(credential),
        Outcome::Removed => Err(signed_out(selected)),
    }
}

/// What a grant means for a profile. Who it belongs to is not changed by a refresh.
fn renewal_of(selected: &Selected, registration: &Registration, grant: Grant) -> Renewal {
    let claimed = registration.identity(&grant.access, grant.id_token.as_ref());
    let stored = &selected.credential.identity;
    let identity = Identity {
        email: claimed.email.filter(|_| stored.email.is_none()),
        account_id: claimed.account_id.filter(|_| stored.account_id.is_none()),
        subject: None,
    };
    Renewal { expires: expiry(&grant, now()), grant, identity }
}

fn refresh_failed(
    selected: &Selected,
    refresh_token: &Secret,
    error: &TokenError,
) -> Result<Credential, Failure> {
    // Somebody without our lease may have refreshed or signed in meanwhile.
    if let Some(credential) = adopt(selected)? {
        return Ok(credential);
    }
    let id = printable(&selected.id, 200);
    if !error.needs_login() {
        return Err(match error {
            TokenError::Refused { .. } => {
                Failure::message(ExitStatus::Failure, format!("could not refresh `{id}`: {error}"))
            }
            _ => unavailable(selected, &error.to_string()),
        });
    }
    let code = match error {
        TokenError::Refused { code, .. } => code.as_str(),
        _ => "refused",
    };
    selected.store.update_state(|state| {
        state.set_refused(&selected.id, refresh_token, code, now());
        true
    })?;
    Err(refused(selected, &error.to_string()))
}

/// The login is over, and why.
fn refused(selected: &Selected, reason: &str) -> Failure {
    let id = printable(&selected.id, 200);
    Failure::message(ExitStatus::LoginRequired, format!("the login `{id}` is over: {reason}"))
        .hint(login_command(&printable(&selected.credential.provider, 80), &selected.owner.id))
}

fn unavailable(selected: &Selected, reason: &str) -> Failure {
    Failure::message(
        ExitStatus::Unavailable,
        format!("could not refresh `{}`: {reason}", printable(&selected.id, 200)),
    )
    .hint("try again; the stored login is unchanged")
}

fn signed_out(selected: &Selected) -> Failure {
    let provider = printable(&selected.credential.provider, 80);
    Failure::message(
        ExitStatus::LoginRequired,
        format!("the profile `{}` was signed out meanwhile", printable(&selected.id, 200)),
    )
    .hint(login_command(&provider, &selected.owner.id))
}

impl StoreError {
    fn into_failure_of(self, profile_id: &str) -> Failure {
        Failure::from(self)
            .context(format!("another process is refreshing `{}`", printable(profile_id, 200)))
    }
}
