//! What must be true after a save that was disturbed.

use super::scene::{Command, Finished, PASTED, PASTED_PROFILE, PROFILE, Scene};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) wrong: Vec<String>,
    /// The process was killed between the server's rotation and the save.
    pub(crate) lost_with_the_process: bool,
    /// What the server issued is in another private file than the document.
    pub(crate) outside_the_document: bool,
}

/// Judges a run that has ended; `text` is what the system says of the fault.
pub(crate) fn judge(scene: &Scene, finished: &Finished, text: Option<&str>) -> Judged {
    let mut judged = Judged::default();
    let mut wrong = Vec::new();
    if let Some(code) = finished.code.filter(|_| !finished.was_killed) {
        if !matches!(code, 0 | 1 | 4 | 5 | 6) {
            wrong.push(format!("exit code {code}"));
        }
        let names_it = text.is_none_or(|text| finished.stderr.contains(text));
        if code != 0 && !(finished.stderr.contains("error: ") && names_it) {
            wrong.push(format!("no clear message ({code}): {}", finished.stderr.trim()));
        }
        if code != 0 && !finished.stdout.is_empty() {
            wrong.push("it failed and printed a result".to_owned());
        }
    }
    if let Some(code) = finished.code.filter(|_| finished.was_killed) {
        // Its worker was: the caller is told so, or has what was stored.
        if !matches!(code, 0 | 4) {
            wrong.push(format!("the caller of a killed worker exits {code}: {}", finished.stderr));
        }
    }
    if ["fake-refresh", "fake-access", PASTED].iter().any(|secret| finished.stderr.contains(secret))
    {
        wrong.push("the message holds a secret".to_owned());
    }
    document(scene, finished, &mut wrong);
    let live = scene.server.live_refresh_tokens();
    let was_rotated = live.iter().any(|token| *token != scene.refresh);
    for token in &live {
        let holders = files(&scene.state_dir, token);
        let is_kept = |path: &&PathBuf| path.extension().is_none_or(|kind| kind != "tmp");
        match holders.iter().find(is_kept) {
            Some(path) if *path == scene.document_path() => {}
            Some(_) => judged.outside_the_document = true,
            // A logout that was not told to revoke may leave a grant.
            None if finished.was_killed => judged.lost_with_the_process = true,
            None => wrong.push(format!(
                "the new credential is lost ({:?}): {}",
                finished.code,
                finished.stderr.trim()
            )),
        }
        for path in holders {
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            if mode != 0o600 {
                wrong.push(format!("{} holds a secret with mode {mode:o}", path.display()));
            }
        }
    }
    let refreshes = matches!(scene.command, Command::Refresh | Command::RefreshCopied);
    if finished.code == Some(0) && refreshes {
        let token = finished.stdout.trim();
        if scene.server.grant_of(token).is_none_or(|grant| grant.revoked) {
            wrong.push("the token that it printed is not of a live grant".to_owned());
        }
    }
    next_run(scene, &judged, was_rotated, &mut wrong);
    judged.wrong = wrong;
    judged
}

/// The document is the old one, or the new one and complete.
fn document(scene: &Scene, finished: &Finished, wrong: &mut Vec<String>) {
    let text = std::fs::read_to_string(scene.document_path()).unwrap_or_default();
    if text == scene.before {
        if finished.code == Some(0) {
            wrong.push("it says that it is done, and is not".to_owned());
        }
        return;
    }
    let Some(document) = scene.document() else {
        wrong.push("the document is neither the old nor the new one".to_owned());
        return;
    };
    let profiles = &document["profiles"];
    let is_new = match scene.command {
        Command::Refresh | Command::RefreshCopied => {
            profiles[PROFILE]["refresh"].as_str().is_some_and(|token| scene.server.is_alive(token))
        }
        Command::Logout => profiles[PROFILE].is_null(),
        Command::Paste => profiles[PASTED_PROFILE]["token"] == PASTED,
    };
    if !is_new || profiles["openai:other"]["key"] != "fake-key" {
        wrong.push(format!("the new document is not right: {document}"));
    }
}

/// The next run works, and posts nothing that was spent.
fn next_run(scene: &Scene, judged: &Judged, was_rotated: bool, wrong: &mut Vec<String>) {
    let mut next = scene.run(&[], scene.command);
    if next.code == Some(4) {
        // What became of the request is not known: it is made again, but not at once.
        scene.forget_notes();
        next = scene.run(&[], scene.command);
    }
    let document = scene.document().unwrap_or_default();
    let profiles = &document["profiles"];
    let is_right = match scene.command {
        Command::Refresh | Command::RefreshCopied if judged.lost_with_the_process => {
            next.code == Some(3)
        }
        Command::Refresh | Command::RefreshCopied => {
            next.code == Some(0)
                && profiles[PROFILE]["access"] == next.stdout.trim()
                && scene.server.is_alive(profiles[PROFILE]["refresh"].as_str().unwrap_or_default())
        }
        Command::Logout => matches!(next.code, Some(0 | 1)) && profiles[PROFILE].is_null(),
        Command::Paste => next.code == Some(0) && profiles[PASTED_PROFILE]["token"] == PASTED,
    };
    if !is_right {
        wrong.push(format!("the next run fails: {:?} {}", next.code, next.stderr.trim()));
    }
    if scene.command == Command::RefreshCopied && !judged.lost_with_the_process {
        let arguments = [scene.command.arguments(), &["--agent", "work"]].concat();
        let copy = scene.run_with(&[], &arguments);
        if copy.code != Some(0) {
            let stderr = copy.stderr.trim();
            wrong.push(format!("the copy of the other agent fails: {:?} {stderr}", copy.code));
        }
    }
    if scene.server.reuse_attempts() > 0 && !judged.lost_with_the_process {
        wrong.push(format!("a spent refresh token was posted (rotated: {was_rotated})"));
    }
}

/// The files below a directory that hold a text.
fn files(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, text));
        } else if std::fs::read_to_string(&path).is_ok_and(|content| content.contains(text)) {
            found.push(path);
        }
    }
    // The document first.
    found.sort_by_key(|path| !path.ends_with("auth-profiles.json"));
    found
}
