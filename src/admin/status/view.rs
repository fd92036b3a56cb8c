//! The store as an agent sees it: the profiles of `main` with the agent's own over them.
//!
//! Invariant: it is built in memory and written nowhere.

use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::ops::login_state::{Judge, Judged};
use crate::profile::{Kind, LoginState, Millis, SameAccount, UsageStats, sort_as_object_keys};
use crate::store::{Document, Inspection, StateDocument, Store, StoreError};
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};

/// A grant is good for this long before a caller refreshes it.
const USABLE_MARGIN: Millis = 300_000;

/// The documents of a store, as they were read.
#[derive(Debug)]
struct Stored {
    store: Store,
    profiles: Document,
    state: StateDocument,
}

/// What is read of an agent: the documents of `main`, then its own when it is another.
#[derive(Debug)]
pub(super) struct Documents(Vec<Stored>);

impl Documents {
    /// What `agent` uses, which may be `main` itself.
    ///
    /// # Errors
    /// A store cannot be read.
    pub(super) fn read(app: &App, main: &AgentDir, agent: &AgentDir) -> Result<Self, StoreError> {
        let is_other = main.path != agent.path;
        let of_main = app.store(main);
        let mut read_from = vec![if is_other { of_main.of_all_agents() } else { of_main }];
        read_from.extend(is_other.then(|| app.store(agent)));
        let stored = read_from.into_iter().map(|store| {
            let (profiles, state) = store.read()?.into_documents()?;
            Ok(Stored { store, profiles, state })
        });
        stored.collect::<Result<_, StoreError>>().map(Self)
    }

    /// Whether nothing is stored yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.0.iter().all(|stored| stored.profiles.is_new())
    }
}

/// One profile of the view.
#[derive(Clone, Debug)]
pub(super) struct Entry<'d> {
    pub(super) id: &'d str,
    pub(super) inspection: Inspection,
    /// How the login is doing.
    pub(super) state: LoginState,
    /// Whether it is a profile of `main` that the agent reads through to.
    pub(super) is_inherited: bool,
    /// Whether an OAuth login stands in a file that only an earlier OpenClaw had.
    pub(super) is_reference: bool,
}

/// Every profile that an agent can use.
#[derive(Debug)]
pub(super) struct View<'d> {
    /// The profiles in the order in which OpenClaw lists them.
    pub(super) entries: Vec<Entry<'d>>,
    /// The usage statistics by profile id, in that order too.
    pub(super) usages: IndexMap<&'d str, UsageStats>,
    /// How many entries of the stores cannot be interpreted.
    pub(super) invalid_entries: usize,
}

impl Stored {
    /// The profiles that can be interpreted, in document order.
    fn entries(
        &self,
        of: (&App, &Config),
        others: Option<&Self>,
        is_inherited: bool,
        now: Millis,
    ) -> Vec<Entry<'_>> {
        let judge = Judge::new(of, &self.store, (&self.profiles, &self.state), now);
        let others = others.filter(|_| self.store.is_in_database()).unwrap_or(self);
        let (own, all) = if is_inherited { (others, self) } else { (self, others) };
        let judge = judge.with_usage(&own.state, &all.state);
        let entries = self.profiles.inspections().filter_map(|(id, inspection)| {
            let inspection = inspection?;
            let Judged { state, .. } = judge.judge(&id.into(), &inspection);
            let facts = &inspection.facts;
            let has_none = facts.kind == Kind::OAuth && !facts.has_bearer && !facts.has_refresh;
            let is_reference = has_none && self.profiles.has_field(id, "oauthRef");
            Some(Entry { id, inspection, state, is_inherited, is_reference })
        });
        entries.collect()
    }
}

impl<'d> View<'d> {
    /// What the agent sees whose documents these are.
    pub(super) fn of(documents: &'d Documents, of: (&App, &Config), now: Millis) -> Self {
        let (main, own) = match documents.0.as_slice() {
            [main, own] => (Some(main), Some(own)),
            others => (others.first(), None),
        };
        let mut entries =
            main.map(|main| main.entries(of, own, own.is_some(), now)).unwrap_or_default();
        let mut usages: IndexMap<&str, UsageStats> =
            main.into_iter().flat_map(|main| main.state.usages()).collect();
        let stored: usize = documents.0.iter().map(|stored| stored.profiles.entry_count()).sum();
        let mut read = entries.len();
        if let Some(own) = own {
            let own_entries = own.entries(of, main, false, now);
            read += own_entries.len();
            let superseded = superseded(&entries, &own_entries, now);
            let places: HashMap<&str, usize> =
                entries.iter().enumerate().map(|(place, entry)| (entry.id, place)).collect();
            for entry in own_entries.into_iter().filter(|it| !superseded.contains(it.id)) {
                if let Some(place) = places.get(entry.id) {
                    entries[*place] = entry;
                } else {
                    entries.push(entry);
                }
            }
            usages.extend(own.state.usages().filter(|(id, _)| !superseded.contains(id)));
        }
        sort_as_object_keys(&mut entries, |entry| entry.id);
        let mut ordered: Vec<(&str, UsageStats)> = usages.into_iter().collect();
        sort_as_object_keys(&mut ordered, |(id, _)| id);
        let usages = ordered.into_iter().collect();
        Self { entries, usages, invalid_entries: stored - read }
    }
}

/// The agent's own `<provider>:default` grants that OpenClaw ignores, because `main` holds
/// a newer usable grant of the same provider that belongs, or may belong, to the same
/// account.
fn superseded<'d>(main: &[Entry<'d>], own: &[Entry<'d>], now: Millis) -> HashSet<&'d str> {
    let mut ids = HashSet::new();
    for entry in own.iter().filter(|entry| is_default_grant(entry)) {
        let provider = &entry.inspection.provider;
        let identity = entry.inspection.identity();
        let mut same_account = 0;
        let mut no_conflict = 0;
        for other in main {
            let is_candidate = other.id != entry.id
                && other.inspection.facts.kind == Kind::OAuth
                && other.inspection.provider == *provider
                && is_newer(other, entry, now);
            if is_candidate {
                let same = other.inspection.identity().same_account(&identity);
                let is_unnamed = identity.is_unknown();
                same_account += usize::from(same == SameAccount::Yes || is_unnamed);
                no_conflict += usize::from(same != SameAccount::No || is_unnamed);
            }
        }
        let replaced = match same_account {
            0 => !is_usable(entry, now) && no_conflict == 1,
            1 => true,
            _ => !identity.is_unknown(),
        };
        if replaced {
            ids.insert(entry.id);
        }
    }
    ids
}

fn is_default_grant(entry: &Entry<'_>) -> bool {
    let provider = entry.id.strip_suffix(":default");
    entry.inspection.facts.kind == Kind::OAuth
        && provider.is_some_and(|it| it == entry.inspection.provider.as_str())
}

fn is_usable(entry: &Entry<'_>, now: Millis) -> bool {
    let expires = entry.inspection.facts.expiry().unwrap_or(0);
    entry.inspection.has_access && expires.saturating_sub(now) > USABLE_MARGIN
}

fn is_newer(other: &Entry<'_>, than: &Entry<'_>, now: Millis) -> bool {
    let later = || other.inspection.facts.expiry() > than.inspection.facts.expiry();
    is_usable(other, now) && (!is_usable(than, now) || later())
}
