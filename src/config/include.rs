//! `$include`: a configuration in several files, as OpenClaw 2026.4.24 puts them together.
//!
//! An object with `$include` (a path, or several) stands for the files' contents, its
//! other members merged over them: objects member by member, arrays one after the other.
//! A file must be a regular one inside the directory of the main configuration.

use super::document::parse_json5;
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
pub(super) fn resolve(mut value: Value, file: &Path) -> Result<Value, String> {
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
    fn resolve(&mut self, value: &mut Value) -> Result<(), String> {
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
                    return Err(format!("what {included} includes is no object to add to"));
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

    fn included(&mut self, included: &Value) -> Result<Value, String> {
        match included {
            Value::String(path) => self.file(path),
            Value::Array(paths) => {
                let empty = Value::Object(Map::new());
                paths.iter().try_fold(empty, |merged, path| match path {
                    Value::String(path) => Ok(merge(merged, self.file(path)?)),
                    other => Err(format!("`{INCLUDE}` holds {other}, which is no path")),
                })
            }
            other => Err(format!("`{INCLUDE}` is {other}, which is no path")),
        }
    }

    fn file(&mut self, path: &str) -> Result<Value, String> {
        let failed =
            |reason: &dyn std::fmt::Display| format!("could not include `{path}`: {reason}");
        let from = self.chain.last().and_then(|file| file.parent()).unwrap_or(Path::new("."));
        let file = from.join(path).canonicalize().map_err(|error| failed(&error))?;
        if !file.starts_with(&self.root) {
            return Err(failed(&format!("it is outside {}", self.root.display())));
        }
        if self.chain.contains(&file) {
            return Err(failed(&"it includes itself"));
        }
        if self.chain.len() > DEEPEST {
            return Err(failed(&format!("includes are nested deeper than {DEEPEST}")));
        }
        let metadata = file.metadata().map_err(|error| failed(&error))?;
        if !metadata.is_file() || metadata.nlink() > 1 || metadata.len() > LARGEST_FILE {
            return Err(failed(&"it must be a regular file with one name and at most 2 MiB"));
        }
        let text = std::fs::read_to_string(&file).map_err(|error| failed(&error))?;
        let mut value = parse_json5(&text).map_err(|reason| failed(&reason))?;
        self.chain.push(file);
        self.resolve(&mut value)?;
        self.chain.pop();
        Ok(value)
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

    fn resolved(files: &[(&str, &str)]) -> Result<Value, String> {
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
            merged,
            Ok(json!({"a": {"x": 3, "y": 2, "list": [1, 2, 3], "deep": [7]}, "n": 1}))
        );
    }

    #[test]
    fn what_must_not_be_included_is_an_error_that_names_it() {
        for (include, reason) in [
            ("'nope.json'", "nope.json"),
            ("'../outside.json'", "outside"),
            ("'/etc/hostname'", "outside"),
            ("'openclaw.json'", "includes itself"),
            ("5", "no path"),
            ("[5]", "no path"),
            ("'bad.json'", "bad.json"),
            ("'sub'", "regular file"),
        ] {
            let main = format!("{{$include: {include}}}");
            let error = resolved(&[("openclaw.json", &main), ("bad.json", "{")]).unwrap_err();
            assert!(error.contains(reason), "{include}: {error}");
        }
    }
}
