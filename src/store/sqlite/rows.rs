//! The rows that hold credentials, in the shared database and in that of an agent.
//!
//! Invariant: nothing but these rows is written, and only inside a transaction that has read
//! them again.

use crate::profile::Millis;
use crate::secret::Secret;
use rusqlite::{Connection, OptionalExtension, params};

/// A text in a row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// JSON, as it stands there.
    pub(super) text: Secret,
    /// When it was written.
    pub(super) at: Millis,
}

/// Profiles and state, as one database holds them.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// The profiles.
    pub(super) store: Option<Row>,
    /// Order and usage.
    pub(super) state: Option<Row>,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The profiles.
    Store,
    /// Order and usage.
    State,
}

/// Whose rows they are, which says where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// All agents: the shared database.
    All,
    /// One agent: its own database.
    Agent,
}

/// The row that says where the shared rows are.
pub(super) const SHARED_STORE: &str = "auth.sharedStore";
/// What stands in it when they are in the shared database.
pub(super) const IN_SHARED_DATABASE: &str = r#"{"location":"state-db"}"#;

impl Owner {
    const fn table(self, which: Which) -> (&'static str, [&'static str; 3], &'static str) {
        match (self, which) {
            (Self::All, Which::Store) => (
                "config_machine_state",
                ["state_key", "value_json", "updated_at_ms"],
                "authProfiles.store",
            ),
            (Self::All, Which::State) => (
                "config_machine_state",
                ["state_key", "value_json", "updated_at_ms"],
                "authProfiles.state",
            ),
            (Self::Agent, Which::Store) => {
                ("auth_profile_store", ["store_key", "store_json", "updated_at"], "primary")
            }
            (Self::Agent, Which::State) => {
                ("auth_profile_state", ["state_key", "state_json", "updated_at"], "primary")
            }
        }
    }

    /// The name of a row, for people.
    pub(super) const fn name(self, which: Which) -> &'static str {
        match self {
            Self::All => self.table(which).2,
            Self::Agent => self.table(which).0,
        }
    }

    /// Both rows.
    pub(super) fn rows(self, connection: &Connection) -> rusqlite::Result<Rows> {
        Ok(Rows {
            store: self.row(connection, Which::Store)?,
            state: self.row(connection, Which::State)?,
        })
    }

    fn row(self, connection: &Connection, which: Which) -> rusqlite::Result<Option<Row>> {
        let (table, [key, value, at], name) = self.table(which);
        let query = format!("SELECT {value}, {at} FROM {table} WHERE {key} = ?1");
        let mut statement = connection.prepare(&query)?;
        let row = statement.query_row([name], |row| {
            Ok(Row { text: Secret::new(row.get::<_, String>(0)?), at: row.get(1)? })
        });
        row.optional()
    }

    /// Writes a row; removes it where there is no text.
    pub(super) fn write(
        self,
        connection: &Connection,
        which: Which,
        text: Option<&str>,
        now: Millis,
    ) -> rusqlite::Result<()> {
        let (table, [key, value, at], name) = self.table(which);
        match text {
            Some(text) => connection.execute(
                &format!(
                    "INSERT INTO {table} ({key}, {value}, {at}) VALUES (?1, ?2, ?3) \
                     ON CONFLICT ({key}) DO UPDATE SET {value} = excluded.{value}, \
                     {at} = excluded.{at}"
                ),
                params![name, text, now],
            ),
            None => connection.execute(&format!("DELETE FROM {table} WHERE {key} = ?1"), [name]),
        }
        .map(drop)
    }
}

/// A value of the shared database by its key.
pub(super) fn setting(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let query = "SELECT value_json FROM config_machine_state WHERE state_key = ?1";
    connection.query_row(query, [key], |row| row.get(0)).optional()
}

/// Says that the shared rows are in the shared database. What said that they are with agent
/// `main` is replaced: the caller has seen that `main` has none.
pub(super) fn claim_shared(connection: &Connection, now: Millis) -> rusqlite::Result<()> {
    let insert = "INSERT INTO config_machine_state (state_key, value_json, updated_at_ms) \
                  VALUES (?1, ?2, ?3) ON CONFLICT (state_key) DO UPDATE \
                  SET value_json = excluded.value_json, updated_at_ms = excluded.updated_at_ms";
    connection.execute(insert, params![SHARED_STORE, IN_SHARED_DATABASE, now]).map(drop)
}

/// Whether the database has a table.
pub(super) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let query = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    Ok(connection.query_row(query, [name], |_| Ok(())).optional()?.is_some())
}
