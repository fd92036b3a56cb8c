//! The JSON of other programs: tolerant of members that are not known, and of those that hold
//! something else than the program writes, as long as they are no tokens.
//!
//! Invariant: a reason why a text is refused quotes nothing of it.

use super::time::{Time, time};
use crate::profile::is_stand_in;
use crate::secret::Secret;
use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

/// Why a text is not what a program writes. It quotes nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is no JSON.
    #[error("it is not JSON ({0})")]
    NotJson(Position),
    /// An object in it has a key twice.
    #[error("it repeats a key ({0})")]
    RepeatedKey(Position),
    /// It is other JSON.
    #[error("it does not have the form that this program writes ({0})")]
    OtherForm(Position),
    /// A token or key in it cannot be one.
    #[error("a token in it holds characters that no token has")]
    UnfitToken,
    /// A shortened token or an example stands in the place of a token or key.
    #[error("a token in it is masked, or an example")]
    StandIn,
    /// Something else than a text stands in the place of a token or key.
    #[error("a token in it is not text")]
    TokenNotText,
}

/// A place in a text, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// An object none of whose keys is repeated, each value as it is written.
#[derive(Debug, Default)]
pub(super) struct Members(pub(super) IndexMap<String, Box<RawValue>>);

impl Members {
    /// The object as text: the values as they are, two spaces before each key.
    pub(super) fn to_text(&self) -> Result<String, Malformed> {
        let text = serde_json::to_string_pretty(&self.0).map_err(|error| malformed(&error))?;
        Ok(text + "\n")
    }

    /// The value of a member; `None` where it is `null` or not there.
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(AsRef::as_ref).filter(|value| value.get() != "null")
    }

    /// A text; `None` of any other value.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// A token or key without the white space around it; `None` when there is none.
    ///
    /// # Errors
    /// What stands there cannot be a token.
    pub(super) fn secret(&self, name: &str) -> Result<Option<Secret>, Malformed> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let value: Secret = read(value.get()).map_err(|_| Malformed::TokenNotText)?;
        let token = value.expose().trim();
        if is_stand_in(token) {
            return Err(Malformed::StandIn);
        }
        // RFC 6749 appendix A.12: visible characters. One in quotes was quoted twice.
        let is_quoted = token.starts_with(['"', '\'']) && token.len() > 1;
        if is_quoted || !token.chars().all(|c| matches!(c, '!'..='~')) {
            return Err(Malformed::UnfitToken);
        }
        Ok(Some(token).filter(|token| !token.is_empty()).map(Secret::new))
    }

    /// A name or e-mail for people, or a number in the place of one; `None` when it is blank
    /// or could move the cursor.
    pub(super) fn label(&self, name: &str) -> Option<String> {
        let number = || {
            let number: u64 = serde_json::from_str(self.get(name)?.get()).ok()?;
            Some(number.to_string())
        };
        label(self.text(name).or_else(number))
    }

    /// A time; see [`super::time::time`].
    pub(super) fn time(&self, name: &str) -> Option<Time> {
        self.get(name).and_then(time)
    }
}

/// The members of an object as they are written, repeated ones as often as they are there.
#[derive(Debug, Default)]
pub(super) struct Entries(pub(super) Vec<(String, Box<RawValue>)>);

impl Entries {
    /// The object as text; see [`Members::to_text`].
    pub(super) fn to_text(&self) -> Result<String, Malformed> {
        let text = serde_json::to_string_pretty(self).map_err(|error| malformed(&error))?;
        Ok(text + "\n")
    }

    /// Whether more than one member has this name.
    pub(super) fn repeats(&self, name: &str) -> bool {
        self.0.iter().filter(|(of, _)| of == name).count() > 1
    }
}

impl Serialize for Entries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Entries;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(All)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;

        impl<'de> Visitor<'de> for Unique {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = IndexMap::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate field"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Unique)
    }
}

/// The members of an object.
pub(super) fn members(text: &str) -> Result<Members, Malformed> {
    read(text)
}

/// A value of a known form.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| malformed(&error))
}

/// The text of such an error can quote a secret.
fn malformed(error: &serde_json::Error) -> Malformed {
    let at = Position { line: error.line(), column: error.column() };
    match error.classify() {
        Category::Syntax | Category::Eof => Malformed::NotJson(at),
        Category::Data if error.to_string().contains("duplicate field") => {
            Malformed::RepeatedKey(at)
        }
        _ => Malformed::OtherForm(at),
    }
}

/// A name or e-mail for people; `None` when it is blank or could move the cursor.
pub(super) fn label(value: Option<String>) -> Option<String> {
    let value = value?.trim().to_owned();
    let is_plain = !value.is_empty()
        && value.chars().count() <= 320
        && crate::text::printable(&value, 320) == value;
    is_plain.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_told_without_a_quote() {
        for (text, expected) in [
            ("", "it is not JSON"),
            ("{\"a\":", "it is not JSON"),
            ("[1]", "it does not have the form"),
            ("\"fake-secret\"", "it does not have the form"),
            ("{\"fake-secret\":1,\"fake-secret\":2}", "it repeats a key"),
        ] {
            let reason = members(text).unwrap_err().to_string();
            assert!(reason.starts_with(expected) && !reason.contains("fake"), "{reason}");
        }
    }

    #[test]
    fn values_that_are_kept_keep_their_text() {
        let text = "{\n  \"a\": {\n    \"n\": 1.0e+2\n  },\n  \"b\": \"\\u0041\"\n}\n";
        assert_eq!(members(text).unwrap().to_text().unwrap(), text);
    }

    #[test]
    fn repeated_members_stay_repeated() {
        let entries: Entries = read("{\"a\":1,\"b\":2,\"a\":1.50}").unwrap();
        assert!(entries.repeats("a") && !entries.repeats("b") && !entries.repeats("c"));
        assert_eq!(entries.to_text().unwrap(), "{\n  \"a\": 1,\n  \"b\": 2,\n  \"a\": 1.50\n}\n");
    }

    #[test]
    fn labels_and_tokens_hold_no_control_characters() {
        assert_eq!(label(Some(" a@x ".into())).as_deref(), Some("a@x"));
        for odd in ["", " ", "a\u{1b}[31m", "a\nb", "\u{202e}x"] {
            assert_eq!(label(Some(odd.into())), None, "{odd:?}");
        }
        let odd = r#"{"a":"fake\nx","b":" ","c":" fake\n","d":7,"e":null,"f":{"fake":1}}"#;
        let odd = members(odd).unwrap();
        assert!(matches!(odd.secret("a"), Err(Malformed::UnfitToken)));
        for none in ["b", "e", "missing"] {
            assert!(odd.secret(none).unwrap().is_none(), "{none}");
        }
        assert_eq!(odd.secret("c").unwrap().unwrap().expose(), "fake");
        for number in ["d", "f"] {
            assert!(matches!(odd.secret(number), Err(Malformed::TokenNotText)), "{number}");
        }
        let hidden = members(r#"{"a":"fake***x","b":"[REDACTED]","c":"<your-key>"}"#).unwrap();
        for name in ["a", "b", "c"] {
            assert!(matches!(hidden.secret(name), Err(Malformed::StandIn)), "{name}");
        }
        let quoted = members(r#"{"a":"\"fake\""}"#).unwrap();
        assert!(matches!(quoted.secret("a"), Err(Malformed::UnfitToken)));
        assert_eq!(odd.label("d").as_deref(), Some("7"));
        assert_eq!(odd.label("f"), None);
    }
}
