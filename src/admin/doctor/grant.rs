//! Logins that are held more than once: by two profiles, or by a profile and another
//! program. Refresh tokens are compared by their hashes.

use super::{Code, Finding, ProfileAt, What};
use crate::app::App;
use crate::external::{self, ExternalError, Tool};
use crate::profile::ProfileId;
use crate::secret::Secret;
use crate::store::{Provenance, Store};
use std::collections::BTreeMap;

/// What the stores hold.
#[derive(Default)]
struct Held {
    /// The profiles that hold a refresh token, by its hash.
    holders: BTreeMap<String, Vec<ProfileAt>>,
    /// The profiles that were imported with a refresh token, by the program and its hash,
    /// and hold another one since.
    followed: BTreeMap<(String, String), ProfileAt>,
}

/// Adds what is held more than once.
pub(super) fn examine(app: &App, stores: &[Store], found: &mut Vec<Finding>) {
    let held = Held::by(stores);
    for tool in Tool::ALL {
        others(app, tool, &held, found);
    }
    for holders in held.holders.into_values().filter(|holders| holders.len() > 1) {
        found.push(Finding::problem(Code::Shared, What::HeldTwice(holders)));
    }
}

impl Held {
    fn by(stores: &[Store]) -> Self {
        let mut held = Self::default();
        for store in stores {
            let Ok(document) = store.profiles() else { continue };
            for profile in document.profiles() {
                // A copy that stays another program's own is never refreshed here.
                let profile_id = ProfileId::from(profile.id);
                if Tool::managing_stored(&profile_id).is_some() {
                    continue;
                }
                let Some(token) = profile.credential.refresh_token() else { continue };
                let holder = ProfileAt { profile_id, location: store.location() };
                let now = token.fingerprint();
                let provenance = document.entry(profile.id).and_then(Provenance::of);
                if let Some(Provenance { tool, grant: Some(grant), .. }) = provenance
                    && grant != now
                {
                    held.followed.insert((tool, grant), holder.clone());
                }
                held.holders.entry(now).or_default().push(holder);
            }
        }
        held
    }
}

/// Adds the logins of another program that a store holds as well, or has spent.
fn others(app: &App, tool: Tool, held: &Held, found: &mut Vec<Finding>) {
    let contents = match external::read_files(tool, &app.environment) {
        Ok(contents) => contents,
        Err(ExternalError::SignedOut { .. } | ExternalError::Elsewhere { .. }) => return,
        Err(error) => {
            let what = What::UnreadableProgram { tool, error };
            return found.push(Finding::note(Code::External, what));
        }
    };
    for login in contents.logins {
        let Some(token) = login.credential.refresh_token().map(Secret::fingerprint) else {
            continue;
        };
        let path = login.path;
        let what = if let Some(holders) = held.holders.get(&token) {
            What::HeldByProgram { tool, path, holders: holders.clone() }
        } else if let Some(holder) = held.followed.get(&(tool.program().name.clone(), token)) {
            What::SpentInProgram { tool, path, holder: holder.clone() }
        } else {
            continue;
        };
        found.push(Finding::problem(Code::Shared, what));
    }
}
