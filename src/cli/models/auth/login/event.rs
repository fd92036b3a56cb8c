//! The last event of `models auth login --json` that ended well. Those of the conversation are in
//! `cli/console.rs`, that of a failure in `cli/json_error.rs`.

use crate::cli::path_member::PathMember;
use crate::ops::login::Report;
use crate::ops::paste;
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use serde::Serialize;

/// The end of a login.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(in crate::cli::models::auth) enum Event<'r> {
    /// It is stored.
    Done {
        schema: u32,
        profile_id: &'r ProfileId,
        provider: &'r ProviderId,
        agent_id: &'r AgentId,
        #[serde(flatten)]
        store_path: PathMember<'r>,
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<&'r str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        account_id: Option<&'r str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<Millis>,
        refreshable: bool,
        renewed: bool,
        config_changed: bool,
    },
}

impl<'r> Event<'r> {
    pub(super) fn done(report: &'r Report) -> Self {
        Self::Done {
            schema: 1,
            profile_id: &report.profile_id,
            provider: &report.provider,
            agent_id: &report.agent_id,
            store_path: PathMember::location("storePath", &report.location),
            email: report.identity.email.as_deref(),
            account_id: report.identity.account_id.as_deref(),
            expires_at: report.expires,
            refreshable: report.refreshable,
            renewed: report.renewed,
            config_changed: report.config_changed,
        }
    }

    /// A token or key that is stored.
    pub(in crate::cli::models::auth) fn pasted(report: &'r paste::Report) -> Self {
        Self::Done {
            schema: 1,
            profile_id: &report.profile_id,
            provider: &report.provider,
            agent_id: &report.agent_id,
            store_path: PathMember::location("storePath", &report.location),
            email: None,
            account_id: None,
            expires_at: report.expires,
            refreshable: false,
            renewed: report.renewed,
            config_changed: report.config_changed,
        }
    }
}
