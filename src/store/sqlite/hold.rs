//! The right to change the rows: transactions in which nobody else writes.
//!
//! Invariant: it lasts as long as a change of texts takes, and never a request. First the
//! coordinators, then the shared database, then that of the agent. Processes of ours take
//! turns before that: OpenClaw meets one of them at a time.

use super::connection::{self, write_failed};
use super::coordinator;
use super::extras;
use super::gateway;
use super::held::Held;
use super::look::{Layout, Look, Own, Shared};
use super::place::Sqlite;
use super::rows::Owner;
use crate::store::files::generation::check_no_conversion;
use crate::store::{ReadOnly, StoreError};
use crate::system::lock::Holder;
use crate::system::lock::foreign::{self, ForeignLock, Protocol};
use crate::system::{file, now};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Sqlite {
    /// Why nothing may be written here, if so.
    pub(super) fn refusal(&self, look: &Look) -> Option<StoreError> {
        if !self.converts
            && let Err(moving) = check_no_conversion(&self.files.state_dir)
        {
            return Some(moving);
        }
        let of_shared = look.shared.as_ref().and_then(Shared::refusal);
        let is_told = look.layout == Layout::Agents || look.is_unknown();
        if let Some(reason) = of_shared.filter(|_| !is_told) {
            return Some(self.read_only(reason));
        }
        match look.layout {
            Layout::Agents => Some(self.read_only(ReadOnly::AgentLayout)),
            Layout::Nothing if look.is_unknown() => Some(self.blocked()),
            Layout::Nothing if self.has_files() && !self.converts => Some(self.blocked()),
            _ if self.is_shared() => None,
            _ => match &look.own {
                Some(own) => own.refusal().map(|reason| self.read_only(reason)),
                None => Some(self.no_database()),
            },
        }
    }

    /// Whether an earlier OpenClaw's document is there, which no later one has taken over.
    pub(super) fn has_files(&self) -> bool {
        use crate::store::engine::Engine;
        self.files.has_document()
    }

    /// The document of an earlier OpenClaw is not to be written any more.
    pub(super) fn blocked(&self) -> StoreError {
        use crate::store::engine::Engine;
        let databases = [&self.shared, &self.own];
        let present = databases.into_iter().find(|it| it.symlink_metadata().is_ok());
        StoreError::NewerGeneration {
            database: present.unwrap_or(&self.shared).as_path().into(),
            location: self.files.location(),
        }
    }

    /// Begins transactions in the databases that a change may be about, after `wait` in all at
    /// most.
    pub(super) fn hold(&self, wait: Duration) -> Result<Held, StoreError> {
        let look = self.look()?;
        if let Some(refusal) = self.refusal(&look) {
            return Err(refusal);
        }
        connection::check_owner(&self.shared)?;
        let began = Instant::now();
        let left = || wait.saturating_sub(began.elapsed());
        let turn = self.turn(wait)?;
        let coordinators = coordinator::take(&self.shared, left())?;
        let shared =
            self.is_shared().then(|| connection::begin(&self.shared, left())).transpose()?;
        let is_writable = look.own.as_ref().is_some_and(|own| own.refusal().is_none());
        if is_writable && self.has_repair(shared.as_ref())? {
            return Err(StoreError::Maintenance { location: self.own.as_path().into() });
        }
        let own = is_writable.then(|| connection::begin(&self.own, left())).transpose()?;
        Ok(Held { shared, own, _coordinators: coordinators, _turn: turn })
    }
}

impl Sqlite {
    /// Whether OpenClaw repairs the databases of the agents, as the shared one says.
    fn has_repair(&self, shared: Option<&Connection>) -> Result<bool, StoreError> {
        let ask = |connection: &Connection| gateway::has_repair(connection, now());
        match shared {
            Some(held) => ask(held).map_err(|error| failed(&self.shared, &error)),
            None => Ok(connection::read(&self.shared, ask)?.unwrap_or_default()),
        }
    }

    /// Waits for the processes of ours that write to the same databases.
    fn turn(&self, wait: Duration) -> Result<ForeignLock, StoreError> {
        let directory = extras::directory(&self.files.state_dir);
        let path = directory.join("writing");
        let failed =
            |source| StoreError::Lock { location: path.as_path().into(), source: Arc::new(source) };
        file::create_private_directory(&directory).map_err(failed)?;
        let taken = foreign::wait(&path, Protocol::Flock, wait).map_err(failed)?;
        taken.ok_or_else(|| StoreError::LockTimeout {
            location: self.database().into(),
            waited: wait,
            holder: Holder::default(),
        })
    }
}

impl Held {
    /// What the databases say inside the transactions; `None` where those have ended.
    pub(super) fn look(&self, sqlite: &Sqlite) -> Result<Option<Look>, StoreError> {
        let connections = [&self.shared, &self.own];
        if connections.into_iter().flatten().any(Connection::is_autocommit) {
            return Ok(None);
        }
        let shared = match &self.shared {
            Some(held) => Some(Shared::ask(held).map_err(|e| failed(&sqlite.shared, &e))?),
            None => connection::read(&sqlite.shared, Shared::ask)?,
        };
        let own = match &self.own {
            Some(held) => Some(Own::ask(held).map_err(|e| failed(&sqlite.own, &e))?),
            None => sqlite.look_at_own(shared.as_ref())?,
        };
        let look = sqlite.look_of(shared, own)?;
        match sqlite.refusal(&look) {
            Some(refusal) => Err(refusal),
            None => Ok(Some(look)),
        }
    }

    /// Whether the rows of `owner` can be written.
    pub(super) const fn has(&self, owner: Owner) -> bool {
        match owner {
            Owner::All => self.shared.is_some(),
            Owner::Agent => self.own.is_some(),
        }
    }

    /// Makes what was written last.
    pub(super) fn commit(&self, sqlite: &Sqlite) -> Result<(), StoreError> {
        for (held, path) in [(&self.shared, &sqlite.shared), (&self.own, &sqlite.own)] {
            if let Some(held) = held {
                held.execute_batch("COMMIT").map_err(|error| failed(path, &error))?;
            }
        }
        Ok(())
    }
}

fn failed(path: &std::path::Path, error: &rusqlite::Error) -> StoreError {
    write_failed(path, error, Duration::ZERO)
}
