//! Reading the files that are audited. No error of theirs quotes what a file holds.

use crate::system::file;
use serde_json::{Map, Value};
use std::io;
use std::path::Path;

/// Why nothing is known of what a file holds.
#[derive(Debug, thiserror::Error)]
pub(super) enum ObjectError {
    #[error("the file is not a regular file, so it was not read")]
    NotRegular,
    #[error("the file is longer than {limit} bytes, so it was not read")]
    TooLong { limit: u64 },
    #[error("the file cannot be read")]
    Read(#[source] io::Error),
    #[error("the file is not a JSON object")]
    NoObject,
    /// Only the place of the mistake: the parser's message may quote a secret.
    #[error("the file is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
}

/// The JSON object in a file; one that is longer than `limit` bytes is not read.
pub(super) fn read_object(
    path: &Path,
    limit: Option<u64>,
) -> Result<Map<String, Value>, ObjectError> {
    if let Some(limit) = limit
        && let Ok(metadata) = path.metadata()
    {
        if !metadata.is_file() {
            return Err(ObjectError::NotRegular);
        }
        if metadata.len() > limit {
            return Err(ObjectError::TooLong { limit });
        }
    }
    let text = read_text(path)?;
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ObjectError::NoObject),
        Err(error) => Err(ObjectError::NotJson { line: error.line(), column: error.column() }),
    }
}

/// The text of a file; nothing where there is none.
pub(super) fn read_text(path: &Path) -> Result<String, ObjectError> {
    let read = file::read(path).map_err(ObjectError::Read)?;
    Ok(read.map(|(text, _)| text).unwrap_or_default())
}

/// The members of an object in the order of JavaScript: keys that are array indices come
/// first, by number.
pub(super) fn entries(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let index = |key: &str| {
        let number = key.parse::<u32>().ok()?;
        (number != u32::MAX && number.to_string() == key).then_some(number)
    };
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_by_key(|(key, _)| index(key).map_or((true, 0), |number| (false, number)));
    entries
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn array_indices_come_first() {
        let object = serde_json::json!({"b": 0, "10": 0, "2": 0, "02": 0, "4294967295": 0, "a": 0});
        let keys: Vec<_> =
            entries(object.as_object().unwrap()).into_iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["2", "10", "b", "02", "4294967295", "a"]);
    }
}
