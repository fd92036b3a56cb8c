//! Databases as OpenClaw 2026.9.6 makes them, as far as the store looks at them.

use openclaw_auth::store::StateDocument;
use openclaw_auth::system::file;
use rusqlite::{Connection, OptionalExtension};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SHARED: &str = include_str!("shared.sql");
const OWN: &str = include_str!("agent.sql");

fn make(path: &Path, tables: &str) -> Connection {
    file::create_private_directory(path.parent().unwrap()).unwrap();
    file::replace(path, b"").unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(tables).unwrap();
    connection
}

/// The shared database of a state directory, without credentials.
pub(crate) fn make_shared(root: &Path) {
    make(&root.join("state/openclaw.sqlite"), SHARED);
}

/// The database of an agent, where there is none.
pub(crate) fn make_own(directory: &Path, agent: &str) {
    let path = directory.join("openclaw-agent.sqlite");
    if path.exists() {
        return;
    }
    let own = make(&path, OWN);
    let insert = "INSERT INTO schema_meta VALUES ('primary', 'agent', ?1)";
    own.execute(insert, [agent]).unwrap();
}

/// When a foreign program writes, as it says.
const FOREIGN: i64 = 7;

/// Profiles or state.
#[derive(Clone, Copy)]
pub(crate) enum Row {
    Store,
    State,
}

/// The text of a row.
pub(crate) struct Text {
    database: PathBuf,
    table: &'static str,
    columns: [&'static str; 3],
    key: &'static str,
}

impl Text {
    pub(crate) fn of(root: &Path, directory: &Path, agent: &str, row: Row) -> Self {
        let shared = ["state_key", "value_json", "updated_at_ms"];
        let (table, columns, key) = match (agent, row) {
            ("main", Row::Store) => ("config_machine_state", shared, "authProfiles.store"),
            ("main", Row::State) => ("config_machine_state", shared, "authProfiles.state"),
            (_, Row::Store) => {
                ("auth_profile_store", ["store_key", "store_json", "updated_at"], "primary")
            }
            (_, Row::State) => {
                ("auth_profile_state", ["state_key", "state_json", "updated_at"], "primary")
            }
        };
        let database = if agent == "main" {
            root.join("state/openclaw.sqlite")
        } else {
            directory.join("openclaw-agent.sqlite")
        };
        Self { database, table, columns, key }
    }

    /// That of the database in the directory of an agent, be it `main`.
    #[cfg(test)]
    pub(crate) fn of_own(directory: &Path, row: Row) -> Self {
        Self::of(Path::new(""), directory, "", row)
    }

    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    fn open(&self) -> Connection {
        let connection = Connection::open(&self.database).unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        connection
    }

    /// The text; one of ours as a file would be laid out: only what stands between its tokens
    /// differs.
    pub(crate) fn read(&self) -> Option<String> {
        let (table, [key, value, at]) = (self.table, self.columns);
        let query = format!("SELECT {value}, {at} FROM {table} WHERE {key} = ?1");
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (text, at): (String, i64) =
            self.open().query_row(&query, [self.key], row).optional().unwrap()?;
        if at == FOREIGN {
            return Some(text);
        }
        Some(StateDocument::parse(&text).unwrap().to_text().unwrap())
    }

    pub(crate) fn write(&self, text: &str) -> bool {
        let (table, [key, value, at]) = (self.table, self.columns);
        let upsert = format!(
            "INSERT INTO {table} ({key}, {value}, {at}) VALUES (?1, ?2, {FOREIGN})
             ON CONFLICT ({key}) DO UPDATE SET {value} = excluded.{value}, {at} = excluded.{at}"
        );
        self.open().execute(&upsert, [self.key, text]).is_ok()
    }

    /// A later OpenClaw brings it to its own schema.
    pub(crate) fn outdate(&self) -> bool {
        self.open().pragma_update(None, "user_version", 99).is_ok()
    }

    /// Changes the text in a transaction that takes `pause`.
    #[cfg(not(test))]
    pub(crate) fn edit(
        &self,
        pause: Duration,
        change: impl FnOnce(&str) -> String,
    ) -> rusqlite::Result<()> {
        let (table, [key, value, at]) = (self.table, self.columns);
        let connection = Connection::open(&self.database)?;
        connection.busy_timeout(Duration::from_secs(20))?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let query = format!("SELECT {value} FROM {table} WHERE {key} = ?1");
        let text: String = connection.query_row(&query, [self.key], |row| row.get(0))?;
        std::thread::sleep(pause);
        let update = format!("UPDATE {table} SET {value} = ?2, {at} = {FOREIGN} WHERE {key} = ?1");
        connection.execute(&update, [self.key, &change(&text)])?;
        connection.execute_batch("COMMIT")
    }

    /// What SQLite says of the database.
    #[cfg(not(test))]
    pub(crate) fn check(&self) -> String {
        self.open().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
    }

    /// Runs a statement.
    pub(crate) fn run(&self, statement: &str) {
        self.open().execute_batch(statement).unwrap();
    }

    /// Somebody writes until the answer is dropped.
    pub(crate) fn hold(&self) -> Connection {
        let connection = self.open();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }
}
