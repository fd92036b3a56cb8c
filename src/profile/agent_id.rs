//! Agent ids, normalised as OpenClaw 2026.4.24 does.
//!
//! Invariant: an id that was made of a name is normalised. What is shown of an id is safe on
//! a terminal and bounded; the text itself is read by [`AgentId::as_str`] alone.

use crate::text::show;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The agent whose store the others read through to.
const MAIN: &str = "main";

/// The id of an agent: lower case, `[a-z0-9_-]`, at most 64 characters, `main` when nothing
/// is left of the name. In JSON it is the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct AgentId(Cow<'static, str>);

impl AgentId {
    /// The agent whose store the others read through to.
    pub const fn main() -> Self {
        Self(Cow::Borrowed(MAIN))
    }

    /// Whether it is [`Self::main`].
    pub fn is_main(&self) -> bool {
        self.0 == MAIN
    }

    /// The agent of that name; `None` when the name is missing or blank.
    pub fn named(name: Option<&str>) -> Option<Self> {
        name.filter(|name| !name.trim().is_empty()).map(Self::from)
    }

    /// The agent to which a directory of the state directory belongs: its name as it is, even
    /// where no name would be normalised to it.
    pub fn of_directory(name: &str) -> Self {
        if name == MAIN { Self::main() } else { Self(name.to_owned().into()) }
    }

    /// Whether an agent of that name is this one.
    pub fn is_named(&self, name: &str) -> bool {
        self.0 == normalized(name)
    }

    /// The text, for keys, files and paths.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The agent called `name`.
/// The id as it is.
impl AsRef<str> for AgentId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for AgentId {
    fn from(name: &str) -> Self {
        Self(normalized(name))
    }
}

impl PartialEq<str> for AgentId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for AgentId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// For people: at most 80 characters, or as many as the precision says.
impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0, 80, f)
    }
}

/// The id under which an agent named `name` is kept.
fn normalized(name: &str) -> Cow<'static, str> {
    let name = name.trim();
    if name == MAIN {
        return MAIN.into();
    }
    let lower = name.to_lowercase();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let already_valid = name.len() <= 64
        && name.chars().all(is_word)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if already_valid {
        return lower.into();
    }
    let mut id = String::with_capacity(lower.len());
    for character in lower.chars() {
        if is_word(character) {
            id.push(character);
        } else if !id.ends_with(GAP) {
            id.push(GAP);
        }
    }
    let id: String = id.replace(GAP, "-");
    let id: String = id.trim_matches('-').chars().take(64).collect();
    if id.is_empty() { MAIN.into() } else { id.into() }
}

/// Marks a run of replaced characters apart from a dash that stood in the name.
const GAP: char = '\u{0}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_normalised_as_openclaw_does() {
        for (name, id) in [
            ("Work Bot", "work-bot"),
            ("a.b.c", "a-b-c"),
            ("a  b//c", "a-b-c"),
            (&"x".repeat(70), &"x".repeat(64)),
            ("-lead-", "lead"),
            ("Main", "main"),
            (" ", "main"),
            ("9lives", "9lives"),
            (&"a".repeat(64), &"a".repeat(64)),
            ("emoji🦞x", "emoji-x"),
            ("foo_", "foo_"),
            ("_under", "_under"),
            ("İstanbul", "i-stanbul"),
            ("ÜBER Café", "ber-caf"),
            ("日本語", "main"),
            ("UPPER_case-1", "upper_case-1"),
            (&"ab.".repeat(30), &format!("{}a", "ab-".repeat(21))),
        ] {
            assert_eq!(AgentId::from(name), id, "{name}");
        }
    }

    #[test]
    fn main_is_one_agent_however_it_is_named() {
        for id in [AgentId::from(" MAIN "), AgentId::from("-"), AgentId::of_directory("main")] {
            assert!(id.is_main());
            assert_eq!(id, AgentId::main());
        }
        assert!(!AgentId::of_directory("Main").is_main(), "a directory of another name");
    }

    #[test]
    fn a_blank_name_names_nobody() {
        assert_eq!(AgentId::named(None), None);
        assert_eq!(AgentId::named(Some(" \t")), None);
        assert_eq!(AgentId::named(Some("-")), Some(AgentId::main()));
    }

    #[test]
    fn a_directory_keeps_its_name_and_shows_what_is_safe_of_it() {
        let odd = AgentId::of_directory("A\u{1b}[31m\u{202e}b");
        assert_eq!((odd.as_str(), odd.to_string().as_str()), ("A\u{1b}[31m\u{202e}b", "A[31mb"));
        assert_eq!(serde_json::to_value(&odd).unwrap(), odd.as_str());
        let long = AgentId::of_directory(&"x".repeat(200));
        assert_eq!(long.to_string(), "x".repeat(80) + "…");
    }
}
