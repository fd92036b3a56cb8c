//! Fields that are stored beside a row: they are those of one login, whoever writes the row.

use super::{TO_JSON, TO_SQLITE, documents, key, put_rows, rows, write_profiles};
use crate::support::rig::Rig;
use serde_json::{Value, json};

fn login(grant: &str, email: Option<&str>) -> Value {
    let mut entry = json!({"type": "oauth", "provider": "ex", "access": format!("fake-access-{grant}"),
        "refresh": grant, "expires": 4_102_444_800_000_u64});
    if let Some(email) = email {
        entry["email"] = email.into();
    }
    entry
}

fn with_fields(mut entry: Value) -> Value {
    entry["loginMethod"] = "elsewhere".into();
    entry["ours"] = json!({"x": 1.50});
    entry
}

/// What an entry that was stored with fields is, after somebody has made its row `now`.
fn after(stored: &Value, now: &Value) -> Value {
    let rig = Rig::new();
    write_profiles(&rig, "main", &json!({"ex:a": with_fields(stored.clone())}));
    rig.run(&TO_SQLITE).success();
    assert_eq!(rows(&rig, "main")["ex:a"], *stored, "OpenClaw would drop the fields");
    put_rows(&rig, "main", &json!({"ex:a": now}));
    rig.run(&TO_JSON).success();
    documents(&rig, "main")["ex:a"].take()
}

#[test]
fn another_login_of_the_same_name_has_none_of_the_fields() {
    let (ada, bob) = (Some("ada@example.test"), Some("bob@example.test"));
    let mut other_provider = login("fake-2", ada);
    other_provider["provider"] = "ey".into();
    let token =
        json!({"type": "token", "provider": "ex", "token": "fake-t", "email": "ada@example.test"});
    for (stored, now) in [
        (login("fake-1", ada), login("fake-2", bob)),
        (login("fake-1", None), login("fake-2", None)),
        (login("fake-1", ada), login("fake-2", None)),
        (login("fake-1", None), login("fake-2", ada)),
        (login("fake-1", ada), key("fake-key")),
        (login("fake-1", ada), token),
        (login("fake-1", ada), other_provider),
        (key("fake-1"), key("fake-2")),
    ] {
        assert_eq!(after(&stored, &now), now, "{stored}");
    }
}

#[test]
fn the_same_login_has_its_fields_whoever_wrote_it_last() {
    let ada = Some("ada@example.test");
    let mut renewed = login("fake-1", None);
    renewed["access"] = "fake-renewed".into();
    let mut named = login("fake-1", None);
    named["email"] = "ada@example.test".into();
    for (stored, now) in [
        (login("fake-1", None), login("fake-1", None)),
        (login("fake-1", None), renewed),
        (login("fake-1", None), named),
        // OpenClaw has refreshed it.
        (login("fake-1", ada), login("fake-2", Some("Ada@example.test"))),
        (key("fake-1"), key("fake-1")),
    ] {
        assert_eq!(after(&stored, &now), with_fields(now), "{stored}");
    }
}
