//! Taking over the login of another program, or a copy of it.
//!
//! Invariant: a login that moves is in our store, durably, before the other program is
//! logged out, and that one is logged out only of what was stored. However many logins a
//! file holds, the store is changed once.

mod choice;
mod error;
mod found;
mod known;
mod place;
mod request;

pub use error::{ImportError, Unfit};
pub use found::{Found, found};
pub use request::{Mode, Outcome, Report, Request, Row};

use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::external::{self, LoggedOut, Login, Tool};
use crate::ops::login::stored_as;
use crate::ops::record::{Commit, Recorded, Wait, record, set_entry};
use crate::provider::Catalog;
use crate::store::{Document, Done, Store};
use crate::system::permissions::Exposure;
use choice::{check_wanted_id, choose, complete};
use known::Known;
use place::{Placed, Placement, place};
use std::path::PathBuf;

/// An import that can be carried out.
#[derive(Debug)]
pub struct Ready {
    request: Request,
    config: Config,
    catalog: Catalog,
    agent: AgentDir,
    store: Store,
    logins: Vec<Login>,
    /// Entries that cannot be imported, each with the reason.
    skipped: Vec<(String, Unfit)>,
    /// What others can read or change of the other program's.
    pub exposures: Vec<Exposure>,
}

/// Reads what the other program has, and checks everything that can be checked.
///
/// # Errors
/// There is no login, it cannot be read, or the store cannot be used.
pub fn prepare(app: &App, request: Request) -> Result<Ready, ImportError> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    let store = app.store(&agent);
    store.check_generation()?;
    store.check_writable()?;
    let catalog = app.catalog()?;
    let mut contents = external::read(request.tool, &app.environment)?;
    choose(&request, &mut contents)?;
    for login in &mut contents.logins {
        complete(&catalog, login);
        login.credential.provider = stored_as(&store, &login.credential.provider);
    }
    check_wanted_id(&store, &request, &contents.logins)?;
    Ok(Ready {
        request,
        config,
        catalog,
        agent,
        store,
        logins: contents.logins,
        skipped: skipped(contents.skipped),
        exposures: contents.exposures,
    })
}

fn skipped(of: Vec<(String, external::Unfit)>) -> Vec<(String, Unfit)> {
    of.into_iter().map(|(entry, reason)| (entry, reason.into())).collect()
}

/// How often a program may change its file while it is imported.
const ATTEMPTS: usize = 3;

impl Ready {
    /// Whether two owners would log each other out, so that somebody has to say which it
    /// should be.
    pub fn needs_decision(&self) -> bool {
        self.logins.iter().any(Login::is_exclusive)
    }

    /// The program.
    pub const fn tool(&self) -> Tool {
        self.request.tool
    }

    /// Stores the logins and, for [`Mode::Move`], logs the other program out.
    ///
    /// # Errors
    /// The store cannot be written, and nothing has changed; or the other program could not
    /// be logged out of what is stored.
    pub fn run(mut self, app: &App, mode: Mode) -> Result<Report, ImportError> {
        let tool = self.request.tool;
        for _ in 0..ATTEMPTS {
            if mode == Mode::Move {
                external::check_in_files(tool, &app.environment, &self.logins)?;
            }
            let (rows, config_changed) = self.store_all(app, mode)?;
            let mut report = self.report(rows, config_changed, mode);
            if mode == Mode::Copy {
                return Ok(report);
            }
            let is_stored =
                |login: &&Login| report.rows.iter().any(|row: &Row| row.entry == login.entry);
            let moved: Vec<&Login> = self.logins.iter().filter(is_stored).collect();
            match external::log_out(tool, &app.environment, &moved) {
                Ok(LoggedOut::Done(backups)) => {
                    report.logged_out = true;
                    report.backups = backups;
                    return Ok(report);
                }
                // What it has now is newer than what was stored.
                Ok(LoggedOut::Changed(path)) => {
                    self = prepare(app, self.request)
                        .map_err(|error| ImportError::Changed { path, source: Box::new(error) })?;
                }
                Err(error) => {
                    let stored = report.rows.into_iter().map(|row| row.profile_id).collect();
                    return Err(ImportError::StillSignedIn { tool, stored, source: error });
                }
            }
        }
        Err(ImportError::KeepsChanging { tool })
    }

    /// Stores the logins under the profiles of their accounts, and records them in the
    /// configuration; with whether that has changed.
    fn store_all(&mut self, app: &App, mode: Mode) -> Result<(Vec<Row>, bool), ImportError> {
        let others = known::held_elsewhere(app, &self.config, &self.store);
        let state = self.store.read()?.into_documents()?.1;
        let at = app.now();
        let commit = |document: &mut Document| {
            let mut known = Known::of(document, &self.catalog);
            let mut all = Vec::new();
            let mut is_changed = false;
            for login in &self.logins {
                let wanted = self.request.profile_id.as_ref();
                let placed = place(login, self.request.tool, wanted, &mut known, &others, &state);
                if matches!(placed.placement, Placement::Stored { .. }) {
                    let make =
                        |present: Option<&str>| place::entry(login, self.request.tool, present, at);
                    set_entry(document, &placed.profile_id, make)?;
                    is_changed = true;
                }
                all.push(placed);
            }
            if mode == Mode::Move {
                is_changed |= self.drop_managed_copy(document);
            }
            let profiles = self.recorded(&all);
            Ok(Commit { is_changed, profiles, result: all })
        };
        let recorded = record(app, &self.store, Wait::Usual, commit);
        app.notices.tell_gateway(Done::Update);
        let (placed, config_changed) = recorded.map_err(|error| {
            error.into_error(|_, error| ImportError::NotRecorded(Box::new(error)))
        })?;
        let rows = self.rows(placed);
        if rows.is_empty() {
            let reason = self.skipped.first().map(|(_, reason)| *reason);
            return Err(ImportError::NothingImported { tool: self.request.tool, reason });
        }
        Ok((rows, config_changed))
    }

    /// The profiles of this agent that the logins are in. What a profile held already does
    /// not go first.
    fn recorded(&self, placed: &[Placed]) -> Vec<Recorded> {
        let is_own = |placed: &Placed| {
            placed.placement != Placement::Refused
                && placed.agent_id.as_ref().is_none_or(|agent| *agent == self.agent.id)
        };
        let of_logins = self.logins.iter().zip(placed).filter(|(_, placed)| is_own(placed));
        of_logins
            .map(|(login, placed)| Recorded {
                id: placed.profile_id.clone(),
                provider: login.credential.provider.clone(),
                kind: login.credential.kind(),
                goes_first: matches!(placed.placement, Placement::Stored { .. }),
            })
            .collect()
    }

    /// Removes the copy of a login that moves from the profile that stays the program's
    /// own; whether there was one.
    fn drop_managed_copy(&self, document: &mut Document) -> bool {
        let Some(managed) = self.request.tool.managed() else { return false };
        let Some(copy) = document.credential(managed.profile.as_str()) else { return false };
        let is_copy = |login: &Login| {
            let tokens = copy.refresh_token().zip(login.credential.refresh_token());
            tokens.is_some_and(|(copy, moved)| copy.matches(moved))
        };
        !managed.automatic
            && self.logins.iter().any(is_copy)
            && document.remove_entry(managed.profile.as_str())
    }

    /// What became of the logins; those that were refused join the skipped ones.
    fn rows(&mut self, placed: Vec<Placed>) -> Vec<Row> {
        let mut rows = Vec::new();
        for (login, placed) in self.logins.iter().zip(placed) {
            let outcome = match placed.placement {
                Placement::Refused => {
                    self.skipped.push((login.entry.clone(), Unfit::Refused));
                    continue;
                }
                Placement::Stored { is_new: true } => Outcome::Imported,
                Placement::Stored { is_new: false } => Outcome::Updated,
                Placement::Held => Outcome::Unchanged,
            };
            rows.push(Row {
                entry: login.entry.clone(),
                agent_id: placed.agent_id.unwrap_or_else(|| self.agent.id.clone()),
                profile_id: placed.profile_id,
                provider: login.credential.provider.clone(),
                kind: login.credential.kind(),
                identity: login.credential.identity.clone(),
                expires: login.credential.expires(),
                outcome,
                taken_id: placed.taken_id,
            });
        }
        rows
    }

    fn report(&self, rows: Vec<Row>, config_changed: bool, mode: Mode) -> Report {
        let mut paths: Vec<PathBuf> = self.logins.iter().map(|login| login.path.clone()).collect();
        paths.dedup();
        Report {
            tool: self.request.tool,
            paths,
            agent_id: self.agent.id.clone(),
            location: self.store.location(),
            is_shared: mode == Mode::Copy && self.needs_decision(),
            skipped: self.skipped.clone(),
            logged_out: false,
            backups: Vec::new(),
            rows,
            config_changed,
        }
    }
}
