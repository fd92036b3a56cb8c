//! Moving the logins of a state directory between JSON documents and SQLite databases.
//!
//! | step | killed after it |
//! |---|---|
//! | the originals are sealed | nothing has changed |
//! | the note is written | the move is finished by the next run, and writes wait for that |
//! | the logins are taken out of their source | they are sealed, and on neither side |
//! | they are stored at the destination, and read back | they are there |
//! | the configuration, then the note | nothing is left to do |
//!
//! Invariant: a refresh token is never on both sides, and always on one of them or sealed.
//! Nothing that the destination has is replaced.

mod converted;
mod direction;
mod documents;
mod error;
mod movement;
mod note;
mod rows;

pub use converted::{AgentMove, Converted};
pub use error::ConversionError;
pub use movement::{MovedProfile, Outcome};

use super::files::Files;
use super::files::generation::{charge_path, check_no_conversion, own_directory};
use super::sqlite::Sqlite;
use super::{Document, LeaseAttempt, LeaseKey, Store, StoreError, StoreFormat};
use crate::profile::{Millis, ProviderId};
use crate::system::file;
use crate::system::lock::foreign::{self, ForeignLock, Protocol};
use crate::system::lock::{Holder, try_for};
use direction::{AgentStores, Contents, Direction, WAIT, invalid};
use movement::Movement;
use note::{Note, write_failed};
use std::path::Path;
use std::sync::Arc;

/// A move of all logins of a state directory.
pub struct Conversion<'c> {
    /// The state directory.
    pub state_dir: &'c Path,
    /// The stores of all agents, that of `main` first.
    pub stores: &'c [Store],
    /// Where the logins move to.
    pub to: StoreFormat,
    /// The time, in milliseconds since the epoch.
    pub now: Millis,
    /// The provider that a login has in a format, where it is another one.
    pub rename: &'c dyn Fn(StoreFormat, &ProviderId) -> Option<ProviderId>,
}

fn direction(to: StoreFormat) -> &'static dyn Direction {
    match to {
        StoreFormat::Sqlite => &rows::ToRows,
        StoreFormat::Json => &documents::ToDocuments,
    }
}

/// Fails where another user owns the place of an agent's logins.
fn check_owner(movers: &[AgentStores<'_>]) -> Result<(), StoreError> {
    movers.iter().try_for_each(|it| it.sqlite.check_owner())
}

impl Conversion<'_> {
    fn movers(&self) -> Vec<AgentStores<'_>> {
        let mover = |store: &'_ Store| {
            let files = Files { backup_policy: None, ..store.engine.files.clone() };
            let sqlite = Sqlite::for_conversion(store.agent_id().clone(), files.clone());
            (files, sqlite)
        };
        let stores = self.stores.iter();
        stores
            .map(|store| {
                let (files, sqlite) = mover(store);
                AgentStores { agent: store.agent_id(), files, sqlite }
            })
            .collect()
    }

    /// What the move would do. Nothing is changed.
    ///
    /// # Errors
    /// Why it would not be done.
    pub fn plan(&self) -> Result<Converted, ConversionError> {
        check_no_conversion(self.state_dir)?;
        let movers = self.movers();
        check_owner(&movers)?;
        let packed = self.pack_all(&movers)?;
        let agents = self.moves_of(&movers, &packed);
        Ok(self.moves(agents, None, None))
    }

    /// Moves the logins, or finishes a move that was interrupted. The configuration is not
    /// changed: [`Converted::finish`] says that it is.
    ///
    /// # Errors
    /// Why it is not done; what has begun is finished by the next run.
    pub fn run(&self) -> Result<Converted, ConversionError> {
        // A lock of another user's would keep the owner out.
        check_owner(&self.movers())?;
        let turn = self.turn()?;
        if let Some(note) = Note::read(self.state_dir)? {
            return self.finish_or_say(note, true, turn);
        }
        let movers = self.movers();
        let packed = self.pack_all(&movers)?;
        if !self.has_to_move(&packed) {
            return Ok(self.moves(Vec::new(), None, Some(turn)));
        }
        let _leases = self.leases(&movers, &packed)?;
        // Nobody refreshes any more: what is read now is what moves.
        let packed = self.pack_all(&movers)?;
        let mut note = Note::new(self.to, self.state_dir, self.now);
        for (mover, contents) in movers.iter().zip(&packed) {
            if !contents.is_empty() || mover.agent.is_main() {
                let Contents { originals, movement, .. } = contents;
                note.seal(self.state_dir, mover.agent, originals, movement)?;
            }
        }
        note.write(self.state_dir)?;
        self.finish_or_say(note, false, turn)
    }

    /// Whether something is to be moved, or the others are in charge.
    fn has_to_move(&self, packed: &[Contents]) -> bool {
        let has_databases = self.stores.iter().any(|store| Sqlite::is_there(&store.engine.files));
        !packed.iter().all(Contents::is_empty) || has_databases != (self.to == StoreFormat::Sqlite)
    }

    fn moves(
        &self,
        agents: Vec<AgentMove>,
        note: Option<(Note, bool)>,
        turn: Option<ForeignLock>,
    ) -> Converted {
        let (note, is_resumed) = note.map_or((None, false), |(note, it)| (Some(note), it));
        let agents = agents.into_iter().filter(|it| !it.profiles.is_empty()).collect();
        Converted {
            to: self.to,
            agents,
            sealed_in: note.as_ref().map(|it| it.sealed_in(self.state_dir).into()),
            is_resumed,
            note,
            state_dir: self.state_dir.to_owned(),
            turn,
        }
    }

    fn moves_of(&self, movers: &[AgentStores<'_>], packed: &[Contents]) -> Vec<AgentMove> {
        let of = |(mover, contents): (&AgentStores<'_>, &Contents)| {
            let (from, to) = direction(self.to).locations(mover);
            let profiles = contents.movement.profiles.clone();
            AgentMove { agent_id: mover.agent.clone(), from, to, profiles }
        };
        let some = movers.iter().zip(packed).filter(|(_, it)| !it.is_empty());
        some.map(of).collect()
    }

    /// One move at a time.
    fn turn(&self) -> Result<ForeignLock, StoreError> {
        let path = own_directory(self.state_dir).join("converting");
        let failed =
            |source| StoreError::Lock { location: path.as_path().into(), source: Arc::new(source) };
        file::create_private_directory(&own_directory(self.state_dir)).map_err(failed)?;
        let taken = foreign::wait(&path, Protocol::Flock, WAIT).map_err(failed)?;
        taken.ok_or_else(|| StoreError::LockTimeout {
            location: path.as_path().into(),
            waited: WAIT,
            holder: Holder::default(),
        })
    }

    fn pack(
        &self,
        mover: &AgentStores<'_>,
        main: Option<&Document>,
    ) -> Result<Contents, ConversionError> {
        direction(self.to).pack(mover, main, &|provider| (self.rename)(self.to, provider))
    }

    fn pack_all(&self, movers: &[AgentStores<'_>]) -> Result<Vec<Contents>, ConversionError> {
        let mut packed: Vec<Contents> = Vec::new();
        let mut main = None;
        for mover in movers {
            let behind = main.as_ref().filter(|_| !mover.agent.is_main());
            let contents = self.pack(mover, behind)?;
            if mover.agent.is_main() {
                main = Some(self.after(mover, &contents)?);
            }
            packed.push(contents);
        }
        if self.has_to_move(&packed) {
            for (mover, contents) in movers.iter().zip(&packed) {
                self.check(mover, contents)?;
            }
        }
        Ok(packed)
    }

    /// What the destination has of an agent when the move is done.
    fn after(
        &self,
        mover: &AgentStores<'_>,
        contents: &Contents,
    ) -> Result<Document, ConversionError> {
        let mut document = direction(self.to).stored(mover)?;
        for (id, _) in contents.movement.document.entries() {
            document.copy_entry(&contents.movement.document, id);
        }
        let text = document.to_text().map_err(|it| invalid(mover, &it))?;
        Ok(Document::parse(text).map_err(|it| invalid(mover, &it))?)
    }

    fn check(&self, mover: &AgentStores<'_>, contents: &Contents) -> Result<(), ConversionError> {
        for document in [&contents.document, &mover.sqlite.rows()?.document] {
            for (id, _) in document.entries() {
                let Some(fence) = document.fence(id) else { continue };
                let provider = document.summaries().find(|it| it.id == id);
                let provider = provider.map(|it| it.provider.into_owned()).unwrap_or_default();
                return Err(ConversionError::Fenced {
                    profile_id: id.into(),
                    provider: provider.into(),
                    agent_id: mover.agent.clone(),
                    fence,
                });
            }
        }
        if contents.movement.stores_anything() || mover.agent.is_main() {
            direction(self.to).check(mover)?;
        }
        Ok(())
    }

    /// The leases on all logins that move: nobody refreshes one meanwhile.
    fn leases(
        &self,
        movers: &[AgentStores<'_>],
        packed: &[Contents],
    ) -> Result<Vec<super::Lease>, StoreError> {
        let mut leases = Vec::new();
        let mut seen = Vec::new();
        for (mover, contents) in movers.iter().zip(packed) {
            for profile in contents.document.profiles() {
                let Some(grant) = profile.credential.refresh_token() else { continue };
                // A grant that several profiles hold has one lease.
                if seen.contains(&grant.fingerprint()) {
                    continue;
                }
                seen.push(grant.fingerprint());
                let (provider, id) = (&profile.credential.provider, profile.id.into());
                let key = LeaseKey { provider, profile_id: &id, grant: Some(grant) };
                leases.push(self.lease(mover, &key)?);
            }
        }
        Ok(leases)
    }

    fn lease(
        &self,
        mover: &AgentStores<'_>,
        key: &LeaseKey<'_>,
    ) -> Result<super::Lease, StoreError> {
        let attempt = || {
            Ok::<_, StoreError>(match direction(self.to).lease(mover, key)? {
                LeaseAttempt::Acquired(lease) => Ok(lease),
                LeaseAttempt::Held(holder) => Err(holder),
            })
        };
        try_for(WAIT, attempt)?.map_err(|holder| mover.sqlite.timed_out(WAIT, holder))
    }

    /// As [`Self::finish`]; an error says that the logins are between both sides.
    fn finish_or_say(
        &self,
        note: Note,
        is_resumed: bool,
        turn: ForeignLock,
    ) -> Result<Converted, ConversionError> {
        let to = note.to;
        self.finish(note, is_resumed, turn)
            .map_err(|error| ConversionError::Unfinished { to, source: Box::new(error) })
    }

    /// Does what the note says, as far as it is not done.
    fn finish(
        &self,
        mut note: Note,
        is_resumed: bool,
        turn: ForeignLock,
    ) -> Result<Converted, ConversionError> {
        let conversion = Conversion { to: note.to, ..*self };
        let movers = conversion.movers();
        let mut agents = Vec::new();
        for mover in &movers {
            conversion.empty(&mut note, mover)?;
        }
        let movers: Vec<_> = movers
            .iter()
            .filter(|it| note.agents.iter().any(|noted| noted.agent == it.agent.as_str()))
            .collect();
        conversion.change_charge(&movers)?;
        for mover in movers {
            if note.of(mover.agent).is_some_and(|it| !it.stored) {
                let profiles = conversion.store(&note, mover, is_resumed)?;
                note.set_stored(mover.agent, &profiles);
                note.write(self.state_dir)?;
            }
            let (from, to) = direction(note.to).locations(mover);
            let profiles = note.of(mover.agent).map(|it| it.profiles.clone());
            let profiles = profiles.unwrap_or_default();
            agents.push(AgentMove { agent_id: mover.agent.clone(), from, to, profiles });
        }
        Ok(conversion.moves(agents, Some((note, is_resumed)), Some(turn)))
    }

    /// Stores what is noted of an agent at the destination, and reads it back; what became of
    /// each profile. Where an earlier run may have begun to, or somebody signed in since, what is
    /// there stays.
    fn store(
        &self,
        note: &Note,
        mover: &AgentStores<'_>,
        is_resumed: bool,
    ) -> Result<Vec<MovedProfile>, ConversionError> {
        let (document, state) = note.to_store(self.state_dir, mover.agent.as_str())?;
        let profiles = note.of(mover.agent).map(|it| it.profiles.clone()).unwrap_or_default();
        let mut movement = Movement { profiles, document, state };
        if is_resumed {
            let present = direction(self.to).stored(mover)?;
            movement = movement.behind(&present).map_err(|error| invalid(mover, &error))?;
        }
        if movement.stores_anything() || mover.agent.is_main() {
            direction(self.to).store(mover, (&movement.document, &movement.state), self.now)?;
        }
        self.verify(mover, &movement.document, is_resumed)?;
        Ok(movement.profiles)
    }

    /// Takes what an agent has out of the source. What was changed there since it was sealed is
    /// sealed anew.
    fn empty(&self, note: &mut Note, mover: &AgentStores<'_>) -> Result<(), ConversionError> {
        loop {
            let contents = self.pack(mover, None)?;
            if contents.is_empty() {
                return Ok(());
            }
            let is_new = !note.covers(self.state_dir, mover.agent, &contents.originals)?;
            if is_new {
                let Contents { originals, mut movement, document } = contents;
                let noted = note.noted(self.state_dir, mover.agent)?;
                let noted = noted.behind(&movement.document);
                movement.add(&noted.map_err(|error| invalid(mover, &error))?);
                note.seal(self.state_dir, mover.agent, &originals, &movement)?;
                note.write(self.state_dir)?;
                let contents = Contents { originals, movement, document };
                if direction(self.to).take_out(mover, &contents)? {
                    return Ok(());
                }
            } else if direction(self.to).take_out(mover, &contents)? {
                return Ok(());
            }
        }
    }

    /// Puts documents or databases in charge. Databases are while nothing else is said.
    fn change_charge(&self, movers: &[&AgentStores<'_>]) -> Result<(), ConversionError> {
        let path = charge_path(self.state_dir);
        let main = movers.iter().find(|it| it.agent.is_main());
        match (self.to, main) {
            (StoreFormat::Json, Some(main)) => {
                let document = main.files.profiles_path();
                file::replace(&path, format!("{}\n", document.display()).as_bytes())
            }
            _ => file::remove(&path),
        }
        .map_err(|source| write_failed(&path, source).into())
    }

    /// Reads back what was stored.
    fn verify(
        &self,
        mover: &AgentStores<'_>,
        document: &Document,
        is_resumed: bool,
    ) -> Result<(), ConversionError> {
        let stored = direction(self.to).stored(mover)?;
        let value = |document: &Document, id: &str| {
            serde_json::from_str::<serde_json::Value>(document.entry(id)?).ok()
        };
        let is_stored = |id: &str| match value(&stored, id) {
            // Somebody may use it already.
            Some(_) if is_resumed => true,
            found => found.is_some() && value(document, id) == found,
        };
        match document.entries().find(|(id, _)| !is_stored(id)) {
            None => Ok(()),
            Some((id, _)) => Err(ConversionError::NotStored {
                profile_id: id.into(),
                location: direction(self.to).locations(mover).1,
            }),
        }
    }
}
