//! Moving a login to a file, to standard output or to another agent, and taking one that was moved.
//!
//! Steps of a move, under the lease on the grant: the destination is made ready → the move is
//! noted → the login is at the destination → it is removed here. Invariants: there is one owner of
//! a grant. From the note on its refresh token is not posted here; a process that is killed leaves
//! the login at one of the two places, and the next command that needs it ends the move.

mod document;
mod error;
mod receive;
mod settle;
mod share;

pub use error::MoveError;
pub use receive::{ReceiveRequest, Received, receive};
pub use settle::NotRemoved;
pub(crate) use settle::moved_from;
pub(in crate::ops) use settle::{State, may_take, settle};
pub use share::{ShareError, Shared, share};

use super::login_state::unknown;
use super::logout::{held_by, shared_with};
use super::name;
use super::pool::Pool;
use super::refresh::{LeaseError, Waited, store_spooled, wait_for_lease};
use super::selection::{Selected, entry_text};
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::profile::{AgentId, Credential, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::store::{Lease, Move, MovedTo, Store};
use crate::system::new_file;
use document::Carried;
use settle::{held, remove};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// What to move, and where to.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the user calls the profile.
    pub name: String,
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// Where to.
    pub to: MovedTo,
}

/// What was moved. It holds no secret.
#[derive(Debug)]
pub struct Report {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider.
    pub provider: ProviderId,
    /// The agent that had it.
    pub agent_id: AgentId,
    /// Where it is.
    pub to: MovedTo,
}

/// Longer than a refresh takes.
const LEASE_TIMEOUT: Duration = Duration::from_mins(3);

/// A login that can be moved.
struct Ready<'a> {
    app: &'a App,
    config: &'a Config,
    agent: &'a AgentDir,
    store: Store,
    id: ProfileId,
    credential: Credential,
    entry: Secret,
    grant: Secret,
    _lease: Lease,
}

/// Moves a login: `out` is where one goes that moves to standard output.
///
/// # Errors
/// See [`MoveError`].
pub async fn move_login(
    app: &App,
    request: &Request,
    out: &mut dyn Write,
) -> Result<Report, MoveError> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    let ready = prepare(app, &config, &agent, &request.name).await?;
    match &request.to {
        MovedTo::File(path) => ready.to_file(path)?,
        MovedTo::Output => ready.to_output(out)?,
        MovedTo::Agent(id) => ready.to_agent(id)?,
    }
    let Ready { id, credential, grant, store, .. } = &ready;
    let moved = ready.note(&request.to, (true, false));
    let removed = remove(app, &config, store, id, grant);
    removed.map_err(|source| MoveError::NotRemoved { profile_id: id.clone(), source })?;
    moved?;
    ready.note(&request.to, (true, true))?;
    Ok(Report {
        profile_id: id.clone(),
        provider: credential.provider.clone(),
        agent_id: agent.id.clone(),
        to: request.to.clone(),
    })
}

/// Says that a login is ours whose move was interrupted, where nobody can have it: a person says
/// so of standard output and of a file that is gone. A move that brought it elsewhere is ended.
///
/// # Errors
/// [`MoveError::Away`] where it is elsewhere; else see [`MoveError`].
pub async fn take_back(
    app: &App,
    name: &str,
    agent: Option<&AgentId>,
) -> Result<ProfileId, MoveError> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    app.require_private(&config, &agent)?;
    let Ready { id, store, grant, _lease, .. } = leased(app, &config, &agent, name).await?;
    let Some(noted) = app.moves().find(&grant) else { return Ok(id) };
    let state = settle((app, &config), &store, &grant, &noted);
    let elsewhere = settle::moved_from((app, &config), &store, &grant);
    // Nobody has what an agent had that was deleted.
    let is_deleted = elsewhere.is_some_and(|it| it.is_deleted);
    match state {
        State::Ours if settle::holds(&store, &grant)? => Ok(id),
        State::Ours | State::Away if !is_deleted => Err(MoveError::Away { profile_id: id }),
        State::Unknown if matches!(noted.to, MovedTo::Agent(_)) && !is_deleted => {
            Err(MoveError::Interrupted { profile_id: id })
        }
        State::Ours | State::Away | State::Unknown => {
            app.moves().forget(&grant).map_err(MoveError::NotNoted)?;
            Ok(id)
        }
    }
}

/// Finds the login, takes its lease, and checks that it is worth moving.
async fn prepare<'a>(
    app: &'a App,
    config: &'a Config,
    agent: &'a AgentDir,
    name: &str,
) -> Result<Ready<'a>, MoveError> {
    let ready = leased(app, config, agent, name).await?;
    ready.check()?;
    Ok(ready)
}

/// Finds the login and takes its lease.
async fn leased<'a>(
    app: &'a App,
    config: &'a Config,
    agent: &'a AgentDir,
    name: &str,
) -> Result<Ready<'a>, MoveError> {
    let store = app.store(agent);
    store.check_generation()?;
    store_spooled((app, config), &app.spool());
    let id = name::profile(app, &Pool::of_own(app, agent)?, name)?;
    let no_profile = || MoveError::NoProfile { profile_id: id.clone(), location: store.location() };
    let credential = store.profiles()?.credential(id.as_str()).ok_or_else(no_profile)?;
    let selected = Selected::in_store(&store, agent, &id, credential)?;
    let waited =
        wait_for_lease::<LeaseError>(&selected, &app.machine.clock, LEASE_TIMEOUT, |_| Ok(None))
            .await?;
    let Waited::Leased(mut lease) = waited else { return Err(no_profile()) };
    // What a refresh has brought meanwhile is what moves.
    let (document, credential) = loop {
        let document = store.profiles()?;
        let credential = document.credential(id.as_str()).ok_or_else(no_profile)?;
        let Some(grant) = credential.refresh_token() else { break (document, credential) };
        if !store.follow_grant(&mut lease, grant, LEASE_TIMEOUT)? {
            break (document, credential);
        }
    };
    let Some(grant) = held(&credential).cloned() else {
        return Err(MoveError::Empty { profile_id: id });
    };
    let entry = entry_text(&document, &id);
    Ok(Ready { app, config, agent, store, id, credential, entry, grant, _lease: lease })
}

impl Ready<'_> {
    /// Whether it lives, and is nowhere else.
    fn check(&self) -> Result<(), MoveError> {
        let Self { app, config, store, grant, credential, .. } = self;
        let profile_id = self.id.clone();
        if let Some(noted) = app.moves().find(grant) {
            match settle((app, config), store, grant, &noted) {
                State::Ours if settle::holds(store, grant)? => {}
                State::Ours | State::Away => return Err(MoveError::Away { profile_id }),
                State::Unknown => return Err(MoveError::Interrupted { profile_id }),
            }
        }
        if let Some(location) = shared_with(app, config, store, grant) {
            return Err(MoveError::Shared { location });
        }
        if let Some(tool) = held_by(app, credential) {
            return Err(MoveError::HeldBy { tool });
        }
        if credential.refresh_token().is_none() {
            return Ok(());
        }
        let refusal = store.read()?.state()?.refusal_by_any(grant);
        if let Some(code) = refusal {
            let reason = format!("the server has refused it ({code})");
            return Err(MoveError::Over { profile_id, reason });
        }
        if store.is_replaced(grant) || store.has_noted_refusal(grant) {
            let reason = "its refresh token was replaced or refused".to_owned();
            return Err(MoveError::Over { profile_id, reason });
        }
        match unknown(&store.grant_notes().under_lease(grant)) {
            Some(last) => Err(MoveError::Unknown { profile_id, last: last.to_string() }),
            None => Ok(()),
        }
    }

    /// The document that carries it.
    fn document(&self) -> Result<Secret, MoveError> {
        let written = document::write(&self.id, self.entry.expose());
        written.ok_or_else(|| MoveError::Empty { profile_id: self.id.clone() })
    }

    fn carried(&self) -> Carried {
        let (entry, credential) = (self.entry.clone(), self.credential.clone());
        Carried { profile_id: self.id.clone(), entry, credential }
    }

    /// Notes how far the move is: whether the login is there, and removed here.
    fn note(&self, to: &MovedTo, (is_there, is_removed): (bool, bool)) -> Result<(), MoveError> {
        // A key has no owner; nothing is posted of it.
        if is_removed && self.credential.refresh_token().is_none() {
            return self.app.moves().forget(&self.grant).map_err(MoveError::NotNoted);
        }
        let noted = Move {
            profile_id: self.id.clone(),
            agent_id: self.agent.id.clone(),
            to: to.clone(),
            at: self.app.now(),
            is_there,
            is_removed,
        };
        self.app.moves().note(&self.grant, &noted).map_err(MoveError::NotNoted)
    }

    fn forget(&self) {
        let _ = self.app.moves().forget(&self.grant);
    }

    fn to_file(&self, path: &Path) -> Result<(), MoveError> {
        let failed = |source| MoveError::File { path: path.to_owned(), source };
        new_file::check_absent(path).map_err(failed)?;
        // One that a killed move of this login has left is of no use: nothing is noted of it.
        self.remove_stale_part(path);
        new_file::write_part(path, self.document()?.expose().as_bytes()).map_err(failed)?;
        let remove_part = || drop(std::fs::remove_file(new_file::part_of(path)));
        self.note(&MovedTo::File(path.to_owned()), (false, false))
            .inspect_err(|_| remove_part())?;
        new_file::name_part(path).map_err(|source| {
            remove_part();
            self.forget();
            MoveError::File { path: path.to_owned(), source }
        })
    }

    /// Removes the part of a move of this login that was killed before it was noted.
    fn remove_stale_part(&self, path: &Path) {
        let part = new_file::part_of(path);
        if settle::carries(&part, &self.grant) {
            let _ = std::fs::remove_file(part);
        }
    }

    fn to_output(&self, out: &mut dyn Write) -> Result<(), MoveError> {
        let document = self.document()?;
        self.note(&MovedTo::Output, (false, false))?;
        let written = out.write_all(document.expose().as_bytes()).and_then(|()| out.flush());
        written.map_err(|source| {
            // Without its end it is no login for whoever reads it.
            self.forget();
            MoveError::Output(source)
        })
    }

    fn to_agent(&self, id: &AgentId) -> Result<(), MoveError> {
        let agent = self.app.agent(self.config, Some(id))?;
        let store = self.app.store(&agent);
        if agent.id == self.agent.id || store.is_same(&self.store) {
            return Err(MoveError::SameAgent(agent.id));
        }
        self.app.require_private(self.config, &agent)?;
        store.check_generation()?;
        store.check_writable()?;
        self.note(&MovedTo::Agent(agent.id.clone()), (false, false))?;
        let Carried { profile_id, entry, credential } = self.carried().named_for(&store);
        let stored = receive::store(self.app, &store, (&profile_id, &entry, &credential));
        stored.map(|_| ()).inspect_err(|_| {
            if settle::holds(&store, &self.grant).is_ok_and(|is_there| !is_there) {
                self.forget();
            }
        })
    }
}
