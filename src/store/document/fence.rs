//! What OpenClaw 2026.9 puts in the place of the tokens of a login while it refreshes it, and
//! leaves there where that did not end: the marker of a pending refresh, or of a failed one.
//!
//! Invariant: a marker is no token. It is never shown, never posted, and replaced only by a
//! login.

use super::field::FENCE;
use super::fields::{FieldName, Fields};
use crate::profile::ProviderId;
use crate::secret::Secret;
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

    /// The text of the marker in an entry.
    pub(super) fn text(entry: &Fields<'_>) -> Option<String> {
        let marks = [FieldName::Access, FieldName::Refresh].map(|name| entry.field(name));
        let mark = marks.iter().filter_map(|it| it.text()).find(|it| it.starts_with(FENCE))?;
        Some(mark.to_owned())
    }
}

/// Whether the marker in the entry of the profile `id` stands for the refresh token `grant`.
pub(super) fn stands_for(entry: &Fields<'_>, id: &str, grant: &Secret) -> bool {
    let Some((provider, _)) = entry.facts() else { return false };
    let field = entry.field(FieldName::Refresh);
    let Some(mark) = field.text().and_then(|it| it.strip_prefix(FENCE)) else { return false };
    mark.ends_with(&format!(":refresh:{}", digest(id, &provider, "refresh", grant)))
}

/// How OpenClaw names a token in a marker.
pub(super) fn digest(id: &str, provider: &str, kind: &str, secret: &Secret) -> String {
    let provider = ProviderId::from(provider).spelling().trim().to_lowercase();
    let generation = "openclaw.oauth-refresh-generation";
    let named = serde_json::json!([generation, 1, id, provider, kind, secret.expose()]);
    let named = Secret::new(named.to_string());
    format!("{:x}", Sha256::digest(named.expose().as_bytes()))
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
}
