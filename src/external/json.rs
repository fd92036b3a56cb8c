//! The JSON of other programs: tolerant of members that are not known, strict on the rest.
//!
//! Invariant: a reason why a text is refused quotes nothing of it.

use crate::profile::Millis;
use crate::secret::Secret;
use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
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

/// A token or key; `None` when it is blank.
pub(super) fn secret(value: Option<Secret>) -> Result<Option<Secret>, Malformed> {
    let Some(value) = value.filter(|value| !value.is_blank()) else { return Ok(None) };
    // RFC 6749 appendix A.12: visible characters.
    if value.expose().chars().all(|c| matches!(c, '!'..='~')) {
        return Ok(Some(value));
    }
    Err(Malformed::UnfitToken)
}

/// A name or e-mail for people; `None` when it is blank or could move the cursor.
pub(super) fn label(value: Option<String>) -> Option<String> {
    let value = value?.trim().to_owned();
    let is_plain = !value.is_empty()
        && value.chars().count() <= 320
        && crate::text::printable(&value, 320) == value;
    is_plain.then_some(value)
}

/// A time in milliseconds since the epoch; one that is no time has passed.
pub(super) fn time(value: Option<f64>) -> Option<Millis> {
    let value = value?;
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
    let time = if value.is_finite() && value > 0.0 { value as Millis } else { 1 };
    Some(time)
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
    fn labels_and_tokens_hold_no_control_characters() {
        assert_eq!(label(Some(" a@x ".into())).as_deref(), Some("a@x"));
        for odd in ["", " ", "a\u{1b}[31m", "a\nb", "\u{202e}x"] {
            assert_eq!(label(Some(odd.into())), None, "{odd:?}");
        }
        assert!(secret(Some(Secret::new("a\nb"))).is_err());
        assert!(secret(Some(Secret::new(" "))).unwrap().is_none());
        assert_eq!(time(Some(-3.0)), Some(1));
    }
}
