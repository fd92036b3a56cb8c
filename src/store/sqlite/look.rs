//! What the databases say: which of them holds the credentials of an agent, in which layout,
//! and whether they may be written.
//!
//! Invariant: it is found out afresh for each read and each change; nothing of it is kept.
//!
//! | `auth.sharedStore` | the agent's database | layout |
//! |---|---|---|
//! | `state-db` | any or none | shared: the agent's own rows win over those of all agents |
//! | `legacy-main`, or none | has profiles | that of 2026.6 and 2026.7: each agent its own |
//! | `legacy-main`, or none | none, or no profiles | nothing is stored yet |
//! | anything else | any | an error |

use super::connection::invalid;
use super::rows::{self, Owner, Rows};
use crate::store::{Mark, ReadOnly, StoreError, Version};
use rusqlite::{Connection, OptionalExtension};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// The schemas of the shared database that are written.
const SHARED_SCHEMAS: std::ops::RangeInclusive<i64> = 15..=18;
/// A database that holds the credentials alone has this one until OpenClaw builds the rest.
const MINIMAL_SCHEMA: i64 = 0;
/// The schemas of an agent's database that are written.
const AGENT_SCHEMAS: std::ops::RangeInclusive<i64> = 19..=23;

/// What the shared database says.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    schema: i64,
    rows_of_all: RowsOfAll,
    is_supervised: bool,
    /// Whether it has the table in which the credentials of all agents would be.
    is_known: bool,
    /// Whether OpenClaw has built all of it.
    is_whole: bool,
    pub(super) rows: Rows,
}

/// Where the rows of all agents are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowsOfAll {
    /// In the shared database.
    Here,
    /// In the database of agent `main`, if anywhere.
    Main,
    /// What is said is nothing that OpenClaw says.
    Odd,
}

/// What the database of an agent says.
#[derive(Clone, Debug)]
pub(super) struct Own {
    schema: i64,
    /// The agent that it says it is of.
    agent: Option<String>,
    pub(super) rows: Rows,
}

/// How the credentials are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Rows of all agents, under those of each.
    Shared,
    /// Rows of each agent.
    Agents,
    /// None.
    Nothing,
}

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) layout: Layout,
    pub(super) shared: Option<Shared>,
    pub(super) own: Option<Own>,
}

impl Shared {
    /// Asks the shared database.
    pub(super) fn ask(connection: &Connection) -> rusqlite::Result<Self> {
        let schema = schema(connection)?;
        let mut found = Self {
            schema,
            rows_of_all: RowsOfAll::Main,
            is_supervised: false,
            is_known: rows::has_table(connection, "config_machine_state")?,
            is_whole: rows::has_table(connection, "schema_meta")?,
            rows: Rows::default(),
        };
        if !found.is_known {
            return Ok(found);
        }
        let content = rows::setting(connection, "state.schema.contentVersion")?;
        let content = content.and_then(|content| content.parse().ok());
        found.schema = content.map_or(schema, |content: i64| content.max(schema));
        found.rows_of_all = match rows::setting(connection, rows::SHARED_STORE)? {
            None => RowsOfAll::Main,
            Some(said) => rows_of_all(&said),
        };
        found.is_supervised = rows::setting(connection, "gateway.supervision")?.is_some();
        found.rows = Owner::All.rows(connection)?;
        Ok(found)
    }

    /// Whether OpenClaw says of it what it does not hold: it stops at such a database.
    const fn is_partial(&self) -> bool {
        self.schema >= *SHARED_SCHEMAS.start() && !self.is_whole
    }

    /// Why it is not to be written.
    pub(super) fn refusal(&self) -> Option<ReadOnly> {
        let (found, known) = (self.schema, *SHARED_SCHEMAS.end());
        if found > known {
            Some(ReadOnly::NewerSchema { found, known })
        } else if found < *SHARED_SCHEMAS.start() && found != MINIMAL_SCHEMA {
            Some(ReadOnly::OlderSchema { found })
        } else if self.is_supervised {
            Some(ReadOnly::Supervised)
        } else {
            None
        }
    }

    /// Whether it says where the rows of all agents are.
    pub(super) fn is_claimed(&self) -> bool {
        self.rows_of_all == RowsOfAll::Here
    }
}

/// What `auth.sharedStore` says. OpenClaw takes exactly one member.
fn rows_of_all(said: &str) -> RowsOfAll {
    let said: Result<std::collections::BTreeMap<String, String>, _> = serde_json::from_str(said);
    let Ok(said) = said else { return RowsOfAll::Odd };
    match said.get("location").filter(|_| said.len() == 1).map(String::as_str) {
        Some("state-db") => RowsOfAll::Here,
        Some("legacy-main") => RowsOfAll::Main,
        _ => RowsOfAll::Odd,
    }
}

impl Own {
    /// Asks the database of an agent.
    pub(super) fn ask(connection: &Connection) -> rusqlite::Result<Self> {
        let has = |table| rows::has_table(connection, table);
        let agent = if has("schema_meta")? {
            let query = "SELECT agent_id FROM schema_meta WHERE meta_key = 'primary'";
            connection.query_row(query, [], |row| row.get(0)).optional()?.flatten()
        } else {
            None
        };
        let is_there = has("auth_profile_store")? && has("auth_profile_state")?;
        let rows = if is_there { Owner::Agent.rows(connection)? } else { Rows::default() };
        Ok(Self { schema: schema(connection)?, agent, rows })
    }

    /// Why it is not to be written.
    pub(super) fn refusal(&self) -> Option<ReadOnly> {
        let (found, known) = (self.schema, *AGENT_SCHEMAS.end());
        if found > known {
            Some(ReadOnly::NewerSchema { found, known })
        } else if !AGENT_SCHEMAS.contains(&found) {
            Some(ReadOnly::OlderSchema { found })
        } else {
            None
        }
    }
}

fn schema(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

impl Look {
    /// What both say together.
    pub(super) fn of(
        shared: Option<Shared>,
        own: Option<Own>,
        (shared_path, own_path): (&Path, &Path),
        agent: &str,
    ) -> Result<Self, StoreError> {
        if shared.as_ref().is_some_and(Shared::is_partial) {
            return Err(invalid(shared_path, "tables of OpenClaw are missing"));
        }
        let of = own.as_ref().and_then(|own| own.agent.as_deref());
        if of.is_some_and(|of| of != agent) {
            return Err(invalid(own_path, "it says that it is of another agent"));
        }
        let has_own = own.as_ref().is_some_and(|own| own.rows.store.is_some());
        let layout = match shared.as_ref().map(|shared| shared.rows_of_all) {
            Some(RowsOfAll::Here) => Layout::Shared,
            Some(RowsOfAll::Odd) => {
                let reason = "`auth.sharedStore` does not say where the credentials are";
                return Err(invalid(shared_path, reason));
            }
            _ if has_own => Layout::Agents,
            _ => Layout::Nothing,
        };
        Ok(Self { layout, shared, own })
    }

    /// Whether nobody can say where the credentials are: what is there is none of the layouts
    /// that are known.
    pub(super) fn is_unknown(&self) -> bool {
        self.layout == Layout::Nothing && !self.shared.as_ref().is_some_and(|it| it.is_known)
    }

    /// The rows of the agent, where they count.
    pub(super) fn own_rows(&self) -> Option<&Rows> {
        self.own.as_ref().map(|own| &own.rows).filter(|_| self.layout != Layout::Nothing)
    }

    /// The rows of all agents, where they count.
    pub(super) fn shared_rows(&self) -> Option<&Rows> {
        self.shared.as_ref().map(|shared| &shared.rows).filter(|_| self.layout == Layout::Shared)
    }

    /// The version of the profiles: of the agent's own and, `with_shared`, of those of all.
    pub(super) fn version(&self, with_shared: bool) -> Option<Version> {
        let own = self.own_rows().and_then(|rows| rows.store.as_ref());
        let shared = self.shared_rows().filter(|_| with_shared);
        let shared = shared.and_then(|rows| rows.store.as_ref());
        if own.is_none() && shared.is_none() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        for row in [own, shared] {
            row.map(|row| (row.at, row.text.expose())).hash(&mut hasher);
        }
        Some(Version(Mark::Rows(hasher.finish())))
    }
}
