//! JSON text whose values are kept as they were written.
//!
//! Documents are rewritten from raw values, so numbers, escapes and unknown shapes keep
//! their bytes; only the white space between tokens is laid out anew.

use indexmap::IndexMap;
use indexmap::map::Entry;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::marker::PhantomData;

/// An object as its keys, in order, and the text of their values.
pub(super) type RawObject = IndexMap<String, Box<RawValue>>;

/// An object none of whose keys is repeated: a rewrite would lose all but one.
pub(super) struct UniqueObject<V = Box<RawValue>>(pub(super) IndexMap<String, V>);

/// What is wrong with an object that has this key twice.
pub(super) fn repeats(key: &str) -> String {
    format!("it repeats the key {key:?}")
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for UniqueObject<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
            type Value = UniqueObject<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueObject<V>, A::Error> {
                let mut members = IndexMap::new();
                while let Some((key, value)) = map.next_entry::<String, V>()? {
                    match members.entry(key) {
                        Entry::Vacant(vacant) => vacant.insert(value),
                        Entry::Occupied(known) => {
                            return Err(A::Error::custom(repeats(known.key())));
                        }
                    };
                }
                Ok(UniqueObject(members))
            }
        }

        deserializer.deserialize_map(Unique(PhantomData))
    }
}

/// `value` as raw JSON.
///
/// # Errors
/// Serialisation fails only for maps with keys that are no strings.
pub(super) fn raw<T: serde::Serialize + ?Sized>(value: &T) -> serde_json::Result<Box<RawValue>> {
    serde_json::value::to_raw_value(value)
}

/// `json` laid out with two spaces a level and a final newline, as OpenClaw writes its
/// documents. Tokens are copied byte for byte; `json` must be valid.
pub(super) fn pretty(json: &str) -> String {
    let mut layout = Layout::with_capacity(json.len() + json.len() / 4);
    layout.push(json);
    layout.finish()
}

/// `json` without white space between its tokens, which are copied byte for byte; it must be
/// valid.
#[cfg(feature = "sqlite")]
pub(super) fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            _ => rest.find(['"', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        text.push_str(token);
        rest = after.trim_start();
    }
    text
}

/// A text that is laid out as [`pretty`] does it, piece by piece: a large document needs no
/// second copy.
pub(super) struct Layout {
    text: String,
    depth: usize,
    just_opened: bool,
}

impl Layout {
    /// An empty text with room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), depth: 0, just_opened: false }
    }

    /// Adds whole tokens; together, all pieces must be valid JSON.
    pub(super) fn push(&mut self, json: &str) {
        let mut rest = json.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' => string_length(rest),
                '{' | '[' | '}' | ']' | ',' | ':' => 1,
                _ => rest.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
            };
            let (token, after) = rest.split_at(length);
            rest = after.trim_start();
            if matches!(first, '}' | ']') {
                self.depth = self.depth.saturating_sub(1);
                if !self.just_opened {
                    new_line(&mut self.text, self.depth);
                }
            } else if self.just_opened {
                new_line(&mut self.text, self.depth);
            }
            self.just_opened = matches!(first, '{' | '[');
            self.text.push_str(token);
            match first {
                '{' | '[' => self.depth += 1,
                ',' => new_line(&mut self.text, self.depth),
                ':' => self.text.push(' '),
                _ => {}
            }
        }
    }

    /// The text, with its final newline.
    pub(super) fn finish(mut self) -> String {
        self.text.push('\n');
        self.text
    }
}

/// Deeper levels are not set in further: the layout must not outgrow the document.
const DEEPEST_INDENTATION: usize = 64;

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth.min(DEEPEST_INDENTATION)));
}

/// The length of the string literal at the start of `text`, quotes included.
fn string_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut index = 1;
    while index < bytes.len() {
        match bytes[index] {
            b'\\' => index += 2,
            b'"' => return index + 1,
            _ => index += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn the_layout_is_that_of_json_stringify() {
        let compact = r#"{"a":[],"b":{},"c":[1,{"d":"x, \"y\": {"}],"e":null}"#;
        let value: serde_json::Value = serde_json::from_str(compact).unwrap();
        let expected = serde_json::to_string_pretty(&value).unwrap() + "\n";
        assert_eq!(pretty(compact), expected);
        assert_eq!(pretty(&expected), expected);
        assert_eq!(
            pretty(" {\r\n\t\"a\" : [ ] , \"b\":[\n1 ,2 ] } "),
            "{\n  \"a\": [],\n  \"b\": [\n    1,\n    2\n  ]\n}\n"
        );
    }

    #[test]
    fn tokens_keep_their_bytes() {
        let odd = r#"{"n":1.0e+400,"m":-0,"k":12345678901234567890123,"s":"\u0041\/\\"}"#;
        let laid_out = pretty(odd);
        for token in ["1.0e+400", "-0", "12345678901234567890123", r#""\u0041\/\\""#] {
            assert!(laid_out.contains(token), "{token}");
        }
    }
}
