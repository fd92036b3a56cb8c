//! A login that was granted and cannot be stored: it is kept in the spool, from where a later
//! command stores it, or else revoked at the server.
//!
//! Invariant: a grant that was received is stored or spooled; one that can be neither is
//! revoked where that is possible, and which of it happened is in the error.

use super::destination::LoginDestination;
use super::error::{Attempt, LoginError};
use super::parts::Login;
use super::request::Report;
use crate::app::App;
use crate::config::AgentDir;
use crate::oauth::{self, Grant, TokenError};
use crate::ops::issuer::Issuer;
use crate::ops::record::Wait;
use crate::ops::{Interaction, Notes};
use crate::profile::Credential;
use crate::provider::Catalog;
use crate::secret::Secret;
use crate::store::{Document, IssuedCredential, KeptLogin, Location, Prepared};
use crate::system::Stop;

impl LoginDestination<'_> {
    /// Stores a login; keeps it in the spool where that fails, and revokes it where that fails
    /// as well. `prepared` is what [`Store::prepare`] gave.
    pub(super) async fn store_or_keep(
        &self,
        renewal: IssuedCredential,
        prepared: Option<Prepared>,
        interaction: &mut dyn Interaction,
    ) -> Result<Report, LoginError> {
        let source = match self.store(&renewal, Wait::Prepared(prepared)) {
            Err(LoginError::App(source)) => Box::new(source),
            stored => return stored,
        };
        let label = self.label.to_owned();
        let attempt = Attempt { provider: self.provider.clone(), agent_id: self.agent.id.clone() };
        let attempt = Box::new(attempt);
        let kept = KeptLogin {
            agent: (self.agent.id.clone(), self.agent.path.clone()),
            provider: (self.provider.clone(), label.clone()),
            method: self.method.map(str::to_owned),
            wanted: self.wanted.cloned(),
            renewal,
        };
        if let Ok(kept_in) = self.app.spool().save_login(&kept) {
            return Err(LoginError::Kept { label, attempt, kept_in, source });
        }
        let is_revoked = self.revoke(&kept.renewal, interaction).await.unwrap_or(false);
        Err(LoginError::NotKept { label, attempt, is_revoked, source })
    }

    /// Revokes a login that exists nowhere but here; whether the server has done so.
    async fn revoke(
        &self,
        renewal: &IssuedCredential,
        interaction: &mut dyn Interaction,
    ) -> Option<bool> {
        let entry = self.entry(None, renewal).ok()?;
        let text = Secret::new(entry.get());
        let mut document = Document::default();
        document.set_entry("", entry);
        let credential = document.credential("")?;
        let catalog = self.app.catalog().ok()?;
        let issuer = Issuer::of(self.app, &catalog, &credential).ok()??;
        issuer.revoke(&credential, &text, interaction).await.ok()
    }
}

impl Login<'_> {
    /// Revokes a refresh token that came without an access token: no login can be made of it,
    /// and nobody else holds it.
    pub(super) async fn revoke_stray(&self, error: &LoginError, interaction: &mut dyn Notes) {
        let LoginError::NotSignedIn { source, .. } = error else { return };
        let TokenError::NoAccessToken { refresh } = &**source else { return };
        let Some(endpoint) = &self.client.endpoints.revocation else { return };
        let Ok(http) = self.client.http_to(endpoint) else { return };
        let revoked = oauth::revoke(&http, &self.client, endpoint, refresh, "refresh_token").await;
        interaction.note(match revoked {
            Ok(()) => "the refresh token that came alone was revoked",
            Err(_) => "the refresh token that came alone could not be revoked",
        });
    }
}

/// What came of a token request, which spends its code: who is asked to stop waits for it, so
/// that it is stored, and leaves only when asked again.
pub(super) async fn finished<T>(
    exchange: impl Future<Output = T>,
    interaction: &mut dyn Interaction,
    stop: &mut Stop,
) -> Result<T, LoginError> {
    tokio::pin!(exchange);
    tokio::select! {
        grant = &mut exchange => return Ok(grant),
        () = stop.asked() => {}
    }
    interaction.note("finishing the login; again to leave");
    tokio::select! {
        grant = exchange => Ok(grant),
        () = stop.asked() => Err(LoginError::Interrupted),
    }
}

/// Stores the logins that earlier commands had to keep, as far as that is possible now.
/// Returns where those were that are done with.
pub(in crate::ops) fn store_kept(app: &App) -> Vec<Location> {
    let logins = app.spool().logins();
    if logins.is_empty() {
        return Vec::new();
    }
    let Ok(catalog) = app.catalog() else { return Vec::new() };
    let readable = logins.into_iter().filter_map(|(location, login)| Some((location, login?)));
    let stored = readable.filter(|(location, login)| {
        is_stored(app, &catalog, login) == Some(true) && app.spool().remove(location)
    });
    stored.map(|(location, _)| location).collect()
}

/// Stores a login that was kept, unless a newer one of the account is there; whether it is in
/// the store then.
fn is_stored(app: &App, catalog: &Catalog, login: &KeptLogin) -> Option<bool> {
    let agent = AgentDir { id: login.agent.0.clone(), path: login.agent.1.clone() };
    app.require_private(&app.config().ok()?, &agent).ok()?;
    let store = app.store(&agent);
    store.check_generation().ok()?;
    let document = store.profiles().ok()?;
    let IssuedCredential { grant, identity, expires, .. } = &login.renewal;
    if document.profiles().any(|profile| is_of(&profile.credential, grant)) {
        return Some(true);
    }
    let definition = catalog.find(&login.provider.0).map(|provider| &provider.definition);
    let destination = LoginDestination {
        app,
        agent: &agent,
        store: &store,
        provider: &login.provider.0,
        label: &login.provider.1,
        default_model: None,
        registration: definition.and_then(|it| it.registration_of(login.method.as_deref())),
        method: login.method.as_deref(),
        wanted: login.wanted.as_ref(),
    };
    let (id, _) = destination.choose_profile_id(&document, identity);
    let present = document.credential(id.as_str()).and_then(|present| present.expires());
    if present > *expires {
        return Some(false);
    }
    match destination.store(&login.renewal, Wait::Usual) {
        Ok(_) | Err(LoginError::NotRecorded { .. }) => Some(true),
        Err(_) => Some(false),
    }
}

/// Whether a credential is of this grant.
fn is_of(credential: &Credential, grant: &Grant) -> bool {
    let matches = |held: Option<&Secret>, given: &Secret| held.is_some_and(|it| it.matches(given));
    match &grant.refresh {
        Some(refresh) => matches(credential.refresh_token(), refresh),
        None => matches(credential.bearer(), &grant.access),
    }
}
