//! The one pass over a document: its members, and where the fields of its entries stand.
//!
//! The fast pass gives up at an odd entry: the document is then scanned again, each entry on
//! its own. Invariant: both ways find the same, and what is wrong with a document is told
//! by the second.

use super::field::Field;
use super::fields::{FieldName, Fields, Span, Spans};
use super::layout::{PROFILES, has_repetition, literal};
use crate::secret::Secret;
use crate::store::json_text::{RawObject, UniqueObject, repeats};
use indexmap::IndexMap;
use indexmap::map::Entry as Slot;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};
use serde_json::value::RawValue;
use std::fmt;

/// An entry.
pub(super) enum Entry {
    /// As it was read: where it starts in the text of the document, and its fields there.
    Read(usize, Spans),
    /// As it was set.
    Set(Secret),
}

/// The entries of a document by their ids.
pub(super) type Profiles = IndexMap<String, Entry>;

/// The top-level members of a document, and its entries.
///
/// # Errors
/// The text is not JSON, not an object, or its `profiles` are not an object.
pub(super) fn scan(text: &str) -> serde_json::Result<(RawObject, Profiles)> {
    read(text, true).or_else(|_| read(text, false))
}

fn read(text: &str, is_fast: bool) -> serde_json::Result<(RawObject, Profiles)> {
    let mut json = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
    let parts = json.deserialize_map(Members(Scan { text, is_fast }))?;
    json.end().map(|()| parts)
}

/// The fields of an entry on its own.
pub(super) fn fields_of(entry: &str) -> Fields<'_> {
    Fields::new(entry, Scan { text: entry, is_fast: false }.entry(entry))
}

/// The value that starts here, which was read before.
pub(super) fn value_at(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    <&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(rest))
        .map_or("null", RawValue::get)
}

/// The top-level members of a document.
struct Members<'t>(Scan<'t>);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = (RawObject, Profiles);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with profiles")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = RawObject::new();
        let mut profiles = Profiles::new();
        while let Some(name) = map.next_key::<String>()? {
            // Of two members with one name, a rewrite would lose the first.
            if members.contains_key(&name) {
                return Err(A::Error::custom(repeats(&name)));
            }
            if name == PROFILES {
                profiles = map.next_value_seed(Entries(self.0))?;
                members.insert(name, literal("null"));
            } else {
                let value: Box<RawValue> = map.next_value()?;
                if has_repetition(&name, &value) {
                    return Err(A::Error::custom(repeats(&name)));
                }
                members.insert(name, value);
            }
        }
        members.entry(PROFILES.to_owned()).or_insert_with(|| literal("null"));
        Ok((members, profiles))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Err(E::custom("the document is null"))
    }
}

/// The entries of a document.
struct Entries<'t>(Scan<'t>);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = Profiles;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Profiles, D::Error> {
        if self.0.is_fast {
            return deserializer.deserialize_map(self);
        }
        let entries = UniqueObject::<&RawValue>::deserialize(deserializer)?.0.into_iter();
        let read =
            |entry: &str| Entry::Read(self.0.offset_of(entry.as_bytes()), self.0.entry(entry));
        Ok(entries.map(|(id, entry)| (id, read(entry.get()))).collect())
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Profiles;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Profiles, A::Error> {
        let mut entries = Profiles::new();
        while let Some(id) = map.next_key::<&str>()? {
            // Between the id and the entry stands a colon.
            let after_id = self.0.offset_of(id.as_bytes()) + id.len();
            let spans = map.next_value_seed(self.0)?;
            let start = self.0.text[after_id..].find('{').unwrap_or_default() + after_id;
            match entries.entry(id.to_owned()) {
                Slot::Vacant(place) => place.insert(Entry::Read(start, spans)),
                Slot::Occupied(known) => return Err(A::Error::custom(repeats(known.key()))),
            };
        }
        Ok(entries)
    }
}

/// Finds the fields of the entries in a text.
#[derive(Clone, Copy)]
pub(super) struct Scan<'t> {
    /// The text in which they stand.
    pub(super) text: &'t str,
    /// Whether to give up at what is odd, because it takes time.
    pub(super) is_fast: bool,
}

impl Scan<'_> {
    /// The fields of an entry, which is a part of the text; none when it cannot be
    /// interpreted.
    pub(super) fn entry(self, entry: &str) -> Spans {
        let mut json = serde_json::Deserializer::from_str(entry);
        json.deserialize_map(self).unwrap_or_default()
    }

    /// Where a part of the text starts.
    pub(super) fn offset_of(self, part: &[u8]) -> usize {
        part.as_ptr().addr() - self.text.as_ptr().addr()
    }

    fn span<E: Error>(self, part: &[u8]) -> Result<Span, E> {
        let start = u32::try_from(self.offset_of(part)).map_err(E::custom)?;
        Ok(Span { start, length: u32::try_from(part.len()).map_err(E::custom)? })
    }

    fn value<E: Error>(self, value: &str) -> Result<Span, E> {
        let plain = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        if let Some(text) = plain.filter(|text| !text.contains('\\')) {
            return self.span(text.as_bytes());
        }
        // An escape, a number or a key can be wrong.
        serde_json::from_str::<Field<'_>>(value).map_err(E::custom)?;
        self.span(value.as_bytes())
    }
}

impl<'de> DeserializeSeed<'de> for Scan<'_> {
    type Value = Spans;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Spans, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Scan<'_> {
    type Value = Spans;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spans, A::Error> {
        let mut spans = Spans::default();
        while let Some(name) = map.next_key::<FieldName>()? {
            let found = match name {
                FieldName::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                FieldName::Access | FieldName::Refresh | FieldName::IdToken if self.is_fast => {
                    self.span(map.next_value::<Plain<'_>>()?.0)?
                }
                // Nothing depends on it.
                FieldName::ImportedFrom => {
                    self.span(map.next_value::<&RawValue>()?.get().as_bytes())?
                }
                _ => self.value(map.next_value::<&RawValue>()?.get())?,
            };
            let span = &mut spans.0[name as usize];
            if span.start > 0 && name != FieldName::ImportedFrom {
                return Err(A::Error::custom("it repeats a field"));
            }
            *span = found;
        }
        Ok(spans)
    }
}

/// A long text without escapes, found many bytes at a time.
struct Plain<'t>(&'t [u8]);

impl<'de: 't, 't> Deserialize<'de> for Plain<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl<'de> Visitor<'de> for Bytes {
            type Value = Plain<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text without escapes")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Plain<'de>, E> {
                // Nobody else has looked for what JSON forbids in a text.
                let least = bytes.iter().fold(u8::MAX, |least, byte| least.min(*byte));
                if least < b' ' { Err(E::custom("a control character")) } else { Ok(Plain(bytes)) }
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"type":"oauth","provider":"p","access":"fake-a","refresh":"fake-r",
        "idToken":"fake-i","expires":4102444800000,"email":"a@x","accountId":"1","odd":{"x":[1e400]},
        "importedFrom":{"tool":"t"},"keyRef":{"source":"env","id":"A"},"tokenRef":null}"#;

    /// The entry in a document between two others.
    fn document(entry: &str) -> String {
        format!(
            "\u{feff}{{\"version\":1,\"profiles\" : {{\"a{{\" :\n{PLAIN},\"p:1\"\t: {entry} ,\"b\":{PLAIN}}}}}"
        )
    }

    /// The text of each entry, and of the value of each of its fields.
    type Found<'t> = Vec<(&'t str, Vec<Option<&'t str>>)>;

    fn found(text: &str, is_fast: bool) -> Option<Found<'_>> {
        let (_, profiles) = read(text, is_fast).ok()?;
        let entry = |entry: &Entry| match entry {
            Entry::Read(start, spans) => {
                (value_at(text, *start), Fields::new(text, *spans).values())
            }
            Entry::Set(_) => unreachable!("nothing was set"),
        };
        Some(profiles.values().map(entry).collect())
    }

    fn check(entry: &str) -> bool {
        let text = document(entry);
        let alone = [PLAIN, entry, PLAIN].map(|entry| (entry, fields_of(entry).values()));
        assert_eq!(found(&text, false).unwrap(), alone, "{entry}");
        let fast = found(&text, true);
        assert!(fast.as_ref().is_none_or(|fast| *fast == alone), "{entry}");
        assert_eq!(scan(&text).unwrap().1.len(), 3);
        fast.is_some()
    }

    #[test]
    fn one_pass_finds_what_each_entry_says_alone() {
        for entry in [
            PLAIN,
            "{}",
            r#"{"access":""}"#,
            r#"{ "type" : "token" , "token" : " fake \u00e9 " }"#,
            r#"{"t\u0079pe":"api_key","provider":"p","k\u0065y":"fake"}"#,
            r#"{"type":"api_key","key":{"source":"env","id":"\ud800","n":-0,"deep":{"key":"x"}}}"#,
            r#"{"type":null,"expires":"soon","email":[{"email":"x"}],"mode":true}"#,
            r#"{"expires":-1.5e3,"accountId":18446744073709551616}"#,
            r#"{"note":"\ud800","n":1e999,"note":2,"provider":"}{:,\u0022"}"#,
            r#"{"importedFrom":1,"importedFrom":{"tool":"t"}}"#,
            r#"{"type":"oauth","importedFrom" :1e400,"importedFrom" : "\ud800"}"#,
            "{\"access\":\"\u{7f}\u{2028}\u{feff}\u{fc}\",\"x\u{1f99e}\":1}",
        ] {
            assert!(check(entry), "{entry}");
        }
    }

    #[test]
    fn what_is_odd_is_found_all_the_same() {
        for entry in [
            r#"{"access":null}"#,
            r#"{"access":["fake"],"type":"oauth"}"#,
            r#"{"refresh":{"source":"env","id":"A"}}"#,
            r#"{"access":"fake\/a","idToken":"\ud83e\udd9e"}"#,
        ] {
            assert!(!check(entry), "{entry}");
            assert!(fields_of(entry).values().iter().any(Option::is_some), "{entry}");
        }
    }

    #[test]
    fn an_entry_that_cannot_be_interpreted_says_nothing_and_the_others_do() {
        for entry in [
            "\"text\"",
            "null",
            "5",
            "[]",
            r#"["oauth","","p"]"#,
            r#"{"type":"oauth","clientId":"\ud800"}"#,
            r#"{"type":"oauth","access":"\ud800"}"#,
            r#"{"type":"oauth","\ud800":1}"#,
            r#"{"type":"oauth","key":{"\ud800":1}}"#,
            r#"{"type":"oauth","expires":1e400}"#,
            r#"{"type":"oauth","type":"oauth"}"#,
            r#"{"type":"oauth","t\u0079pe":"oauth"}"#,
            r#"{"access":"fake","access":"fake"}"#,
        ] {
            assert!(!check(entry), "{entry}");
            assert!(fields_of(entry).values().iter().all(Option::is_none), "{entry}");
        }
    }

    #[test]
    fn an_id_with_an_escape_is_one() {
        let text = format!(r#"{{"profiles":{{"p:\u0031":{PLAIN},"{{":{PLAIN}}}}}"#);
        let (_, profiles) = scan(&text).unwrap();
        assert_eq!(profiles.keys().collect::<Vec<_>>(), ["p:1", "{"]);
        assert!(read(&text, true).is_err());
    }

    #[test]
    fn what_is_no_document_is_refused_in_the_same_words() {
        for text in [
            "{\"profiles\":{\"p\":{\"access\":\"fake\u{1}\"}}}",
            "{\"profiles\":{\"p\":{\"access\":\"fake\n\"}}}",
            r#"{"profiles":{"p":{"access":"fake}}}"#,
            r#"{"profiles":{"p":{"access":"fake\x"}}}"#,
            r#"{"profiles":{"p":{"access":fake}}}"#,
            r#"{"profiles":{"p":{"note":01}}}"#,
            r#"{"profiles":{"p":{"expires":01}}}"#,
            r#"{"profiles":{"p":{},"p":{}}}"#,
            r#"{"profiles":{"p":{},"\u0070":{}}}"#,
            r#"{"profiles":{},"profiles":{}}"#,
            r#"{"profiles":{"p":{}}} x"#,
            r#"{"profiles":{"p":{},}}"#,
            r#"{"profiles":null}"#,
            "null",
            "",
        ] {
            assert!(read(text, true).is_err(), "{text}");
            let slow = read(text, false).map(drop).unwrap_err().to_string();
            assert_eq!(scan(text).map(drop).unwrap_err().to_string(), slow, "{text}");
        }
    }
}
