//! Whether the programs that serve providers can be used.

use super::{Code, Finding, What};
use crate::app::App;
use crate::ops::issuer::program_of;
use crate::ops::{RenewalProblem, renewal};
use crate::profile::{Kind, ProfileId, ProviderId};
use crate::provider::{Catalog, Program};
use crate::store::Store;
use std::collections::BTreeMap;

/// Asks every program that would be used what it is, and looks for the profiles whose
/// program is missing.
pub(super) async fn examine(app: &App, catalog: &Catalog, stores: &[Store]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut profiles = of_unknown_providers(catalog, stores);
    for provider in Program::providers(&app.environment) {
        profiles.remove(&provider);
        match program_of(app, catalog, &provider) {
            Ok(Some(program)) => found.extend(broken(app, &program).await),
            Ok(None) => {
                found.push(Finding::note(Code::Provider, What::UnusedProgram(provider)));
            }
            Err(error) => {
                found.push(RenewalProblem::Distrusted { provider, error }.into());
            }
        }
    }
    let unknown = profiles.into_iter().filter_map(|(provider, profile_id)| {
        renewal::of_login(app, catalog, (&profile_id, &provider)).map(Finding::from)
    });
    found.extend(unknown);
    found
}

async fn broken(app: &App, program: &Program) -> Option<Finding> {
    let error = program.describe(&app.machine, &app.environment).await.err()?.into();
    let what = What::BrokenProgram { path: program.path.clone(), error };
    Some(Finding::problem(Code::Provider, what))
}

/// A login of each provider that the catalog does not know.
fn of_unknown_providers(catalog: &Catalog, stores: &[Store]) -> BTreeMap<ProviderId, ProfileId> {
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
