//! What OpenClaw 2026.9 puts in the place of the tokens of a login while it refreshes it, and
//! leaves there where that did not end: the marker of a pending refresh, or of a failed one.
//!
//! Invariant: a marker is no token. It is never shown, never posted, and replaced only by a
//! login.

use super::field::FENCE;
use super::fields::{FieldName, Fields};
use crate::profile::ProviderId;
use crate::secret::Secret;
use crate::store::json_text::{RawObject, raw};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// What became of the login whose tokens a marker replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// OpenClaw is refreshing it, or was interrupted.
    Pending,
    /// OpenClaw's refresh has failed: the tokens are gone.
    Failed,
}

/// What has happened to the login.
impl std::fmt::Display for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pending => "lost in an interrupted OpenClaw refresh",
            Self::Failed => "lost in a failed OpenClaw refresh",
        })
    }
}

impl Fence {
    /// The marker in an entry.
    pub(super) fn of(entry: &Fields<'_>) -> Option<Self> {
        let marks = [FieldName::Access, FieldName::Refresh].map(|name| entry.field(name));
        let mut marks = marks.iter().filter_map(|it| it.text()?.strip_prefix(FENCE));
        let mark = marks.next()?;
        let is_failed = std::iter::once(mark).chain(marks).any(|it| it.contains(":failed:"));
        Some(if is_failed { Self::Failed } else { Self::Pending })
    }
}

/// What a marker does not keep of an entry.
#[cfg(feature = "sqlite")]
const DROPPED: [&str; 3] = ["idToken", "oauthRef", "copyToAgents"];

/// `entry`, of the profile `id`, with a pending marker of `claim` in the place of its tokens;
/// `None` where it does not hold both.
#[cfg(feature = "sqlite")]
pub(in crate::store) fn marked(
    entry: &str,
    id: &str,
    claim: &str,
) -> serde_json::Result<Option<Box<RawValue>>> {
    let mut entry: RawObject = serde_json::from_str(entry)?;
    let provider = text(&entry, "provider").unwrap_or_default();
    for kind in ["access", "refresh"] {
        let Some(secret) = text(&entry, kind).map(Secret::new) else { return Ok(None) };
        let digest = digest(id, &provider, kind, &secret);
        entry.insert(kind.to_owned(), raw(&format!("{FENCE}v1:{claim}:{kind}:{digest}"))?);
    }
    entry.insert("expires".to_owned(), raw(&1)?);
    entry.retain(|name, _| !DROPPED.contains(&name.as_str()));
    raw(&entry).map(Some)
}

/// A marked entry as one whose refresh has failed: nobody waits for it any more.
#[cfg(feature = "sqlite")]
pub(in crate::store) fn failed(entry: &str, claim: &str) -> String {
    let mut entry = entry.to_owned();
    for kind in ["access", "refresh"] {
        let mark = |state: &str| format!("{FENCE}v1:{claim}:{state}{kind}:");
        entry = entry.replace(&mark(""), &mark("failed:"));
    }
    entry
}

/// Whether the tokens of an entry are replaced by a marker of `claim`.
#[cfg(feature = "sqlite")]
pub(in crate::store) fn is_marked_by(entry: &str, claim: &str) -> bool {
    entry.contains(&format!("{FENCE}v1:{claim}:"))
}

/// Whether an entry holds the refresh token `grant`.
#[cfg(feature = "sqlite")]
pub(in crate::store) fn holds(entry: &str, grant: &Secret) -> bool {
    let entry = serde_json::from_str::<RawObject>(entry).ok();
    let held = entry.and_then(|entry| text(&entry, "refresh")).map(Secret::new);
    held.is_some_and(|held| held.matches(grant))
}

/// Whether the marker in the entry of the profile `id` stands for the refresh token `grant`.
pub(super) fn stands_for(entry: &Fields<'_>, id: &str, grant: &Secret) -> bool {
    let Some((provider, _)) = entry.facts() else { return false };
    let field = entry.field(FieldName::Refresh);
    let Some(mark) = field.text().and_then(|it| it.strip_prefix(FENCE)) else { return false };
    mark.ends_with(&format!(":refresh:{}", digest(id, &provider, "refresh", grant)))
}

/// How OpenClaw names a token in a marker.
fn digest(id: &str, provider: &str, kind: &str, secret: &Secret) -> String {
    let provider = ProviderId::from(provider).spelling().trim().to_lowercase();
    let generation = "openclaw.oauth-refresh-generation";
    let named = serde_json::json!([generation, 1, id, provider, kind, secret.expose()]);
    let named = Secret::new(named.to_string());
    format!("{:x}", Sha256::digest(named.expose().as_bytes()))
}

#[cfg(feature = "sqlite")]
fn text(entry: &RawObject, name: &str) -> Option<String> {
    serde_json::from_str(entry.get(name)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Document;

    #[test]
    fn markers_are_told_from_tokens_and_from_each_other() {
        let entry = |access: &str, refresh: &str| {
            format!(
                r#"{{"type":"oauth","provider":"p","access":"{access}","refresh":"{refresh}"}}"#
            )
        };
        let mark = |kind: &str| format!("{FENCE}v1:{}:{kind}:{}", "ab".repeat(16), "cd".repeat(32));
        let text = [
            ("pending", entry(&mark("access"), &mark("refresh"))),
            ("failed", entry(&mark("failed:access"), &mark("failed:refresh"))),
            ("half", entry("fake-access", &mark("refresh"))),
            ("none", entry("fake-access", "fake-refresh")),
        ];
        let text: Vec<_> = text.iter().map(|(id, entry)| format!("{id:?}:{entry}")).collect();
        let text = format!(r#"{{"profiles":{{{}}}}}"#, text.join(","));
        let document = Document::parse(text).unwrap();
        assert_eq!(document.fence("pending"), Some(Fence::Pending));
        assert_eq!(document.fence("failed"), Some(Fence::Failed));
        assert_eq!(document.fence("half"), Some(Fence::Pending));
        assert_eq!(document.fence("none"), None);
        assert_eq!(document.fence("absent"), None);
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_marker_names_its_tokens_as_openclaw_does() {
        let id = "openai:a@example.test";
        let entry = r#"{"type":"oauth","provider":"OpenAI","access":"FAKE-access-0",
            "refresh":"FAKE-refresh-0","expires":5,"idToken":"x","email":"a@example.test"}"#;
        let claim = "ab".repeat(16);
        let marker = marked(entry, id, &claim).unwrap().unwrap();
        let digest = "282cd657f2fd8e98b824a4c326053106b34dd24969b59246aec299b7a48960e6";
        assert!(marker.get().contains(&format!("\"{FENCE}v1:{claim}:refresh:{digest}\"")));
        assert!(marker.get().contains("\"expires\":1,\"email\"") && !marker.get().contains("idT"));
        assert!(is_marked_by(marker.get(), &claim) && !is_marked_by(marker.get(), "other"));
        let failed = failed(marker.get(), &claim);
        for (entry, fence) in [(marker.get(), Fence::Pending), (&failed, Fence::Failed)] {
            let document =
                Document::parse(format!(r#"{{"profiles":{{"{id}":{entry}}}}}"#)).unwrap();
            assert_eq!(document.fence(id), Some(fence));
            assert!(document.is_marked_for(id, &Secret::new("FAKE-refresh-0")));
            assert!(!document.is_marked_for(id, &Secret::new("FAKE-refresh-1")));
        }
        assert!(is_marked_by(&failed, &claim));
        let half = r#"{"type":"oauth","provider":"p","refresh":"fake"}"#;
        assert!(marked(half, "p:x", &claim).unwrap().is_none());
    }
}
