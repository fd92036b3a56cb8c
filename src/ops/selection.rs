//! Which profile a command is about.

use super::login_command;
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::exit::{ExitStatus, Failure};
use crate::profile::{Candidate, Credential, Preference, normalize_provider_id, order};
use crate::secret::Secret;
use crate::store::{AgentStore, Snapshot, is_refused};
use crate::system::file::Fingerprint;
use crate::system::now;
use crate::text::printable;
use std::collections::BTreeSet;

/// A profile and the store that owns it.
#[derive(Debug)]
pub(super) struct Selected {
    /// The store that owns the profile: the agent's, or that of `main`.
    pub(super) store: AgentStore,
    /// The agent whose store that is.
    pub(super) owner: AgentDir,
    /// The profile id.
    pub(super) id: String,
    /// The credential as it was read.
    pub(super) credential: Credential,
    /// The text of its entry.
    pub(super) entry: Secret,
    /// The version of the document that it was read from.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Whether the server has refused its refresh token.
    pub(super) refused: bool,
}

impl Selected {
    /// The profile `id` of a store, as it was just read.
    pub(super) fn in_store(
        store: &AgentStore,
        owner: &AgentDir,
        id: &str,
        credential: Credential,
    ) -> Result<Self, Failure> {
        let fingerprint = store.fingerprint();
        let snapshot = store.read()?;
        let state = store.read_state(&snapshot.document)?;
        let refused = is_refused(&state, id, &credential);
        let entry = entry_text(&snapshot, id);
        let (store, owner) = (store.clone(), owner.clone());
        Ok(Self { store, owner, id: id.to_owned(), credential, entry, fingerprint, refused })
    }
}

/// Selects the profile `id`, or the first one in the order of `provider`. Without either,
/// the agent must have profiles of one provider only.
pub(super) fn select(
    app: &App,
    agent: &AgentDir,
    config: &Config,
    provider: Option<&str>,
    id: Option<&str>,
) -> Result<Selected, Failure> {
    let mut owners = vec![agent.clone()];
    owners.extend(app.fallback_agent(config, agent));
    let mut snapshots = Vec::new();
    for owner in owners {
        let store = app.store(&owner);
        let snapshot = store.read()?;
        if snapshot.fingerprint.is_none() {
            // Nothing is there because it has moved on.
            store.check_generation()?;
        }
        snapshots.push((owner, store, snapshot));
    }
    match id {
        Some(id) => select_by_id(snapshots, id, provider),
        None => select_by_provider(app, snapshots, agent, config, provider),
    }
}

type Owned = (AgentDir, AgentStore, Snapshot);

fn select_by_id(
    snapshots: Vec<Owned>,
    id: &str,
    provider: Option<&str>,
) -> Result<Selected, Failure> {
    for (owner, store, snapshot) in snapshots {
        let Some(credential) = snapshot.document.credential(id) else {
            if snapshot.document.has_entry(id) {
                let path = store.profiles_path();
                return Err(Failure::message(
                    ExitStatus::StoreUnusable,
                    format!(
                        "the profile `{}` in {} cannot be interpreted",
                        printable(id, 200),
                        path.display()
                    ),
                ));
            }
            continue;
        };
        if let Some(provider) = provider
            && normalize_provider_id(provider) != normalize_provider_id(&credential.provider)
        {
            return Err(Failure::usage(format!(
                "the profile `{}` is for {}, not {provider}",
                printable(id, 200),
                printable(&credential.provider, 80)
            )));
        }
        let state = store.read_state(&snapshot.document)?;
        let refused = is_refused(&state, id, &credential);
        let fingerprint = snapshot.fingerprint;
        let entry = entry_text(&snapshot, id);
        let id = id.to_owned();
        return Ok(Selected { store, owner, id, credential, entry, fingerprint, refused });
    }
    Err(Failure::message(
        ExitStatus::LoginRequired,
        format!("there is no profile `{}`", printable(id, 200)),
    )
    .hint("openclaw-auth models auth list"))
}

fn select_by_provider(
    app: &App,
    snapshots: Vec<Owned>,
    agent: &AgentDir,
    config: &Config,
    provider: Option<&str>,
) -> Result<Selected, Failure> {
    let has_profiles = |provider: &str| {
        snapshots.iter().any(|(.., snapshot)| {
            snapshot
                .document
                .profiles()
                .any(|profile| normalize_provider_id(&profile.credential.provider) == provider)
        })
    };
    let provider = match provider.map(normalize_provider_id) {
        Some(provider) if has_profiles(&provider) => provider,
        // Only what is not found may be an alias: the catalog costs time.
        Some(provider) => app.provider_id(&provider)?,
        None => only_provider(&snapshots, agent)?,
    };
    for (owner, store, snapshot) in snapshots {
        let profiles: Vec<_> = snapshot
            .document
            .profiles()
            .filter(|profile| normalize_provider_id(&profile.credential.provider) == provider)
            .collect();
        if profiles.is_empty() {
            continue;
        }
        let state = store.read_state(&snapshot.document)?;
        let candidates: Vec<_> = profiles
            .iter()
            .map(|profile| Candidate {
                id: profile.id,
                credential: &profile.credential,
                configured_mode: config.auth_mode(profile.id),
                usage: state.usage(profile.id),
            })
            .collect();
        let listed = config.auth_profiles(&provider);
        let preference = if let Some(order) = state.order(&provider) {
            Preference::Explicit(order)
        } else if let Some(order) = config.auth_order(&provider) {
            Preference::Explicit(order)
        } else if listed.is_empty() {
            Preference::All
        } else {
            Preference::Listed(listed.into_iter().map(|(id, _)| id).collect())
        };
        let ordered = order(&candidates, &preference, now());
        let alive =
            |candidate: &&Candidate<'_>| !is_refused(&state, candidate.id, candidate.credential);
        // A refused login is the answer only when there is no other.
        let Some(chosen) = ordered.iter().find(alive).or(ordered.first()) else {
            return Err(Failure::message(
                ExitStatus::LoginRequired,
                format!(
                    "no profile of {provider} in {} is usable",
                    store.profiles_path().display()
                ),
            )
            .hint(format!(
                "openclaw-auth models auth list --provider {provider}, or: {}",
                login_command(&provider, &agent.id)
            )));
        };
        return Ok(Selected {
            id: chosen.id.to_owned(),
            credential: chosen.credential.clone(),
            entry: entry_text(&snapshot, chosen.id),
            refused: is_refused(&state, chosen.id, chosen.credential),
            fingerprint: snapshot.fingerprint,
            store,
            owner,
        });
    }
    Err(Failure::message(
        ExitStatus::LoginRequired,
        format!("agent `{}` has no profile of {}", agent.id, printable(&provider, 80)),
    )
    .hint(login_command(&printable(&provider, 80), &agent.id)))
}

fn entry_text(snapshot: &Snapshot, id: &str) -> Secret {
    Secret::new(
        snapshot.document.entry(id).map(serde_json::value::RawValue::get).unwrap_or_default(),
    )
}

/// The one provider that the agent, else `main`, has profiles of.
fn only_provider(snapshots: &[Owned], agent: &AgentDir) -> Result<String, Failure> {
    let providers: BTreeSet<String> = snapshots
        .iter()
        .map(|(.., snapshot)| {
            let profiles = snapshot.document.profiles();
            profiles.map(|profile| normalize_provider_id(&profile.credential.provider)).collect()
        })
        .find(|providers: &BTreeSet<String>| !providers.is_empty())
        .unwrap_or_default();
    let mut names = providers.into_iter();
    match (names.next(), names.len()) {
        (Some(only), 0) => Ok(only),
        (Some(first), _) => {
            let all: Vec<String> =
                std::iter::once(first).chain(names).map(|name| printable(&name, 80)).collect();
            Err(Failure::usage(format!(
                "agent `{}` has profiles of several providers: {}",
                agent.id,
                all.join(", ")
            ))
            .hint("name one: --provider <id>, or a profile: --profile <id>"))
        }
        (None, _) => Err(Failure::message(
            ExitStatus::LoginRequired,
            format!("agent `{}` has no profile", agent.id),
        )
        .hint(login_command("<id>", &agent.id))),
    }
}
