//! The store as an agent sees it: the profiles of `main` with the agent's own over them.
//!
//! Invariant: it is built in memory and written nowhere.

use crate::app::App;
use crate::config::AgentDir;
use crate::exit::Failure;
use crate::profile::{
    Credential, Kind, Millis, SameAccount, UsageStats, normalize_provider_id, sort_as_object_keys,
};
use crate::store::{Inspection, Snapshot};
use indexmap::IndexMap;

/// A grant is good for this long before a caller refreshes it.
const USABLE_MARGIN: Millis = 300_000;

/// One profile of the view.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) credential: Credential,
    pub(super) inspection: Inspection,
    /// The server's error code, when it has refused the refresh token.
    pub(super) refusal: Option<String>,
    /// Whether it is a profile of `main` that the agent reads through to.
    pub(super) is_inherited: bool,
}

/// Every profile that an agent can use.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The profiles in the order in which OpenClaw lists them.
    pub(super) entries: Vec<Entry>,
    /// The usage statistics by profile id, in that order too.
    pub(super) usages: IndexMap<String, UsageStats>,
    /// How many entries of the stores cannot be interpreted.
    pub(super) invalid_entries: usize,
}

type Layer = (IndexMap<String, Entry>, IndexMap<String, UsageStats>, usize);

fn layer(app: &App, agent: &AgentDir, is_inherited: bool) -> Result<Layer, Failure> {
    let store = app.store(agent);
    let Snapshot { document, fingerprint } = store.read()?;
    if fingerprint.is_none() {
        // Nothing is there because it has moved on.
        store.check_generation()?;
    }
    let state = store.read_state(&document)?;
    let profiles = document.inspected().map(|(profile, inspection)| {
        let id = profile.id.to_owned();
        let credential = profile.credential;
        let refusal = credential.refresh_token().and_then(|token| state.refusal(&id, token));
        (id.clone(), Entry { id, credential, inspection, refusal, is_inherited })
    });
    let entries: IndexMap<String, Entry> = profiles.collect();
    let invalid = document.entry_count() - entries.len();
    Ok((entries, state.usages(), invalid))
}

impl View {
    /// What `agent` sees.
    ///
    /// # Errors
    /// A store cannot be read.
    pub(super) fn of(app: &App, agent: &AgentDir, now: Millis) -> Result<Self, Failure> {
        let main = app.paths.main_without_config();
        let is_main = main.path == agent.path;
        let (mut entries, mut usages, mut invalid_entries) = layer(app, &main, !is_main)?;
        if !is_main {
            let (own, own_usages, own_invalid) = layer(app, agent, false)?;
            let superseded = superseded(&entries, &own, now);
            invalid_entries += own_invalid;
            for (id, entry) in own {
                if !superseded.contains(&id) {
                    entries.insert(id, entry);
                }
            }
            for (id, usage) in own_usages {
                if !superseded.contains(&id) {
                    usages.insert(id, usage);
                }
            }
        }
        let mut entries: Vec<Entry> = entries.into_values().collect();
        sort_as_object_keys(&mut entries, |entry| &entry.id);
        let mut ordered: Vec<(String, UsageStats)> = usages.into_iter().collect();
        sort_as_object_keys(&mut ordered, |(id, _): &(String, UsageStats)| id);
        Ok(Self { entries, usages: ordered.into_iter().collect(), invalid_entries })
    }
}

/// The agent's own `<provider>:default` grants that OpenClaw ignores, because `main` holds
/// a newer usable grant of the same provider that belongs, or may belong, to the same
/// account.
fn superseded(
    main: &IndexMap<String, Entry>,
    own: &IndexMap<String, Entry>,
    now: Millis,
) -> Vec<String> {
    let mut ids = Vec::new();
    for entry in own.values().filter(|entry| is_default_grant(entry)) {
        let provider = normalize_provider_id(&entry.inspection.provider);
        let mut same_account = 0;
        let mut no_conflict = 0;
        for other in main.values() {
            let is_candidate = other.id != entry.id
                && other.inspection.kind == Kind::OAuth
                && normalize_provider_id(&other.inspection.provider) == provider
                && is_newer(other, entry, now);
            if is_candidate {
                let same = other.credential.identity.same_account(&entry.credential.identity);
                let is_unnamed = entry.credential.identity.is_unknown();
                same_account += usize::from(same == SameAccount::Yes || is_unnamed);
                no_conflict += usize::from(same != SameAccount::No || is_unnamed);
            }
        }
        let is_unnamed = entry.credential.identity.is_unknown();
        let replaced = match same_account {
            0 => !is_usable(entry, now) && no_conflict == 1,
            1 => true,
            _ => !is_unnamed,
        };
        if replaced {
            ids.push(entry.id.clone());
        }
    }
    ids
}

fn is_default_grant(entry: &Entry) -> bool {
    entry.inspection.kind == Kind::OAuth
        && entry.id == format!("{}:default", normalize_provider_id(&entry.inspection.provider))
}

fn is_usable(entry: &Entry, now: Millis) -> bool {
    let expires = entry.credential.expires().unwrap_or(0);
    entry.inspection.has_access && expires.saturating_sub(now) > USABLE_MARGIN
}

fn is_newer(other: &Entry, than: &Entry, now: Millis) -> bool {
    is_usable(other, now)
        && (!is_usable(than, now) || other.credential.expires() > than.credential.expires())
}
