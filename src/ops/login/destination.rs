//! Storing a login: under the profile of its account, and in the configuration.

use super::error::LoginError;
use super::parts::Login;
use super::request::Report;
use crate::app::App;
use crate::config::AgentDir;
use crate::oauth::Grant;
use crate::ops::record::{Commit, Recorded, Wait, record, set_entry};
use crate::ops::stored_as::is_stored_as;
use crate::ops::{Interaction, account};
use crate::profile::{Identity, Kind, ProfileId, ProviderId, choose_profile_id};
use crate::provider::expiry;
use crate::provider::{Registration, StoredAs};
use crate::store::{
    Document, Done, IssuedCredential, Pasted, Prepared, Store, StoreError, login_entry,
    pasted_entry,
};
use crate::system::Stop;
use crate::system::lock;
use serde_json::value::RawValue;
use std::time::Duration;

impl Login<'_> {
    /// Makes sure that the login can be stored, before a code is spent for it. The lock is
    /// waited for as long as for any change; an interrupt ends that.
    pub(super) async fn prepare(&self, stop: &mut Stop) -> Result<Option<Prepared>, LoginError> {
        let clock = &self.app.machine.clock;
        let end = clock.instant() + lock::TIMEOUT;
        // What is stored may have become unreadable since the login began.
        self.store.profiles()?;
        loop {
            match self.store.prepare(Duration::ZERO) {
                Err(StoreError::LockTimeout { location, holder, .. }) => {
                    if clock.instant() >= end {
                        let waited = lock::TIMEOUT;
                        return Err(StoreError::LockTimeout { location, waited, holder }.into());
                    }
                }
                prepared => return Ok(prepared?),
            }
            tokio::select! {
                () = stop.asked() => return Err(LoginError::Interrupted),
                () = clock.sleep(lock::POLL) => {}
            }
        }
    }
}

/// Where a login is stored, and as whose.
pub(super) struct LoginDestination<'d> {
    pub(super) app: &'d App,
    pub(super) agent: &'d AgentDir,
    pub(super) store: &'d Store,
    /// The provider id.
    pub(super) provider: &'d ProviderId,
    /// Its name for people.
    pub(super) label: &'d str,
    /// The model that its users usually take.
    pub(super) default_model: Option<&'d str>,
    /// How we are registered there, where it is an authorization server.
    pub(super) registration: Option<&'d Registration>,
    /// The method of the provider, where it has a registration of its own.
    pub(super) method: Option<&'d str>,
    /// The profile id that the user wants.
    pub(super) wanted: Option<&'d ProfileId>,
}

impl LoginDestination<'_> {
    /// Stores a login under the profile of its account and records it in the configuration.
    pub(super) fn store(
        &self,
        renewal: &IssuedCredential,
        wait: Wait,
    ) -> Result<Report, LoginError> {
        let kind = self.kind();
        let commit = |document: &mut Document| {
            let (id, taken_id) = self.choose_profile_id(document, &renewal.identity);
            let renewed = set_entry(document, &id, |present| self.entry(present, renewal))?;
            let provider = self.provider.to_owned();
            let profile = Recorded { id: id.clone(), provider, kind, goes_first: true };
            let result = (id, taken_id, renewed);
            Ok(Commit { is_changed: true, profiles: vec![profile], result })
        };
        let recorded = record(self.app, self.store, wait, commit);
        self.app.notices.tell_gateway(Done::Login);
        let ((profile_id, taken_id, renewed), config_changed) = recorded.map_err(|error| {
            error.into_error(|profile_id, error| LoginError::NotRecorded {
                profile_id,
                source: Box::new(error),
            })
        })?;
        Ok(Report {
            provider_label: self.label.to_owned(),
            provider: self.provider.to_owned(),
            agent_id: self.agent.id.clone(),
            location: self.store.location(),
            expires: renewal.expires,
            refreshable: kind == Kind::OAuth && renewal.grant.refresh.is_some(),
            default_model: self.default_model.map(str::to_owned),
            identity: renewal.identity.clone(),
            config_changed,
            profile_id,
            taken_id,
            renewed,
        })
    }

    /// The kind of credential that a login is stored as.
    pub(super) fn kind(&self) -> Kind {
        match self.registration.map(|registration| registration.stored_as) {
            Some(StoredAs::Token) => Kind::Token,
            _ => Kind::OAuth,
        }
    }

    /// The profile id for the login of `identity`, and the profile of another account whose
    /// id it would have had.
    pub(super) fn choose_profile_id(
        &self,
        document: &Document,
        identity: &Identity,
    ) -> (ProfileId, Option<ProfileId>) {
        let existing =
            logins_of(self.store, document, self.provider, self.registration, self.kind());
        let named = self.registration.and_then(|registration| registration.profile_name.as_deref());
        let is_taken = |id: &ProfileId| document.has_entry(id.as_str());
        choose_profile_id(self.provider, named, identity, self.wanted, &existing, is_taken)
    }

    /// The entry of the login, with the fields of the `present` one that it does not set.
    pub(super) fn entry(
        &self,
        present: Option<&str>,
        renewal: &IssuedCredential,
    ) -> serde_json::Result<Box<RawValue>> {
        match self.kind() {
            Kind::Token => {
                let pasted = Pasted::Token(renewal.grant.access.clone(), renewal.expires);
                pasted_entry(present, self.provider, &pasted)
            }
            _ => login_entry(present, self.provider, renewal),
        }
    }
}

impl Login<'_> {
    /// The usual model of the provider, by the name under which the store keeps the login.
    fn default_model(&self) -> Option<String> {
        let model = self.definition.default_model.as_deref()?;
        let name =
            model.strip_prefix(self.definition.id.as_str()).and_then(|it| it.strip_prefix('/'));
        Some(
            name.map_or_else(
                || model.to_owned(),
                |name| format!("{}/{name}", self.stored_as.as_str()),
            ),
        )
    }

    /// Stores the grant under the profile of its account.
    pub(super) async fn store_grant(
        &self,
        grant: Grant,
        prepared: Option<Prepared>,
        interaction: &mut dyn Interaction,
    ) -> Result<Report, LoginError> {
        let default_model = self.default_model();
        let destination = LoginDestination {
            app: self.app,
            agent: &self.agent,
            store: &self.store,
            provider: &self.stored_as,
            label: &self.definition.label,
            default_model: default_model.as_deref(),
            registration: Some(self.registration),
            method: self.methods.method.as_deref(),
            wanted: self.request.profile_id.as_ref(),
        };
        let renewal = self.renewal(grant, interaction).await;
        destination.store_or_keep(renewal, prepared, interaction).await
    }

    /// What the grant means for a profile: who it belongs to, and what a refresh will need
    /// to know of it.
    async fn renewal(&self, grant: Grant, interaction: &mut dyn Interaction) -> IssuedCredential {
        let received = self.app.now();
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
        let mut fields = registration.extra_fields(&grant);
        let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.into()));
        if registration.has_own_client() {
            add("clientId", &self.client.id);
        }
        if let Some(method) = &self.methods.method {
            add("loginMethod", method);
        }
        let expires = expiry(Some(registration), &grant, received);
        IssuedCredential { expires, issued: Some(received), grant, identity, fields }
    }
}

/// The provider's logins of a kind in a document, with the accounts that they belong to.
fn logins_of(
    store: &Store,
    document: &Document,
    provider: &ProviderId,
    registration: Option<&Registration>,
    kind: Kind,
) -> Vec<(ProfileId, Identity)> {
    document
        .profiles()
        .filter(|profile| is_stored_as(store, &profile.credential.provider, provider, kind))
        .filter(|profile| profile.credential.kind() == kind)
        .map(|profile| (profile.id.into(), account::stored(&profile.credential, registration)))
        .collect()
}
