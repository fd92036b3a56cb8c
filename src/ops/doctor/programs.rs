//! Whether the programs that serve providers can be used.

use super::{Code, Finding, of_failure, problem};
use crate::app::App;
use crate::exit::Failure;
use crate::ops::issuer::program_of;
use crate::profile::{Kind, ProfileId, ProviderId};
use crate::provider::{Catalog, Program};
use crate::store::AgentStore;
use crate::system::block_on;
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
            Ok(None) => found.push(Finding {
                code: Code::Provider,
                is_problem: false,
                message: format!("a program serves {provider}, and is not used: it is built in"),
                next: "nothing, or name it otherwise".to_owned(),
            }),
            Err(failure) => found.push(of_failure(Code::Provider, &failure)),
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
    let failure = match block_on(program.describe(&app.environment)) {
        Ok(Ok(_)) => return None,
        Ok(Err(error)) => Failure::from(anyhow::Error::from(error)),
        Err(error) => Failure::from(anyhow::Error::from(error)),
    };
    let message = format!("{}: {:#}", program.path.display(), failure.cause);
    let next = "correct the program; docs/providers.md describes the protocol";
    Some(problem(Code::Provider, message, next.to_owned()))
}

/// A login of each provider that the catalog does not know.
fn of_unknown_providers(
    catalog: &Catalog,
    stores: &[AgentStore],
) -> BTreeMap<ProviderId, ProfileId> {
    let mut found = BTreeMap::new();
    for snapshot in stores.iter().filter_map(|store| store.read().ok()) {
        for profile in snapshot.document.profiles() {
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
