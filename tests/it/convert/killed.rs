//! Conversions that are killed: the next run finishes them.

use super::{DOCUMENT, PROFILE, RENAMED, TO_JSON, TO_SQLITE, TOKEN, documents, key, rows};
use crate::support::patience::has_ended;
use crate::support::rig::{Rig, Running};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the grant of the login is now.
fn sides(rig: &Rig, grant: &str) -> (usize, usize) {
    let count = |profiles: serde_json::Value| {
        let profiles = profiles.as_object().cloned().unwrap_or_default();
        profiles.values().filter(|it| it["refresh"] == grant).count()
    };
    (count(documents(rig, "main")), count(rows(rig, "main")))
}

fn is_sealed(rig: &Rig, grant: &str) -> bool {
    let files = super::sealed(rig);
    files.iter().any(|it| std::fs::read_to_string(it).is_ok_and(|it| it.contains(grant)))
}

#[test]
fn a_move_that_is_killed_at_any_time_is_finished_by_the_next_run() {
    let rig = Rig::signed_in();
    let mut document = rig.document();
    document["profiles"]["p:1"] = key("fake-key");
    super::write_profiles(&rig, "main", &document["profiles"]);
    let grant = document["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let token = rig.run(&TOKEN).success();
    let mut ends = BTreeSet::new();
    for round in 0..40_usize {
        let way = if round % 2 == 0 { TO_SQLITE } else { TO_JSON };
        let running = rig.start(&way);
        // Each round ends when so many changes of the tree were seen, or the program has ended.
        until_changed(&rig, round / 2, &running);
        ends.insert(rig.path("openclaw-auth/conversion.json").exists());
        running.kill();
        let (in_documents, in_rows) = sides(&rig, &grant);
        assert!(in_documents + in_rows <= 1, "{round}: on both sides");
        assert!(in_documents + in_rows == 1 || is_sealed(&rig, &grant), "{round}: lost");
        let is_between = rig.path("openclaw-auth/conversion.json").exists();
        if is_between {
            // Nobody signs out, pastes or refreshes in between, and nothing is posted.
            let paste = ["models", "auth", "paste-api-key", "--provider", "q"];
            let stderr = rig.run_with_input(&paste, "fake-key-fake-key\n").failure(6);
            assert!(stderr.contains("store convert --to"), "{round}: {stderr}");
            if in_documents + in_rows == 0 {
                let stderr = rig.run(&TOKEN).failure(6);
                assert!(stderr.contains("store convert --to"), "{round}: {stderr}");
            }
        }
        rig.run(&way).success();
        assert!(!rig.path("openclaw-auth/conversion.json").exists(), "{round}");
        let (id, wanted) = if round % 2 == 0 { (RENAMED, (0, 1)) } else { (PROFILE, (1, 0)) };
        assert_eq!(sides(&rig, &grant), wanted, "{round}");
        let stored = if round % 2 == 0 { rows(&rig, "main") } else { documents(&rig, "main") };
        assert_eq!(stored[id]["refresh"], grant.as_str(), "{round}");
        assert_eq!(stored["p:1"], key("fake-key"), "{round}");
        assert_eq!(stored.as_object().unwrap().len(), 2, "{round}: {stored}");
        assert_eq!(rig.run(&TOKEN).success(), token, "{round}");
    }
    assert_eq!(rig.server.token_requests("refresh_token"), 0);
    assert!(rig.path(DOCUMENT).exists());
    assert_eq!(ends.len(), 2, "some are killed on the way, and some not");
}

/// The names of the files of a state directory, and their sizes.
type Sizes = BTreeMap<PathBuf, u64>;

fn sizes(directory: &Path, found: &mut Sizes) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.symlink_metadata() {
            Ok(it) if it.is_dir() => sizes(&path, found),
            Ok(it) => drop(found.insert(path, it.len())),
            Err(_) => {}
        }
    }
}

/// Waits until the files of the state directory have changed so often, or the program has ended.
fn until_changed(rig: &Rig, times: usize, running: &Running) {
    let look = || {
        let mut found = Sizes::new();
        sizes(&rig.state_dir(), &mut found);
        found
    };
    let (mut seen, mut changes) = (look(), 0);
    while changes < times && !has_ended(running) {
        let present = look();
        changes += usize::from(present != seen);
        seen = present;
    }
}

#[test]
fn a_move_the_other_way_finishes_the_interrupted_one_first() {
    let rig = Rig::signed_in();
    let grant = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let started = Instant::now();
    let mut found = false;
    while started.elapsed() < Duration::from_mins(1) && !found {
        let running = rig.start(&TO_SQLITE);
        let note = rig.path("openclaw-auth/conversion.json");
        while !note.exists() && started.elapsed() < Duration::from_mins(1) {
            std::hint::spin_loop();
        }
        running.kill();
        found = note.exists();
        rig.run(&TO_JSON).success();
        assert_eq!(sides(&rig, &grant), (1, 0));
        assert_eq!(documents(&rig, "main").as_object().unwrap().len(), 1);
    }
    assert!(found);
}
