//! Provider ids, normalised as OpenClaw 2026.4.24 does.
//!
//! Invariant: an id is normalised once, when it is made, and two ids are equal when they are
//! then the same. The spelling stays beside it: files, JSON and the names of locks have it as
//! it was given. What is shown is that spelling, safe on a terminal and bounded.

use crate::text::show;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The id of a provider.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub struct ProviderId {
    spelling: String,
    /// The normalised id, where it is not spelt so.
    id: Option<Box<str>>,
}

impl ProviderId {
    /// The normalised id: trimmed, lower case, and with former names mapped to the present
    /// one.
    pub fn as_str(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.spelling)
    }

    /// The text that it was made of.
    pub fn spelling(&self) -> &str {
        &self.spelling
    }

    /// The same id, spelt as it is normalised.
    #[must_use]
    pub fn normalized(self) -> Self {
        match self.id {
            Some(id) => Self { spelling: id.into_string(), id: None },
            None => self,
        }
    }

    /// Whether `text` is a spelling of this id.
    pub fn is_spelt(&self, text: &str) -> bool {
        normalized(text) == self.as_str()
    }

    /// Whether nothing is left of the spelling.
    pub fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }
}

/// `text`, trimmed, in lower case, and with a former name mapped to the present one.
fn normalized(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase());
    let id: Cow<'_, str> = if is_plain { text.into() } else { text.trim().to_lowercase().into() };
    present_name(&id).map_or(id, Cow::Borrowed)
}

/// The name that a provider has now; `None` for one that has no former name of this kind.
fn present_name(id: &str) -> Option<&'static str> {
    Some(match id {
        "modelstudio" | "qwencloud" => "qwen",
        "z.ai" | "z-ai" => "zai",
        "opencode-zen" => "opencode",
        "opencode-go-auth" => "opencode-go",
        "kimi-code" | "kimi-coding" => "kimi",
        "bedrock" | "aws-bedrock" => "amazon-bedrock",
        "bytedance" | "doubao" => "volcengine",
        _ => return None,
    })
}

/// The spelling.
impl AsRef<str> for ProviderId {
    fn as_ref(&self) -> &str {
        self.spelling()
    }
}

impl From<String> for ProviderId {
    fn from(spelling: String) -> Self {
        let id = normalized(&spelling);
        let id = (*id != spelling).then(|| Box::from(&*id));
        Self { spelling, id }
    }
}

impl From<&str> for ProviderId {
    fn from(spelling: &str) -> Self {
        spelling.to_owned().into()
    }
}

impl From<&Self> for ProviderId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl PartialEq for ProviderId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ProviderId {}

impl Hash for ProviderId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for ProviderId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By the normalised ids.
impl Ord for ProviderId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// For people: the spelling, at most 80 characters of it, or as many as the precision says.
impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.spelling, 80, f)
    }
}

impl fmt::Debug for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spelling.fmt(f)
    }
}

/// In JSON it is the spelling.
impl Serialize for ProviderId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.spelling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn former_names_map_to_the_present_one() {
        for (given, id) in [
            ("OpenAI", "openai"),
            (" Z.AI ", "zai"),
            ("qwencloud", "qwen"),
            ("opencode-zen", "opencode"),
            ("kimi-coding", "kimi"),
            ("aws-bedrock", "amazon-bedrock"),
            ("doubao", "volcengine"),
            ("openai-codex", "openai-codex"),
            ("İstanbul ", "i\u{307}stanbul"),
            ("ü", "ü"),
            ("", ""),
        ] {
            let made = ProviderId::from(given);
            assert_eq!((made.as_str(), made.spelling()), (id, given));
            assert!(made.is_spelt(given) && made.is_spelt(id));
            let normalized = made.normalized();
            assert_eq!((normalized.as_str(), normalized.spelling()), (id, id));
        }
    }

    #[test]
    fn ids_are_compared_normalised_and_written_as_they_are_spelt() {
        let ids = [" Z.AI ", "z-ai", "zai"].map(ProviderId::from);
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1);
        assert_eq!(serde_json::to_string(&ids).unwrap(), r#"[" Z.AI ","z-ai","zai"]"#);
        let mut sorted = ["b", "A", "c"].map(ProviderId::from);
        sorted.sort();
        assert_eq!(sorted.each_ref().map(ProviderId::spelling), ["A", "b", "c"]);
    }

    #[test]
    fn only_what_is_safe_is_shown_and_the_spelling_stays() {
        let odd = ProviderId::from("P\u{1b}[31m\u{202e}q\n");
        assert_eq!(
            (odd.to_string().as_str(), odd.spelling()),
            ("P[31mq", "P\u{1b}[31m\u{202e}q\n")
        );
        assert_eq!(serde_json::to_value(&odd).unwrap(), odd.spelling());
        let long = ProviderId::from("x".repeat(200));
        assert_eq!(long.to_string(), "x".repeat(80) + "…");
        assert_eq!(format!("{long:.60}"), "x".repeat(60) + "…");
    }
}
