//! `models auth import`, and the logins that stay another program's own.

mod format;
mod hostile;
mod managed;
mod moving;
mod odd_entries;
mod several;

use crate::support::authorization_server::Account;
use crate::support::rig::{Finished, Rig};
use serde_json::{Value, json};

const FAR: i64 = 4_102_444_800_000;
const CODEX: &str = ".codex/auth.json";

fn import(rig: &Rig, args: &[&str]) -> Finished {
    rig.run(&[&["models", "auth", "import"], args].concat())
}

/// What Codex has after a login at the rig's server.
fn codex_login(rig: &Rig, email: &str) -> Value {
    let tokens = rig.server.issue_tokens(&Account::of_email(email));
    json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": tokens["id_token"],
            "access_token": tokens["access_token"],
            "refresh_token": tokens["refresh_token"],
            "account_id": format!("fake-account-{}", email.split('@').next().unwrap()),
        },
        "last_refresh": "2026-11-22T10:00:00.123456789Z",
        "odd": 1.5,
    })
}

/// A rig where Codex is signed in.
fn with_codex() -> (Rig, Value) {
    let rig = Rig::new();
    let login = codex_login(&rig, "ada@example.test");
    rig.write_at_home(CODEX, &login.to_string());
    (rig, login)
}
