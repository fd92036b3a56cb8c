//! The reference itself: `{source, provider, id}`, its older and shorter spellings, and
//! the grammar of its parts. Pure.

use serde_json::{Map, Value};

/// Where a secret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// In an environment variable.
    Env,
    /// In a file.
    File,
    /// Behind a command.
    Exec,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Env, Self::File, Self::Exec];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::File => "file",
            Self::Exec => "exec",
        }
    }

    /// The source with this name in a file.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// The provider alias that a reference means when it names none, by source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults([String; 3]);

/// The alias where nothing else is configured.
const DEFAULT_ALIAS: &str = "default";

impl Default for Defaults {
    fn default() -> Self {
        Self(Source::ALL.map(|_| DEFAULT_ALIAS.to_owned()))
    }
}

impl Defaults {
    /// The defaults of `secrets.defaults`.
    pub fn of(secrets: &Value) -> Self {
        Self(Source::ALL.map(|source| {
            let alias = secrets["defaults"][source.name()].as_str().map(str::trim);
            alias.filter(|alias| !alias.is_empty()).unwrap_or(DEFAULT_ALIAS).to_owned()
        }))
    }

    /// The alias for a source.
    pub fn of_source(&self, source: Source) -> &str {
        &self.0[source as usize]
    }
}

/// A reference to a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretRef {
    /// Where the secret stands.
    pub source: Source,
    /// The alias of the provider that knows the place.
    pub provider: String,
    /// What the provider calls the secret.
    pub id: String,
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.source.name(), self.provider, self.id)
    }
}

impl SecretRef {
    /// The reference that `value` is: the three members and no others, the two members of
    /// the time before providers, or the text `${NAME}`.
    pub fn of(value: &Value, defaults: &Defaults) -> Option<Self> {
        match value {
            Value::Object(members) => Self::of_object(members, defaults),
            Value::String(text) => Self::of_text(text, defaults),
            _ => None,
        }
    }

    fn of_object(members: &Map<String, Value>, defaults: &Defaults) -> Option<Self> {
        let text = |name: &str| {
            let text = members.get(name)?.as_str()?;
            (!text.trim().is_empty()).then(|| text.to_owned())
        };
        let source = Source::from_name(members.get("source")?.as_str()?)?;
        let id = text("id")?;
        let provider = match members.get("provider") {
            None => defaults.of_source(source).to_owned(),
            Some(_) if members.len() == 3 => text("provider")?,
            Some(_) => return None,
        };
        Some(Self { source, provider, id })
    }

    /// The reference that the text `${NAME}` is.
    pub fn of_text(text: &str, defaults: &Defaults) -> Option<Self> {
        Some(Self {
            source: Source::Env,
            provider: defaults.of_source(Source::Env).to_owned(),
            id: variable(text)?.to_owned(),
        })
    }
}

/// A reference as reports name it, whether or not it resolves: where it leads and the id
/// there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceName {
    /// As it is written, with a source that need not exist.
    Named {
        /// The source.
        source: String,
        /// The id.
        id: String,
    },
    /// An object that is no reference.
    Invalid,
}

impl ReferenceName {
    /// The reference in a value that stands where a secret should be: an object, or
    /// `${NAME}`.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::of_text(text),
            Value::Object(_) => Some(match (value["source"].as_str(), value["id"].as_str()) {
                (Some(source), Some(id)) => Self::named(source, id),
                _ => Self::Invalid,
            }),
            _ => None,
        }
    }

    /// The reference that the text `${NAME}` is.
    pub fn of_text(text: &str) -> Option<Self> {
        Some(Self::named(Source::Env.name(), variable(text)?))
    }

    fn named(source: &str, id: &str) -> Self {
        Self::Named { source: source.to_owned(), id: id.to_owned() }
    }

    /// The variable that it leads to.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Named { source, id } if source == Source::Env.name() => Some(id),
            _ => None,
        }
    }
}

impl std::fmt::Display for ReferenceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named { source, id } => write!(f, "ref({source}:{id})"),
            Self::Invalid => f.write_str("ref(invalid)"),
        }
    }
}

/// The `NAME` in `${NAME}`, a reference to an environment variable.
pub fn variable(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("${")?.strip_suffix('}')?;
    is_variable(name).then_some(name)
}

/// Whether `value` is a text with something in it.
pub fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Whether `text` begins as `first` asks, goes on as `rest` asks, and is no longer than
/// `limit`.
fn matches(
    text: &str,
    limit: usize,
    first: impl Fn(char) -> bool,
    rest: impl Fn(char) -> bool,
) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(first) && characters.all(rest) && text.len() <= limit
}

/// The name of a variable that may hold a secret: capitals, digits and underscores.
pub fn is_variable(name: &str) -> bool {
    matches(
        name,
        128,
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_',
    )
}

/// The alias of a provider.
pub fn is_alias(alias: &str) -> bool {
    matches(
        alias,
        64,
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-',
    )
}

/// An id in a file: `value` for the whole of it, else a JSON pointer (RFC 6901).
pub fn is_file_id(id: &str) -> bool {
    let Some(pointer) = id.strip_prefix('/') else { return id == WHOLE_FILE };
    pointer.split('~').skip(1).all(|escape| escape.starts_with(['0', '1']))
}

/// The id of the one value of a file in mode `singleValue`.
pub const WHOLE_FILE: &str = "value";

/// An id that a command is asked for. It cannot climb out of a tree of names.
pub fn is_command_id(id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    matches(id, 256, |c| c.is_ascii_alphanumeric(), allowed)
        && id.split('/').all(|segment| segment != "." && segment != "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(value: &Value) -> Option<String> {
        SecretRef::of(value, &Defaults::default()).map(|reference| reference.to_string())
    }

    #[test]
    fn every_spelling_of_a_reference_is_read() {
        // Recorded from OpenClaw 2026.4.24: vectors.json, coerceSecretRef.
        for (value, expected) in [
            (json!("${OPENAI_API_KEY}"), Some("env:default:OPENAI_API_KEY")),
            (json!("${lower}"), None),
            (json!("secretref-env:A"), None),
            (json!({"source": "env", "id": "A"}), Some("env:default:A")),
            (json!({"source": "file", "provider": "f", "id": "/a", "extra": 1}), None),
            (json!({"source": "exec", "id": "a/b"}), Some("exec:default:a/b")),
            (json!(5), None),
        ] {
            assert_eq!(parsed(&value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn what_is_nearly_a_reference_is_none() {
        for value in [
            json!({"source": "vault", "provider": "p", "id": "a"}),
            json!({"source": "env", "provider": " ", "id": "A"}),
            json!({"source": "env", "provider": null, "id": "A"}),
            json!({"source": "env", "provider": "default", "id": ""}),
            json!({"source": "env", "provider": "default"}),
            json!({"provider": "default", "id": "A"}),
            json!(["env", "default", "A"]),
            json!("x${A}"),
            json!("${}"),
            json!(null),
        ] {
            assert_eq!(parsed(&value), None, "{value}");
        }
        assert_eq!(parsed(&json!("  ${A_1} ")).as_deref(), Some("env:default:A_1"));
    }

    #[test]
    fn defaults_name_the_provider_that_is_left_out() {
        let defaults = Defaults::of(&json!({"defaults": {"env": "shell", "exec": " vault "}}));
        let of = |value: Value| SecretRef::of(&value, &defaults).unwrap().to_string();
        assert_eq!(of(json!("${A}")), "env:shell:A");
        assert_eq!(of(json!({"source": "exec", "id": "a"})), "exec:vault:a");
        assert_eq!(of(json!({"source": "file", "id": "/a"})), "file:default:/a");
    }

    #[test]
    fn ids_and_aliases_follow_their_grammar() {
        // vectors.json: fileRefId, execRefId, alias.
        for (id, valid) in [("value", true), ("/a/b~0", true), ("a", false), ("", false)] {
            assert_eq!(is_file_id(id), valid, "{id}");
        }
        for (id, valid) in [("/", true), ("/a~1b/~0", true), ("/a~2", false), ("/a~", false)] {
            assert_eq!(is_file_id(id), valid, "{id}");
        }
        for (id, valid) in [
            ("vault/openai/key", true),
            ("a/./b", false),
            ("/x", false),
            ("a/..", false),
            ("a..b", true),
            ("a b", false),
            ("", false),
        ] {
            assert_eq!(is_command_id(id), valid, "{id}");
        }
        assert!(is_command_id(&"a".repeat(256)) && !is_command_id(&"a".repeat(257)));
        assert!(is_alias("default") && !is_alias("1a") && !is_alias(""));
        assert!(is_alias(&"a".repeat(64)) && !is_alias(&"a".repeat(65)));
        assert!(is_variable("A") && is_variable(&"A".repeat(128)));
        assert!(!is_variable(&"A".repeat(129)) && !is_variable("_A") && !is_variable("a"));
    }
}
