//! The table of the programs, `programs.json`, and that of the profiles which stay theirs,
//! `managed.json`: listings need the second alone.

use crate::profile::{Kind, ProfileId, ProviderId};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize, Serializer};
use std::sync::LazyLock;

/// A program that keeps logins of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Codex CLI.
    Codex,
    /// Claude Code.
    Claude,
    /// MiniMax CLI.
    Minimax,
    /// Gemini CLI.
    Gemini,
    /// Qwen Code.
    Qwen,
    /// opencode.
    Opencode,
    /// pi.
    Pi,
    /// The GitHub Copilot extensions of editors.
    Copilot,
}

/// Its name on the command line.
impl Serialize for Tool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.program().name)
    }
}

/// What is known of a program beyond the form of its files.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Program {
    /// Its name on the command line.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// The provider of its logins, where it has one.
    #[serde(default)]
    pub provider: ProviderId,
    /// The provider of its API keys, where that is another one.
    #[serde(default)]
    pub key_provider: ProviderId,
    /// The provider of each of its entries, where it has several. An entry that is not
    /// listed is of the provider of that name.
    #[serde(default)]
    pub providers: IndexMap<String, EntryProvider>,
    /// The name of the profile of a login that does not tell whose it is.
    #[serde(default)]
    pub default_profile: Option<String>,
    /// What a user types to sign in there.
    pub sign_in: String,
    /// How it can use a token of ours; see [`Self::usage`].
    #[serde(rename = "use", default)]
    lines: Vec<String>,
    /// The same for an API key.
    #[serde(rename = "useKey", default)]
    key_lines: Vec<String>,
}

/// The provider of an entry, by what the entry holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EntryProvider {
    /// Of an OAuth grant.
    pub oauth: Option<ProviderId>,
    /// Of an API key.
    pub key: Option<ProviderId>,
    /// Of an OAuth entry whose `refresh` is a token that nothing refreshes, and whose
    /// `access` is derived from it.
    pub token: Option<ProviderId>,
    /// How the program can use a login of ours in the place of this entry; see
    /// [`Program::usage`].
    #[serde(rename = "use")]
    lines: Vec<String>,
}

/// A profile that stays the program's own: it is read when it is needed, and its refresh
/// token is never spent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Managed {
    /// The profile id.
    pub profile: ProfileId,
    /// Whether it is there by itself as long as no store has a profile of its provider.
    /// Otherwise it is used where a store or the configuration names it.
    pub automatic: bool,
}

impl Managed {
    /// The provider of the profile, which is that of the program.
    pub fn provider(&self) -> ProviderId {
        let id = self.profile.as_str();
        id.split_once(':').map_or(id, |(provider, _)| provider).into()
    }
}

/// The profiles that stay a program's own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManagedTable {
    codex: Option<Managed>,
    claude: Option<Managed>,
    minimax: Option<Managed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    codex: Program,
    claude: Program,
    minimax: Program,
    gemini: Program,
    qwen: Program,
    opencode: Program,
    pi: Program,
    copilot: Program,
}

const BUILT_IN: &str = include_str!("programs.json");

// A test reads the tables; what is compiled in cannot be wrong later.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(BUILT_IN).unwrap_or_default());

static MANAGED: LazyLock<ManagedTable> =
    LazyLock::new(|| serde_json::from_str(include_str!("managed.json")).unwrap_or_default());

impl Tool {
    /// Every program, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Codex,
        Self::Claude,
        Self::Minimax,
        Self::Gemini,
        Self::Qwen,
        Self::Opencode,
        Self::Pi,
        Self::Copilot,
    ];

    /// What is known of it.
    pub fn program(self) -> &'static Program {
        let table = &*TABLE;
        match self {
            Self::Codex => &table.codex,
            Self::Claude => &table.claude,
            Self::Minimax => &table.minimax,
            Self::Gemini => &table.gemini,
            Self::Qwen => &table.qwen,
            Self::Opencode => &table.opencode,
            Self::Pi => &table.pi,
            Self::Copilot => &table.copilot,
        }
    }

    /// The profile that stays the program's own.
    pub fn managed(self) -> Option<&'static Managed> {
        match self {
            Self::Codex => MANAGED.codex.as_ref(),
            Self::Claude => MANAGED.claude.as_ref(),
            Self::Minimax => MANAGED.minimax.as_ref(),
            Self::Gemini | Self::Qwen | Self::Opencode | Self::Pi | Self::Copilot => None,
        }
    }

    /// The program with this name on the command line.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.program().name == name)
    }

    /// The program whose own profile this is, unless a store has a profile of this id and
    /// [`Self::managing_stored`] says otherwise.
    pub fn managing(profile_id: &ProfileId) -> Option<Self> {
        let is_its = |managed: &Managed| managed.profile == *profile_id;
        Self::ALL.into_iter().find(|tool| tool.managed().is_some_and(is_its))
    }

    /// The program whose own a stored profile of this id stays. One that would be there by
    /// itself is ours once it is stored.
    pub fn managing_stored(profile_id: &ProfileId) -> Option<Self> {
        let stays = |managed: &Managed| !managed.automatic;
        Self::managing(profile_id).filter(|tool| tool.managed().is_some_and(stays))
    }
}

impl Program {
    /// How the program can use a profile of ours in the place of its `entry`: a command, or the
    /// path of a file with a colon and below it, indented, what has to be in it. None where no
    /// way is known to work; `tests/interop/journey/hints.mjs` tries each with the program.
    ///
    /// What is the profile's own stands in it as `{id}`, `{entry}` (the name of the login in the
    /// program's file) and `{account}` (the account id), each a JSON text; as `{… word}`: the
    /// text (of the id: the id itself) as a word of a shell; and as `{id word in json}`: that
    /// word inside a JSON text.
    pub fn usage(&self, entry: &str, kind: Kind) -> &[String] {
        if kind == Kind::ApiKey {
            return &self.key_lines;
        }
        self.providers.get(entry).map_or(&self.lines, |entry| &entry.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_in_the_table() {
        let table: Result<Table, _> = serde_json::from_str(BUILT_IN);
        table.unwrap();
        for tool in Tool::ALL {
            let program = tool.program();
            assert_eq!(Tool::from_name(&program.name), Some(tool));
            assert!(!program.label.is_empty() && !program.sign_in.is_empty());
            assert_eq!(program.provider.is_empty(), !program.providers.is_empty(), "{tool:?}");
            if let Some(managed) = tool.managed() {
                assert_eq!(managed.provider(), program.provider);
                assert_eq!(Tool::managing(&managed.profile), Some(tool));
            }
        }
        assert_eq!(Tool::ALL.into_iter().filter_map(Tool::managed).count(), 3);
    }
}
