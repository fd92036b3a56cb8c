//! The value of a profile that stands behind a secret reference, and the profiles that
//! must not have one.

use super::selection::Selected;
use crate::app::App;
use crate::config::{Config, Variables};
use crate::exit::{ExitStatus, Failure};
use crate::profile::secret_ref::Defaults;
use crate::profile::{Credential, CredentialKind, Kind, ProfileId};
use crate::reference::{Misplaced, Resolver, Secrets, Stored, misplaced, stored};
use crate::secret::Secret;
use crate::system::now;
use crate::text::printable;

/// The value of the selected profile, where it stands behind a reference; `None` where
/// the profile holds it itself.
pub(super) fn value(
    app: &App,
    config: &Config,
    selected: &Selected,
) -> Result<Option<Secret>, Failure> {
    let Selected { id, credential, entry, .. } = selected;
    if let Some(problem) = problem_of(config, id, credential.kind(), entry.expose()) {
        return Err(Failure::message(
            ExitStatus::Failure,
            format!("the profile `{id}` cannot be used: {problem}"),
        )
        .hint(format!(
            "sign in again, or make it a profile of type `token` or `api_key`, in {}",
            selected.store.profiles_path().display()
        )));
    }
    if !credential.is_reference() || credential.bearer().is_some() || is_expired(credential) {
        return Ok(None);
    }
    let secrets = Secrets::of(config, &app.paths.config)?;
    let entry = serde_json::from_str(entry.expose()).unwrap_or_default();
    let reference = match stored(&entry, credential.kind(), &secrets.defaults) {
        Stored::Here => return Ok(None),
        Stored::Behind(reference) => reference,
        Stored::Unreadable(field) => {
            return Err(Failure::message(
                ExitStatus::Failure,
                format!("the field `{field}` of the profile `{id}` is not a secret reference"),
            )
            .hint(format!(
                "write it as {{\"source\", \"provider\", \"id\"}} in {}",
                selected.store.profiles_path().display()
            )));
        }
    };
    let variables = Variables::of(&app.environment, &app.paths, config);
    let resolver = Resolver { secrets: &secrets, variables: &variables, paths: &app.paths };
    resolver.secret(&reference).map(Some).map_err(|error| {
        let hint = error.hint(&reference);
        let shown = printable(&reference.to_string(), 300);
        Failure::new(error.status(), error)
            .context(format!("could not resolve the reference {shown} of the profile `{id}`"))
            .hint(hint)
    })
}

/// A token that is over, or whose expiry is no time, is not worth resolving.
fn is_expired(credential: &Credential) -> bool {
    match &credential.kind {
        CredentialKind::Token { expires: Some(expires), .. } => {
            expires.is_err() || expires.is_ok_and(|at| at <= now())
        }
        _ => false,
    }
}

/// Why a profile with this entry cannot be used: a reference where none may be.
pub(super) fn problem_of(
    config: &Config,
    id: &ProfileId,
    kind: Kind,
    entry: &str,
) -> Option<String> {
    // Only whether there is a reference matters here, not which provider it means.
    let found = misplaced(entry, kind, config.auth_mode(id), &Defaults::default());
    Some(explain(found.first()?, kind))
}

/// Why a misplaced reference is one.
pub(super) fn explain(misplaced: &Misplaced, kind: Kind) -> String {
    let Misplaced { field, by_mode } = misplaced;
    if *by_mode {
        return format!(
            "its `{field}` is a secret reference, but `auth.profiles` gives it the mode `oauth` \
             and not `{}`",
            kind.name()
        );
    }
    format!(
        "its `{field}` is a secret reference, but an OAuth profile has to hold its tokens itself \
         to refresh them"
    )
}
