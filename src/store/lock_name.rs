//! How OpenClaw 2026.6 and later name the lock on a refresh of one profile.

use crate::profile::{ProfileId, ProviderId};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

const LEFT: u64 = 14_695_981_039_346_656_037;
const RIGHT: u64 = 11_160_318_154_034_397_263;
const PRIME: u64 = 1_099_511_628_211;
const SHIFT: u64 = 11_400_714_819_323_198_485;

/// `$STATE/locks/oauth-refresh/lock-<32 hex>.lock`: two hashes of the JSON text
/// `["<provider>","<profile id>"]`, side by side.
pub(in crate::store) fn lease_path(
    state_dir: &Path,
    provider: &ProviderId,
    profile_id: &ProfileId,
) -> PathBuf {
    // OpenClaw reads a provider so, whatever its row says.
    let provider = provider.spelling().trim().to_lowercase();
    let text = serde_json::json!([provider, profile_id.as_str()]).to_string();
    let (left, right) = text.bytes().fold((LEFT, RIGHT), |(left, right), byte| {
        let byte = u64::from(byte);
        let right = right ^ byte.wrapping_add(SHIFT);
        ((left ^ byte).wrapping_mul(PRIME), right.wrapping_mul(PRIME))
    });
    state_dir.join("locks/oauth-refresh").join(format!("lock-{left:016x}{right:016x}.lock"))
}

/// Whether a file is named as such a lock.
pub(in crate::store) fn is_lease(name: &OsStr) -> bool {
    let hash = name.to_str().and_then(|name| name.strip_prefix("lock-")?.strip_suffix(".lock"));
    hash.is_some_and(|hash| hash.len() == 32 && hash.bytes().all(|it| it.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(provider: &str, id: &str) -> String {
        let path = lease_path(Path::new("/s"), &provider.into(), &id.into());
        path.file_name().unwrap().to_string_lossy().into_owned()
    }

    #[test]
    fn the_lock_is_named_as_openclaw_names_it() {
        let named = "lock-12faa392f81e5f72b8cc54f2ab0ff874.lock";
        assert_eq!(name("openai", "openai:a@example.test"), named);
        assert_eq!(name(" OpenAI ", "openai:a@example.test"), named);
        assert!(is_lease(OsStr::new(named)));
        for other in ["lock-1.lock", "sha256-12faa392f81e5f72b8cc54f2ab0ff874.lock"] {
            assert!(!is_lease(OsStr::new(other)));
        }
    }

    #[test]
    fn names_of_every_script_are_hashed_as_json_writes_them() {
        assert_eq!(name("p", "p:a\"b\\c"), "lock-617076593fb1a27579a76df570f6c6a0.lock");
        assert_eq!(
            name("openai", "openai:ж@example.test"),
            "lock-150a5c7401c3bcad49f09e824de747ea.lock"
        );
        assert_eq!(
            name("anthropic", "anthropic:default"),
            "lock-d86ff71f0416cea6738a705bf801262d.lock"
        );
        assert_eq!(name("p", "p:\t1"), "lock-d7519c32140636b465dbc880236b1ed3.lock");
    }
}
