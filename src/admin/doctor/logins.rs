//! Logins that a person has to look after, as every listing says it.

use super::{Code, Finding, Misshapen, What};
use crate::app::App;
use crate::config::Config;
use crate::ops::list;
use crate::ops::login_state::{Judge, Judged};
use crate::profile::{AgentId, LoginState, NeedsPerson, Over, ProfileId, ProviderId, SOON};
use crate::provider::auth_provider_id;
use crate::store::{Document, StateDocument, Store};

/// The logins of a store. What is said of an entry that is `misshapen` is not said again.
pub(super) fn examine(
    of: (&App, &Config),
    store: &Store,
    documents: (&Document, &StateDocument),
    misshapen: &[Misshapen],
) -> Vec<Finding> {
    let (app, _) = of;
    let now = app.now();
    let judge = Judge::new(of, store, documents, now);
    let findings = documents.0.inspections().filter_map(|(id, found)| {
        let (id, found) = (ProfileId::from(id), found?);
        let Judged { state, ends, .. } = judge.judge(&id, &found);
        let needs_person = state.needs_person_until(ends, now.saturating_add(SOON));
        let is_said = || misshapen.iter().any(|it| it.is_of(&id)) && is_of_entry(&state);
        if needs_person == NeedsPerson::No || is_said() {
            return None;
        }
        Some(finding(id, store.agent_id().clone(), found.provider, state))
    });
    findings.collect()
}

/// The logins of other programs that stand in for a provider of which no store has a profile.
pub(super) fn stand_ins(app: &App, config: &Config, stores: &[Store]) -> Vec<Finding> {
    let documents = stores.iter().filter_map(|store| store.profiles().ok());
    let providers = documents.flat_map(|document| {
        let summaries = document.summaries().map(|it| ProviderId::from(it.provider.as_ref()));
        summaries.map(auth_provider_id).collect::<Vec<_>>()
    });
    let providers: Vec<_> = providers.collect();
    let is_missing = |provider: &ProviderId| !providers.contains(&auth_provider_id(provider));
    let (rows, _) = list::stand_ins(app, config, is_missing, app.now());
    let needing = rows.into_iter().filter(|row| row.state.needs_person() != NeedsPerson::No);
    let main = AgentId::main;
    needing.map(|row| finding(row.id, main(), row.provider, row.state)).collect()
}

fn finding(
    profile_id: ProfileId,
    agent_id: AgentId,
    provider: ProviderId,
    state: LoginState,
) -> Finding {
    let code = match &state {
        LoginState::Refused(_) | LoginState::SignInAgain { why: Over::Refused(_), .. } => {
            Code::Refused
        }
        LoginState::SignInAgain { why: Over::Lost(_), .. } => Code::Lost,
        LoginState::OutcomeUnknown(_) => Code::OutcomeUnknown,
        _ => Code::SignInAgain,
    };
    Finding::problem(code, What::Login { profile_id, agent_id, provider, state })
}

/// Whether the state tells of the entry as it is written.
const fn is_of_entry(state: &LoginState) -> bool {
    matches!(state, LoginState::SignInAgain { why: Over::Empty | Over::Unusable(_), .. })
}
