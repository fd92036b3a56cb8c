//! Where a profile was imported from: the field `importedFrom` of its entry, one of those
//! that OpenClaw does not know and keeps.

use crate::profile::Millis;
use crate::store::json_text::{RawObject, raw};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The field of an entry.
pub(super) const FIELD: &str = "importedFrom";

/// Where a profile was imported from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The name of the program.
    pub tool: String,
    /// The name of the login there.
    #[serde(default)]
    pub entry: String,
    /// The hash of the refresh token that it had then: whoever still has that one has a
    /// login that was refreshed here since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// When it was imported, in milliseconds since the epoch.
    #[serde(default)]
    pub at: Millis,
}

impl Provenance {
    /// What an entry says; `None` when it was not imported.
    pub fn of(entry: &str) -> Option<Self> {
        // Nearly every entry ends here, without being parsed.
        if !entry.contains(FIELD) {
            return None;
        }
        let entry: RawObject = serde_json::from_str(entry).ok()?;
        Self::read(entry.get(FIELD)?.get())
    }

    /// What the field says.
    pub(super) fn read(field: &str) -> Option<Self> {
        serde_json::from_str(field).ok()
    }

    /// `entry` with this and with `fields`; its other fields stay as they are.
    ///
    /// # Errors
    /// `entry` is not an object.
    pub fn record(
        &self,
        entry: &str,
        fields: &[(&'static str, String)],
    ) -> serde_json::Result<Box<RawValue>> {
        let mut entry: RawObject = serde_json::from_str(entry)?;
        for (name, value) in fields {
            entry.insert((*name).to_owned(), raw(value)?);
        }
        entry.insert(FIELD.to_owned(), raw(self)?);
        raw(&entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provenance_is_a_field_among_others() {
        let entry = r#"{"type":"oauth","n":1.50}"#;
        assert_eq!(Provenance::of(entry), None);
        let provenance = Provenance { tool: "t".into(), entry: "e".into(), grant: None, at: 5 };
        let recorded = provenance.record(entry, &[("projectId", "x".into())]).unwrap();
        assert_eq!(
            recorded.get(),
            r#"{"type":"oauth","n":1.50,"projectId":"x","importedFrom":{"tool":"t","entry":"e","at":5}}"#
        );
        assert_eq!(Provenance::of(recorded.get()), Some(provenance));
        assert_eq!(Provenance::of(r#"{"importedFrom":7}"#), None);
    }
}
