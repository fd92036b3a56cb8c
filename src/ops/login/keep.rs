//! Storing a login: under the profile of its account, and in the configuration.

use super::{Login, Report};
use crate::app::App;
use crate::config::{AgentDir, ConfigEdit, record_profile};
use crate::exit::Failure;
use crate::oauth::Grant;
use crate::ops::refresh::expiry;
use crate::profile::{CredentialKind, Identity, Kind, choose_profile_id, normalize_provider_id};
use crate::provider::Registration;
use crate::store::{AgentStore, Document, Renewal, login_entry};
use crate::system::file::Reserved;
use crate::system::now;

impl Login<'_> {
    /// Stores the grant under the profile of its account and records it in the
    /// configuration.
    pub(super) fn keep(
        &self,
        app: &App,
        agent: &AgentDir,
        store: &AgentStore,
        grant: Grant,
        reserved: Option<Reserved>,
    ) -> Result<Report, Failure> {
        let identity = self.registration.identity(&grant.access, grant.id_token.as_ref());
        let renewal = Renewal { expires: expiry(&grant, now()), grant, identity };
        let provider = &self.definition.id;
        let wanted = self.request.profile_id.as_deref();
        let (profile_id, taken_id, renewed) = store.update_reserved(reserved, |document| {
            let existing = grants_of(document, provider, self.registration);
            let taken = |id: &str| document.has_entry(id);
            let (id, taken_id) =
                choose_profile_id(provider, &renewal.identity, wanted, &existing, taken);
            let present = document.entry(&id);
            let renewed = present.is_some();
            let entry = login_entry(present, provider, &renewal)?;
            document.set_entry(&id, entry);
            Ok((true, (id, taken_id, renewed)))
        })?;
        let stored = |failure: Failure| {
            failure.context(format!("the login is stored as `{profile_id}`, but not recorded"))
        };
        store
            .update_state(|state| {
                // Both have to happen.
                let cleared = state.clear_cooldown(&profile_id);
                state.put_first(provider, &profile_id) || cleared
            })
            .map_err(|e| stored(e.into()))?;
        let edit = record_profile(&app.paths.config, &profile_id, provider, Kind::OAuth)
            .map_err(|error| stored(error.into()))?;
        Ok(Report {
            provider_label: self.definition.label.clone(),
            provider: provider.clone(),
            agent_id: agent.id.clone(),
            store_path: store.profiles_path(),
            expires: renewal.expires,
            refreshable: renewal.grant.refresh.is_some(),
            identity: renewal.identity,
            config_changed: edit == ConfigEdit::Written,
            profile_id,
            taken_id,
            renewed,
        })
    }
}

/// The provider's grants in a document with the accounts that they belong to: what the
/// entry says, completed by the claims of its tokens.
fn grants_of(
    document: &Document,
    provider: &str,
    registration: &Registration,
) -> Vec<(String, Identity)> {
    document
        .profiles()
        .filter(|profile| normalize_provider_id(&profile.credential.provider) == provider)
        .filter_map(|profile| {
            let CredentialKind::OAuth { access, id_token, .. } = &profile.credential.kind else {
                return None;
            };
            let stored = profile.credential.identity.clone();
            let claimed = match access {
                Some(access) => registration.identity(access, id_token.as_ref()),
                None => Identity::default(),
            };
            let identity = Identity {
                email: stored.email.or(claimed.email),
                account_id: stored.account_id.or(claimed.account_id),
                subject: claimed.subject,
            };
            Some((profile.id.to_owned(), identity))
        })
        .collect()
}
