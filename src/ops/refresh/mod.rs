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
mod propagate;
mod refusal;

pub use error::{NotRefreshable, Over, Reason, RefreshError};
pub use lease::LeaseError;

pub(super) use error::not_refreshable;
pub(super) use lease::wait_for_lease;
pub(super) use lifetime::{USUAL_MIN_TTL, has_lifetime};
pub(super) use propagate::{holder, store_spooled};

use super::Interaction;
use super::issuer::{Connection, Issuer};
use super::selection::{Selected, entry_text};
use crate::app::{App, AppError};
use crate::config::Config;
use crate::oauth::TokenError;
use crate::profile::{Credential, Identity};
use crate::provider::{ASSUMED_LIFETIME, Catalog};
use crate::secret::Secret;
use crate::store::{
    AgentStore, Document, Ended, InterruptedRefresh, Lease, Prepared, Renewal, Spool, StoreError,
};
use crate::system::signal::StopSignals;
use crate::system::{Runtime, now, with_runtime};
use error::cut_off;
use lease::Waited;
use propagate::{Outcome, may_be_held, store_renewal};
use refusal::Holders;
use std::time::Duration;

/// What a process that was cut off has sent may be on its way for so long: were it to arrive
/// after the request of its successor, it would spend what that one brought. Counted from
/// when the note of it is found, so that no clock that jumps matters: the process is dead by
/// then, but may have sent long after it wrote the note.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// Refreshes the selected profile and returns the credential that is then in the store; what
/// the server gave is usable.
pub(super) fn refresh(
    app: &App,
    config: &Config,
    selected: &Selected,
    lock_timeout: Duration,
    interaction: &mut dyn Interaction,
) -> Result<Credential, RefreshError> {
    let renewed = refresh_or_adopt(app, config, selected, lock_timeout, interaction)?;
    if !renewed.is_usable_until(now()) {
        return Err(RefreshError::Expired { profile_id: selected.id.clone() });
    }
    Ok(renewed)
}

fn refresh_or_adopt(
    app: &App,
    config: &Config,
    selected: &Selected,
    lock_timeout: Duration,
    interaction: &mut dyn Interaction,
) -> Result<Credential, RefreshError> {
    // The wait is over as soon as somebody has stored a fresh credential.
    let mut lease =
        match wait_for_lease(selected, lock_timeout, |it| Ok::<_, RefreshError>(adopt(it)?))? {
            Waited::Adopted(credential) => return Ok(*credential),
            Waited::Leased(lease) => lease,
        };
    store_spooled(&app.spool(), || app.stores(config));
    let (snapshot, current) = loop {
        let snapshot = selected.store.read()?;
        if let Some(credential) = adoptable(&snapshot.document, selected) {
            return Ok(credential);
        }
        let current = snapshot
            .document
            .credential(selected.id.as_str())
            .ok_or_else(|| RefreshError::SignedOut(selected.login().into()))?;
        let refresh_token = current
            .refresh_token()
            .ok_or_else(|| RefreshError::SignedOut(selected.login().into()))?;
        // Somebody may have put another grant there that is expired as well.
        if !selected.store.follow_grant(&mut lease, refresh_token, lock_timeout)? {
            break (snapshot, current);
        }
    };
    let Some(refresh_token) = current.refresh_token() else {
        return Err(RefreshError::SignedOut(selected.login().into()));
    };
    let mut others = app.stores(config);
    others.retain(|other| !other.is_same(&selected.store));
    // The holder before us may have learnt that the login is over.
    let holders = Holders { own: &selected.store, lease: &lease, others: &others };
    if let Some(code) = holders.refusal(snapshot.state()?, refresh_token, interaction) {
        return Err(RefreshError::LoginOver {
            login: selected.login().into(),
            over: Over::Known(code),
        });
    }
    // A spent token must not be posted: the server would end the login everywhere.
    if let Some(kept_in) = app.spool().find_spent(refresh_token) {
        let (profile_id, location) = (selected.id.clone(), selected.store.location());
        return Err(RefreshError::Spent { profile_id, location, kept_in });
    }
    // Only who makes the request needs to know how.
    let catalog = app.catalog()?;
    let issuer = Issuer::of(app, &catalog, &selected.credential)?;
    let mut issuer = issuer.ok_or_else(|| unknown_provider(&catalog, &selected.credential))?;
    let made = with_runtime(|runtime| {
        let discovered = runtime.block_on(issuer.discover());
        discovered.map_err(|source| unavailable(selected, source))?;
        let attempt = Attempt {
            selected,
            lease,
            credential: &current,
            entry: entry_text(&snapshot.document, &selected.id),
            posted: refresh_token,
            others,
            spool: app.spool(),
        };
        attempt.make(issuer, runtime, lock_timeout, interaction)
    });
    made.map_err(AppError::Runtime)?
}

/// The stored credential when it is another one than this process first read, and not
/// expired.
fn adopt(selected: &Selected) -> Result<Option<Credential>, StoreError> {
    Ok(adoptable(&selected.store.profiles()?, selected))
}

fn adoptable(document: &Document, selected: &Selected) -> Option<Credential> {
    let stored = document.credential(selected.id.as_str());
    stored.filter(|stored| differs(stored, &selected.credential) && stored.is_usable_until(now()))
}

fn differs(a: &Credential, b: &Credential) -> bool {
    let same = |a: Option<&Secret>, b: Option<&Secret>| match (a, b) {
        (Some(a), Some(b)) => a.matches(b),
        (None, None) => true,
        _ => false,
    };
    !same(a.bearer(), b.bearer()) || !same(a.refresh_token(), b.refresh_token())
}

/// One refresh, from the note that it begins to the credential in the store.
struct Attempt<'a> {
    selected: &'a Selected,
    /// The lease on the profile.
    lease: Lease,
    /// The credential that is renewed.
    credential: &'a Credential,
    /// The text of its entry.
    entry: Secret,
    /// The refresh token that is spent.
    posted: &'a Secret,
    /// The stores that may hold the grant as well.
    others: Vec<AgentStore>,
    /// Where the reply goes when it cannot be stored.
    spool: Spool,
}

impl Attempt<'_> {
    fn make(
        &self,
        issuer: Issuer,
        runtime: &Runtime,
        lock_timeout: Duration,
        interaction: &mut dyn Interaction,
    ) -> Result<Credential, RefreshError> {
        // Who is interrupted while it waits has begun nothing.
        self.selected.store.wait_until_free(Some(&self.lease), lock_timeout)?;
        let attempted = runtime.block_on(async {
            // From here until the new credential is stored, a signal waits.
            let mut signals = StopSignals::catch()?;
            let result = self.renew(issuer, &mut signals, interaction).await;
            Ok((result, signals.has_come().await))
        });
        let (result, interrupted) = attempted.map_err(RefreshError::Signals)?;
        if interrupted { Err(RefreshError::Interrupted) } else { result }
    }

    async fn renew(
        &self,
        issuer: Issuer<'_>,
        signals: &mut StopSignals,
        interaction: &mut dyn Interaction,
    ) -> Result<Credential, RefreshError> {
        let Self { selected, posted, lease, .. } = self;
        // What cannot be stored must not be asked for.
        let prepared = selected.store.prepare_space()?;
        let connection = issuer.connect();
        let connection = connection.map_err(|source| unavailable(selected, source))?;
        let earlier = selected.store.begin(lease, posted)?;
        if let Some(earlier) = &earlier {
            interaction.note(&format!("{}; trying once more", cut_off(earlier)));
            tokio::select! {
                () = tokio::time::sleep(ON_ITS_WAY) => {}
                () = signals.received() => return Err(RefreshError::Interrupted),
            }
        } else if signals.has_come().await {
            selected.store.end(posted, Ended::Known);
            return Err(RefreshError::Interrupted);
        }
        match self.ask(&connection, earlier.is_none(), signals, interaction).await {
            Ok(renewal) => self.keep(renewal, prepared),
            Err(error) => {
                // A refusal has to be stored, too, and this may be the space for it.
                drop(prepared);
                self.fail(error, earlier, interaction)
            }
        }
    }

    /// Makes the token request, again when the server says that it could not answer.
    async fn ask(
        &self,
        connection: &Connection<'_>,
        may_repeat: bool,
        signals: &mut StopSignals,
        interaction: &mut dyn Interaction,
    ) -> Result<Renewal, TokenError> {
        let mut attempts = 0;
        loop {
            let renewal = connection.refresh(self.credential, &self.entry, interaction).await;
            attempts += 1;
            let wait = match &renewal {
                Err(error) if may_repeat => error.retry_in(attempts),
                _ => None,
            };
            let Some(wait) = wait else { return renewal };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // Nothing is under way: the last answer stands.
                () = signals.received() => return renewal,
            }
        }
    }

    /// Stores the renewal, or keeps it where a later command finds it.
    fn keep(
        &self,
        renewal: Renewal,
        prepared: Option<Prepared>,
    ) -> Result<Credential, RefreshError> {
        let selected = self.selected;
        let renewal = renewal_of(selected, renewal);
        let refresh = renewal.grant.refresh.as_ref();
        let rotates = refresh.is_some_and(|refresh| !refresh.matches(self.posted));
        // Whatever happens from here on, no store is left with nothing but a spent token.
        let is_followed = rotates && self.spool.follow(self.posted, &renewal).unwrap_or(false);
        let ahead = (rotates && !is_followed && may_be_held(self.posted, &self.others))
            .then(|| self.spool.save(self.posted, &renewal).ok())
            .flatten();
        let stored =
            store_renewal(selected, &self.lease, &renewal, self.posted, prepared, &self.others);
        let outcome = match stored {
            Ok((outcome, is_complete)) => {
                if let Some(location) = ahead.filter(|_| is_complete) {
                    self.spool.remove(&location);
                }
                outcome
            }
            Err(source) => {
                let Ok(kept_in) = self.spool.save(self.posted, &renewal) else {
                    return Err(RefreshError::Lost { source });
                };
                selected.store.end(self.posted, Ended::Known);
                let profile_id = selected.id.clone();
                return Err(RefreshError::Kept { profile_id, kept_in, source });
            }
        };
        selected.store.end(self.posted, Ended::Known);
        match outcome {
            Outcome::Stored(credential) | Outcome::Replaced(credential) => Ok(credential),
            Outcome::Removed => Err(RefreshError::SignedOut(selected.login().into())),
        }
    }

    fn fail(
        &self,
        error: TokenError,
        earlier: Option<InterruptedRefresh>,
        interaction: &mut dyn Interaction,
    ) -> Result<Credential, RefreshError> {
        let Self { selected, posted, lease, others, .. } = self;
        let holders = Holders { own: &selected.store, lease, others };
        // The profile may have got another grant meanwhile: others have this one still.
        let is_refused = error.refused_grant().is_some();
        if let Some(code) = error.refused_grant() {
            holders.remember(posted, code, interaction);
        }
        // What became of an earlier request is known when the server has refused the token.
        let is_known = earlier.is_none() && !error.is_outcome_unknown();
        if is_known || is_refused {
            selected.store.end(posted, Ended::Known);
        }
        // Somebody without our lease may have refreshed or signed in meanwhile.
        if let Some(credential) = adopt(selected)? {
            return Ok(credential);
        }
        if !is_refused {
            let profile_id = selected.id.clone();
            return Err(match error {
                source @ TokenError::Refused { .. } => {
                    RefreshError::NotRefreshed { profile_id, source }
                }
                source => RefreshError::Unavailable { profile_id, source },
            });
        }
        let over = Over::Refused { error, earlier };
        Err(RefreshError::LoginOver { login: selected.login().into(), over })
    }
}

/// The server was not reached, or its answer does not count.
fn unavailable(selected: &Selected, source: TokenError) -> RefreshError {
    RefreshError::Unavailable { profile_id: selected.id.clone(), source }
}

/// Nobody is known who refreshes the credential.
fn unknown_provider(catalog: &Catalog, credential: &Credential) -> RefreshError {
    let provider = credential.provider.clone();
    let is_known = catalog.find(&provider).is_some();
    let method = credential.login_method.clone().filter(|_| is_known);
    RefreshError::UnknownProvider { provider, method }
}

/// What a renewal means for a profile. Who it belongs to is not changed by a refresh.
fn renewal_of(selected: &Selected, renewal: Renewal) -> Renewal {
    let (claimed, stored) = (renewal.identity, &selected.credential.identity);
    let identity = Identity {
        email: claimed.email.filter(|_| stored.email.is_none()),
        account_id: claimed.account_id.filter(|_| stored.account_id.is_none()),
        subject: None,
    };
    // There is a refresh token, if only the one that was posted.
    let expires = renewal.expires.or_else(|| Some(now().saturating_add(ASSUMED_LIFETIME)));
    Renewal { expires, identity, ..renewal }
}
