//! Profiles that stay another program's own: its file is read when the token is needed.
//!
//! Invariant: nothing of such a login is stored, and its refresh token is neither spent nor
//! passed on. A profile of ours goes first: these files are not opened while it is usable.

use super::account;
use super::pool::Pool;
use crate::app::App;
use crate::config::Config;
use crate::external::{self, ExternalError, Managed as ManagedProfile, Tool};
use crate::profile::{Credential, CredentialKind, ProfileId, ProviderId};
use crate::provider::{Catalog, auth_provider_id};

/// A profile of another program.
#[derive(Clone, Debug)]
pub(crate) struct Managed {
    /// The program.
    pub(crate) tool: Tool,
    /// The profile id.
    pub(crate) id: &'static ProfileId,
}

impl Managed {
    /// The profile of another program with this id.
    pub(crate) fn named(id: &ProfileId) -> Option<Self> {
        Self::of(Tool::managing(id)?)
    }

    fn of(tool: Tool) -> Option<Self> {
        Some(Self { tool, id: &tool.managed()?.profile })
    }

    /// The profiles that stand in for a provider of which the stores have none: those that
    /// are there by themselves, and those that the configuration names.
    pub(crate) fn standing_in(config: &Config, pool: &Pool) -> Vec<Self> {
        Self::standing_in_where(config, |provider| pool.owner_of(provider).is_none())
    }

    /// As [`Self::standing_in`], where the stores have none of the providers that
    /// `is_missing`.
    pub(crate) fn standing_in_where(
        config: &Config,
        is_missing: impl Fn(&ProviderId) -> bool,
    ) -> Vec<Self> {
        let all = Tool::ALL.into_iter().filter_map(Self::of);
        all.filter(|it| it.is_wanted(config) && is_missing(&it.provider())).collect()
    }

    fn is_wanted(&self, config: &Config) -> bool {
        self.is_automatic() || config.has_auth_profile(self.id)
    }

    fn is_automatic(&self) -> bool {
        self.tool.managed().is_some_and(|managed| managed.automatic)
    }

    /// Whether the profile is there for who names it: one that is there by itself only
    /// while no store has another of its provider.
    pub(crate) fn may_be_named(&self, config: &Config, pool: &Pool) -> bool {
        !self.is_automatic()
            || (self.is_wanted(config) && pool.owner_of(&self.provider()).is_none())
    }

    /// The provider.
    pub(crate) fn provider(&self) -> ProviderId {
        self.tool.managed().map(ManagedProfile::provider).unwrap_or_default()
    }

    /// What the program keeps now, without the refresh token; `None` when nobody is signed
    /// in there, or where it cannot be read.
    ///
    /// # Errors
    /// The file is there and cannot be used.
    pub(crate) fn read(&self, app: &App) -> Result<Option<Credential>, ExternalError> {
        let provider = auth_provider_id(self.provider());
        match external::read(self.tool, &app.environment) {
            Ok(contents) => Ok(contents
                .logins
                .into_iter()
                .filter(|login| !login.is_spare)
                .map(|login| login.credential)
                .find(|it| auth_provider_id(&it.provider) == provider)
                .map(|credential| without_refresh(app.catalog().ok().as_ref(), credential))),
            Err(ExternalError::SignedOut { .. } | ExternalError::Elsewhere { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A credential that nobody can refresh, with what its tokens say of the account.
fn without_refresh(catalog: Option<&Catalog>, mut credential: Credential) -> Credential {
    let registration =
        catalog.and_then(|catalog| account::registration(catalog, &credential.provider));
    let identity = account::stored(&credential, registration);
    if let CredentialKind::OAuth { refresh, .. } = &mut credential.kind {
        *refresh = None;
        credential.identity = identity;
    }
    credential
}
