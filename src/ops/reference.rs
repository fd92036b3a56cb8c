//! The value of a profile that stands behind a secret reference, and the profiles that
//! must not have one.

use super::selection::Selected;
use crate::app::App;
use crate::config::Config;
use crate::profile::secret_ref::{Defaults, SecretRef};
use crate::profile::{Credential, CredentialKind, Kind, Millis, ProfileId};
use crate::reference::{
    InvalidSecrets, Misplaced, ReferenceError, Resolver, Secrets, Stored, misplaced, stored,
};
use crate::secret::Secret;
use crate::store::Location;
use crate::text::printable;

/// Why the value of a profile cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// The profile has a reference where none may be.
    #[error("the profile `{}` cannot be used: {reason}", profile_id)]
    Misplaced {
        /// The profile.
        profile_id: ProfileId,
        /// Why none may be there.
        reason: String,
        /// The document that holds the profile.
        location: Location,
    },
    /// What stands in the place of a reference is none.
    #[error("the field `{field}` of the profile `{}` is not a secret reference", profile_id)]
    NoReference {
        /// The profile.
        profile_id: ProfileId,
        /// Its field.
        field: &'static str,
        /// The document that holds the profile.
        location: Location,
    },
    /// The `secrets` section cannot be used.
    #[error(transparent)]
    Secrets(#[from] InvalidSecrets),
    /// The reference does not resolve.
    #[error(
        "could not resolve the reference {} of the profile `{}`",
        printable(&reference.to_string(), 300), profile_id
    )]
    Unresolved {
        /// The profile.
        profile_id: ProfileId,
        /// Its reference.
        reference: Box<SecretRef>,
        /// The reason.
        source: ReferenceError,
    },
}

/// The value of the selected profile, where it stands behind a reference; `None` where
/// the profile holds it itself.
pub(crate) fn value(
    app: &App,
    config: &Config,
    selected: &Selected,
) -> Result<Option<Secret>, ValueError> {
    let Selected { id, credential, entry, .. } = selected;
    let profile_id = id.to_owned();
    let location = || selected.store.location();
    if let Some(reason) = problem_of(config, id, credential.kind(), entry.expose()) {
        return Err(ValueError::Misplaced { profile_id, reason, location: location() });
    }
    if !credential.is_reference()
        || credential.bearer().is_some()
        || is_expired(credential, app.now())
    {
        return Ok(None);
    }
    let secrets = Secrets::of(config, &app.paths.config)?;
    let entry = serde_json::from_str(entry.expose()).unwrap_or_default();
    let reference = match stored(&entry, credential.kind(), &secrets.defaults) {
        Stored::Here => return Ok(None),
        Stored::Behind(reference) => reference,
        Stored::Unreadable(field) => {
            return Err(ValueError::NoReference { profile_id, field, location: location() });
        }
    };
    let variables = config.variables(&app.environment, &app.paths);
    let resolver = Resolver {
        secrets: &secrets,
        variables: &variables,
        paths: &app.paths,
        programs: &app.machine.programs,
    };
    match resolver.secret(&reference) {
        Ok(secret) => Ok(Some(secret)),
        Err(source) => {
            let reference = Box::new(reference);
            Err(ValueError::Unresolved { profile_id, reference, source })
        }
    }
}

/// A token that is over, or whose expiry is no time, is not worth resolving.
fn is_expired(credential: &Credential, now: Millis) -> bool {
    match &credential.kind {
        CredentialKind::Token { expires: Some(expires), .. } => {
            expires.is_err() || expires.is_ok_and(|at| at <= now)
        }
        _ => false,
    }
}

/// Why a profile with this entry cannot be used: a reference where none may be.
pub(crate) fn problem_of(
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
pub(crate) fn explain(misplaced: &Misplaced, kind: Kind) -> String {
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
