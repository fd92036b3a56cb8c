//! Secrets in a file: the whole of it, or the places in it that JSON pointers (RFC 6901)
//! name.

use super::error::{FileProblem, ReferenceError};
use super::provider::FileProvider;
use crate::config::Paths;
use crate::profile::secret_ref::{WHOLE_FILE, is_file_id};
use crate::system::trust::{self, OTHERS_READ_OR_WRITE, Reading};
use serde_json::Value;
use std::path::Path;

/// What a file holds.
enum Contents {
    Single(Value),
    Json(Value),
}

/// The values of `ids`, each with its own result. The file is read once.
pub(super) fn values(
    provider: &FileProvider,
    paths: &Paths,
    ids: &[&str],
) -> Result<Vec<Result<Value, ReferenceError>>, ReferenceError> {
    let path = paths.expand(&provider.path);
    if !Path::new(&provider.path).is_absolute() && !provider.path.starts_with('~') {
        // From the working directory it would be another file every time.
        return Err(ReferenceError::Unreadable { path, reason: FileProblem::RelativePath });
    }
    let contents = read(provider, &path)?;
    Ok(ids.iter().map(|id| value(&contents, &path, id)).collect())
}

fn value(contents: &Contents, path: &Path, id: &str) -> Result<Value, ReferenceError> {
    match contents {
        Contents::Single(value) if id == WHOLE_FILE => Ok(value.clone()),
        Contents::Single(_) => {
            Err(ReferenceError::InvalidId { expected: "the file is one value: its id is `value`" })
        }
        Contents::Json(_) if !is_file_id(id) || id == WHOLE_FILE => {
            Err(ReferenceError::InvalidId { expected: "the id is not a JSON pointer such as /a/b" })
        }
        Contents::Json(json) => json.pointer(id).cloned().ok_or_else(|| {
            ReferenceError::NothingThere { path: path.to_owned(), id: id.to_owned() }
        }),
    }
}

fn read(provider: &FileProvider, path: &Path) -> Result<Contents, ReferenceError> {
    let forbidden = (!provider.allow_insecure_path).then_some(OTHERS_READ_OR_WRITE);
    let file = trust::open(path, forbidden)
        .map_err(|insecure| ReferenceError::Unsafe { path: path.to_owned(), insecure })?;
    let unreadable = |reason| ReferenceError::Unreadable { path: path.to_owned(), reason };
    let bytes = match trust::read_within(file, provider.max_bytes, provider.timeout) {
        Reading::Done(bytes) => bytes,
        Reading::TooLong => {
            return Err(unreadable(FileProblem::TooLong { limit: provider.max_bytes }));
        }
        Reading::TooSlow => {
            let limit = provider.timeout.as_millis();
            return Err(unreadable(FileProblem::TooSlow { limit }));
        }
        Reading::Failed(error) => return Err(unreadable(FileProblem::Read(error.to_string()))),
    };
    let text = String::from_utf8(bytes).map_err(|_| unreadable(FileProblem::NoText))?;
    let text = text.trim_start_matches('\u{feff}');
    if provider.single_value {
        let value = text.strip_suffix('\n').unwrap_or(text);
        return Ok(Contents::Single(value.strip_suffix('\r').unwrap_or(value).into()));
    }
    // The parser's own message would quote the text.
    match serde_json::from_str(text) {
        Ok(json @ Value::Object(_)) => Ok(Contents::Json(json)),
        Ok(_) => Err(unreadable(FileProblem::NoObject)),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(unreadable(FileProblem::NotJson { line, column }))
        }
    }
}
