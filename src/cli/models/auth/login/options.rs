//! The options that `login` and `login start` share.

use crate::cli::named;
use crate::ops::login::Request;
use crate::profile::{AgentId, ProfileId, ProviderId};
use std::time::Duration;

// Where and how to sign in. (A doc comment would become the description of the command.)
#[derive(Debug, Default, clap::Args)]
pub(super) struct SignIn {
    /// The provider to sign in at; without it, the command lists them
    #[arg(long, value_name = "ID", value_parser = named::provider)]
    provider: Option<ProviderId>,
    /// Use only this method: browser, paste, device, or one of the provider's own [default: all]
    #[arg(long, value_name = "WAY")]
    method: Option<String>,
    /// Short for --method device
    #[arg(long, conflicts_with = "method")]
    device_code: bool,
    /// Store the login under this profile id [default: <provider>:<email>]
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile_id: Option<ProfileId>,
}

impl SignIn {
    /// A login at `provider`, by the one `method` where it is named.
    pub(super) fn at(
        provider: ProviderId,
        method: Option<String>,
        profile_id: Option<ProfileId>,
    ) -> Self {
        Self { provider: Some(provider), method, device_code: false, profile_id }
    }

    /// The provider, where an option names it.
    pub(super) const fn provider(&self) -> Option<&ProviderId> {
        self.provider.as_ref()
    }

    /// The profile id, where an option names it.
    pub(super) const fn profile_id(&self) -> Option<&ProfileId> {
        self.profile_id.as_ref()
    }

    /// Names the provider, and a method of it where there is one.
    pub(super) fn set_provider(&mut self, provider: ProviderId, method: Option<String>) {
        self.provider = Some(provider);
        self.method = method.or_else(|| self.method.take());
    }

    /// What the options ask for; `browser` says whether one may be opened, `timeout` how long
    /// the user may take.
    pub(super) fn request(self, agent: Option<&str>, browser: bool, timeout: Duration) -> Request {
        Request {
            provider: self.provider.unwrap_or_default(),
            method: self.method.or_else(|| self.device_code.then(|| "device".to_owned())),
            agent: AgentId::named(agent),
            profile_id: self.profile_id,
            browser,
            timeout,
        }
    }
}
