//! What people say for a profile: an account (e-mail), a profile id, a provider by its id, an
//! alias, its label, its product or its maker.
//!
//! Invariant: a name that means several things is never guessed at; the error lists them. The
//! catalog is read only for a name that neither the stores nor the built-in names know.

mod error;

pub use error::{Candidate, NameError};

use super::list::Row;
use super::managed::Managed;
use super::pool::Pool;
use super::stored_as::is_stored_as;
use crate::app::{App, AppError};
use crate::profile::{AgentId, Kind, ProfileId, ProviderId};
use crate::provider::{Catalog, Program, all_names, auth_provider_id, providers_called};

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// This profile.
    Profile(ProfileId),
    /// The profiles of this provider, of which the first usable one is taken.
    Provider(ProviderId),
}

/// What `name` means to an agent with the profiles of `pool`.
///
/// # Errors
/// It means several profiles, or nothing.
pub(crate) fn subject(app: &App, pool: &Pool, name: &str) -> Result<Subject, NameError> {
    if has_profile(pool, name) || Managed::named(&name.into()).is_some() {
        return Ok(Subject::Profile(name.into()));
    }
    let called = providers_called(name);
    let own_id = [name];
    let providers = if called.is_empty() { &own_id[..] } else { called };
    if let Some(found) = of_providers(pool, name, providers)? {
        return Ok(found);
    }
    if let Some(profile_id) = of_account(pool, name)? {
        return Ok(Subject::Profile(profile_id));
    }
    if let [provider, ..] = called {
        return Ok(Subject::Provider((*provider).into()));
    }
    let catalog = app.catalog()?;
    let Some(provider) = provider_in(&catalog, name) else {
        return Err(NameError::Unknown {
            similar: similar(pool, &catalog, name),
            name: name.into(),
        });
    };
    Ok(of_providers(pool, name, &[provider.as_str()])?.unwrap_or(Subject::Provider(provider)))
}

/// The one profile that `name` means: that of an account or id, or the only one of a provider.
///
/// # Errors
/// It means several profiles, or none.
pub(crate) fn profile(app: &App, pool: &Pool, name: &str) -> Result<ProfileId, NameError> {
    let provider = match subject(app, pool, name)? {
        Subject::Profile(profile_id) => return Ok(profile_id),
        Subject::Provider(provider) => provider,
    };
    let mut candidates = candidates_of(pool, &[provider.as_str()]);
    match candidates.len() {
        0 => Err(NameError::NoLogin { name: name.to_owned() }),
        1 => Ok(candidates.remove(0).profile_id),
        _ => Err(NameError::Ambiguous { name: name.to_owned(), candidates }),
    }
}

/// Everything that a name can mean, for who only looks at it.
#[derive(Debug, Default)]
pub(crate) struct Meant {
    profiles: Vec<ProfileId>,
    providers: Vec<ProviderId>,
    account: String,
}

impl Meant {
    /// Whether it can be this login. One that no store has is that of its provider or account.
    pub(crate) fn is(&self, row: &Row) -> bool {
        if row.is_stored || self.profiles.contains(&row.id) {
            return self.profiles.contains(&row.id);
        }
        let id = auth_provider_id(&row.provider);
        let email = row.email.as_deref();
        self.providers.iter().any(|it| auth_provider_id(it) == id)
            || email.is_some_and(|email| email.eq_ignore_ascii_case(&self.account))
    }
}

/// What `name` can mean to an agent with the profiles of `pool`: as [`subject`], with every
/// profile where that finds several.
///
/// # Errors
/// The provider files cannot be read.
pub(crate) fn meant_by(app: &App, pool: &Pool, name: &str) -> Result<Meant, AppError> {
    let called = providers_called(name).iter().map(|id| ProviderId::from(*id));
    let mut meant = Meant {
        profiles: Vec::new(),
        providers: called.collect(),
        account: name.trim().to_owned(),
    };
    match subject(app, pool, name) {
        Ok(Subject::Profile(id)) => meant.profiles.push(id),
        Ok(Subject::Provider(provider)) => {
            let ids = candidates_of(pool, &[provider.as_str()]).into_iter();
            meant.profiles.extend(ids.map(|it| it.profile_id));
            meant.providers.push(provider);
        }
        Err(NameError::Ambiguous { candidates, .. }) => {
            meant.profiles.extend(candidates.into_iter().map(|it| it.profile_id));
        }
        Err(NameError::Unknown { .. } | NameError::NoLogin { .. }) => {}
        Err(NameError::App(error)) => return Err(error),
    }
    Ok(meant)
}

/// The provider of the catalog that has this id, alias or label, or is called so.
pub(crate) fn provider_in(catalog: &Catalog, name: &str) -> Option<ProviderId> {
    if let Some(found) = catalog.names_of(&name.into()) {
        return Some(found.id().into());
    }
    if let [provider, ..] = providers_called(name) {
        return Some((*provider).into());
    }
    let name = name.trim();
    let mut rows = catalog.iter().map(|provider| &provider.definition);
    rows.find(|row| row.label.eq_ignore_ascii_case(name)).map(|row| row.id.clone())
}

fn has_profile(pool: &Pool, id: &str) -> bool {
    pool.owners().iter().any(|owner| owner.snapshot.document.has_entry(id))
}

/// The one of `providers` that the agent has profiles of; an error where it has of several.
fn of_providers(pool: &Pool, name: &str, providers: &[&str]) -> Result<Option<Subject>, NameError> {
    let held: Vec<&&str> =
        providers.iter().filter(|id| !candidates_of(pool, &[**id]).is_empty()).collect();
    match held[..] {
        [] => Ok(None),
        [only] => Ok(Some(Subject::Provider((*only).into()))),
        _ => Err(NameError::Ambiguous {
            name: name.to_owned(),
            candidates: candidates_of(pool, providers),
        }),
    }
}

/// The profiles that the agent has of these providers.
fn candidates_of(pool: &Pool, providers: &[&str]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for wanted in providers.iter().map(|id| ProviderId::from(*id)) {
        for owner in pool.owners() {
            for profile in owner.snapshot.document.summaries() {
                let provider = ProviderId::from(&*profile.provider);
                let kind = profile.facts.kind;
                let is_known = found.iter().any(|it| it.profile_id == profile.id);
                if !is_known && is_stored_as(&owner.store, &provider, &wanted, kind) {
                    found.push(Candidate { profile_id: profile.id.into(), provider });
                }
            }
        }
    }
    found
}

/// The profile of the account `name`: by its e-mail, its account id, the name that a user gave
/// it, or what stands behind the provider in its id.
fn of_account(pool: &Pool, name: &str) -> Result<Option<ProfileId>, NameError> {
    let name = name.trim();
    let mut candidates: Vec<Candidate> = Vec::new();
    for owner in pool.owners() {
        for (id, found) in owner.snapshot.document.inspections() {
            let Some(found) = found else { continue };
            let behind = id.split_once(':').map(|(_, rest)| rest);
            let texts = [found.email.as_deref(), found.display_name.as_deref(), behind];
            let is_its = texts.into_iter().flatten().any(|text| text.eq_ignore_ascii_case(name))
                || found.account_id.as_deref() == Some(name);
            if is_its && !candidates.iter().any(|it| it.profile_id == id) {
                candidates.push(Candidate { profile_id: id.into(), provider: found.provider });
            }
        }
    }
    match candidates.len() {
        0 | 1 => Ok(candidates.pop().map(|it| it.profile_id)),
        _ => Err(NameError::Ambiguous { name: name.to_owned(), candidates }),
    }
}

/// Names that are there and look like `name`, the most similar first.
fn similar(pool: &Pool, catalog: &Catalog, name: &str) -> Vec<String> {
    const MOST: usize = 3;
    const LEAST: f64 = 0.75;
    let name = name.trim().to_lowercase();
    let documents = pool.owners().iter().map(|owner| &owner.snapshot.document);
    let stored = documents.flat_map(|document| {
        let emails = document.inspections().filter_map(|(_, found)| found?.email);
        let ids = document.summaries().map(|profile| profile.id.to_owned());
        emails.chain(ids).collect::<Vec<_>>()
    });
    let known = catalog.all_names().flat_map(|it| std::iter::once(it.id()).chain(it.aliases()));
    let words = all_names().map(str::to_owned);
    let all = stored.chain(words).chain(known.map(str::to_owned));
    let mut near: Vec<(f64, String)> = all
        .map(|text| (strsim::jaro(&name, &text.to_lowercase()), text))
        .filter(|(likeness, _)| *likeness > LEAST)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.dedup_by(|(_, a), (_, b)| a == b);
    near.into_iter().take(MOST).map(|(_, text)| text).collect()
}

/// The providers whose sign-in `name` means: the first is the usual one. A name that is also
/// the id of a provider means that one as well.
///
/// # Errors
/// It means nothing.
pub(crate) fn sign_in(
    app: &App,
    catalog: &Catalog,
    agent: Option<&AgentId>,
    name: &str,
) -> Result<Vec<ProviderId>, NameError> {
    let is_id = catalog.names_of(&name.into()).is_some();
    if let [first, others @ ..] = providers_called(name) {
        let others = others.iter().filter(|_| is_id);
        return Ok(std::iter::once(first).chain(others).map(|id| (*id).into()).collect());
    }
    if let Some(problem) = catalog.problem(&name.into()) {
        return Err(problem.clone().into());
    }
    if let Some(provider) = provider_in(catalog, name) {
        return Ok(vec![provider]);
    }
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    let pool = Pool::open(app, &config, &agent)?;
    let profile_id =
        if has_profile(&pool, name) { Some(name.into()) } else { of_account(&pool, name)? };
    if let Some(found) = profile_id.and_then(|id| pool.find(&id).ok().flatten()) {
        let credential = found.1;
        let known = catalog.find_login(&credential.provider);
        let known = known.filter(|_| credential.kind() == Kind::OAuth);
        return Ok(vec![known.map_or(credential.provider, |known| known.definition.id.clone())]);
    }
    if matches!(Program::find(&name.into(), &app.environment), Ok(Some(_)) | Err(_)) {
        return Ok(vec![name.into()]);
    }
    Err(NameError::Unknown { similar: similar(&pool, catalog, name), name: name.to_owned() })
}
