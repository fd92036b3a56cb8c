//! Paths in JSON reports. A path need not be UTF-8 and JSON must be: then the member holds the
//! path with U+FFFD in the place of what is no text, and a second one says so: `storePath` and
//! `"storePathLossy": true`.
//!
//! Invariant: there is one rule for all reports, and a path never costs the report.

use crate::store::Location;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A member of a report that is a path or a list of paths: to be flattened into its object.
pub(in crate::cli) struct PathMember<'p> {
    name: &'static str,
    value: Value<'p>,
    is_lossy: bool,
}

/// What a member holds.
#[derive(Serialize)]
#[serde(untagged)]
enum Value<'p> {
    One(Cow<'p, str>),
    /// `null`, where there is no path.
    None,
    Many(Vec<Cow<'p, str>>),
}

impl<'p> PathMember<'p> {
    /// The member of that name with this path.
    pub(in crate::cli) fn of(name: &'static str, path: &'p Path) -> Self {
        Self { name, value: Value::One(path.to_string_lossy()), is_lossy: is_lossy(path) }
    }

    /// The member of that name with this path, or `null`.
    pub(in crate::cli) fn optional(name: &'static str, path: Option<&'p Path>) -> Self {
        path.map_or(Self { name, value: Value::None, is_lossy: false }, |path| Self::of(name, path))
    }

    /// The member of that name with this location.
    pub(in crate::cli) fn location(name: &'static str, location: &'p Location) -> Self {
        let text = || Value::One(location.to_string().into());
        let other = || Self { name, value: text(), is_lossy: false };
        location.path().map_or_else(other, |path| Self::of(name, path))
    }

    /// The same path as people write it.
    pub(in crate::cli) fn shown_as(self, text: String) -> Self {
        Self { value: Value::One(text.into()), ..self }
    }

    /// The member of that name with these paths; one flag stands for all of them.
    pub(in crate::cli) fn list(name: &'static str, paths: &'p [PathBuf]) -> Self {
        let value = Value::Many(paths.iter().map(|path| path.to_string_lossy()).collect());
        Self { name, value, is_lossy: paths.iter().any(|path| is_lossy(path)) }
    }
}

fn is_lossy(path: &Path) -> bool {
    path.to_str().is_none()
}

impl Serialize for PathMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry(self.name, &self.value)?;
        if self.is_lossy {
            members.serialize_entry(&format!("{}Lossy", self.name), &true)?;
        }
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[derive(Serialize)]
    struct Report<'p> {
        schema: u32,
        #[serde(flatten)]
        path: PathMember<'p>,
        ok: bool,
    }

    fn json(path: PathMember<'_>) -> String {
        serde_json::to_string(&Report { schema: 1, path, ok: true }).unwrap()
    }

    #[test]
    fn a_path_that_is_no_text_says_so_beside_it() {
        let odd = PathBuf::from(OsStr::from_bytes(b"/a\xff/b"));
        let plain = PathBuf::from("/a/\u{fffd}");
        assert_eq!(
            json(PathMember::of("p", &odd)),
            "{\"schema\":1,\"p\":\"/a\u{fffd}/b\",\"pLossy\":true,\"ok\":true}"
        );
        assert_eq!(
            json(PathMember::of("p", &plain)),
            "{\"schema\":1,\"p\":\"/a/\u{fffd}\",\"ok\":true}"
        );
        assert_eq!(json(PathMember::optional("p", None)), r#"{"schema":1,"p":null,"ok":true}"#);
        let location = Location::from(odd.as_path());
        assert!(json(PathMember::location("p", &location)).contains("\"pLossy\":true"));
        assert_eq!(
            json(PathMember::list("p", &[plain, odd])),
            "{\"schema\":1,\"p\":[\"/a/\u{fffd}\",\"/a\u{fffd}/b\"],\"pLossy\":true,\"ok\":true}"
        );
        assert_eq!(json(PathMember::list("p", &[])), r#"{"schema":1,"p":[],"ok":true}"#);
    }
}
