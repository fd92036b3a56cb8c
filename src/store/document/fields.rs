//! The fields of an entry, found in the one pass over the document.
//!
//! Nothing is copied: what is kept of a field is where its value stands. Invariant: every
//! value that is kept can be read, else the entry has no fields at all.

use super::field::Field;
use crate::profile::{CredentialSummary, Kind};
use serde::Deserialize;
use std::borrow::Cow;

/// The fields that we look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
pub(super) enum FieldName {
    Type,
    Mode,
    Provider,
    Access,
    Refresh,
    IdToken,
    Expires,
    AccessIssuedAt,
    Token,
    TokenRef,
    Key,
    ApiKey,
    KeyRef,
    Email,
    AccountId,
    DisplayName,
    ClientId,
    LoginMethod,
    ImportedFrom,
    /// Any other field; it has no place.
    #[serde(other)]
    Other,
}

/// Where a value stands in a text. Of a text without escapes it is what is between the
/// quotes, so that a quote stands before it; before any other value stands none. No value
/// is at the start of a text.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// Where the value of each field of an entry stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Spans(pub(super) [Span; FieldName::Other as usize]);

/// The fields of an entry, in the text in which they stand.
#[derive(Clone, Copy)]
pub(super) struct Fields<'t> {
    text: &'t str,
    spans: Spans,
}

impl<'t> Fields<'t> {
    /// Those that were found in `text`.
    pub(super) const fn new(text: &'t str, spans: Spans) -> Self {
        Self { text, spans }
    }

    /// The value of a field as it is written.
    pub(super) fn raw(&self, name: FieldName) -> Option<&'t str> {
        self.written(name as usize)
    }

    fn written(&self, field: usize) -> Option<&'t str> {
        let (start, end, is_plain) = self.place(field)?;
        let quote = usize::from(is_plain);
        self.text.get(start - quote..end + quote)
    }

    /// The values of all fields.
    #[cfg(test)]
    pub(super) fn values(&self) -> Vec<Option<&'t str>> {
        (0..self.spans.0.len()).map(|field| self.written(field)).collect()
    }

    /// The value of a field.
    pub(super) fn field(&self, name: FieldName) -> Field<'t> {
        let Some((start, end, is_plain)) = self.place(name as usize) else { return Field::Absent };
        match self.text.get(start..end) {
            Some(text) if is_plain => Field::Text(Cow::Borrowed(text)),
            value => serde_json::from_str(value.unwrap_or_default()).unwrap_or_default(),
        }
    }

    fn place(&self, field: usize) -> Option<(usize, usize, bool)> {
        let Span { start, length } = *self.spans.0.get(field)?;
        let (start, length) = (start as usize, length as usize);
        let before = self.text.as_bytes().get(start.checked_sub(1)?)?;
        Some((start, start + length, *before == b'"'))
    }

    /// The kind of the entry; `None` when it is no credential.
    fn kind(&self) -> Option<Kind> {
        let [kind, mode] = [FieldName::Type, FieldName::Mode].map(|name| self.field(name));
        kind.text().or_else(|| mode.text()).and_then(Kind::from_name)
    }

    /// The provider as it is written: OpenClaw's lock names hash it so.
    fn provider(&self) -> Option<Cow<'t, str>> {
        match self.field(FieldName::Provider) {
            Field::Text(provider) if !provider.trim().is_empty() => Some(provider),
            _ => None,
        }
    }

    /// The field that holds the access token, token or key, and the one of the reference
    /// that may stand in its place.
    pub(super) fn value(&self, kind: Kind) -> (FieldName, FieldName) {
        match kind {
            Kind::OAuth => (FieldName::Access, FieldName::Other),
            Kind::Token => (FieldName::Token, FieldName::TokenRef),
            Kind::ApiKey if self.place(FieldName::Key as usize).is_some() => {
                (FieldName::Key, FieldName::KeyRef)
            }
            Kind::ApiKey => (FieldName::ApiKey, FieldName::KeyRef),
        }
    }

    /// The provider and what is there of the credential; `None` when it is none. No secret
    /// is copied.
    pub(super) fn facts(&self) -> Option<(Cow<'t, str>, CredentialSummary)> {
        let (kind, provider) = (self.kind()?, self.provider()?);
        let (value, reference) = self.value(kind);
        let [value, reference] = [value, reference].map(|name| self.field(name));
        let in_place = kind != Kind::OAuth && value.is_reference();
        let facts = CredentialSummary {
            kind,
            has_bearer: !in_place && value.is_secret(),
            has_refresh: kind == Kind::OAuth && self.field(FieldName::Refresh).is_secret(),
            is_reference: in_place || matches!(reference, Field::Object),
            expires: match self.field(FieldName::Expires) {
                Field::Absent => None,
                expires => Some(expires.time().ok_or(())),
            },
        };
        Some((provider, facts))
    }
}
