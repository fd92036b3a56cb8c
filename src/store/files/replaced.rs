//! The hashes of refresh tokens that were replaced: whoever brings one back (an old file, a
//! backup that is copied over the document, a snapshot of the disk) does not have it posted.
//! The server would take that for theft and end the login.
//!
//! Invariant: a hash is noted once what replaced the token is stored, and goes when the server
//! gives that token again, or a person wants it back. It costs one look before a request and
//! one line after it; a line that is lost is knowledge that is lost, and nothing else.

use super::lease::LockPlace;
use crate::secret::Secret;
use crate::system::file;
use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

/// So many are kept at least, the last ones.
const KEPT: usize = 500;

fn path(place: LockPlace<'_>) -> PathBuf {
    place.state_dir.join("replaced-tokens")
}

fn read(place: LockPlace<'_>) -> String {
    file::read(&path(place)).ok().flatten().map(|(text, _)| text).unwrap_or_default()
}

/// Whether a refresh token was replaced.
pub(in crate::store) fn is_replaced(place: LockPlace<'_>, token: &Secret) -> bool {
    let hash = token.fingerprint();
    read(place).lines().any(|line| line == hash)
}

/// The hashes of all that is known to be replaced.
pub(in crate::store) fn all(place: LockPlace<'_>) -> HashSet<String> {
    read(place).lines().map(str::to_owned).collect()
}

/// Notes that `given` has replaced `token`.
pub(in crate::store) fn note(place: LockPlace<'_>, token: &Secret, given: &Secret) {
    let (text, given) = (read(place), given.fingerprint());
    let lines: Vec<_> = text.lines().filter(|line| *line != given).collect();
    let is_whole = lines.len() == text.lines().count();
    if is_whole && lines.len() < 2 * KEPT {
        let file = std::fs::File::options().append(true).open(path(place));
        let appended = file.and_then(|mut it| it.write_all(line(&token.fingerprint()).as_bytes()));
        if appended.is_ok() {
            return;
        }
    }
    let last = lines.len().saturating_sub(KEPT);
    let mut text: String = lines[last..].iter().copied().map(line).collect();
    text.push_str(&line(&token.fingerprint()));
    let _ = file::replace(&path(place), text.as_bytes());
}

/// A person wants the token to be used again.
pub(in crate::store) fn forget(place: LockPlace<'_>, token: &Secret) {
    let (text, hash) = (read(place), token.fingerprint());
    if text.lines().any(|line| line == hash) {
        let text: String = text.lines().filter(|line| *line != hash).map(line).collect();
        let _ = file::replace(&path(place), text.as_bytes());
    }
}

fn line(hash: &str) -> String {
    format!("{hash}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files::Files;
    use std::os::unix::fs::PermissionsExt;

    fn token(number: usize) -> Secret {
        Secret::new(format!("fake-{number}"))
    }

    #[test]
    fn what_was_replaced_is_known_until_it_is_given_again() {
        let root = tempfile::tempdir().unwrap();
        let (state_dir, agent_dir) = (root.path().join("state"), root.path().join("a"));
        let files = Files { state_dir, agent_dir, oauth_file: None, backup_policy: None };
        let document = files.agent_dir.join("auth-profiles.json");
        let place = files.locks(&document);
        let is_replaced = |number| is_replaced(place, &token(number));
        note(place, &token(0), &token(1));
        assert!(!is_replaced(0), "there is no directory, and nothing fails");
        file::create_private_directory(place.state_dir).unwrap();
        for number in 0..3 * KEPT {
            note(place, &token(number), &token(number + 1));
        }
        assert!(!is_replaced(0) && !is_replaced(3 * KEPT));
        assert!(is_replaced(3 * KEPT - 1) && is_replaced(2 * KEPT));
        assert!(read(place).len() < 2 * KEPT * 80);
        assert_eq!(path(place).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        note(place, &token(3 * KEPT), &token(3 * KEPT - 1));
        assert!(!is_replaced(3 * KEPT - 1) && is_replaced(3 * KEPT));
        forget(place, &token(3 * KEPT));
        assert!(!is_replaced(3 * KEPT) && is_replaced(3 * KEPT - 2));
    }
}
