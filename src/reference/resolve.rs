//! Resolution: references to values, each provider asked once for everything that is
//! wanted of it, several providers at the same time.

use super::error::{ReferenceError, ReferenceLimit};
use super::provider::{Provider, Secrets};
use super::{command, file};
use crate::config::{Paths, Variables};
use crate::profile::secret_ref::{SecretRef, Source, is_command_id, is_text};
use crate::secret::Secret;
use crate::system::child::Programs;
use indexmap::IndexMap;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// What a reference may resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A text that is not blank.
    Text,
    /// Such a text, or an object.
    TextOrObject,
}

/// Resolves references by what the configuration says.
#[derive(Debug)]
pub struct Resolver<'a> {
    /// The `secrets` section.
    pub secrets: &'a Secrets,
    /// The variables.
    pub variables: &'a Variables<'a>,
    /// The paths.
    pub paths: &'a Paths,
    /// Who starts the commands.
    pub programs: &'a Programs,
}

type Resolved = HashMap<SecretRef, Result<Value, ReferenceError>>;

impl Resolver<'_> {
    /// The secret behind a reference.
    ///
    /// # Errors
    /// The reference does not resolve to a text.
    pub fn secret(&self, reference: &SecretRef) -> Result<Secret, ReferenceError> {
        let mut resolved = self.values([reference]);
        let value = resolved.remove(reference).unwrap_or(Err(ReferenceError::NoText))?;
        Wanted::Text.accept(&value)?;
        let secret = Secret::from_input(value.as_str().unwrap_or_default());
        if secret.is_blank() { Err(ReferenceError::NoText) } else { Ok(secret) }
    }

    /// What stands behind each reference.
    pub fn values<'r>(&self, references: impl IntoIterator<Item = &'r SecretRef>) -> Resolved {
        let mut groups: IndexMap<(Source, &str), Vec<&SecretRef>> = IndexMap::new();
        let mut seen = HashSet::new();
        for reference in references.into_iter().filter(|reference| seen.insert(*reference)) {
            let group = groups.entry((reference.source, &reference.provider)).or_default();
            group.push(reference);
        }
        if groups.len() <= 1 {
            return groups.values().flat_map(|group| self.ask(group)).collect();
        }
        let waiting = Mutex::new(groups.into_values());
        let next = || waiting.lock().map_or(None, |mut waiting| waiting.next());
        let work = || {
            let mut resolved = Vec::new();
            while let Some(group) = next() {
                resolved.extend(self.ask(&group));
            }
            resolved
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..self.secrets.limits.concurrency).map(|_| scope.spawn(work)).collect();
            workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
        })
    }

    /// What can be said of a reference without asking its provider.
    ///
    /// # Errors
    /// It cannot resolve.
    pub fn check(&self, reference: &SecretRef) -> Result<(), ReferenceError> {
        if reference.source == Source::Exec && !is_command_id(reference.id.trim()) {
            return Err(ReferenceError::InvalidId {
                expected: "the id of a command has letters, digits and ._:/- and no .. in it",
            });
        }
        self.provider(reference).map(|_| ())
    }

    /// The provider of a reference. Variables need none under their default alias.
    fn provider(&self, reference: &SecretRef) -> Result<Option<&Provider>, ReferenceError> {
        let SecretRef { source, provider: alias, .. } = reference;
        match self.secrets.provider(alias) {
            Some(provider) if provider.source() == *source => Ok(Some(provider)),
            Some(provider) => Err(ReferenceError::OtherSource {
                alias: alias.clone(),
                source_of: provider.source(),
            }),
            None if *source == Source::Env
                && alias == self.secrets.defaults.of_source(Source::Env) =>
            {
                Ok(None)
            }
            None => Err(ReferenceError::UnknownProvider { alias: alias.clone() }),
        }
    }

    /// Asks one provider for everything that is wanted of it.
    fn ask(&self, references: &[&SecretRef]) -> Vec<(SecretRef, Result<Value, ReferenceError>)> {
        let answers = self
            .answers(references)
            .unwrap_or_else(|error| references.iter().map(|_| Err(error.clone())).collect());
        references.iter().map(|reference| (*reference).clone()).zip(answers).collect()
    }

    fn answers(
        &self,
        references: &[&SecretRef],
    ) -> Result<Vec<Result<Value, ReferenceError>>, ReferenceError> {
        let Some(first) = references.first() else { return Ok(Vec::new()) };
        let alias = &first.provider;
        let most = self.secrets.limits.references;
        if references.len() > most {
            let limit = ReferenceLimit::References(most);
            return Err(ReferenceError::TooMuch { alias: alias.clone(), limit });
        }
        let ids: Vec<&str> = references.iter().map(|reference| reference.id.trim()).collect();
        match self.provider(first)? {
            None => Ok(ids.iter().map(|name| self.variable(name, alias, None)).collect()),
            Some(Provider::Env { allowlist }) => {
                let allowed = allowlist.as_deref();
                Ok(ids.iter().map(|name| self.variable(name, alias, allowed)).collect())
            }
            Some(Provider::File(provider)) => file::values(provider, self.paths, &ids),
            Some(Provider::Exec(provider)) => {
                let given = (self.variables, self.programs);
                command::values(alias, provider, self.secrets.limits, given, &ids)
            }
        }
    }

    fn variable(
        &self,
        name: &str,
        alias: &str,
        allowed: Option<&[String]>,
    ) -> Result<Value, ReferenceError> {
        if allowed.is_some_and(|allowed| !allowed.iter().any(|other| other == name)) {
            let (name, alias) = (name.to_owned(), alias.to_owned());
            return Err(ReferenceError::NotAllowed { name, alias });
        }
        let value = self.variables.get(name).map(Value::from);
        value.ok_or_else(|| ReferenceError::NotSet { name: name.to_owned() })
    }
}

impl Wanted {
    /// Whether a value is what is wanted.
    ///
    /// # Errors
    /// It is not.
    pub fn accept(self, value: &Value) -> Result<(), ReferenceError> {
        let is_object = self == Self::TextOrObject && value.is_object();
        if is_text(value) || is_object { Ok(()) } else { Err(ReferenceError::NoText) }
    }
}
