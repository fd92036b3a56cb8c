//! Whether the programs that serve providers can be used.

use super::{Code, Finding, What, note, problem};
use crate::app::App;
use crate::ops::issuer::program_of;
use crate::profile::{Kind, ProfileId, ProviderId};
use crate::provider::{Catalog, Program};
use crate::store::AgentStore;
use crate::system::block_on;
use crate::text::chain;
use std::collections::BTreeMap;

/// Asks every program that would be used what it is, and looks for the profiles whose
/// program is missing.
pub(super) fn examine(app: &App, catalog: &Catalog, stores: &[AgentStore]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut profiles = of_unknown_providers(catalog, stores);
    for provider in Program::providers(&app.environment) {
        profiles.remove(&provider);
        match program_of(app, catalog, &provider) {
            Ok(Some(program)) => found.extend(broken(app, &program)),
            Ok(None) => found.push(note(
                Code::Provider,
                format!("a program serves {provider}, and is not used: it is built in"),
                "nothing, or name it otherwise",
            )),
            Err(error) => found.push(Finding {
                code: Code::Provider,
                is_problem: true,
                what: What::Distrusted(error),
            }),
        }
    }
    found.extend(profiles.into_iter().map(|(provider, profile)| {
        problem(
            Code::Provider,
            format!("nothing can refresh `{profile}`: {provider} is not known"),
            format!(
                "describe it in {}/{provider}.json, or put openclaw-auth-provider-{provider} on PATH",
                app.paths.providers().display()
            ),
        )
    }));
    found
}

fn broken(app: &App, program: &Program) -> Option<Finding> {
    let error = match block_on(program.describe(&app.environment)) {
        Ok(Ok(_)) => return None,
        Ok(Err(error)) => chain(&error),
        Err(error) => chain(&error),
    };
    let message = format!("{}: {error}", program.path.display());
    let next = "correct the program; docs/providers.md describes the protocol";
    Some(problem(Code::Provider, message, next))
}

/// A login of each provider that the catalog does not know.
fn of_unknown_providers(
    catalog: &Catalog,
    stores: &[AgentStore],
) -> BTreeMap<ProviderId, ProfileId> {
    let mut found = BTreeMap::new();
    for document in stores.iter().filter_map(|store| store.profiles().ok()) {
        for profile in document.profiles() {
            let provider = &profile.credential.provider;
            let is_known = catalog.find(provider).is_some() || catalog.problem(provider).is_some();
            if !is_known && profile.credential.kind() == Kind::OAuth {
                let provider = provider.clone().normalized();
                found.entry(provider).or_insert_with(|| profile.id.into());
            }
        }
    }
    found
}
