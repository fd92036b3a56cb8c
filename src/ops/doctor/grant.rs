//! Logins that are held more than once: by two profiles, or by a profile and another
//! program. Refresh tokens are compared by their hashes.

use super::{Code, Finding, note, problem};
use crate::app::App;
use crate::exit::Command;
use crate::external::{self, ExternalError, Tool};
use crate::profile::ProfileId;
use crate::secret::Secret;
use crate::store::{AgentStore, Provenance};
use crate::text::chain;
use std::collections::BTreeMap;

/// What the stores hold.
#[derive(Default)]
struct Held {
    /// The profiles that hold a refresh token, by its hash.
    holders: BTreeMap<String, Vec<String>>,
    /// The profiles that were imported with a refresh token, by the program and its hash,
    /// and hold another one since.
    followed: BTreeMap<(String, String), String>,
}

/// Adds what is held more than once.
pub(super) fn examine(app: &App, stores: &[AgentStore], found: &mut Vec<Finding>) {
    let held = Held::by(stores);
    for tool in Tool::ALL {
        others(app, tool, &held, found);
    }
    for holders in held.holders.into_values().filter(|holders| holders.len() > 1) {
        found.push(problem(
            Code::Shared,
            format!("one login is held {} times: {}", holders.len(), holders.join(", ")),
            "sign in for each of them, or leave one: a refresh by OpenClaw spends the others",
        ));
    }
}

impl Held {
    fn by(stores: &[AgentStore]) -> Self {
        let mut held = Self::default();
        for store in stores {
            let Ok(document) = store.profiles() else { continue };
            for profile in document.profiles() {
                // A copy that stays another program's own is never refreshed here.
                let id = ProfileId::from(profile.id);
                if Tool::managing_stored(&id).is_some() {
                    continue;
                }
                let Some(token) = profile.credential.refresh_token() else { continue };
                let holder = format!("`{id}` in {}", store.location());
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
    let program = tool.program();
    let contents = match external::read_files(tool, &app.environment) {
        Ok(contents) => contents,
        Err(ExternalError::SignedOut { .. } | ExternalError::Elsewhere { .. }) => return,
        Err(error) => {
            let message = chain(&error);
            let next =
                format!("nothing here; sign in to {} again: {}", program.label, program.sign_in);
            found.push(note(Code::External, message, next));
            return;
        }
    };
    let next = || Command::ours("models auth import").arg(&program.name).arg("--move");
    for login in &contents.logins {
        let Some(token) = login.credential.refresh_token().map(Secret::fingerprint) else {
            continue;
        };
        let place = format!("{} of {}", login.path.display(), program.label);
        if let Some(holders) = held.holders.get(&token) {
            found.push(problem(
                Code::Shared,
                format!(
                    "one login is held by {place} and by {}: the first that refreshes it logs \
                     the other out",
                    holders.join(", ")
                ),
                next(),
            ));
        } else if let Some(holder) = held.followed.get(&(program.name.clone(), token)) {
            found.push(problem(
                Code::Shared,
                format!(
                    "the login in {place} was refreshed by {holder} since it was imported: {} \
                         is going to be logged out",
                    program.label
                ),
                next(),
            ));
        }
    }
}
