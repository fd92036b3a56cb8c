//! Storing a login: under the profile of its account, and in the configuration.

use super::{Login, Report};
use crate::app::App;
use crate::config::{AgentDir, ConfigEdit, record_profile};
use crate::exit::Failure;
use crate::oauth::Grant;
use crate::ops::refresh::expiry;
use crate::ops::{Interaction, account};
use crate::profile::{Identity, Kind, ProfileId, ProviderId, choose_profile_id};
use crate::provider::{Registration, StoredAs};
use crate::store::{AgentStore, Document, Pasted, Renewal, StoreError, login_entry, pasted_entry};
use crate::system::file::Reserved;
use crate::system::signal::StopSignals;
use crate::system::{lock, now};
use std::time::Duration;
use tokio::time::Instant;

impl Login<'_> {
    /// Makes sure that the login can be stored, before a code is spent for it. The lock is
    /// waited for as long as for any change; an interrupt ends that.
    pub(super) async fn reserve(
        &self,
        signals: &mut StopSignals,
    ) -> Result<Option<Reserved>, Failure> {
        let end = Instant::now() + lock::TIMEOUT;
        loop {
            match self.store.reserve(Duration::ZERO) {
                Err(StoreError::LockTimeout { path, holder, .. }) => {
                    if Instant::now() >= end {
                        let waited = lock::TIMEOUT;
                        return Err(StoreError::LockTimeout { path, waited, holder }.into());
                    }
                }
                reserved => return Ok(reserved?),
            }
            tokio::select! {
                () = signals.received() => return Err(Failure::interrupted()),
                () = tokio::time::sleep(lock::POLL) => {}
            }
        }
    }
}

/// Where a login is kept, and as whose.
pub(super) struct Place<'p> {
    pub(super) app: &'p App,
    pub(super) agent: &'p AgentDir,
    pub(super) store: &'p AgentStore,
    /// The provider id.
    pub(super) provider: &'p ProviderId,
    /// Its name for people.
    pub(super) label: &'p str,
    /// The model that its users usually take.
    pub(super) default_model: Option<&'p str>,
    /// How we are registered there, where it is an authorization server.
    pub(super) registration: Option<&'p Registration>,
    /// The profile id that the user wants.
    pub(super) wanted: Option<&'p ProfileId>,
}

impl Place<'_> {
    /// Stores a login under the profile of its account and records it in the configuration.
    pub(super) fn keep(
        &self,
        renewal: Renewal,
        reserved: Option<Reserved>,
    ) -> Result<Report, Failure> {
        let Self { store, provider, registration, .. } = *self;
        let kind = match registration.map(|registration| registration.stored_as) {
            Some(StoredAs::Token) => Kind::Token,
            _ => Kind::OAuth,
        };
        let (profile_id, taken_id, renewed) =
            store.update_reserved(reserved, None, |document| {
                let existing = logins_of(document, provider, registration, kind);
                let taken = |id: &ProfileId| document.has_entry(id.as_str());
                let named =
                    registration.and_then(|registration| registration.profile_name.as_deref());
                let identity = &renewal.identity;
                let (id, taken_id) =
                    choose_profile_id(provider, named, identity, self.wanted, &existing, taken);
                let present = document.entry(id.as_str());
                let renewed = present.is_some();
                let entry = match kind {
                    Kind::Token => {
                        let pasted = Pasted::Token(renewal.grant.access.clone(), renewal.expires);
                        pasted_entry(present, provider, &pasted)?
                    }
                    _ => login_entry(present, provider, &renewal)?,
                };
                document.set_entry(id.as_str(), entry);
                Ok((true, (id, taken_id, renewed)))
            })?;
        let stored = |failure: Failure| {
            failure.context(format!("the login is stored as `{profile_id}`, but not recorded"))
        };
        store
            .update_state(|state| {
                // Both have to happen.
                let cleared = state.clear_cooldown(profile_id.as_str());
                state.put_first(provider, &profile_id) || cleared
            })
            .map_err(|e| stored(e.into()))?;
        let edit = record_profile(&self.app.paths.config, &profile_id, provider, kind)
            .map_err(|error| stored(error.into()))?;
        Ok(Report {
            provider_label: self.label.to_owned(),
            provider: provider.clone(),
            agent_id: self.agent.id.clone(),
            store_path: store.profiles_path(),
            expires: renewal.expires,
            refreshable: kind == Kind::OAuth && renewal.grant.refresh.is_some(),
            default_model: self.default_model.map(str::to_owned),
            identity: renewal.identity,
            config_changed: edit == ConfigEdit::Written,
            profile_id,
            taken_id,
            renewed,
        })
    }
}

impl Login<'_> {
    /// Stores the grant under the profile of its account.
    pub(super) async fn keep(
        &self,
        grant: Grant,
        reserved: Option<Reserved>,
        interaction: &mut dyn Interaction,
    ) -> Result<Report, Failure> {
        let place = Place {
            app: self.app,
            agent: &self.agent,
            store: &self.store,
            provider: &self.definition.id,
            label: &self.definition.label,
            default_model: self.definition.default_model.as_deref(),
            registration: Some(self.registration),
            wanted: self.request.profile_id.as_ref(),
        };
        place.keep(self.renewal(grant, interaction).await, reserved)
    }

    /// What the grant means for a profile: who it belongs to, and what a refresh will need
    /// to know of it.
    async fn renewal(&self, grant: Grant, interaction: &mut dyn Interaction) -> Renewal {
        let registration = self.registration;
        let (access, id_token) = (&grant.access, grant.id_token.as_ref());
        let mut identity = registration.identity(access, id_token, None);
        if identity.email.is_none() && registration.names_identity() {
            match self.client.userinfo(access, id_token).await {
                Ok(userinfo) => {
                    identity = registration.identity(access, id_token, userinfo.as_ref());
                }
                Err(error) => {
                    interaction.warn(&format!("the user information is not used: {error}"));
                }
            }
        }
        let mut fields = registration.kept(&grant);
        let mut keep = |name: &str, value: &str| fields.push((name.to_owned(), value.into()));
        if registration.has_own_client() {
            keep("clientId", &self.client.id);
        }
        if let Some(method) = &self.ways.method {
            keep("loginMethod", method);
        }
        Renewal { expires: expiry(Some(registration), &grant, now()), grant, identity, fields }
    }
}

/// The provider's logins of a kind in a document, with the accounts that they belong to.
fn logins_of(
    document: &Document,
    provider: &ProviderId,
    registration: Option<&Registration>,
    kind: Kind,
) -> Vec<(ProfileId, Identity)> {
    document
        .profiles()
        .filter(|profile| profile.credential.provider == *provider)
        .filter(|profile| profile.credential.kind() == kind)
        .map(|profile| (profile.id.into(), account::stored(&profile.credential, registration)))
        .collect()
}
