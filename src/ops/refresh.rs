//! Refreshing a grant: once, however many processes ask.
//!
//! The process that gets the lease makes the request; the others watch the document and
//! adopt what it stores. Whatever changed since a process looked and is not expired
//! counts as that, however short its lifetime. The new credential is stored before
//! anybody gets it, and a refused refresh token is never posted again.

use super::Interaction;
use super::issuer::{Connection, Issuer};
use super::lease::{Waited, wait_for_lease};
use super::refresh_failure::{not_refreshed, refused, signed_out, spent, unavailable, undefined};
use super::refusal::Holders;
use super::renewal::{Outcome, may_be_held, store_renewal, store_spooled};
use super::selection::{Selected, entry_text};
use crate::app::App;
use crate::config::Config;
use crate::exit::Failure;
use crate::oauth::{Grant, TokenError};
use crate::profile::{Credential, Identity, Millis};
use crate::provider::Registration;
use crate::secret::Secret;
use crate::store::{
    AgentStore, Begun, Document, Ended, InterruptedRefresh, Lease, Prepared, Renewal, Spool,
};
use crate::system::lock::iso;
use crate::system::signal::StopSignals;
use crate::system::{Runtime, now, with_runtime};
use anyhow::Context;
use std::time::Duration;

/// An access token without any word on its lifetime is taken to live for an hour.
const ASSUMED_LIFETIME: Millis = 3_600_000;

/// What a process that was cut off has sent may be on its way for so long: were it to arrive
/// after the request of its successor, it would spend what that one brought. Counted from
/// when the note of it is found, so that no clock that jumps matters: the process is dead by
/// then, but may have sent long after it wrote the note.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// Why nothing was posted.
const LEASE_LOST: &str = "another process has taken the refresh over";

/// When the access token of a grant expires: as the server says, else after an hour when
/// it can be refreshed, else never as far as we know.
pub(super) fn expiry(
    registration: Option<&Registration>,
    grant: &Grant,
    now: Millis,
) -> Option<Millis> {
    let assumed = || grant.refresh.is_some().then(|| now.saturating_add(ASSUMED_LIFETIME));
    let expires = grant.expires.or_else(assumed)?;
    Some(registration.map_or(expires, |registration| registration.with_margin(expires, now)))
}

/// Refreshes the selected profile and returns the credential that is then in the store.
pub(super) fn refresh(
    app: &App,
    config: &Config,
    selected: &Selected,
    lock_timeout: Duration,
    interaction: &mut dyn Interaction,
) -> Result<Credential, Failure> {
    // The wait is over as soon as somebody has stored a fresh credential.
    let mut lease = match wait_for_lease(selected, lock_timeout, adopt)? {
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
            .ok_or_else(|| signed_out(selected))?;
        let refresh_token = current.refresh_token().ok_or_else(|| signed_out(selected))?;
        // Somebody may have put another grant there that is expired as well.
        if !selected.store.follow_grant(&mut lease, refresh_token, lock_timeout)? {
            break (snapshot, current);
        }
    };
    let Some(refresh_token) = current.refresh_token() else { return Err(signed_out(selected)) };
    let mut others = app.stores(config);
    others.retain(|other| !other.is_same(&selected.store));
    // The holder before us may have learnt that the login is over.
    let holders = Holders { own: &selected.store, lease: &lease, others: &others };
    if let Some(code) = holders.refusal(snapshot.state()?, refresh_token, interaction) {
        return Err(refused(selected, &code));
    }
    // A spent token must not be posted: the server would end the login everywhere.
    if let Some(found) = app.spool().find_spent(refresh_token) {
        return Err(spent(selected, &found));
    }
    // Only who makes the request needs to know how.
    let catalog = app.catalog()?;
    let issuer = Issuer::of(app, &catalog, &selected.credential)?;
    let mut issuer = issuer.ok_or_else(|| undefined(app, &catalog, selected))?;
    let made = with_runtime(|runtime| {
        let discovered = runtime.block_on(issuer.discover());
        discovered.map_err(|error| unavailable(selected, &error.to_string()))?;
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
    made.context("could not start the runtime")?
}

/// The stored credential when it is another one than this process first read, and not
/// expired.
fn adopt(selected: &Selected) -> Result<Option<Credential>, Failure> {
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
    ) -> Result<Credential, Failure> {
        // Who is interrupted while it waits has begun nothing.
        self.selected.store.wait_until_free(Some(&self.lease), lock_timeout)?;
        let attempted = runtime.block_on(async {
            // From here until the new credential is stored, a signal waits.
            let mut signals = StopSignals::catch()?;
            let result = self.renew(issuer, &mut signals, interaction).await;
            anyhow::Ok((result, signals.has_come().await))
        });
        let (result, interrupted) = attempted.context("could not catch signals")?;
        if interrupted { Err(Failure::interrupted()) } else { result }
    }

    async fn renew(
        &self,
        issuer: Issuer<'_>,
        signals: &mut StopSignals,
        interaction: &mut dyn Interaction,
    ) -> Result<Credential, Failure> {
        let Self { selected, posted, lease, .. } = self;
        // What cannot be stored must not be asked for.
        let prepared = selected.store.prepare_space()?;
        let connection = issuer.connect();
        let connection = connection.map_err(|error| unavailable(selected, &error.to_string()))?;
        let earlier = match selected.store.begin(lease, posted)? {
            Begun::Noted => None,
            Begun::Interrupted(earlier) => Some(earlier),
            Begun::Lost => return Err(unavailable(selected, LEASE_LOST)),
        };
        if let Some(earlier) = &earlier {
            interaction.note(&format!("{}; trying once more", cut_off(earlier)));
            tokio::select! {
                () = tokio::time::sleep(ON_ITS_WAY) => {}
                () = signals.received() => return Err(Failure::interrupted()),
            }
        } else if signals.has_come().await {
            selected.store.end(posted, Ended::Known);
            return Err(Failure::interrupted());
        }
        if !lease.is_held() {
            return Err(unavailable(selected, LEASE_LOST));
        }
        match self.ask(&connection, earlier.is_none(), signals, interaction).await {
            Ok(renewal) => self.keep(renewal, prepared),
            Err(error) => {
                // A refusal has to be stored, too, and this may be the space for it.
                drop(prepared);
                self.fail(&error, earlier.as_ref(), interaction)
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
    fn keep(&self, renewal: Renewal, prepared: Option<Prepared>) -> Result<Credential, Failure> {
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
            Err(error) => {
                let kept = self.spool.save(self.posted, &renewal);
                let failure = Failure::from(error);
                return Err(match kept {
                    Ok(location) => {
                        selected.store.end(self.posted, Ended::Known);
                        failure.context(format!(
                            "the refreshed login `{}` is kept in {location} until it can be stored",
                            selected.id
                        ))
                    }
                    Err(_) => failure.context("the refreshed login could not be kept anywhere"),
                });
            }
        };
        selected.store.end(self.posted, Ended::Known);
        match outcome {
            Outcome::Stored(credential) | Outcome::Replaced(credential) => Ok(credential),
            Outcome::Removed => Err(signed_out(selected)),
        }
    }

    fn fail(
        &self,
        error: &TokenError,
        earlier: Option<&InterruptedRefresh>,
        interaction: &mut dyn Interaction,
    ) -> Result<Credential, Failure> {
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
            return Err(match error {
                TokenError::Refused { .. } => not_refreshed(selected, error),
                _ => unavailable(selected, &error.to_string()),
            });
        }
        let mut reason = error.to_string();
        if let Some(earlier) = earlier {
            reason.push_str("; ");
            reason.push_str(&cut_off(earlier));
            reason.push_str(" when the server may have replaced the refresh token");
        }
        Err(refused(selected, &reason))
    }
}

/// What a note says that nobody has taken back.
fn cut_off(earlier: &InterruptedRefresh) -> String {
    format!("a refresh at {} (process {}) was cut off", iso(earlier.at), earlier.pid)
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
