//! The two forms in which OpenClaw stores logins.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A form in which OpenClaw stores logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreFormat {
    /// JSON documents in the directory of each agent: OpenClaw to 2026.5.
    Json,
    /// Rows of SQLite databases: OpenClaw 2026.8 and later.
    Sqlite,
}

impl StoreFormat {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Json => Self::Sqlite,
            Self::Sqlite => Self::Json,
        }
    }

    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Sqlite => "sqlite",
        }
    }
}

/// For people.
impl fmt::Display for StoreFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON documents",
            Self::Sqlite => "a SQLite database",
        })
    }
}
