//! The auth-profiles document: `{"version": 1, "profiles": {<id>: <credential>}}`.

mod credential;
mod fence;
mod field;
mod fields;
mod inspection;
mod layout;
#[cfg(feature = "sqlite")]
mod marker;
mod provenance;
mod refusal;
mod scan;
mod shape;
mod state;
mod usage;

pub use credential::{
    IssuedCredential, Pasted, entry_with, login_entry, pasted_entry, renewed_entry, rotates,
};
pub use fence::Fence;
pub use inspection::Inspection;
#[cfg(feature = "sqlite")]
pub(super) use marker::{failed, holds, is_marked_by, marked};
pub use provenance::Provenance;
pub use refusal::{is_refused, is_rejected};
pub use shape::{EntryFault, Misshape};
pub use state::StateDocument;

use super::json_text::{Layout, RawObject, raw};
use crate::profile::{Credential, CredentialSummary, Kind};
use crate::secret::Secret;
use credential::credential;
use fields::Fields;
use inspection::inspect;
pub(in crate::store) use layout::OLD_LAYOUT;
use layout::{PROFILES, literal};
use scan::{Entry, Profiles, fields_of, scan, value_at};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An auth-profiles document. Entries and top-level values keep their text.
pub struct Document {
    /// What was read.
    text: Secret,
    /// The top-level members in order; the one named `profiles` is a placeholder.
    members: RawObject,
    profiles: Profiles,
}

/// What can be said of a profile without its secrets.
#[derive(Clone, Debug)]
pub struct ProfileSummary<'d> {
    /// The profile id.
    pub id: &'d str,
    /// The provider as the entry spells it.
    pub provider: Cow<'d, str>,
    /// What is there of the credential.
    pub facts: CredentialSummary,
}

/// An entry of the document that can be interpreted.
#[derive(Clone, Debug)]
pub struct Profile<'d> {
    /// The profile id.
    pub id: &'d str,
    /// The credential.
    pub credential: Credential,
}

/// Without the values: they hold secrets.
impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("profiles", &self.profiles.len()).finish_non_exhaustive()
    }
}

impl Default for Document {
    fn default() -> Self {
        let mut members = RawObject::new();
        members.insert("version".to_owned(), literal("1"));
        members.insert(PROFILES.to_owned(), literal("null"));
        Self { text: Secret::new(""), members, profiles: Profiles::new() }
    }
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The text is not JSON, not an object, or its `profiles` are not an object.
    pub fn parse(text: impl Into<String>) -> serde_json::Result<Self> {
        let text = Secret::new(text);
        let (members, profiles) = scan(text.expose())?;
        Ok(Self { text, members, profiles })
    }

    fn text_of<'d>(&'d self, entry: &'d Entry) -> &'d str {
        match entry {
            Entry::Read(start, _) => value_at(self.text.expose(), *start),
            Entry::Set(text) => text.expose(),
        }
    }

    fn fields<'d>(&'d self, entry: &'d Entry) -> Fields<'d> {
        match entry {
            Entry::Read(_, spans) => Fields::new(self.text.expose(), *spans),
            Entry::Set(text) => fields_of(text.expose()),
        }
    }

    fn all_fields(&self) -> impl Iterator<Item = (&str, Fields<'_>)> {
        self.profiles.iter().map(|(id, entry)| (id.as_str(), self.fields(entry)))
    }

    /// The document as text: two spaces a level, a final newline.
    ///
    /// # Errors
    /// Never in practice: every part is JSON already.
    pub fn to_text(&self) -> serde_json::Result<String> {
        // A text that grows leaves copies behind.
        let entries = self.profiles.iter().map(|(id, entry)| match entry {
            Entry::Read(..) => 0,
            Entry::Set(text) => 6 * id.len() + text.expose().len() + 8,
        });
        let entries = self.text.expose().len() + entries.sum::<usize>();
        let others = self.members.iter().map(|(name, it)| 6 * name.len() + it.get().len() + 8);
        let length = entries + others.sum::<usize>() + 8;
        let mut layout = Layout::with_capacity(length + length / 4);
        layout.push("{");
        for (index, (name, value)) in self.members.iter().enumerate() {
            if index > 0 {
                layout.push(",");
            }
            layout.push(&serde_json::to_string(name)?);
            layout.push(":");
            if name == PROFILES {
                self.push_profiles(&mut layout)?;
            } else {
                layout.push(value.get());
            }
        }
        layout.push("}");
        Ok(layout.finish())
    }

    fn push_profiles(&self, layout: &mut Layout) -> serde_json::Result<()> {
        layout.push("{");
        for (index, (id, entry)) in self.entries().enumerate() {
            if index > 0 {
                layout.push(",");
            }
            layout.push(&serde_json::to_string(id)?);
            layout.push(":");
            layout.push(entry);
        }
        layout.push("}");
        Ok(())
    }

    /// Whether there was no document: what is not in it need not have been removed. The file
    /// may be away for a moment.
    pub fn is_new(&self) -> bool {
        self.text.expose().is_empty()
    }

    /// The text that was read, whatever was changed since.
    pub(super) fn original(&self) -> &str {
        self.text.expose()
    }

    /// Whether the profiles are those that were read, and only OAuth logins differ.
    pub(super) fn is_renewal(&self) -> bool {
        let text = self.original();
        let Ok((_, read)) = scan(text) else { return false };
        let is_login = |fields: &Fields<'_>| {
            credential(fields).is_some_and(|credential| credential.kind() == Kind::OAuth)
        };
        let is_kept = |(id, before): (&String, &Entry)| {
            let Entry::Read(start, spans) = before else { return false };
            match self.profiles.get(id) {
                None => false,
                Some(Entry::Read(present, _)) if present == start => true,
                Some(present) if self.text_of(present) == value_at(text, *start) => true,
                Some(present) => {
                    is_login(&Fields::new(text, *spans)) && is_login(&self.fields(present))
                }
            }
        };
        read.len() == self.profiles.len() && read.iter().all(is_kept)
    }

    /// The profiles that can be interpreted, in document order.
    pub fn profiles(&self) -> impl Iterator<Item = Profile<'_>> {
        self.all_fields()
            .filter_map(|(id, fields)| Some(Profile { id, credential: credential(&fields)? }))
    }

    /// As [`Self::profiles`], without their secrets.
    pub fn summaries(&self) -> impl Iterator<Item = ProfileSummary<'_>> {
        self.all_fields().filter_map(|(id, fields)| {
            let (provider, facts) = fields.facts()?;
            Some(ProfileSummary { id, provider, facts })
        })
    }

    /// The ids of all entries in document order, and what a report says of each; `None` of
    /// one that cannot be interpreted.
    pub fn inspections(&self) -> impl Iterator<Item = (&str, Option<Inspection>)> {
        self.all_fields().map(|(id, fields)| (id, inspect(&fields)))
    }

    /// What is in it and not read as it is meant.
    pub fn misshapes(&self) -> Vec<Misshape> {
        let entries = self.profiles.iter().map(|(id, entry)| {
            let facts = self.fields(entry).facts().map(|(_, facts)| facts);
            (id.as_str(), self.text_of(entry), facts)
        });
        shape::misshapes(&self.members, entries)
    }

    /// How many entries there are, valid or not.
    pub fn entry_count(&self) -> usize {
        self.profiles.len()
    }

    /// The credential of a profile; `None` when there is none or it is not valid.
    pub fn credential(&self, id: &str) -> Option<Credential> {
        credential(&self.fields(self.profiles.get(id)?))
    }

    /// What became of a login whose tokens a marker of OpenClaw replaces; `None` of every
    /// other.
    pub fn fence(&self, id: &str) -> Option<Fence> {
        Fence::of(&self.fields(self.profiles.get(id)?))
    }

    /// Whether a marker of OpenClaw stands in the entry of this id for the refresh token `grant`.
    pub fn is_marked_for(&self, id: &str, grant: &Secret) -> bool {
        let entry = self.profiles.get(id).map(|entry| self.fields(entry));
        entry.is_some_and(|entry| fence::stands_for(&entry, id, grant))
    }

    /// Whether there is an entry of this id, valid or not.
    pub fn has_entry(&self, id: &str) -> bool {
        self.profiles.contains_key(id)
    }

    /// The text of an entry.
    pub fn entry(&self, id: &str) -> Option<&str> {
        self.profiles.get(id).map(|entry| self.text_of(entry))
    }

    /// The ids and texts of all entries, valid or not, in document order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.profiles.iter().map(|(id, entry)| (id.as_str(), self.text_of(entry)))
    }

    /// Replaces an entry in its place, or appends it.
    pub fn set_entry(&mut self, id: &str, entry: Box<RawValue>) {
        let text = Secret::new(Box::<str>::from(entry));
        self.profiles.insert(id.to_owned(), Entry::Set(text));
    }

    /// As [`Self::set_entry`], with the entry of this id in another document; whether there
    /// is one.
    pub fn copy_entry(&mut self, from: &Self, id: &str) -> bool {
        let Some(entry) = from.entry(id).map(Secret::new) else { return false };
        self.profiles.insert(id.to_owned(), Entry::Set(entry));
        true
    }

    /// Whether an entry has a field of this name that is not null.
    pub fn has_field(&self, id: &str, name: &str) -> bool {
        let fields = self.entry(id).map(serde_json::from_str::<RawObject>);
        let Some(Ok(fields)) = fields else { return false };
        fields.get(name).is_some_and(|value| value.get() != "null")
    }

    /// Gives the entry `from` the id `to`, in its place; whether it is there and `to` is not.
    pub fn rename_entry(&mut self, from: &str, to: &str) -> bool {
        let Some(at) = self.profiles.get_index_of(from).filter(|_| !self.has_entry(to)) else {
            return false;
        };
        let Some(entry) = self.profiles.shift_remove(from) else { return false };
        self.profiles.shift_insert(at, to.to_owned(), entry);
        true
    }

    /// Removes an entry; whether it was there.
    pub fn remove_entry(&mut self, id: &str) -> bool {
        self.profiles.shift_remove(id).is_some()
    }

    /// A top-level member other than the profiles, such as `order` in the old layout.
    pub fn member(&self, name: &str) -> Option<&RawValue> {
        self.members.get(name).map(AsRef::as_ref)
    }

    /// The names of the top-level members, in order.
    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn member_names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Removes what the old layout keeps here and the state document has taken over;
    /// whether there was any. The rest is then of the layout that we write.
    ///
    /// # Errors
    /// Never in practice.
    pub(super) fn drop_old_layout(&mut self) -> serde_json::Result<bool> {
        let before = self.members.len();
        self.members.retain(|name, value| !is_old_layout(name, value));
        let dropped = self.members.len() != before;
        if dropped {
            self.set_member("version", &1)?;
        }
        Ok(dropped)
    }

    /// Whether `order`, `lastGood` or `usageStats` still stand here.
    pub(super) fn has_old_layout(&self) -> bool {
        self.members.iter().any(|(name, value)| is_old_layout(name, value))
    }

    /// Replaces a top-level member.
    ///
    /// # Errors
    /// `value` is not serialisable.
    pub fn set_member<T: serde::Serialize>(
        &mut self,
        name: &str,
        value: &T,
    ) -> serde_json::Result<()> {
        self.members.insert(name.to_owned(), raw(value)?);
        Ok(())
    }
}

fn is_old_layout(name: &str, value: &RawValue) -> bool {
    OLD_LAYOUT.contains(&name) && value.get().starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: &str = r#"{
  "topFirst": 1.0e+400,
  "version": 7,
  "profiles": {
    "p:1": {
      "type": "oauth",
      "provider": "p",
      "access": "fake-access",
      "expires": 4102444800000,
      "custom": {
        "x": 12345678901234567890123
      }
    },
    "bad:1": "str",
    "bad:2": {
      "type": "weird",
      "provider": "x"
    },
    "p:2": {
      "mode": "api_key",
      "apiKey": "fake-k\u0065y",
      "provider": "p"
    }
  },
  "order": {
    "p": [
      "p:2"
    ]
  }
}
"#;

    #[test]
    fn a_rewrite_changes_no_byte_of_what_it_does_not_touch() {
        assert_eq!(Document::parse(ODD).unwrap().to_text().unwrap(), ODD);
    }

    #[test]
    fn invalid_entries_are_kept_but_not_listed() {
        let mut document = Document::parse(ODD).unwrap();
        let ids: Vec<_> = document.profiles().map(|profile| profile.id.to_owned()).collect();
        assert_eq!(ids, ["p:1", "p:2"]);
        assert_eq!(document.entry_count(), 4);
        assert!(document.remove_entry("p:1"));
        let text = document.to_text().unwrap();
        assert!(text.contains("\"bad:1\": \"str\"") && text.contains("weird"));
        assert!(!text.contains("p:1"));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in
            ["", "null", "[]", "\"x\"", "{", "{\"profiles\": []}", "{} x", "{\"profiles\":{},}"]
        {
            assert!(Document::parse(text).is_err(), "{text}");
        }
        assert!(Document::parse("\u{feff}{}").is_ok());
    }
}
