//! The events of `models auth login --json`, one line each. Those of the conversation are
//! in `cli/console.rs`.

use crate::cli::exit::{Command, Failure, Hint};
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::ops::login::Report;
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use crate::text::printable;
use serde::Serialize;

/// The end of a login.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(super) enum Event<'r> {
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
    /// Nothing is stored.
    Error {
        schema: u32,
        message: String,
        exit_code: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint_command: Option<&'r Command>,
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
}

/// Tells a program that the login has failed; people read it on standard error.
pub(super) fn failed(failure: &Failure, json: bool, output: &mut Output<'_>) {
    if !json {
        return;
    }
    let event = Event::Error {
        schema: 1,
        message: printable(&format!("{:#}", failure.cause), 2_000),
        exit_code: failure.status.code(),
        hint: failure.hint.as_ref().map(|hint| printable(&hint.to_string(), 2_000)),
        hint_command: failure.hint.as_ref().and_then(Hint::command),
    };
    // The failure itself is what the run ends with.
    let _ = output.json_line(&event);
}
