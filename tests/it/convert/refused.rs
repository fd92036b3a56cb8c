//! Conversions that are not made, and what they leave.

use super::{
    DOCUMENT, TO_JSON, TO_SQLITE, TOKEN, documents, key, put_rows, row, rows, write_profiles,
};
use crate::support::database::{Row, make_own, make_shared};
use crate::support::rig::Rig;
use openclaw_auth::system::now;
use serde_json::{Value, json};

fn fence(state: &str) -> Value {
    let (claim, digest) = ("ab".repeat(16), "cd".repeat(32));
    let mark =
        |name: &str| format!("openclaw-oauth-refresh-fence:v1:{claim}:{state}{name}:{digest}");
    json!({"type": "oauth", "provider": "openai", "access": mark("access"),
        "refresh": mark("refresh"), "expires": 1, "email": "ada@example.test"})
}

#[test]
fn a_login_that_openclaw_is_refreshing_or_has_lost_keeps_all_from_moving() {
    for (state, code, hint) in [
        ("", 5, "models auth token --profile openai:x"),
        ("failed:", 6, "models auth login --provider openai"),
    ] {
        for agent in ["main", "work"] {
            let rig = Rig::new();
            make_shared(&rig.state_dir());
            put_rows(&rig, "main", &json!({"p:1": key("fake")}));
            make_own(&rig.path("agents/work/agent"), "work");
            put_rows(&rig, agent, &json!({"openai:x": fence(state)}));
            let before = rows(&rig, agent);
            let stderr = rig.run(&TO_JSON).failure(code);
            assert!(stderr.contains(hint), "{agent}: {stderr}");
            // The other way is barred by it as well.
            write_profiles(&rig, "main", &json!({"p:2": key("fake")}));
            rig.run(&TO_SQLITE).failure(code);
            assert_eq!(documents(&rig, "main"), json!({"p:2": key("fake")}));
            assert_eq!(rows(&rig, agent), before);
            assert_eq!(super::sealed(&rig).len(), 0);
        }
    }
}

#[test]
fn a_document_behind_a_link_is_not_taken_away() {
    let rig = Rig::new();
    rig.write(
        "elsewhere.json",
        &json!({"version": 1, "profiles": {"p:1": key("fake")}}).to_string(),
    );
    rig.write("agents/main/agent/x", "");
    std::os::unix::fs::symlink(rig.path("elsewhere.json"), rig.path(DOCUMENT)).unwrap();
    let stderr = rig.run(&TO_SQLITE).failure(6);
    assert!(stderr.contains("symbolic link"), "{stderr}");
    assert!(rig.path("elsewhere.json").exists() && !rig.path("state/openclaw.sqlite").exists());
}

#[test]
fn databases_that_are_not_written_are_not_moved_to_or_from() {
    for (said, statement) in [
        ("newer", "PRAGMA user_version = 19"),
        ("supervised", "INSERT INTO config_machine_state VALUES ('gateway.supervision', '{}', 1)"),
        ("tables of OpenClaw are missing", "DROP TABLE schema_meta"),
        (
            "is not JSON",
            "UPDATE config_machine_state SET value_json = '{ half' \
                         WHERE state_key = 'authProfiles.store'",
        ),
    ] {
        let rig = Rig::new();
        make_shared(&rig.state_dir());
        put_rows(&rig, "main", &json!({"p:1": key("fake")}));
        write_profiles(&rig, "main", &json!({"p:2": key("fake")}));
        row(&rig, "main", Row::Store).run(statement);
        for way in [TO_SQLITE, TO_JSON] {
            let stderr = rig.run(&way).failure(6);
            assert!(stderr.contains(said) && stderr.contains("hint:"), "{said}: {stderr}");
            assert_eq!(documents(&rig, "main"), json!({"p:2": key("fake")}), "{said}");
        }
    }
}

#[test]
fn a_running_gateway_keeps_its_logins() {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    put_rows(&rig, "main", &json!({"p:1": key("fake")}));
    let lease = format!(
        "CREATE TABLE state_leases (scope TEXT, lease_key TEXT, owner TEXT, expires_at INTEGER, payload_json TEXT);
         INSERT INTO state_leases VALUES ('gateway-owner', 'global', 'x', {}, NULL)",
        now() + 300_000
    );
    row(&rig, "main", Row::Store).run(&lease);
    let stderr = rig.run(&TO_JSON).failure(5);
    assert!(stderr.contains("openclaw gateway stop"), "{stderr}");
    assert_eq!(rows(&rig, "main"), json!({"p:1": key("fake")}));
    row(&rig, "main", Row::Store).run("UPDATE state_leases SET expires_at = 1");
    rig.run(&TO_JSON).success();
    assert_eq!(documents(&rig, "main"), json!({"p:1": key("fake")}));
}

#[test]
fn a_refresh_that_is_under_way_is_waited_for() {
    let rig = Rig::signed_in();
    rig.expire(super::PROFILE);
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, std::time::Duration::from_mins(1)));
    let moving = rig.start(&TO_SQLITE);
    crate::support::patience::until_it_waits(&moving);
    assert!(rig.path(DOCUMENT).exists());
    hold.release();
    let token = running.finish().success();
    moving.finish().success();
    assert_eq!(rows(&rig, "main")[super::RENAMED]["access"], token.as_str());
    assert_eq!(rig.server.token_requests("refresh_token"), 1);
}

#[test]
fn root_changes_and_creates_nothing_in_a_directory_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for (has_database, way) in
        [(false, TO_SQLITE), (false, TO_JSON), (true, TO_SQLITE), (true, TO_JSON)]
    {
        let rig = Rig::new();
        if has_database {
            make_shared(&rig.state_dir());
            put_rows(&rig, "main", &json!({"p:1": key("fake")}));
        }
        write_profiles(&rig, "main", &json!({"p:2": key("fake")}));
        give_away(&rig.state_dir());
        let before = rig.tree();
        for args in [way.to_vec(), [&way[..], &["--dry-run"]].concat()] {
            let stderr = rig.run(&args).failure(6);
            assert!(stderr.contains("sudo -u '#1000'"), "{stderr}");
            assert!(rig.tree() == before, "{args:?}");
        }
    }
}

/// Makes a directory, with all in it, that of another user.
fn give_away(path: &std::path::Path) {
    std::os::unix::fs::chown(path, Some(1000), Some(1000)).unwrap();
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        give_away(&entry.path());
    }
}
