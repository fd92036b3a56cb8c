//! One refresh, top to bottom: lease → read again → prepare → journal → last look → request →
//! commit or spool → propagate → release.
//!
//! Invariants:
//! 1. Nothing that waits stands between the last look and the request: what is posted is
//!    what the store holds at that moment, and the lease is still ours.
//! 2. Everything that can fail is tried before the request.
//! 3. A refresh token that was received is stored or spooled, whatever became of the document
//!    meanwhile; one that was refused is never posted again.

use super::lease::{LeaseError, Waited, tell, wait_for_lease};
use super::propagate::store_spooled;
use super::refusal::Holders;
use super::{Earlier, NotRefreshable, Over, RefreshError};
use crate::app::App;
use crate::config::Config;
use crate::oauth::TokenError;
use crate::ops::Notes;
use crate::ops::fence;
use crate::ops::issuer::{Connection, Issuer};
use crate::ops::moving::{may_take, moved_from, settle};
use crate::ops::selection::{Selected, entry_text};
use crate::profile::Credential;
use crate::provider::Catalog;
use crate::secret::Secret;
use crate::store::{
    Begun, Document, Ended, Fence, IssuedCredential, LastOutcome, Lease, Prepared, Spent, Spool,
    Store, StoreError, Unspent, rotates,
};
use crate::system::Stop;
use crate::system::file::SpareFile;
use crate::system::lock::{self, Holder};
use crate::system::worker::{Life, Unsaved};
use std::time::Duration;

/// A killed process may have a request in flight. Were it to arrive after ours, it would
/// spend what ours brought, so ours waits this long. Counted from when the note of that
/// process is found, so that no clock that jumps matters.
const IN_FLIGHT_GRACE: Duration = Duration::from_secs(1);

/// One refresh of the selected profile.
pub(super) struct Transaction<'a> {
    pub(super) app: &'a App,
    config: &'a Config,
    pub(super) selected: &'a Selected,
    lock_timeout: Duration,
    /// The time of the worker that makes it.
    life: Life,
    /// The other stores, which may hold the grant as well.
    pub(super) others: Vec<Store>,
    pub(super) spool: Spool,
}

/// What the store holds under the lease.
struct Read {
    /// The credential that is renewed.
    credential: Credential,
    /// The text of its entry.
    entry: Secret,
    /// The refresh token that is going to be spent.
    posted: Secret,
    /// How the last request with it ended, if that is remembered.
    last: Option<LastOutcome>,
}

/// Everything that can fail has been tried.
struct Ready<'a> {
    read: Read,
    connection: Connection<'a>,
    reserved: Reserved,
}

/// What is set aside for the reply.
pub(super) struct Reserved {
    /// For the store.
    pub(super) prepared: Option<Prepared>,
    /// For the spool, at last.
    pub(super) spare: Option<SpareFile>,
}

/// What the store holds when it is read again.
enum Found {
    /// A credential to renew.
    Expired(Read),
    /// One that another process has stored.
    Usable(Credential),
    /// OpenClaw has begun a refresh, and put a marker there. It lets its lock go meanwhile.
    Marked,
}

/// What ended a round of the transaction.
enum Round {
    /// The credential that is in the store now.
    Done(Box<Credential>),
    /// The store has changed since it was read: once more, under the same lease.
    Changed,
    /// The lease is lost: once more, with a new one.
    LeaseLost,
    /// OpenClaw is refreshing it: once more, with a new lease, when it has ended.
    OfOpenClaw,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(
        app: &'a App,
        config: &'a Config,
        selected: &'a Selected,
        lock_timeout: Duration,
    ) -> Self {
        let (spool, life) = (app.spool().bound(), app.refreshes_by.life());
        Self { app, config, selected, lock_timeout, life, others: Vec::new(), spool }
    }

    /// Runs the transaction; returns the credential that is in the store then.
    pub(super) async fn run(
        mut self,
        interaction: &mut dyn Notes,
    ) -> Result<Credential, RefreshError> {
        loop {
            let mut lease = match self.lease().await? {
                Waited::Leased(lease) => lease,
                Waited::Adopted(credential) => return Ok(*credential),
            };
            loop {
                match self.round(&mut lease, interaction).await? {
                    Round::Done(credential) => return Ok(*credential),
                    Round::Changed => {}
                    Round::LeaseLost => break,
                    Round::OfOpenClaw => {
                        // OpenClaw needs the lock to store what it gets.
                        drop(lease);
                        self.wait_for_openclaw().await?;
                        break;
                    }
                }
            }
        }
    }

    /// How long to wait for a lock from now on.
    fn lock_wait(&self) -> Duration {
        self.life.lock_wait(self.lock_timeout)
    }

    /// Waits for the lease, or until another process has stored a credential.
    async fn lease(&self) -> Result<Waited, RefreshError> {
        let (clock, wait) = (&self.app.machine.clock, self.lock_wait());
        let waited = wait_for_lease(self.selected, clock, wait, |_| Ok(self.adopt()?)).await;
        tell(&self.app.machine.trace, self.selected, waited)
    }

    /// One round under the lease, from reading to the stored credential.
    async fn round(
        &mut self,
        lease: &mut Lease,
        interaction: &mut dyn Notes,
    ) -> Result<Round, RefreshError> {
        let read = match self.read_again(lease, interaction)? {
            Found::Expired(read) => read,
            Found::Usable(credential) => return Ok(Round::Done(credential.into())),
            Found::Marked => return Ok(Round::OfOpenClaw),
        };
        // Safe to interrupt: nothing has been noted or sent yet.
        self.selected.store.wait_until_free(Some(lease), self.lock_wait())?;
        let catalog = self.app.catalog()?;
        let issuer = Issuer::of(self.app, &catalog, &read.credential)?;
        let issuer = issuer.ok_or_else(|| unknown_provider(&catalog, &read.credential))?;
        let (clock, began) = (&self.app.machine.clock, self.app.machine.clock.instant());
        let ready = self.prepare(read, issuer).await?;
        self.life = self.life.without(clock.since(began));
        // From here until the new credential is stored, who asks it to stop waits.
        let mut stop = self.app.machine.stop.listen().map_err(RefreshError::Signals)?;
        let result = self.spend(ready, lease, &mut stop, interaction).await;
        if stop.is_asked().await { Err(RefreshError::Interrupted) } else { result }
    }

    /// Waits until the refresh has ended that OpenClaw is at.
    async fn wait_for_openclaw(&self) -> Result<(), RefreshError> {
        let Selected { store, id, .. } = self.selected;
        let (clock, wait) = (&self.app.machine.clock, self.lock_wait());
        let began = clock.now();
        if fence::ends(store, id.as_str(), wait, clock).await? {
            return Ok(());
        }
        if clock.now().saturating_sub(began) < i64::try_from(wait.as_millis()).unwrap_or(i64::MAX) {
            return Err(NotRefreshable::fenced(self.selected, Fence::Pending).into());
        }
        let location = store.lease_location(&self.selected.lease_key());
        let source = StoreError::LockTimeout { location, waited: wait, holder: Holder::default() };
        Err(LeaseError::Busy { profile_id: id.clone(), source }.into())
    }

    /// Reads the store again, under the lease.
    fn read_again(
        &mut self,
        lease: &mut Lease,
        interaction: &mut dyn Notes,
    ) -> Result<Found, RefreshError> {
        let selected = self.selected;
        store_spooled((self.app, self.config), &self.spool);
        let (snapshot, credential, posted) = loop {
            let snapshot = selected.store.read()?;
            if let Some(credential) = self.adoptable(&snapshot.document) {
                return Ok(Found::Usable(credential));
            }
            match snapshot.document.fence(selected.id.as_str()) {
                Some(Fence::Pending) => return Ok(Found::Marked),
                Some(Fence::Failed) => {
                    return Err(NotRefreshable::fenced(selected, Fence::Failed).into());
                }
                None => {}
            }
            let credential = snapshot.document.credential(selected.id.as_str());
            let credential = credential.ok_or_else(|| self.signed_out())?;
            let posted = credential.refresh_token().ok_or_else(|| self.signed_out())?.clone();
            // Another grant may be there that is expired as well.
            if !selected.store.follow_grant(lease, &posted, self.lock_wait())? {
                break (snapshot, credential, posted);
            }
        };
        self.others = self.app.holding_stores(self.config);
        let (of, hash) = ((self.app, self.config), posted.fingerprint());
        self.others.retain(|it| !it.is_same(&selected.store) && may_take(of, it, &hash));
        // The holder before us may have learnt that the login is over.
        let (others, now) = (&self.others[..], self.app.now());
        let holders = Holders { own: &selected.store, lease, others, now };
        if let Some(code) = holders.refusal(snapshot.state()?, &posted, interaction) {
            let login = selected.login().into();
            return Err(RefreshError::LoginOver { login, over: Over::Known(code) });
        }
        // A spent token must not be posted: the server would end the login everywhere.
        let found = self.spool.find_spent(&posted);
        let found = found.or_else(|| selected.store.find_kept(&posted).map(Spent::Replaced));
        if let Some(found) = found {
            let (profile_id, location) = (selected.id.clone(), selected.store.location());
            return Err(match found {
                Spent::Replaced(kept_in) => RefreshError::Spent { profile_id, location, kept_in },
                Spent::Unreadable(kept_in) => RefreshError::SpentUnreadable { profile_id, kept_in },
            });
        }
        if selected.store.is_replaced(&posted) {
            return Err(NotRefreshable::replaced(selected).into());
        }
        self.check_owner(&posted)?;
        let last = self.check_turn(&posted)?;
        let entry = entry_text(&snapshot.document, &selected.id);
        Ok(Found::Expired(Read { credential, entry, posted, last }))
    }

    /// Fails where the login has moved away, or may have. A move that came to nothing is forgotten.
    fn check_owner(&self, posted: &Secret) -> Result<(), RefreshError> {
        let Some(noted) = self.app.moves().find(posted) else { return Ok(()) };
        let state = settle((self.app, self.config), &self.selected.store, posted, &noted);
        NotRefreshable::of_move(self.selected, state).map_or(Ok(()), |error| Err(error.into()))
    }

    /// Tries everything that can fail: discovery, the trust store, the space for the reply.
    async fn prepare<'i>(
        &self,
        read: Read,
        mut issuer: Issuer<'i>,
    ) -> Result<Ready<'i>, RefreshError> {
        let discovered = issuer.discover().await;
        discovered.map_err(|source| self.undiscovered(&read.posted, source))?;
        let connection = issuer.connect().map_err(|source| self.unavailable(source))?;
        let (prepared, spare) = (self.selected.store.prepare_space()?, self.spool.reserve());
        Ok(Ready { read, connection, reserved: Reserved { prepared, spare } })
    }

    /// Notes the request, looks once more, makes the request, and stores what came.
    async fn spend(
        &self,
        ready: Ready<'_>,
        lease: &Lease,
        stop: &mut Stop,
        interaction: &mut dyn Notes,
    ) -> Result<Round, RefreshError> {
        let Ready { read, connection, reserved } = ready;
        let store = &self.selected.store;
        if !self.life.has_time_for_request(IN_FLIGHT_GRACE) {
            return Err(RefreshError::NoTimeLeft);
        }
        let earlier = match store.begin(lease, &read.posted)? {
            Begun::Noted => None,
            Begun::Interrupted(noted) => Some(Earlier::of(noted, read.last.clone())),
            Begun::Lost => return Ok(Round::LeaseLost),
        };
        let take_back = || {
            self.unmark(&read.posted, Unspent::Surely);
            if earlier.is_none() {
                store.end(&read.posted, Ended::Known);
            }
        };
        if let Some(earlier) = &earlier {
            interaction.note(&format!("{earlier}; trying once more"));
            tokio::select! {
                () = self.app.machine.clock.sleep(IN_FLIGHT_GRACE) => {}
                () = stop.asked() => return Err(RefreshError::Interrupted),
            }
        } else if stop.is_asked().await {
            take_back();
            return Err(RefreshError::Interrupted);
        }
        let marked = self.mark(&read.posted);
        match marked.and_then(|()| self.last_look(&read.posted, lease)) {
            Ok(None) if self.life.has_time_for_request(Duration::ZERO) => {}
            Ok(None) => {
                take_back();
                return Err(RefreshError::NoTimeLeft);
            }
            Ok(Some(round)) => {
                take_back();
                return Ok(round);
            }
            Err(error) => {
                take_back();
                return Err(error.into());
            }
        }
        if self.app.refreshes_by.has_workers() {
            // A worker came to nothing.
            interaction.note(super::error::MADE_BY_CALLER);
        }
        // From here on the worker does not end before the answer is stored or spooled.
        let _unsaved = Unsaved::hold();
        let may_repeat = earlier.is_none();
        let made = self.request(&connection, &read, lease, may_repeat, stop, interaction).await;
        match made {
            Ok(renewal) => {
                let committed = self.commit(&read.posted, renewal, lease, reserved);
                store.forget_outcome(&read.posted);
                committed
            }
            Err(error) => {
                // A refusal has to be stored, too, and this may be the space for it.
                drop(reserved);
                let error = self.spool_unread(&read.posted, error);
                self.fail(&read.posted, error, earlier, lease, interaction)
            }
        }
        .map(|credential| Round::Done(credential.into()))
    }

    /// Keeps OpenClaw from what is going to be posted. Other stores are marked as far as they
    /// can be. It waits no longer than the request can.
    fn mark(&self, posted: &Secret) -> Result<(), StoreError> {
        let (now, wait) = (self.app.now(), || self.life.request_wait(lock::TIMEOUT));
        self.selected.store.mark(posted, now, wait())?;
        for other in &self.others {
            let _ = other.mark(posted, now, wait());
        }
        Ok(())
    }

    /// No other credential came for what was posted, if it was.
    pub(super) fn unmark(&self, posted: &Secret, unspent: Unspent) {
        for store in std::iter::once(&self.selected.store).chain(&self.others) {
            store.unmark(posted, unspent);
        }
    }

    /// Whether the store still holds the token that is going to be posted, and the lease is
    /// ours; else what to do. The lease is looked at last.
    fn last_look(&self, posted: &Secret, lease: &Lease) -> Result<Option<Round>, StoreError> {
        let document = self.selected.store.profiles()?;
        let stored = document.credential(self.selected.id.as_str());
        let stored = stored.as_ref().and_then(Credential::refresh_token);
        let is_same = stored.is_some_and(|stored| stored.matches(posted));
        Ok(if !lease.is_held() {
            Some(Round::LeaseLost)
        } else if is_same {
            None
        } else {
            Some(Round::Changed)
        })
    }

    /// Makes the token request, again when it was not carried out.
    async fn request(
        &self,
        connection: &Connection<'_>,
        read: &Read,
        lease: &Lease,
        may_repeat: bool,
        stop: &mut Stop,
        interaction: &mut dyn Notes,
    ) -> Result<IssuedCredential, TokenError> {
        let rotates = rotates(read.entry.expose());
        let clock = &self.app.machine.clock;
        let mut attempts = 0;
        loop {
            let renewal =
                connection.refresh(&read.credential, &read.entry, clock, interaction).await;
            attempts += 1;
            let wait = match &renewal {
                Err(error) if may_repeat => error.retry_in(attempts, rotates),
                _ => None,
            };
            let wait = wait.filter(|wait| self.life.has_time_for_request(*wait));
            let Some(wait) = wait else { return renewal };
            tokio::select! {
                () = self.app.machine.clock.sleep(wait) => {}
                // Nothing is in flight: the last answer stands.
                () = stop.asked() => return renewal,
            }
            // The pause was a wait: what is posted again must still be what is stored.
            if !matches!(self.last_look(&read.posted, lease), Ok(None)) {
                return renewal;
            }
        }
    }

    /// The stored credential when it is another one than this process first read, and not
    /// expired.
    pub(super) fn adopt(&self) -> Result<Option<Credential>, StoreError> {
        Ok(self.adoptable(&self.selected.store.profiles()?))
    }

    fn adoptable(&self, document: &Document) -> Option<Credential> {
        let stored = document.credential(self.selected.id.as_str())?;
        let is_new = differs(&stored, &self.selected.credential);
        (is_new && stored.is_usable_until(self.app.now())).then_some(stored)
    }

    pub(super) fn signed_out(&self) -> RefreshError {
        let held = self.selected.credential.refresh_token();
        let of = (self.app, self.config);
        if held.is_some_and(|held| moved_from(of, &self.selected.store, held).is_some()) {
            return NotRefreshable::moved(self.selected).into();
        }
        RefreshError::SignedOut(self.selected.login().into())
    }
}

fn differs(a: &Credential, b: &Credential) -> bool {
    let same = |a: Option<&Secret>, b: Option<&Secret>| match (a, b) {
        (Some(a), Some(b)) => a.matches(b),
        (None, None) => true,
        _ => false,
    };
    !same(a.bearer(), b.bearer()) || !same(a.refresh_token(), b.refresh_token())
}

/// Nobody is known who refreshes the credential.
fn unknown_provider(catalog: &Catalog, credential: &Credential) -> RefreshError {
    let provider = credential.provider.clone();
    let known = catalog.find(&provider);
    let method = known.and_then(|_| credential.login_method.clone());
    RefreshError::UnknownProvider { provider, method }
}
