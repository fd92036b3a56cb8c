//! What people and other programs write into a document of profiles, and nobody reads there:
//! profiles in the wrong place, fields under other names, values that are no secrets.
//!
//! Invariant: nothing is changed, and nothing of a value is told.

use crate::profile::{CredentialSummary, Kind, is_stand_in};
use crate::store::json_text::{RawObject, UniqueObject};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// Something in a document that is not read, or not as it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misshape {
    /// A profile stands beside `profiles`, not in it.
    Beside {
        /// Where it stands.
        id: String,
        /// What it is.
        kind: Option<Kind>,
        /// The provider that it names, else the one that its id begins with.
        provider: String,
    },
    /// The form of another file.
    OtherFile {
        /// The member that gives it away.
        member: String,
        /// Whose form it is.
        of: &'static str,
    },
    /// Profiles stand one level too deep, or under another name than `profiles`.
    Nested {
        /// The member that holds them.
        member: String,
    },
    /// An entry cannot be interpreted.
    Entry {
        /// The profile.
        id: String,
        /// Why not.
        fault: EntryFault,
    },
    /// A field has another name than the one that is read.
    Misnamed {
        /// The profile.
        id: String,
        /// The name in the entry.
        written: String,
        /// The name that is read.
        read: &'static str,
    },
    /// An entry that says it is an OAuth login holds the secret of another type.
    OtherType {
        /// The profile.
        id: String,
        /// The field that it holds.
        field: &'static str,
    },
    /// An entry holds nothing that could be used.
    Empty {
        /// The profile.
        id: String,
    },
    /// A shortened secret, as listings show it, or an example stands in the place of one.
    Masked {
        /// The profile.
        id: String,
        /// The field.
        field: &'static str,
    },
    /// A value holds characters that no secret has.
    OddCharacters {
        /// The profile.
        id: String,
        /// The field.
        field: &'static str,
    },
    /// The expiry of a token is no time, so that the token is not used.
    Expiry {
        /// The profile.
        id: String,
    },
}

/// Why an entry cannot be interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryFault {
    /// It is no object.
    NotAnObject,
    /// It has a field twice.
    Repeats,
    /// It has no type.
    NoType,
    /// Its type is none that is known.
    UnknownType,
    /// It names no provider.
    NoProvider,
    /// A value in it is none that JSON can hold.
    Malformed,
}

impl fmt::Display for EntryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnObject => "it is not an object",
            Self::Repeats => "it has a field twice",
            Self::NoType => "it has no `type`",
            Self::UnknownType => "its `type` is not `oauth`, `token` or `api_key`",
            Self::NoProvider => "it names no `provider`",
            Self::Malformed => "a value in it cannot be read",
        })
    }
}

/// Other names for the fields of each type.
const KEY: &[(&str, &[&str])] =
    &[("key", &["api_key", "apikey", "api-key", "token", "access", "secret", "value"])];
const TOKEN: &[(&str, &[&str])] = &[
    ("token", &["access", "access_token", "accessToken", "key", "apiKey", "api_key", "value"]),
    ("expires", &["expires_at", "expiresAt", "expiry", "expiry_date"]),
];
const GRANT: &[(&str, &[&str])] = &[
    ("access", &["access_token", "accessToken"]),
    ("refresh", &["refresh_token", "refreshToken"]),
    ("expires", &["expires_at", "expiresAt", "expiry", "expiry_date"]),
    ("idToken", &["id_token"]),
    ("accountId", &["account_id"]),
];

/// The API key in Codex' file. It is spelt as a variable that a provider has, and is none.
const CODEX_KEY: &str = concat!("OPENAI", "_API_KEY");

/// Everything in a document that is not read as it is meant: in its members, and in its
/// entries, each with its id, its text, and what is there of a credential.
pub(super) fn misshapes<'d>(
    members: &RawObject,
    entries: impl Iterator<Item = (&'d str, &'d str, Option<CredentialSummary>)>,
) -> Vec<Misshape> {
    let mut seen = Vec::new();
    let mut found: Vec<Misshape> = Vec::new();
    for shape in members.iter().filter_map(|(name, value)| of_member(name, value)) {
        if let Misshape::OtherFile { of, .. } = &shape {
            // One member is enough to know a file by.
            if seen.contains(of) {
                continue;
            }
            seen.push(*of);
        }
        found.push(shape);
    }
    for (id, entry, facts) in entries {
        match facts {
            None => found.push(Misshape::Entry { id: id.to_owned(), fault: fault(entry) }),
            Some(facts) => of_entry(id, facts.kind, entry, &mut found),
        }
        if facts.is_some_and(|facts| facts.has_odd_expiry()) {
            found.push(Misshape::Expiry { id: id.to_owned() });
        }
    }
    found
}

/// What stands beside `profiles` and was meant for it.
fn of_member(name: &str, value: &RawValue) -> Option<Misshape> {
    let other_file = |of| Some(Misshape::OtherFile { member: name.to_owned(), of });
    match name {
        "version" | "profiles" | "order" | "lastGood" | "usageStats" => return None,
        "auth" => return other_file("openclaw.json"),
        "tokens" | "auth_mode" | CODEX_KEY => return other_file("Codex CLI"),
        "claudeAiOauth" => return other_file("Claude Code"),
        "access_token" | "refresh_token" => return other_file("another program"),
        name if name.ends_with("_API_KEY") => return other_file("another program"),
        "access" | "refresh" | "token" | "key" | "apiKey" | "api_key" => {
            return other_file("a single profile");
        }
        _ => {}
    }
    let entry = match serde_json::from_str(value.get()).ok()? {
        Value::Object(entry) => entry,
        Value::String(text) if is_like_key(name, &text) => {
            let (id, kind) = (name.to_owned(), Some(Kind::ApiKey));
            return Some(Misshape::Beside { provider: id.to_ascii_lowercase(), id, kind });
        }
        _ => return None,
    };
    if entry.values().any(is_like_profile) || entry.contains_key("profiles") {
        return Some(Misshape::Nested { member: name.to_owned() });
    }
    let has = |names: &[&str]| names.iter().any(|name| holds(&entry, name));
    let kind = entry.get("type").or_else(|| entry.get("mode")).and_then(Value::as_str);
    let kind = kind.and_then(Kind::from_name).or_else(|| {
        let of_grant = has(&["refresh", "refresh_token", "refreshToken"]);
        let of_token = has(&["token", "access", "access_token", "accessToken"]);
        let of_key = has(&["key", "apiKey", "api_key", "keyRef"]);
        match (of_grant, of_token, of_key) {
            (true, _, _) => Some(Kind::OAuth),
            (_, true, _) => Some(Kind::Token),
            (_, _, true) => Some(Kind::ApiKey),
            _ => None,
        }
    });
    let is_profile = kind.is_some() || (name.contains(':') && has(&["provider"]));
    let provider = entry.get("provider").and_then(Value::as_str);
    let provider = provider.or_else(|| name.split(':').next()).unwrap_or(name).to_owned();
    is_profile.then(|| Misshape::Beside { id: name.to_owned(), kind, provider })
}

/// Whether an entry has a member of a name, whatever case it is written in.
fn holds(entry: &serde_json::Map<String, Value>, name: &str) -> bool {
    entry.keys().any(|own| own.eq_ignore_ascii_case(name))
}

/// Whether a text that stands alone under the name of a provider is a key of it.
fn is_like_key(name: &str, text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    // Times, versions and the names of schemas are no keys.
    let has_mark = ["sk-", "gho_", "ghu_", "ghp_", "AIza", "xai-", "gsk_", "hf_", "r8_", "pplx-"]
        .iter()
        .any(|mark| text.starts_with(mark));
    let is_long = text.len() >= 24 && text.contains(|c: char| c.is_ascii_alphabetic());
    !name.starts_with('$') && text.chars().all(is_word) && (has_mark || is_long)
}

fn is_like_profile(value: &Value) -> bool {
    let has = |name: &str| value.get(name).is_some_and(Value::is_string);
    let is_key = |name: &&str| value.as_object().is_some_and(|entry| holds(entry, name));
    let secrets = ["apiKey", "api_key", "access_token", "accessToken", "refresh_token"];
    (has("provider") && (has("type") || has("mode"))) || secrets.iter().any(is_key)
}

/// Why an entry cannot be interpreted.
fn fault(entry: &str) -> EntryFault {
    if !entry.starts_with('{') {
        return EntryFault::NotAnObject;
    }
    if serde_json::from_str::<RawObject>(entry).is_ok()
        && serde_json::from_str::<UniqueObject>(entry).is_err()
    {
        return EntryFault::Repeats;
    }
    let Ok(entry) = serde_json::from_str::<serde_json::Map<String, Value>>(entry) else {
        return EntryFault::Malformed;
    };
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::trim);
    let kind = text("type").or_else(|| text("mode")).unwrap_or_default();
    let has_provider = text("provider").is_some_and(|provider| !provider.is_empty());
    match Kind::from_name(kind) {
        None if kind.is_empty() => EntryFault::NoType,
        None => EntryFault::UnknownType,
        Some(_) if !has_provider => EntryFault::NoProvider,
        Some(_) => EntryFault::Malformed,
    }
}

/// What is odd about an entry that can be interpreted.
fn of_entry(id: &str, kind: Kind, entry: &str, found: &mut Vec<Misshape>) {
    let Ok(entry) = serde_json::from_str::<serde_json::Map<String, Value>>(entry) else { return };
    let is_there = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(_) => true,
    };
    let (names, secrets): (_, &[&'static str]) = match kind {
        Kind::ApiKey => (KEY, &["key", "apiKey", "keyRef"]),
        Kind::Token => (TOKEN, &["token", "tokenRef"]),
        Kind::OAuth => (GRANT, &["access", "refresh"]),
    };
    let before = found.len();
    // A secret is a text, or a reference to one.
    let is_value = |name: &str| {
        let is_reference = name.ends_with("Ref");
        let is_fit = |it: &Value| it.is_object() || (it.is_string() && !is_reference);
        is_there(name) && entry.get(name).is_some_and(is_fit)
    };
    let has_secret = secrets.iter().any(|name| is_value(name));
    for (read, others) in names {
        let is_read =
            is_there(read) || (secrets.contains(read) && kind != Kind::OAuth && has_secret);
        let written = others.iter().find(|name| is_there(name)).filter(|_| !is_read);
        found.extend(written.map(|written| {
            let (id, written) = (id.to_owned(), (*written).to_owned());
            Misshape::Misnamed { id, written, read }
        }));
    }
    let of_others = ["token", "key", "apiKey"].into_iter().find(|name| is_there(name));
    if let Some(field) = of_others.filter(|_| kind == Kind::OAuth && !is_there("access")) {
        found.push(Misshape::OtherType { id: id.to_owned(), field });
    } else if !has_secret && found.len() == before {
        found.push(Misshape::Empty { id: id.to_owned() });
    }
    for field in secrets.iter().copied() {
        let Some(Value::String(text)) = entry.get(field) else { continue };
        let text = text.trim();
        if is_stand_in(text) {
            found.push(Misshape::Masked { id: id.to_owned(), field });
        } else if !text.chars().all(|c| matches!(c, '!'..='~')) {
            found.push(Misshape::OddCharacters { id: id.to_owned(), field });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Misshape> {
        crate::store::Document::parse(text).unwrap().misshapes()
    }

    fn of_profile(entry: &str) -> Vec<Misshape> {
        of(&format!("{{\"version\":1,\"profiles\":{{\"p:1\":{entry}}}}}"))
    }

    #[test]
    fn what_is_read_as_it_is_meant_is_no_finding() {
        for entry in [
            r#"{"type":"api_key","provider":"p","key":"fake"}"#,
            r#"{"mode":"api_key","provider":"p","apiKey":"fake"}"#,
            r#"{"type":"api_key","provider":"p","keyRef":{"source":"env","id":"A"},"value":"x"}"#,
            r#"{"type":"api_key","provider":"p","key":"${A_KEY}"}"#,
            r#"{"type":"token","provider":"p","token":"fake","expires":4102444800000}"#,
            r#"{"type":"token","provider":"p","token":{"source":"env","id":"A"}}"#,
            r#"{"type":"oauth","provider":"p","access":"fake","refresh":"fake","expires":1}"#,
            r#"{"type":"oauth","provider":"p","refresh":"fake","expires":"soon"}"#,
        ] {
            assert_eq!(of_profile(entry), [], "{entry}");
        }
        assert_eq!(
            of(r#"{"$schema":"https://fake.test/auth-profiles.schema.json","version":"1.0",
                   "order":{"p":[]},"usageStats":{"p:1":{}},"odd":{"x":1},
                   "updatedAt":"2026-01-02T03:04:05.000Z","by":"somebody","n":[1]}"#),
            []
        );
    }

    #[test]
    fn a_profile_beside_the_profiles_is_found() {
        let beside = |kind, provider: &str, id: &str| Misshape::Beside {
            id: id.to_owned(),
            kind,
            provider: provider.to_owned(),
        };
        for (text, expected) in [
            (
                r#"{"p:1":{"type":"api_key","provider":"q"}}"#,
                beside(Some(Kind::ApiKey), "q", "p:1"),
            ),
            (r#"{"p":{"apiKey":"fake"}}"#, beside(Some(Kind::ApiKey), "p", "p")),
            (r#"{"p":{"access":"a","refresh":"b"}}"#, beside(Some(Kind::OAuth), "p", "p")),
            (r#"{"p:1":{"provider":"p"},"profiles":{}}"#, beside(None, "p", "p:1")),
            (r#"{"p":{"API_KEY":"fake"}}"#, beside(Some(Kind::ApiKey), "p", "p")),
            (r#"{"p":"sk-fake-0123"}"#, beside(Some(Kind::ApiKey), "p", "p")),
            (r#"{"P":"fake0123456789abcdef01234567"}"#, beside(Some(Kind::ApiKey), "p", "P")),
        ] {
            assert_eq!(of(text), [expected], "{text}");
        }
        for text in [
            r#"{"credentials":{"p:1":{"type":"token","provider":"p","token":"fake"}}}"#,
            r#"{"data":{"version":1,"profiles":{}}}"#,
            r#"{"providers":{"p":{"apiKey":"fake"}}}"#,
            r#"{"models":{"p":{"API_KEY":"fake"},"q":1}}"#,
        ] {
            assert!(matches!(of(text)[0], Misshape::Nested { .. }), "{text}");
        }
        for (text, program) in [
            (r#"{"provider":"p","key":"fake","type":"api_key"}"#, "a single profile"),
            (r#"{"auth":{"profiles":{}}}"#, "openclaw.json"),
            (r#"{"tokens":{"access_token":"fake"}}"#, "Codex CLI"),
            (r#"{"claudeAiOauth":{}}"#, "Claude Code"),
            (r#"{"access_token":"fake"}"#, "another program"),
        ] {
            assert!(
                matches!(of(text)[0], Misshape::OtherFile { of, .. } if of == program),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_odd_in_an_entry_is_named_and_not_quoted() {
        let id = || "p:1".to_owned();
        let misnamed = |written: &str, read| Misshape::Misnamed {
            id: id(),
            written: written.to_owned(),
            read,
        };
        let entry = |fault| Misshape::Entry { id: id(), fault };
        for (text, expected) in [
            (
                r#"{"type":"api_key","provider":"p","api_key":"fake"}"#,
                vec![misnamed("api_key", "key")],
            ),
            (
                r#"{"type":"token","provider":"p","access_token":"fake"}"#,
                vec![misnamed("access_token", "token")],
            ),
            (
                r#"{"type":"oauth","provider":"p","access":"fake","refresh_token":"fake","expires_at":1}"#,
                vec![misnamed("refresh_token", "refresh"), misnamed("expires_at", "expires")],
            ),
            (
                r#"{"type":"oauth","provider":"p","token":"fake"}"#,
                vec![Misshape::OtherType { id: id(), field: "token" }],
            ),
            (r#"{"type":"oauth","provider":"p"}"#, vec![Misshape::Empty { id: id() }]),
            (r#"{"type":"api_key","provider":"p","key":""}"#, vec![Misshape::Empty { id: id() }]),
            (
                r#"{"type":"api_key","provider":"p","key":["x"]}"#,
                vec![Misshape::Empty { id: id() }],
            ),
            (
                r#"{"type":"api_key","provider":"p","key":"sk-…abcd"}"#,
                vec![Misshape::Masked { id: id(), field: "key" }],
            ),
            (
                r#"{"type":"oauth","provider":"p","access":"a","refresh":"rt_...abcd"}"#,
                vec![Misshape::Masked { id: id(), field: "refresh" }],
            ),
            (
                r#"{"type":"token","provider":"p","token":"fake two"}"#,
                vec![Misshape::OddCharacters { id: id(), field: "token" }],
            ),
            (
                r#"{"type":"token","provider":"p","token":"fake","expires":"4700000000000"}"#,
                vec![Misshape::Expiry { id: id() }],
            ),
            (
                r#"{"type":"oauth","provider":"p","access":"a","access":"b"}"#,
                vec![entry(EntryFault::Repeats)],
            ),
            (
                r#"{"type":"api-key","provider":"p","key":"a"}"#,
                vec![entry(EntryFault::UnknownType)],
            ),
            (r#"{"provider":"p","key":"a"}"#, vec![entry(EntryFault::NoType)]),
            (r#"{"type":"oauth","access":"a"}"#, vec![entry(EntryFault::NoProvider)]),
            ("null", vec![entry(EntryFault::NotAnObject)]),
            (
                r#"{"type":"oauth","provider":"p","clientId":"\ud800"}"#,
                vec![entry(EntryFault::Malformed)],
            ),
        ] {
            assert_eq!(of_profile(text), expected, "{text}");
        }
    }
}
