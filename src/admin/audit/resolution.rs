//! Whether the references that were gathered resolve.

use super::collector::Collector;
use crate::app::App;
use crate::profile::secret_ref::{SecretRef, Source};
use crate::reference::{ReferenceError, Resolver, Secrets};
use indexmap::IndexSet;
use std::collections::HashMap;

/// How many references were looked up.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Those whose provider was asked.
    pub(super) looked_up: usize,
    /// Those that would have run a command.
    pub(super) skipped: usize,
}

impl Collector<'_> {
    /// Resolves every reference once. Commands run only where they are allowed to; else
    /// what can be said without running them is said.
    pub(super) fn resolve(
        &mut self,
        secrets: &Secrets,
        app: &App,
        allow_commands: bool,
    ) -> Checked {
        let resolver = Resolver {
            secrets,
            variables: self.variables,
            paths: &app.paths,
            programs: &app.machine.programs,
        };
        let assignments = std::mem::take(&mut self.assignments);
        let all: IndexSet<&SecretRef> =
            assignments.iter().map(|assignment| &assignment.reference).collect();
        let (skipped, looked_up): (Vec<&SecretRef>, Vec<_>) = all
            .into_iter()
            .partition(|reference| reference.source == Source::Exec && !allow_commands);
        let values = resolver.values(looked_up.iter().copied());
        let failures: HashMap<&SecretRef, ReferenceError> = skipped
            .iter()
            .filter_map(|reference| Some((*reference, resolver.check(reference).err()?)))
            .collect();
        for assignment in &assignments {
            let reference = &assignment.reference;
            let failure = match values.get(reference) {
                Some(Ok(value)) => assignment.wanted.accept(value).err(),
                Some(Err(error)) => Some(error.clone()),
                None if looked_up.contains(&reference) => Some(ReferenceError::NoText),
                None => failures.get(reference).cloned(),
            };
            if let Some(failure) = failure {
                let at = (assignment.file.as_path(), assignment.path.clone());
                let message = format!("{reference} does not resolve: {failure}");
                self.find_unresolved(at, message, assignment.provider.as_deref());
            }
        }
        Checked { looked_up: looked_up.len(), skipped: skipped.len() }
    }
}
