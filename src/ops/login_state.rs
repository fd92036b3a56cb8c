//! The state of the logins of one store, from all that is remembered of them.
//!
//! Invariant: it is `profile::login_state` that decides; here the facts are brought together,
//! the same for every command. Nothing is sent, written or locked.

use super::fence::is_in_refresh;
use super::managed::Managed;
use super::moving::moved_from;
use super::reference::problem_of;
use crate::app::App;
use crate::config::Config;
use crate::external::Tool;
use crate::profile::{
    Credential, LastRequest, LoginFacts, LoginState, Millis, Moved, ProfileId, Refusal, login_state,
};
use crate::provider::cools_down;
use crate::store::{
    Document, Fence, GrantNote, GrantNotes, Inspection, LastOutcome, OutcomeKind, StateDocument,
    Store,
};

/// Why a token is not used whose expiry is no time.
const ODD_EXPIRY: &str = "`expires` is not a time in milliseconds";

/// What is remembered of the logins of one store.
pub(crate) struct Judge<'s> {
    app: &'s App,
    config: &'s Config,
    store: &'s Store,
    document: &'s Document,
    state: &'s StateDocument,
    /// How the uses of the profiles went: what the first says goes before the second.
    usage: (&'s StateDocument, &'s StateDocument),
    notes: GrantNotes,
    has_moves: bool,
    now: Millis,
}

/// What is known of one login.
pub(crate) struct Judged {
    /// Its state.
    pub(crate) state: LoginState,
    /// Why it cannot be used as it is written, or how it was lost.
    pub(crate) problem: Option<String>,
    /// That it was refused for good, or revoked.
    pub(crate) refusal: Option<Refusal>,
    /// When it ends by itself because nothing renews it, in milliseconds since the epoch.
    pub(crate) ends: Option<Millis>,
}

impl<'s> Judge<'s> {
    /// For the documents of `store` as they were read.
    pub(crate) fn new(
        (app, config): (&'s App, &'s Config),
        store: &'s Store,
        (document, state): (&'s Document, &'s StateDocument),
        now: Millis,
    ) -> Self {
        let (notes, has_moves) = (store.grant_notes(), !app.moves().is_empty());
        let usage = (state, state);
        Self { app, config, store, document, state, usage, notes, has_moves, now }
    }

    /// With what these say of the uses of the profiles, the first before the second.
    pub(crate) fn with_usage(self, own: &'s StateDocument, others: &'s StateDocument) -> Self {
        Self { usage: (own, others), ..self }
    }

    /// The state of the profile `id`, which is `found` there.
    pub(crate) fn judge(&self, id: &ProfileId, found: &Inspection) -> Judged {
        let unusable = self.unusable(id, found);
        let note = self.note(id);
        let is_refreshed = |fence: Fence| is_in_refresh(fence, self.store, self.now);
        let is_refreshing = found.fence.is_some_and(is_refreshed);
        let refusal = self.refusal(id, note.as_ref());
        let facts = LoginFacts {
            unusable: unusable.clone(),
            refusal: refusal.clone(),
            is_replaced: note.as_ref().is_some_and(|note| note.is_replaced),
            moved: self.moved(id),
            rejected: self.state.rejected_when(self.document, id.as_str()),
            refused: note.as_ref().and_then(|it| Some(told(it.outcome_of(OutcomeKind::Refused)?))),
            lost: found.fence.filter(|_| !is_refreshing).map(|fence| fence.to_string()),
            unknown: note.as_ref().and_then(unknown),
            cooldown: cools_down(&found.provider)
                .then(|| {
                    self.usage.0.usage_before(self.usage.1, id.as_str()).window(None, self.now)
                })
                .flatten(),
            refreshing_by: is_refreshing.then_some("OpenClaw"),
            held_by: Tool::managing_stored(id).map(|tool| tool.program().label.clone()),
            ..LoginFacts::of(found.facts)
        };
        let problem = unusable
            .or_else(|| facts.lost.as_ref().map(|how| format!("{how}: sign in again")))
            .or_else(|| is_refreshing.then(|| "OpenClaw is refreshing it".to_owned()));
        let state = login_state(facts, self.now);
        let state = if is_stale_copy(&state) { self.as_held_now(id, state) } else { state };
        // What another program renews does not end by itself.
        let is_held = matches!(state, LoginState::Held { .. });
        let ends = found.facts.end().filter(|_| !is_held);
        Judged { state, problem, refusal, ends }
    }

    /// The state of a login that another program owns, of which the store has an old copy.
    fn as_held_now(&self, id: &ProfileId, stored: LoginState) -> LoginState {
        let now = Managed::named(id).and_then(|managed| {
            let credential = managed.read(self.app).ok()??;
            Some(of_held(&credential, managed.tool, self.now))
        });
        now.unwrap_or(stored)
    }

    /// Why the profile cannot be used as it is written.
    fn unusable(&self, id: &ProfileId, found: &Inspection) -> Option<String> {
        // Nearly every entry is without a reference, and not read again.
        let has_reference = found.reference.is_some() || !found.oauth_references.is_empty();
        let entry = has_reference.then(|| self.document.entry(id.as_str())).flatten();
        let problem = entry.and_then(|it| problem_of(self.config, id, found.facts.kind, it));
        problem.or_else(|| found.facts.has_odd_expiry().then(|| ODD_EXPIRY.to_owned()))
    }

    /// What the journal says of its grant. A token is copied where the journal says something.
    fn note(&self, id: &ProfileId) -> Option<GrantNote> {
        if self.notes.is_empty() {
            return None;
        }
        let credential = self.document.credential(id.as_str())?;
        let grant = credential.refresh_token().or_else(|| credential.bearer())?;
        Some(self.notes.of(grant, self.now))
    }

    /// That it is elsewhere, or may be. A token is copied where anything is noted of moves.
    fn moved(&self, id: &ProfileId) -> Option<Moved> {
        if !self.has_moves {
            return None;
        }
        let credential = self.document.credential(id.as_str())?;
        let grant = credential.refresh_token().or_else(|| credential.bearer())?;
        let elsewhere = moved_from((self.app, self.config), self.store, grant)?;
        Some(Moved { at: elsewhere.at, is_certain: elsewhere.is_certain })
    }

    fn refusal(&self, id: &ProfileId, note: Option<&GrantNote>) -> Option<Refusal> {
        let stored = self.state.refused_when(self.document, id.as_str());
        let noted = || {
            let noted = note?.refusal.as_ref()?;
            Some(Refusal { code: noted.code().to_owned(), at: noted.at })
        };
        stored.or_else(noted)
    }
}

const fn is_stale_copy(state: &LoginState) -> bool {
    matches!(state, LoginState::Held { is_expired: true, .. })
}

/// The last refresh of a grant, where nobody knows what became of it.
pub(super) fn unknown(note: &GrantNote) -> Option<LastRequest> {
    if let Some(outcome) = note.outcome_of(OutcomeKind::Unknown) {
        return Some(told(outcome));
    }
    if let Some(cut_off) = note.interrupted {
        return Some(LastRequest { reason: "cut off".to_owned(), at: cut_off.at });
    }
    let kept = || LastRequest { reason: "kept in another home directory".to_owned(), at: 0 };
    note.is_kept_elsewhere.then(kept)
}

fn told(outcome: &LastOutcome) -> LastRequest {
    LastRequest { reason: outcome.reason.clone(), at: outcome.at }
}

/// The state of a login that another program keeps, as that one has it now.
pub(super) fn of_held(credential: &Credential, tool: Tool, now: Millis) -> LoginState {
    let held_by = Some(tool.program().label.clone());
    login_state(LoginFacts { held_by, ..LoginFacts::of(credential.facts()) }, now)
}
