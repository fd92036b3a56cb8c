//! `$include`: a configuration in several files, as OpenClaw 2026.4.24 puts them together.
//!
//! An object with `$include` (a path, or several) stands for the files' contents, its
//! other members merged over them: objects member by member, arrays one after the other.
//! A file must be a regular one inside the directory of the main configuration.

use super::json5::parse_json5;
use super::{IncludeError, IncludedFileError};
use serde_json::{Map, Value};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const INCLUDE: &str = "$include";
const DEEPEST: usize = 10;
const LARGEST_FILE: u64 = 2 * 1024 * 1024;

/// `value`, read from `file`, with every include in it resolved.
///
/// # Errors
/// A sentence that names the include.
pub(super) fn resolve(mut value: Value, file: &Path) -> Result<Value, IncludeError> {
    let root = file.parent().unwrap_or(Path::new("."));
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    Includes { root, chain: vec![file.to_owned()] }.resolve(&mut value)?;
    Ok(value)
}

struct Includes {
    /// Where included files have to be.
    root: PathBuf,
    /// The files that led here, the innermost last.
    chain: Vec<PathBuf>,
}

impl Includes {
    /// Resolves the includes in `value`, in their places.
    fn resolve(&mut self, value: &mut Value) -> Result<(), IncludeError> {
        let members = match value {
            Value::Array(items) => return items.iter_mut().try_for_each(|item| self.resolve(item)),
            Value::Object(members) => members,
            _ => return Ok(()),
        };
        let base = match members.shift_remove(INCLUDE) {
            None => None,
            Some(included) => {
                let base = self.included(&included)?;
                if !members.is_empty() && !base.is_object() {
                    return Err(IncludeError::NoObject(included));
                }
                Some(base)
            }
        };
        members.values_mut().try_for_each(|member| self.resolve(member))?;
        match base {
            Some(base) if members.is_empty() => *value = base,
            Some(base) => *value = merge(base, value.take()),
            None => {}
        }
        Ok(())
    }

    fn included(&mut self, included: &Value) -> Result<Value, IncludeError> {
        match included {
            Value::String(path) => self.file(path),
            Value::Array(paths) => {
                let empty = Value::Object(Map::new());
                paths.iter().try_fold(empty, |merged, path| match path {
                    Value::String(path) => Ok(merge(merged, self.file(path)?)),
                    other => Err(IncludeError::NoPathIn(other.clone())),
                })
            }
            other => Err(IncludeError::NoPath(other.clone())),
        }
    }

    fn file(&mut self, path: &str) -> Result<Value, IncludeError> {
        let (file, mut value) = self
            .read(path)
            .map_err(|reason| IncludeError::File { path: path.to_owned(), reason })?;
        self.chain.push(file);
        self.resolve(&mut value)?;
        self.chain.pop();
        Ok(value)
    }

    /// The file that `path` means from the innermost file, and what it holds.
    fn read(&self, path: &str) -> Result<(PathBuf, Value), IncludedFileError> {
        let from = self.chain.last().and_then(|file| file.parent()).unwrap_or(Path::new("."));
        let file = from.join(path).canonicalize()?;
        if !file.starts_with(&self.root) {
            return Err(IncludedFileError::Outside(self.root.clone()));
        }
        if self.chain.contains(&file) {
            return Err(IncludedFileError::Circle);
        }
        if self.chain.len() > DEEPEST {
            return Err(IncludedFileError::TooDeep(DEEPEST));
        }
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.nlink() > 1 || metadata.len() > LARGEST_FILE {
            return Err(IncludedFileError::NotPlain);
        }
        let text = std::fs::read_to_string(&file)?;
        let value = parse_json5(&text)?;
        Ok((file, value))
    }
}

/// `over` merged over `base`.
fn merge(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Array(mut base), Value::Array(over)) => {
            base.extend(over);
            Value::Array(base)
        }
        (Value::Object(mut base), Value::Object(over)) => {
            for (key, value) in over {
                let merged = match base.get_mut(&key) {
                    Some(present) => merge(present.take(), value),
                    None => value,
                };
                base.insert(key, merged);
            }
            Value::Object(base)
        }
        (_, over) => over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::file::{create_private_directory, replace};
    use serde_json::json;

    fn resolved(files: &[(&str, &str)]) -> Result<Value, IncludeError> {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("state");
        create_private_directory(&directory.join("sub")).unwrap();
        replace(&root.path().join("outside.json"), b"{}").unwrap();
        for (name, text) in files {
            replace(&directory.join(name), text.as_bytes()).unwrap();
        }
        let main = directory.join("openclaw.json").canonicalize().unwrap();
        resolve(parse_json5(files[0].1).unwrap(), &main)
    }

    #[test]
    fn included_files_are_merged_below_the_other_members() {
        let merged = resolved(&[
            (
                "openclaw.json",
                "{a: {$include: ['./a.json5', 'sub/b.json'], x: 3, list: [3]}, n: 1}",
            ),
            ("a.json5", "{x: 1, y: 1, list: [1]} // why"),
            ("sub/b.json", "{\"y\": 2, \"list\": [2], \"deep\": {\"$include\": \"../c.json\"}}"),
            ("c.json", "[7]"),
        ]);
        assert_eq!(
            merged.unwrap(),
            json!({"a": {"x": 3, "y": 2, "list": [1, 2, 3], "deep": [7]}, "n": 1})
        );
    }

    #[test]
    fn what_must_not_be_included_is_an_error_that_names_it() {
        for (include, reason) in [
            ("'nope.json'", "nope.json"),
            ("'../outside.json'", "outside"),
            ("'/etc/hostname'", "outside"),
            ("'openclaw.json'", "includes itself"),
            ("5", "not a path"),
            ("[5]", "not a path"),
            ("'bad.json'", "bad.json"),
            ("'sub'", "regular file"),
        ] {
            let main = format!("{{$include: {include}}}");
            let error =
                resolved(&[("openclaw.json", &main), ("bad.json", "{")]).unwrap_err().to_string();
            assert!(error.contains(reason), "{include}: {error}");
        }
    }
}
