//! Whether a gateway of OpenClaw works on the databases: it says so in a row, with its process.
//!
//! Invariant: of a process of this machine, the process itself tells; of any other, until when
//! the row says that it runs.

use super::place::Sqlite;
use super::{connection, rows};
use crate::profile::Millis;
use crate::store::StoreError;
use crate::system::{now, process};
use rusqlite::Connection;
use serde::Deserialize;

/// What the row of a gateway holds, as far as we look at it.
#[derive(Deserialize)]
struct Payload {
    owner: Owner,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    pid: u32,
    #[serde(default)]
    host: Option<String>,
    /// In clock ticks since the start of the system.
    #[serde(default)]
    started_at: Option<u64>,
}

impl Sqlite {
    /// Whether a gateway runs. Who only wants to be careful takes an error for a yes.
    ///
    /// # Errors
    /// The database cannot be read, so that nobody knows.
    pub(super) fn has_gateway(&self) -> Result<bool, StoreError> {
        Ok(connection::read(&self.shared, ask)?.unwrap_or_default())
    }

    /// Whether a gateway may run.
    pub(super) fn may_have_gateway(&self) -> bool {
        self.has_gateway().unwrap_or(true)
    }
}

fn ask(connection: &Connection) -> rusqlite::Result<bool> {
    if !rows::has_table(connection, "state_leases")? {
        return Ok(false);
    }
    let query = "SELECT expires_at, payload_json FROM state_leases WHERE scope = 'gateway-owner'";
    let mut statement = connection.prepare(query)?;
    let found = statement.query_map([], |row| {
        let (expires_at, payload): (Option<Millis>, Option<String>) = (row.get(0)?, row.get(1)?);
        Ok(is_running(expires_at, payload.as_deref(), now()))
    })?;
    found.collect::<rusqlite::Result<Vec<bool>>>().map(|found| found.contains(&true))
}

/// Whether a repair of OpenClaw works on the databases of the agents: nobody else writes those
/// until its row expires.
pub(super) fn has_repair(connection: &Connection, now: Millis) -> rusqlite::Result<bool> {
    if !rows::has_table(connection, "state_leases")? {
        return Ok(false);
    }
    let query = "SELECT EXISTS (SELECT 1 FROM state_leases WHERE expires_at > ?1
        AND scope = 'core:agent-database-maintenance' AND lease_key = 'global')";
    connection.query_row(query, [now], |row| row.get(0))
}

fn is_running(expires_at: Option<Millis>, payload: Option<&str>, now: Millis) -> bool {
    let payload = payload.and_then(|it| serde_json::from_str::<Payload>(it).ok());
    match payload.map(|payload| payload.owner) {
        Some(Owner { pid, host: Some(host), started_at }) if host == process::host_name() => {
            let found = process::start_ticks(pid);
            let is_reused = started_at.zip(found).is_some_and(|(told, found)| told != found);
            process::is_alive(pid) && !is_reused
        }
        _ => expires_at.is_some_and(|expires_at| expires_at > now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(pid: u32, host: &str, started_at: &str) -> String {
        format!(r#"{{"owner":{{"pid":{pid},"host":"{host}","startedAt":{started_at}}},"port":1}}"#)
    }

    #[test]
    fn the_process_tells_whether_a_gateway_of_this_machine_runs() {
        let (host, own, dead) = (process::host_name(), std::process::id(), 4_100_000);
        let since = process::start_ticks(own).unwrap();
        let now = 1_800_000_000_000;
        let cases = [
            (payload(own, &host, &since.to_string()), 1, true),
            (payload(own, &host, "null"), 1, true),
            // The id was reused.
            (payload(own, &host, &(since - 1).to_string()), now + 1, false),
            (payload(dead, &host, "1000"), now + 1, false),
            (payload(dead, "elsewhere", "1000"), now + 1, true),
            (payload(own, "elsewhere", "1000"), now - 1, false),
            ("{}".to_owned(), now + 1, true),
            ("half".to_owned(), now - 1, false),
        ];
        for (payload, expires_at, expected) in cases {
            assert_eq!(is_running(Some(expires_at), Some(&payload), now), expected, "{payload}");
        }
        assert!(!is_running(None, None, now));
    }
}
