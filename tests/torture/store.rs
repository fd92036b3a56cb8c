//! Where the credentials of a run are: documents in files, or rows of OpenClaw's databases.
//!
//! Beside the databases a gateway runs, as far as the program can see, and one login of each
//! agent has the name that OpenClaw refreshes without a lock.

use super::operation::{AGENTS, UNLOCKED};
use super::support::database::{Row, Text, make_own, make_shared};
use openclaw_auth::system::{now, process};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StoreKind {
    /// `auth-profiles.json` and `auth-state.json` of each agent.
    Files,
    /// The shared database, and one of each agent but `main`.
    Sqlite,
}

/// The credentials of a state directory.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) kind: StoreKind,
    pub(crate) state_dir: PathBuf,
}

impl Credentials {
    /// Makes what OpenClaw has made before anybody signs in.
    pub(crate) fn prepare(&self) {
        if self.kind == StoreKind::Files {
            return;
        }
        make_shared(&self.state_dir);
        let owner = json!({"pid": std::process::id(), "host": process::host_name()});
        let payload = json!({"owner": owner});
        self.row("main", Row::Store).run(&format!(
            "CREATE TABLE state_leases (scope TEXT, lease_key TEXT, owner TEXT,
               expires_at INTEGER, payload_json TEXT);
             INSERT INTO state_leases
               VALUES ('gateway-owner', 'global', 'x', {}, '{payload}')",
            now()
        ));
    }

    /// Makes the database of an agent, whose directory is there.
    pub(crate) fn prepare_agent(&self, agent: &str) {
        if self.kind == StoreKind::Sqlite {
            make_own(&self.agent_dir(agent), agent);
        }
    }

    /// Where the documents of an agent are.
    pub(crate) fn agent_dir(&self, agent: &str) -> PathBuf {
        self.state_dir.join("agents").join(agent).join("agent")
    }

    /// Whether OpenClaw would refresh the login of an account without a lock.
    pub(crate) fn is_unlocked(&self, account: &str) -> bool {
        self.kind == StoreKind::Sqlite && account == UNLOCKED
    }

    /// The profile id of an account.
    pub(crate) fn profile(&self, account: &str) -> String {
        match self.kind {
            StoreKind::Files => format!("openai-codex:{account}@example.test"),
            StoreKind::Sqlite if self.is_unlocked(account) => "openai:default".to_owned(),
            StoreKind::Sqlite => format!("openai:{account}@example.test"),
        }
    }

    /// The profiles of an agent, as the program reads them.
    pub(crate) fn profiles(&self, agent: &str) -> Value {
        let mut document = self.read(agent, Row::Store);
        if self.kind == StoreKind::Sqlite {
            let beside = self.state_dir.join("openclaw-auth").join(format!("{agent}.json"));
            look_behind_markers(&mut document, &parse(&beside));
        }
        document
    }

    /// Order and usage of an agent.
    pub(crate) fn state(&self, agent: &str) -> Value {
        self.read(agent, Row::State)
    }

    fn read(&self, agent: &str, row: Row) -> Value {
        match (self.kind, row) {
            (StoreKind::Files, Row::Store) => parse(&self.document(agent)),
            (StoreKind::Files, Row::State) => parse(&self.agent_dir(agent).join("auth-state.json")),
            (StoreKind::Sqlite, row) => {
                let text = self.row(agent, row).read().unwrap_or_default();
                serde_json::from_str(&text).unwrap_or_default()
            }
        }
    }

    /// Replaces the profiles of an agent.
    pub(crate) fn write(&self, agent: &str, profiles: &Value) {
        match self.kind {
            StoreKind::Files => {
                std::fs::write(self.document(agent), profiles.to_string()).unwrap();
            }
            StoreKind::Sqlite => {
                assert!(self.row(agent, Row::Store).write(&profiles.to_string()));
            }
        }
    }

    pub(crate) fn document(&self, agent: &str) -> PathBuf {
        self.agent_dir(agent).join("auth-profiles.json")
    }

    pub(crate) fn row(&self, agent: &str, row: Row) -> Text {
        Text::of(&self.state_dir, &self.agent_dir(agent), agent, row)
    }

    /// What SQLite finds wrong with the databases.
    pub(crate) fn damages(&self) -> Vec<String> {
        if self.kind == StoreKind::Files {
            return Vec::new();
        }
        let rows = AGENTS.map(|agent| self.row(agent, Row::Store));
        let found = rows.iter().map(|row| (row.database().display(), row.check()));
        let wrong = found.filter(|(_, said)| said != "ok");
        wrong.map(|(path, said)| format!("{path}: {said}")).collect()
    }
}

/// Puts what markers of the program stand for in their place.
fn look_behind_markers(document: &mut Value, beside: &Value) {
    for (id, claim) in beside["claims"].as_object().into_iter().flatten() {
        let mark = format!("openclaw-oauth-refresh-fence:v1:{}:", claim["id"].as_str().unwrap());
        let held = document["profiles"][id]["refresh"].as_str();
        if held.is_some_and(|held| held.starts_with(&mark)) && claim["entry"].is_object() {
            document["profiles"][id] = claim["entry"].clone();
        }
    }
}

fn parse(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
