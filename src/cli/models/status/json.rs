//! The JSON of `models status`: the fields of OpenClaw 2026.4.24 in its order; where logins are in
//! databases, those of 2026.9.6.

use crate::admin::status::{
    Effective, Group, OfDatabases, Overview, Route, Row, Status, Unusable, WARN_AFTER,
};
use crate::app::App;
use crate::cli::path_member::PathMember;
use crate::cli::quota::QuotaReport;
use crate::cli::recovery_hint::recovery_hint;
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use crate::provider::Model;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Number, Value};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'s> {
    #[serde(flatten)]
    config_path: PathMember<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'s AgentId>,
    #[serde(flatten)]
    agent_dir: PathMember<'s>,
    default_model: &'s str,
    resolved_default: String,
    fallbacks: &'s [String],
    image_model: Option<&'s str>,
    image_fallbacks: &'s [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    utility_model: Option<UtilityModel<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_config: Option<ModelConfig>,
    aliases: &'s IndexMap<String, String>,
    allowed: &'s [String],
    auth: Auth<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<QuotaReport<'s>>,
}

#[derive(Serialize)]
struct UtilityModel<'s> {
    #[serde(rename = "ref")]
    reference: Option<&'s str>,
    source: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelConfig {
    default_source: &'static str,
    fallbacks_source: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Auth<'s> {
    #[serde(flatten)]
    store_path: PathMember<'s>,
    shell_env_fallback: ShellEnvironment,
    #[serde(rename = "providersWithOAuth")]
    providers_with_oauth: Vec<String>,
    missing_providers_in_use: &'s [ProviderId],
    #[serde(flatten)]
    of_databases: Option<Routes<'s>>,
    providers: Vec<ProviderReport<'s>>,
    unusable_profiles: Vec<UnusableReport<'s>>,
    oauth: OAuth<'s>,
}

/// What OpenClaw 2026.9.6 says of the models in use.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Routes<'s> {
    model_route_issues: Vec<RouteIssue<'s>>,
    runtime_auth_routes: Vec<RuntimeRoute<'s>>,
}

#[derive(Serialize)]
struct RouteIssue<'s> {
    kind: &'static str,
    provider: &'s ProviderId,
    model: &'s str,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeRoute<'s> {
    provider: &'s ProviderId,
    runtime: &'static str,
    auth_provider: &'s ProviderId,
    status: &'static str,
    effective: EffectiveReport,
    auth_status: &'static str,
    runtime_status: &'static str,
    runtime_reason: &'static str,
    runtime_detail: String,
    runtime_plugin_ids: [&'static str; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShellEnvironment {
    enabled: bool,
    applied_keys: [&'static str; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProviderReport<'s> {
    provider: &'s ProviderId,
    effective: EffectiveReport,
    profiles: ProfileCounts<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models_json: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    synthetic_auth: Option<Source>,
}

#[derive(Serialize)]
struct EffectiveReport {
    kind: EffectiveKind,
    detail: String,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum EffectiveKind {
    Profiles,
    Env,
    #[serde(rename = "models.json")]
    ModelsJson,
    Synthetic,
    Missing,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileCounts<'s> {
    count: usize,
    oauth: usize,
    token: usize,
    api_key: usize,
    labels: &'s [String],
}

#[derive(Serialize)]
struct Source {
    value: String,
    source: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UnusableReport<'s> {
    profile_id: &'s ProfileId,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'s ProviderId>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_hint: Option<String>,
    until: Millis,
    remaining_ms: Millis,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OAuth<'s> {
    warn_after_ms: Millis,
    profiles: Vec<ProfileReport<'s>>,
    providers: Vec<GroupReport<'s>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileReport<'s> {
    profile_id: &'s ProfileId,
    provider: &'s ProviderId,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'s Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_ms: Option<&'s Number>,
    source: &'static str,
    label: &'s str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupReport<'s> {
    provider: &'s ProviderId,
    status: &'static str,
    profiles: Vec<ProfileReport<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_profiles: Option<Vec<ProfileReport<'s>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'s Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_ms: Option<&'s Number>,
}

/// What OpenClaw calls a login that its plugins bring.
const PLUGIN: &str = "plugin synthetic auth";

impl<'s> Report<'s> {
    pub(super) fn of(status: &'s Status, usage: Option<QuotaReport<'s>>, app: &App) -> Self {
        let models = &status.models;
        let source = |of_agent| if of_agent { "agent" } else { "defaults" };
        let model_config = status.agent_id.is_some().then(|| ModelConfig {
            default_source: source(models.is_of_agent.0),
            fallbacks_source: source(models.is_of_agent.1),
        });
        let of_databases = status.of_databases.as_ref();
        let with_logins = status.providers.iter().filter(|overview| overview.logins() > 0);
        Self {
            config_path: PathMember::of("configPath", &status.config_path),
            agent_id: status.agent_id.as_ref(),
            agent_dir: PathMember::of("agentDir", &status.agent_dir),
            default_model: &models.default,
            resolved_default: match of_databases {
                Some(_) => models.resolved_default.key(),
                None => models.resolved_default.to_string(),
            },
            fallbacks: &models.fallbacks,
            image_model: models.image.as_deref(),
            image_fallbacks: &models.image_fallbacks,
            utility_model: of_databases.map(|it| UtilityModel {
                reference: it.utility.0.as_deref(),
                source: it.utility.1,
            }),
            model_config,
            aliases: &models.aliases,
            allowed: &models.allowed,
            auth: Auth {
                store_path: PathMember::location("storePath", &status.location),
                shell_env_fallback: ShellEnvironment {
                    enabled: status.shell_environment,
                    applied_keys: [],
                },
                providers_with_oauth: with_logins
                    .map(|overview| {
                        format!("{} ({})", overview.provider.spelling(), overview.logins())
                    })
                    .collect(),
                missing_providers_in_use: &status.missing_providers,
                of_databases: of_databases.map(|it| Routes::of(it, status, app)),
                providers: status
                    .providers
                    .iter()
                    .map(|overview| provider(overview, status, app))
                    .collect(),
                unusable_profiles: status.unusable.iter().map(|p| unusable(p, status)).collect(),
                oauth: OAuth {
                    warn_after_ms: WARN_AFTER,
                    profiles: status.profiles.iter().map(ProfileReport::from).collect(),
                    providers: status
                        .groups
                        .iter()
                        .map(|group| provider_group(group, status))
                        .collect(),
                },
            },
            usage,
        }
    }
}

impl<'s> Routes<'s> {
    fn of(of_databases: &'s OfDatabases, status: &Status, app: &App) -> Self {
        let issue = |model: &'s Model| RouteIssue {
            kind: "indeterminate",
            provider: &model.provider,
            model: &model.model,
            message: format!("Auth readiness could not be confirmed for {model}."),
        };
        let route = |route: &'s Route| {
            let overview = status.providers.iter().find(|it| it.provider == route.provider);
            let has_own = overview.is_some_and(|it| it.has_own);
            let effective = route.effective.as_ref().unwrap_or(&Effective::Missing);
            RuntimeRoute {
                provider: &route.provider,
                runtime: route.runtime,
                auth_provider: &route.provider,
                status: "unavailable",
                auth_status: if route.effective.is_some() { "usable" } else { "missing" },
                effective: EffectiveReport::of(effective, has_own, status, app),
                runtime_status: "unavailable",
                runtime_reason: "owner-plugin-not-activatable",
                runtime_detail: format!(
                    "No enabled plugin owns agent harness \"{}\".",
                    route.runtime
                ),
                runtime_plugin_ids: [],
            }
        };
        Self {
            model_route_issues: of_databases.unclear.iter().map(issue).collect(),
            runtime_auth_routes: of_databases.routes.iter().map(route).collect(),
        }
    }
}

impl EffectiveReport {
    fn of(effective: &Effective, has_own: bool, status: &Status, app: &App) -> Self {
        let is_own = status.of_databases.is_some() && status.agent_id.is_some() && has_own;
        let location = if is_own { &status.location } else { &status.main_location };
        let (kind, detail) = match effective {
            Effective::Profiles => (EffectiveKind::Profiles, app.shorten(location)),
            Effective::Environment(value) => (EffectiveKind::Env, value.clone()),
            Effective::Configuration(value) => (EffectiveKind::ModelsJson, value.clone()),
            Effective::Plugin => (EffectiveKind::Synthetic, PLUGIN.to_owned()),
            Effective::Missing => (EffectiveKind::Missing, "missing".to_owned()),
        };
        Self { kind, detail }
    }
}

fn provider<'s>(overview: &'s Overview, status: &Status, app: &App) -> ProviderReport<'s> {
    let effective = EffectiveReport::of(&overview.effective, overview.has_own, status, app);
    let [oauth, token, api_key] = overview.counts;
    let models_path = status.agent_dir.join("models.json");
    ProviderReport {
        provider: &overview.provider,
        effective,
        profiles: ProfileCounts {
            count: oauth + token + api_key,
            oauth,
            token,
            api_key,
            labels: &overview.labels,
        },
        env: overview
            .environment
            .as_ref()
            .map(|(value, name)| Source { value: value.clone(), source: format!("env: {name}") }),
        models_json: overview.configured.as_ref().map(|value| Source {
            value: value.clone(),
            source: format!("models.json: {}", app.paths.shorten(&models_path)),
        }),
        synthetic_auth: overview
            .has_own_authentication
            .then(|| Source { value: "plugin-owned".to_owned(), source: PLUGIN.to_owned() }),
    }
}

fn unusable<'s>(profile: &'s Unusable, status: &Status) -> UnusableReport<'s> {
    let in_databases = status.of_databases.is_some();
    let reason = match &profile.cooldown_reason {
        Some(reason) if in_databases && !profile.is_disabled => Some(reason),
        _ => profile.reason.as_ref(),
    };
    let reason = reason.map(String::as_str);
    let recovery_hint = in_databases.then(|| {
        let provider =
            profile.provider.as_ref().map_or(profile.profile_id.as_str(), |it| it.spelling());
        recovery_hint(
            provider,
            &profile.profile_id,
            profile.is_disabled,
            reason.unwrap_or_default(),
        )
    });
    UnusableReport {
        profile_id: &profile.profile_id,
        provider: profile.provider.as_ref(),
        kind: if profile.is_disabled { "disabled" } else { "cooldown" },
        reason,
        recovery_hint,
        until: profile.until,
        remaining_ms: profile.until - status.at,
    }
}

impl<'s> From<&'s Row> for ProfileReport<'s> {
    fn from(row: &'s Row) -> Self {
        Self {
            profile_id: &row.id,
            provider: &row.provider,
            kind: row.kind.name(),
            status: row.standing.expiry.name(),
            reason_code: row.standing.reason,
            expires_at: row.standing.expires_at.as_ref(),
            remaining_ms: row.standing.remaining.as_ref(),
            source: "store",
            label: &row.label,
        }
    }
}

fn provider_group<'s>(group: &'s Group, status: &'s Status) -> GroupReport<'s> {
    GroupReport {
        provider: &group.provider,
        status: group.expiry.name(),
        profiles: status.profiles[group.rows.clone()].iter().map(ProfileReport::from).collect(),
        effective_profiles: status.of_databases.is_some().then(|| {
            group.effective.iter().map(|row| ProfileReport::from(&status.profiles[*row])).collect()
        }),
        expires_at: group.expires_at.as_ref(),
        remaining_ms: group.remaining.as_ref(),
    }
}
