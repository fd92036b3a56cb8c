//! Fields that are stored beside a row: they are those of one login, whoever writes the row.

use super::{TO_JSON, TO_SQLITE, documents, key, put_rows, rows, write_profiles};
use crate::support::rig::Rig;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

fn login(grant: &str, email: Option<&str>) -> Value {
    let mut entry = json!({"type": "oauth", "provider": "ex", "access": format!("fake-access-{grant}"),
        "refresh": grant, "expires": 4_102_444_800_000_u64});
    if let Some(email) = email {
        entry["email"] = email.into();
    }
    entry
}

/// A login without e-mail and account, whose access token is a JWT.
fn of_member(grant: &str, subject: &str, client: Option<&str>) -> Value {
    let mut claims = json!({"iss": "https://as.example.test", "sub": subject, "jti": grant});
    if let Some(client) = client {
        claims["client_id"] = client.into();
    }
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    let mut entry = login(grant, None);
    entry["access"] = format!("e30.{payload}.fake-signature").into();
    entry
}

fn in_account(account: &str, mut entry: Value) -> Value {
    entry["accountId"] = account.into();
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
        (of_member("fake-1", "ada", Some("cli")), of_member("fake-2", "bob", Some("cli"))),
        (of_member("fake-1", "ada", Some("cli")), of_member("fake-2", "ada", Some("other"))),
        (of_member("fake-1", "ada", None), of_member("fake-2", "ada", None)),
        (of_member("fake-1", "ada", Some("cli")), login("fake-2", None)),
        (
            in_account("a-1", of_member("fake-1", "ada", Some("cli"))),
            in_account("a-2", of_member("fake-2", "ada", Some("cli"))),
        ),
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
        (of_member("fake-1", "ada", Some("cli")), of_member("fake-2", "ada", Some("cli"))),
        // OpenClaw adds the account that it finds in the token.
        (
            of_member("fake-1", "ada", Some("cli")),
            in_account("a-1", of_member("fake-2", "ada", Some("cli"))),
        ),
    ] {
        assert_eq!(after(&stored, &now), with_fields(now), "{stored}");
    }
}
