//! Profile ids: the key of a profile in its document.
//!
//! Invariant: the text is kept as it was given. What is shown of it is safe on a terminal and
//! bounded; the text itself is read by [`ProfileId::as_str`] alone.

use crate::text::show;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;

/// The id of a profile. Two ids are equal when their texts are; in JSON it is the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ProfileId(String);

impl ProfileId {
    /// The text, for keys and files.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a user may choose it: it is not blank, has no spaces around it and no control
    /// characters in it.
    pub fn is_valid(&self) -> bool {
        !self.0.is_empty() && self.0.trim() == self.0 && !self.0.contains(char::is_control)
    }
}

impl From<String> for ProfileId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<&str> for ProfileId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

/// The id as it is.
impl AsRef<str> for ProfileId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for ProfileId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for ProfileId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for ProfileId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// For people: at most 200 characters, or as many as the precision says.
impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0, 200, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_is_shown_and_the_text_stays() {
        let id = ProfileId::from("p:\u{1b}[31m\u{202e}me\r\n@x.test");
        assert_eq!(id.to_string(), "p:[31mme@x.test");
        assert_eq!(id.as_str(), "p:\u{1b}[31m\u{202e}me\r\n@x.test");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), id.as_str());
    }

    #[test]
    fn what_is_shown_is_bounded() {
        let long = ProfileId::from("x".repeat(1_000));
        assert_eq!(long.to_string(), "x".repeat(200) + "…");
        assert_eq!(format!("{long:.120}"), "x".repeat(120) + "…");
        assert_eq!(serde_json::to_string(&long).unwrap().len(), 1_002);
        assert_eq!(ProfileId::from("x".repeat(200)).to_string(), "x".repeat(200));
    }

    #[test]
    fn a_user_chooses_a_name_without_outer_spaces() {
        for (id, is_valid) in [
            ("p:me", true),
            ("p: me", true),
            ("", false),
            (" p", false),
            ("p\n", false),
            ("a\u{7}b", false),
        ] {
            assert_eq!(ProfileId::from(id).is_valid(), is_valid, "{id:?}");
        }
    }
}
