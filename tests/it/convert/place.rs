//! Where the databases say that the logins of all agents are, and what a conversion makes of it.

use super::{TO_JSON, TO_SQLITE, documents, key, row, rows, write_profiles};
use crate::support::database::{Row, make_own, make_shared};
use crate::support::rig::Rig;
use serde_json::json;

/// What stands for `auth.sharedStore` before OpenClaw has moved anything to the shared database.
const SAID: [&str; 3] = [
    "DELETE FROM config_machine_state WHERE state_key = 'auth.sharedStore'",
    r#"UPDATE config_machine_state SET value_json = '{"location":"legacy-main"}'
       WHERE state_key = 'auth.sharedStore'"#,
    r#"UPDATE config_machine_state SET value_json = ' { "location" : "legacy-main" } '
       WHERE state_key = 'auth.sharedStore'"#,
];

fn rig(said: &str, has_own: bool) -> Rig {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    row(&rig, "main", Row::Store).run(said);
    if has_own {
        make_own(&rig.path("agents/main/agent"), "main");
    }
    rig
}

#[test]
fn logins_move_to_a_shared_database_that_says_they_are_with_main_where_none_are() {
    for said in SAID {
        for has_own in [false, true] {
            let rig = rig(said, has_own);
            write_profiles(&rig, "main", &json!({"p:1": key("fake-1"), "p:2": key("fake-2")}));
            rig.run(&TO_SQLITE).success();
            assert_eq!(documents(&rig, "main"), json!({}), "{said}");
            assert_eq!(rows(&rig, "main")["p:2"], key("fake-2"), "{said}");
            let token = ["models", "auth", "token", "--profile", "p:1"];
            assert_eq!(rig.run(&token).success(), "fake-1", "{said}");
            rig.run(&TO_SQLITE).success();
            rig.run(&TO_JSON).success();
            assert_eq!(documents(&rig, "main")["p:1"], key("fake-1"), "{said}");
        }
    }
}

#[test]
fn a_first_login_in_such_a_database_is_found_again() {
    for said in SAID {
        let rig = rig(said, true);
        let paste = ["models", "auth", "paste-api-key", "--provider", "p"];
        rig.run_with_input(&paste, "fake-key-fake-key\n").success();
        let token = ["models", "auth", "token", "--profile", "p:manual"];
        assert_eq!(rig.run(&token).success(), "fake-key-fake-key", "{said}");
    }
}
