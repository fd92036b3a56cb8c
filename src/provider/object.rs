//! Reading an object of a definition, so that an error names the key that is wrong.

use super::invalid_definition::InvalidDefinition;
use serde_json::Value;

/// What an object holds. The error names the key that is wrong: the one without which the
/// rest can be read.
pub(super) fn read<T: serde::de::DeserializeOwned>(object: &Value) -> Result<T, InvalidDefinition> {
    serde_json::from_value(object.clone()).map_err(|error| {
        let is_wrong = |key: &&String| {
            let mut rest = object.clone();
            rest.as_object_mut().and_then(|rest| rest.shift_remove(*key));
            serde_json::from_value::<T>(rest).is_ok()
        };
        let mut keys = object.as_object().into_iter().flat_map(serde_json::Map::keys);
        let reason = crate::text::printable(&error.to_string(), 300);
        InvalidDefinition::Unreadable { key: keys.find(is_wrong).cloned(), reason }
    })
}
