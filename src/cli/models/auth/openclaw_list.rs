//! The JSON of `models auth list` as OpenClaw 2026.9.6 prints it, which keeps profiles in databases.

use crate::cli::path_member::PathMember;
use crate::cli::recovery_hint::recovery_hint;
use crate::ops::list::{Database, Listing, Row};
use crate::profile::{AgentId, Kind, Millis, ProfileId, ProviderId, UsageStats, compare};
use crate::system::lock::iso;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'l> {
    agent_id: &'l AgentId,
    #[serde(flatten)]
    agent_dir: PathMember<'l>,
    #[serde(flatten)]
    auth_state_path: PathMember<'l>,
    provider: Option<String>,
    profiles: Vec<Profile<'l>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'l> {
    id: &'l ProfileId,
    provider: String,
    #[serde(rename = "type")]
    kind: &'static str,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(flatten)]
    windows: Option<Windows<'l>>,
}

/// When the profile is not used, and what ends that.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Windows<'l> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cooldown_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cooldown_reason: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_hint: Option<String>,
}

/// The stored profiles, by provider and id. Logins of other programs are none of OpenClaw's.
pub(super) fn report<'l>(
    listing: &'l Listing,
    database: &'l Database,
    provider: Option<&ProviderId>,
) -> Report<'l> {
    let stored = listing.rows.iter().filter(|row| row.is_stored);
    let mut profiles: Vec<Profile<'_>> = stored.map(Profile::of).collect();
    profiles.sort_by(|a, b| {
        compare(&a.provider, &b.provider).then_with(|| compare(a.id.as_str(), b.id.as_str()))
    });
    Report {
        agent_id: &listing.agent_id,
        agent_dir: PathMember::of("agentDir", &database.agent_dir),
        auth_state_path: PathMember::location("authStatePath", &database.state_location),
        provider: provider.map(named),
        profiles,
    }
}

/// A provider as OpenClaw spells it: it has no other names for one any more.
fn named(provider: &ProviderId) -> String {
    provider.spelling().trim().to_lowercase()
}

impl<'l> Profile<'l> {
    fn of(row: &'l Row) -> Self {
        let name = row.display_name.as_deref().or(row.email.as_deref());
        Self {
            id: &row.id,
            provider: named(&row.provider),
            kind: row.kind.name(),
            label: name.map_or_else(|| row.id.to_string(), |name| format!("{} ({name})", row.id)),
            email: row.email.as_deref(),
            display_name: row.display_name.as_deref(),
            expires_at: row.expires.filter(|_| row.kind != Kind::ApiKey).map(iso),
            windows: row.usage.as_ref().map(|usage| Windows::of(row, usage)),
        }
    }
}

impl<'l> Windows<'l> {
    fn of(row: &Row, usage: &'l UsageStats) -> Self {
        let (cooldown, disabled) = (time(usage.cooldown_until), time(usage.disabled_until));
        let reason =
            if disabled.is_some() { &usage.disabled_reason } else { &usage.cooldown_reason };
        let has_window = cooldown.is_some() || disabled.is_some();
        Self {
            recovery_hint: has_window.then(|| {
                let reason = reason.as_deref().unwrap_or_default();
                recovery_hint(row.provider.spelling(), &row.id, disabled.is_some(), reason)
            }),
            cooldown_until: cooldown,
            disabled_until: disabled,
            cooldown_reason: usage.cooldown_reason.as_deref().filter(|it| !it.is_empty()),
            disabled_reason: usage.disabled_reason.as_deref().filter(|it| !it.is_empty()),
        }
    }
}

fn time(at: Option<Millis>) -> Option<String> {
    at.filter(|at| *at > 0).map(iso)
}
