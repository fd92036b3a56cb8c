//! What OpenClaw 2026.9.6 advises where a profile is not used for a while.

use crate::cli::exit::Command;
use crate::profile::ProfileId;

/// What OpenClaw advises; the command is its own.
pub(super) fn recovery_hint(
    provider: &str,
    id: &ProfileId,
    is_disabled: bool,
    reason: &str,
) -> String {
    match reason {
        "auth" | "auth_permanent" | "session_expired" => {
            let login = Command::new("openclaw").args(["models", "auth", "login"]);
            let login = login.option("--provider", provider);
            let login = login.option("--profile-id", id.as_str());
            format!("Re-authenticate with `{login}`.")
        }
        "billing" if is_disabled => {
            "Top up credits (provider billing) or switch provider.".to_owned()
        }
        _ => "Wait for cooldown or switch provider.".to_owned(),
    }
}
