//! The files of other programs.

use openclaw_auth::external::{Tool, parse, without};
use openclaw_auth::secret::Secret;

/// Every program's reader takes the text or says why not; what it takes can be taken out,
/// and what stays is as it was.
pub(crate) fn logins(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for tool in Tool::ALL {
        let parsed = match parse(tool, text) {
            Ok(parsed) => parsed,
            Err(reason) => {
                let reason = reason.to_string();
                assert!(!reason.contains("fake") && !reason.contains(char::is_control), "{reason}");
                continue;
            }
        };
        for login in &parsed.logins {
            let credential = &login.credential;
            let secrets = [credential.bearer(), credential.refresh_token()];
            assert!(credential.bearer().is_some(), "a login has a token");
            for secret in secrets.into_iter().flatten() {
                assert!(secret.expose().chars().all(|c| c.is_ascii_graphic()), "{secret:?}");
            }
            let identity = &credential.identity;
            let labels = [&identity.email, &identity.account_id, &identity.subject, &login.name];
            assert!(!labels.into_iter().flatten().any(|it| it.contains(char::is_control)));
            let id = credential.provider.as_str();
            assert!(!id.is_empty() && !id.contains(['/', ':']) && !id.contains(char::is_control));
            let rest = without(tool, text, &[&login.entry]).expect("what is read can be taken out");
            let left = rest.map(|rest| parse(tool, &rest).expect("what is written can be read"));
            let left = left.map(|left| left.logins).unwrap_or_default();
            let others = parsed.logins.iter().filter(|other| other.entry != login.entry);
            let stays = |other: &openclaw_auth::external::Login| {
                left.iter().any(|it| it.entry == other.entry && it.holds_same(other))
            };
            assert!(others.into_iter().all(stays), "another login stays");
            let is_gone = |it: &openclaw_auth::external::Login| it.entry != login.entry;
            assert!(left.iter().all(is_gone), "it is gone");
        }
        let _ = parsed.logins.iter().map(|it| it.credential.bearer().map(Secret::fingerprint));
    }
}
