//! Markers of ours, in the form that OpenClaw 2026.9 writes: see [`super::Fence`].
//!
//! Invariant: an entry that is marked holds no token.

use super::fence::digest;
use super::field::FENCE;
use crate::secret::Secret;
use crate::store::json_text::{RawObject, raw};
use serde_json::value::RawValue;

/// What a marked entry drops.
const DROPPED: [&str; 3] = ["idToken", "oauthRef", "copyToAgents"];

/// `entry`, of the profile `id`, with a pending marker of `claim` in the place of its tokens;
/// `None` where it does not hold both.
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
pub(in crate::store) fn failed(entry: &str, claim: &str) -> String {
    let mut entry = entry.to_owned();
    for kind in ["access", "refresh"] {
        let mark = |state: &str| format!("{FENCE}v1:{claim}:{state}{kind}:");
        entry = entry.replace(&mark(""), &mark("failed:"));
    }
    entry
}

/// Whether the tokens of an entry are replaced by a marker of `claim`.
pub(in crate::store) fn is_marked_by(entry: &str, claim: &str) -> bool {
    entry.contains(&format!("{FENCE}v1:{claim}:"))
}

/// Whether an entry holds the refresh token `grant`.
pub(in crate::store) fn holds(entry: &str, grant: &Secret) -> bool {
    let entry = serde_json::from_str::<RawObject>(entry).ok();
    let held = entry.and_then(|entry| text(&entry, "refresh")).map(Secret::new);
    held.is_some_and(|held| held.matches(grant))
}

fn text(entry: &RawObject, name: &str) -> Option<String> {
    serde_json::from_str(entry.get(name)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Document, Fence};

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
