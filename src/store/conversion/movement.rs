//! What a move does with the profiles of one agent: which goes where, and under which name.
//!
//! Invariant: nothing that is stored at the destination is replaced, and a grant gets there
//! once.

use crate::profile::{Credential, Kind, ProfileId, ProviderId, SameAccount};
use crate::secret::Secret;
use crate::store::json_text::{RawObject, raw};
use crate::store::{Document, StateDocument, entry_with};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The provider that a login has at the destination, where it is another one.
pub(super) type RenameProvider<'r> = &'r dyn Fn(&ProviderId) -> Option<ProviderId>;

/// What becomes of one profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MovedProfile {
    /// Its id where it was.
    pub id: ProfileId,
    /// Its id at the destination.
    pub becomes: ProfileId,
    /// Its provider where it was, where that can be told.
    pub was: Option<ProviderId>,
    /// The provider at the destination, where it is another one.
    pub provider: Option<ProviderId>,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is stored at the destination.
    Moved,
    /// The destination has this credential already.
    Present,
    /// The agent has it from `main`, which has the same.
    Inherited,
    /// The destination has another credential of this id or account, which is used from now
    /// on. This one is in the backup alone.
    Superseded,
}

/// What a move does with the profiles of one agent.
#[derive(Default)]
pub(super) struct Movement {
    /// Each profile.
    pub(super) profiles: Vec<MovedProfile>,
    /// What is stored at the destination.
    pub(super) document: Document,
    /// Order and usage for the destination.
    pub(super) state: StateDocument,
}

impl Movement {
    /// Moves `source` to where `present` is. `inherited` is what an agent has from `main` there.
    pub(super) fn plan(
        (source, state): (&Document, &StateDocument),
        present: &Document,
        inherited: Option<&Document>,
        rename: RenameProvider<'_>,
    ) -> serde_json::Result<Self> {
        let mut plan = Self::default();
        let wanted: Vec<_> =
            source.entries().map(|(id, _)| Wanted::of(source, id, rename)).collect();
        let fixed = wanted.iter().filter(|it| it.provider.is_none()).map(|it| it.id.clone());
        let mut taken: HashSet<String> = fixed.collect();
        for wanted in wanted {
            let moved = plan.place(source, wanted, present, inherited, &mut taken)?;
            plan.profiles.push(moved);
        }
        plan.state = renamed_state(state, &plan.profiles, rename)?;
        Ok(plan)
    }

    fn place(
        &mut self,
        source: &Document,
        wanted: Wanted,
        present: &Document,
        inherited: Option<&Document>,
        taken: &mut HashSet<String>,
    ) -> serde_json::Result<MovedProfile> {
        let Wanted { was, id, provider, entry, credential } = wanted;
        let done = |becomes: &str, outcome| MovedProfile {
            id: was.as_str().into(),
            becomes: becomes.into(),
            was: credential.as_ref().map(|it| it.provider.clone()),
            provider: provider.clone(),
            outcome,
        };
        let held = credential.as_ref();
        let same = |document: &Document| same_credential(document, &id, &entry, held);
        if let Some(becomes) = same(present) {
            return Ok(done(&becomes, Outcome::Present));
        }
        if let Some(becomes) = inherited.and_then(same) {
            return Ok(done(&becomes, Outcome::Inherited));
        }
        if let Some(other) = present.entry(&id) {
            let other = Document::parse(format!("{{\"profiles\":{{\"\":{other}}}}}"))?;
            let other = other.credential("");
            if provider.is_none() || !is_other_account(held, other.as_ref()) {
                return Ok(done(&id, Outcome::Superseded));
            }
        }
        let is_free = |id: &String| {
            !present.has_entry(id) && !self.document.has_entry(id) && !taken.contains(id)
        };
        let becomes = if provider.is_none() {
            id.clone()
        } else {
            let numbered = (2..).map(|number| format!("{id}-{number}"));
            std::iter::once(id.clone()).chain(numbered).find(is_free).unwrap_or(id)
        };
        taken.insert(becomes.clone());
        match &provider {
            Some(provider) => {
                let entry = entry_with(entry.expose(), "provider", provider.as_str())?;
                self.document.set_entry(&becomes, entry);
            }
            None => drop(self.document.copy_entry(source, &was)),
        }
        Ok(done(&becomes, Outcome::Moved))
    }

    /// Adds what `other` moves and this does not.
    pub(super) fn add(&mut self, other: &Self) {
        for (id, _) in other.document.entries() {
            if !self.document.has_entry(id) {
                self.document.copy_entry(&other.document, id);
            }
        }
        let is_known = |it: &MovedProfile, known: &MovedProfile| {
            known.id == it.id && (known.outcome == it.outcome || it.outcome == Outcome::Moved)
        };
        let is_new = |it: &&MovedProfile| !self.profiles.iter().any(|known| is_known(it, known));
        let news: Vec<_> = other.profiles.iter().filter(is_new).cloned().collect();
        self.profiles.extend(news);
        let state = other.state.to_text().and_then(Document::parse);
        if let Ok(state) = state {
            self.state.fill_from(&state);
        }
    }

    /// The same where `present` is there by now: an earlier run stored some of it, or somebody
    /// signed in since.
    pub(super) fn behind(self, present: &Document) -> serde_json::Result<Self> {
        let Self { mut profiles, document, state } = self;
        let plan = Self::plan((&document, &state), present, None, &|_| None)?;
        for now in plan.profiles.iter().filter(|it| it.outcome != Outcome::Moved) {
            let is_it =
                |it: &&mut MovedProfile| it.outcome == Outcome::Moved && it.becomes == now.id;
            let Some(noted) = profiles.iter_mut().find(is_it) else { continue };
            // Under this very name an earlier run stored it.
            if now.outcome != Outcome::Present || now.becomes != now.id {
                noted.becomes = now.becomes.clone();
                noted.outcome = now.outcome;
            }
        }
        Ok(Self { profiles, document: plan.document, state: plan.state })
    }

    /// Whether something is stored at the destination.
    pub(super) fn stores_anything(&self) -> bool {
        self.document.entry_count() > 0 || self.has_order()
    }

    /// Whether it takes an order along, which is an agent's own.
    pub(super) fn has_order(&self) -> bool {
        !self.state.orders().is_empty()
    }
}

/// A profile and what it is to be.
struct Wanted {
    was: String,
    id: String,
    provider: Option<ProviderId>,
    entry: Secret,
    credential: Option<Credential>,
}

impl Wanted {
    fn of(source: &Document, id: &str, rename: RenameProvider<'_>) -> Self {
        let credential = source.credential(id);
        // A key is of the provider that it names.
        let login = credential.as_ref().filter(|it| it.kind() != Kind::ApiKey);
        let provider = login.and_then(|login| rename(&login.provider));
        let named = provider.as_ref().zip(login).and_then(|(provider, login)| {
            let rest = id.strip_prefix(login.provider.as_str())?.strip_prefix(':')?;
            Some(format!("{}:{rest}", provider.as_str()))
        });
        Self {
            was: id.to_owned(),
            id: named.unwrap_or_else(|| id.to_owned()),
            provider,
            entry: Secret::new(source.entry(id).unwrap_or("null")),
            credential,
        }
    }
}

/// The id under which `document` has this grant, or this very entry.
fn same_credential(
    document: &Document,
    id: &str,
    entry: &Secret,
    credential: Option<&Credential>,
) -> Option<String> {
    if let Some(grant) = credential.and_then(Credential::refresh_token) {
        let holds = |held: &Credential| held.refresh_token().is_some_and(|it| it.matches(grant));
        let mut profiles = document.profiles();
        return profiles.find(|it| holds(&it.credential)).map(|it| it.id.to_owned());
    }
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let present = document.entry(id).and_then(value)?;
    let is_same = value(entry.expose()).is_some_and(|entry| entry == present);
    // What is no grant may be stored without the fields that the other side does not know.
    let bearer = |it: &Credential| it.bearer().cloned();
    let stored = || document.credential(id).as_ref().and_then(bearer);
    let has_same_bearer =
        || credential.and_then(bearer).is_some_and(|it| stored().is_some_and(|at| at.matches(&it)));
    (is_same || has_same_bearer()).then(|| id.to_owned())
}

fn is_other_account(one: Option<&Credential>, other: Option<&Credential>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    one.identity.same_account(&other.identity) == SameAccount::No || one.kind() != other.kind()
}

/// Order, last good profiles and usage under the names of the destination.
fn renamed_state(
    state: &StateDocument,
    profiles: &[MovedProfile],
    rename: RenameProvider<'_>,
) -> serde_json::Result<StateDocument> {
    let mut members: RawObject = serde_json::from_str(&state.to_text()?)?;
    let moved = |id: &str| profiles.iter().find(|it| it.id == *id);
    let renamed =
        |id: &str| moved(id).map_or_else(|| id.to_owned(), |it| it.becomes.as_str().into());
    // A profile that is gone goes where its provider goes.
    let key_of = |key: &str, id: &str| {
        match moved(id) {
            Some(it) if rename(&key.into()).is_some() => {
                it.provider.as_ref().map(|it| it.as_str().to_owned())
            }
            Some(_) => None,
            None => rename(&key.into()).map(|it| it.as_str().to_owned()),
        }
        .unwrap_or_else(|| key.to_owned())
    };
    if let Some(orders) = part::<IndexMap<String, Vec<String>>>(&members, "order") {
        let mut after: IndexMap<String, Vec<String>> = IndexMap::new();
        for (key, ids) in orders {
            for id in &ids {
                let listed = after.entry(key_of(&key, id)).or_default();
                let id = renamed(id);
                if !listed.contains(&id) {
                    listed.push(id);
                }
            }
        }
        members.insert("order".to_owned(), raw(&after)?);
    }
    if let Some(last) = part::<IndexMap<String, String>>(&members, "lastGood") {
        let mut after: IndexMap<String, String> = IndexMap::new();
        for (key, id) in last {
            after.entry(key_of(&key, &id)).or_insert_with(|| renamed(&id));
        }
        members.insert("lastGood".to_owned(), raw(&after)?);
    }
    if let Some(usage) = part::<RawObject>(&members, "usageStats") {
        let usage = usage.into_iter().map(|(id, entry)| (renamed(&id), entry));
        members.insert("usageStats".to_owned(), raw(&usage.collect::<RawObject>())?);
    }
    StateDocument::parse(&serde_json::to_string(&members)?)
}

fn part<T: serde::de::DeserializeOwned>(members: &RawObject, name: &str) -> Option<T> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(provider: &ProviderId) -> Option<ProviderId> {
        (provider.as_str() == "openai-codex").then(|| "openai".into())
    }

    fn backward(provider: &ProviderId) -> Option<ProviderId> {
        (provider.as_str() == "openai").then(|| "openai-codex".into())
    }

    fn login(provider: &str, grant: &str, email: &str) -> serde_json::Value {
        serde_json::json!({"type": "oauth", "provider": provider, "access": format!("fake-{grant}"),
            "refresh": grant, "email": email, "x": 1})
    }

    fn document(profiles: &serde_json::Value) -> Document {
        Document::parse(serde_json::json!({"version": 1, "profiles": profiles}).to_string())
            .unwrap()
    }

    fn plan(source: &serde_json::Value, state: &str, present: &serde_json::Value) -> Movement {
        let state = StateDocument::parse(state).unwrap();
        let (source, present) = (document(source), document(present));
        Movement::plan((&source, &state), &present, None, &forward).unwrap()
    }

    fn outcomes(plan: &Movement) -> Vec<(&str, &str, Outcome)> {
        let all = plan.profiles.iter();
        all.map(|it| (it.id.as_str(), it.becomes.as_str(), it.outcome)).collect()
    }

    #[test]
    fn logins_get_their_new_names_and_keys_stay() {
        let source = serde_json::json!({
            "openai-codex:a": login("openai-codex", "fake-a", "a@example.test"),
            "openai-codex:key": {"type": "api_key", "provider": "openai-codex", "key": "fake-k"},
            "mine": login(" OpenAI-Codex", "fake-m", "m@example.test"),
            "openai:a": {"type": "api_key", "provider": "openai", "key": "fake-o"},
            "odd": "text",
        });
        let state = r#"{"order":{"openai":["openai:a"],"openai-codex":["mine","openai-codex:a","gone"]},
            "lastGood":{"openai-codex":"openai-codex:a"},"usageStats":{"openai-codex:a":{"lastUsed":5.0}}}"#;
        let plan = plan(&source, state, &serde_json::json!({}));
        assert_eq!(
            outcomes(&plan),
            [
                ("openai-codex:a", "openai:a-2", Outcome::Moved),
                ("openai-codex:key", "openai-codex:key", Outcome::Moved),
                ("mine", "mine", Outcome::Moved),
                ("openai:a", "openai:a", Outcome::Moved),
                ("odd", "odd", Outcome::Moved),
            ]
        );
        let text = plan.document.to_text().unwrap();
        assert!(!text.contains("OpenAI-Codex") && text.contains("\"x\": 1"), "{text}");
        let state = plan.state.to_text().unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        assert_eq!(
            state["order"],
            serde_json::json!({"openai": ["openai:a", "mine", "openai:a-2", "gone"]})
        );
        assert_eq!(state["lastGood"]["openai"], "openai:a-2");
        assert!(state["usageStats"]["openai:a-2"]["lastUsed"].is_number());
    }

    #[test]
    fn what_the_destination_has_is_neither_replaced_nor_doubled() {
        let source = serde_json::json!({
            "openai-codex:a": login("openai-codex", "fake-a", "a@example.test"),
            "openai-codex:b": login("openai-codex", "fake-old", "b@example.test"),
            "openai-codex:c": login("openai-codex", "fake-c", "c@example.test"),
            "p:1": {"type": "api_key", "provider": "p", "key": "fake-other"},
        });
        let present = serde_json::json!({
            "elsewhere": login("openai", "fake-a", "a@example.test"),
            "openai:b": login("openai", "fake-new", "b@example.test"),
            "openai:c": login("openai", "fake-d", "d@example.test"),
            "p:1": {"type": "api_key", "provider": "p", "key": "fake-key"},
        });
        let plan = plan(&source, "{}", &present);
        assert_eq!(
            outcomes(&plan),
            [
                ("openai-codex:a", "elsewhere", Outcome::Present),
                ("openai-codex:b", "openai:b", Outcome::Superseded),
                ("openai-codex:c", "openai:c-2", Outcome::Moved),
                ("p:1", "p:1", Outcome::Superseded),
            ]
        );
        assert_eq!(plan.document.entry_count(), 1);
    }

    #[test]
    fn a_way_there_and_back_says_the_same() {
        let source = serde_json::json!({
            "openai-codex:a": login("openai-codex", "fake-a", "a@example.test"),
            "openai:manual": {"type": "api_key", "provider": "openai", "key": "fake-o"},
        });
        let state = r#"{"version":1,"order":{"openai-codex":["openai-codex:a"],"openai":["openai:manual"]}}"#;
        let there = plan(&source, state, &serde_json::json!({}));
        let nothing = Document::default();
        let back = Movement::plan((&there.document, &there.state), &nothing, None, &backward);
        let back = back.unwrap();
        let text: serde_json::Value =
            serde_json::from_str(&back.document.to_text().unwrap()).unwrap();
        assert_eq!(text["profiles"], source);
        let back: serde_json::Value = serde_json::from_str(&back.state.to_text().unwrap()).unwrap();
        assert_eq!(
            back["order"],
            serde_json::from_str::<serde_json::Value>(state).unwrap()["order"]
        );
    }
}
