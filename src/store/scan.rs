//! The one pass over a document: its members, and where the fields of its entries stand.
//!
//! It is hasty: at an odd entry it gives up, and the document is scanned again, each entry
//! on its own. Invariant: both ways find the same, and what is wrong with a document is told
//! by the second.

use super::document::{Entry, PROFILES, literal};
use super::field::Field;
use super::fields::{Name, Span, Spans};
use super::json_text::{RawObject, UniqueObject, repeats};
use super::state::has_repetition;
use indexmap::IndexMap;
use indexmap::map::Entry as Place;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};
use serde_json::value::RawValue;
use std::fmt;

/// The entries of a document by their ids.
pub(super) type Profiles = IndexMap<String, Entry>;

/// The top-level members of a document, and its entries.
///
/// # Errors
/// The text is not JSON, not an object, or its `profiles` are not an object.
pub(super) fn scan(text: &str) -> serde_json::Result<(RawObject, Profiles)> {
    let read = |is_hasty| {
        let document = text.trim_start_matches('\u{feff}');
        let mut json = serde_json::Deserializer::from_str(document);
        let parts = json.deserialize_map(Members(Scan { text, is_hasty }))?;
        json.end().map(|()| parts)
    };
    read(true).or_else(|_| read(false))
}

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
        if self.0.is_hasty {
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
                Place::Vacant(place) => place.insert(Entry::Read(start, spans)),
                Place::Occupied(known) => return Err(A::Error::custom(repeats(known.key()))),
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
    /// Whether to give up at what takes time. Who does has to scan again.
    pub(super) is_hasty: bool,
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
        while let Some(name) = map.next_key::<Name>()? {
            let found = match name {
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                Name::Access | Name::Refresh | Name::IdToken if self.is_hasty => {
                    self.span(map.next_value::<Plain<'_>>()?.0)?
                }
                _ => self.value(map.next_value::<&RawValue>()?.get())?,
            };
            let span = &mut spans.0[name as usize];
            // What we wrote ourselves decides nothing.
            if span.start > 0 && name != Name::ImportedFrom {
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
