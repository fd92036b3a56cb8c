//! A refresh of an expired `<provider>:default` beside a gateway of OpenClaw, which would refresh
//! it without a lock: a marker of OpenClaw's keeps it from that, and costs no login, whoever dies
//! where.

use crate::support::authorization_server::{Endpoint, Fault};
use crate::support::database::{Row, Text, make_own, make_shared};
use crate::support::rig::{PROFILE, Rig};
use openclaw_auth::system::{now, process};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::Duration;

const ID: &str = "openai:default";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--profile", ID];
const PATIENCE: Duration = Duration::from_mins(1);
const MARKER: &str = "openclaw-oauth-refresh-fence:v1:";

fn row(rig: &Rig, agent: &str) -> Text {
    let directory = rig.path("agents").join(agent).join("agent");
    Text::of(&rig.state_dir(), &directory, agent, Row::Store)
}

fn stored_of(rig: &Rig, agent: &str) -> Value {
    let mut text: Value = serde_json::from_str(&row(rig, agent).read().unwrap()).unwrap();
    text["profiles"].take()
}

fn stored(rig: &Rig) -> Value {
    stored_of(rig, "main")[ID].take()
}

fn put(rig: &Rig, agent: &str, entry: &Value) {
    let text = json!({"version": 1, "profiles": {ID: entry}}).to_string();
    assert!(row(rig, agent).write(&text));
}

/// A login named `openai:default` that is expired, and a gateway that runs as process `pid`.
fn beside_gateway(pid: u32) -> Rig {
    let rig = Rig::signed_in();
    let mut entry = rig.document()["profiles"][PROFILE].take();
    entry["provider"] = "openai".into();
    entry["expires"] = 2.into();
    entry["idToken"] = "fake-id-token".into();
    std::fs::remove_dir_all(rig.path("agents")).unwrap();
    std::fs::remove_file(rig.path("openclaw.json")).unwrap();
    make_shared(&rig.state_dir());
    put(&rig, "main", &entry);
    let owner = json!({"owner": {"pid": pid, "host": process::host_name(), "startedAt": process::start_ticks(pid)}});
    row(&rig, "main").run(&format!(
        "CREATE TABLE state_leases (scope TEXT, lease_key TEXT, owner TEXT, expires_at INTEGER,
           payload_json TEXT);
         INSERT INTO state_leases VALUES ('gateway-owner', 'global', 'x', {}, '{owner}')",
        now() + 300_000
    ));
    rig
}

fn refreshes(rig: &Rig) -> usize {
    rig.server.token_requests("refresh_token")
}

/// Sends the requests for tokens to `endpoint`; returns where they went before.
fn send_to(rig: &Rig, endpoint: &str) -> String {
    let name = "providers/openai-codex.json";
    let mut provider: Value = serde_json::from_str(&rig.read(name)).unwrap();
    let before = provider["tokenEndpoint"].take();
    provider["tokenEndpoint"] = endpoint.into();
    rig.write(name, &provider.to_string());
    before.as_str().unwrap().to_owned()
}

/// Whether a whole reply is in the spool.
fn has_spooled(rig: &Rig) -> bool {
    let mut found = rig.path("recovery").read_dir().into_iter().flatten().flatten();
    found.any(|it| {
        let is_temporary = it.path().extension().is_some_and(|extension| extension == "tmp");
        let text = std::fs::read_to_string(it.path()).unwrap_or_default();
        !is_temporary && serde_json::from_str::<Value>(&text).is_ok() && text.contains("refresh")
    })
}

/// What is done to a state directory before a test.
type Change<'c> = &'c dyn Fn(&Rig);

fn is_marked(entry: &Value) -> bool {
    entry["refresh"].as_str().unwrap().starts_with(MARKER)
}

#[test]
fn the_marker_stands_during_the_request_and_goes_with_it() {
    let rig = beside_gateway(std::process::id());
    let before = stored(&rig);
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    let marker = stored(&rig);
    assert!(is_marked(&marker), "{marker}");
    assert_eq!((&marker["expires"], &marker["idToken"]), (&json!(1), &Value::Null));
    assert_eq!(marker["email"], before["email"]);
    // Who asks this program finds the login as it was.
    let listed = rig.run(&["models", "auth", "list"]).success();
    assert!(!listed.contains("lost"), "{listed}");
    hold.release();
    let token = running.finish().success();
    let after = stored(&rig);
    assert_eq!(after["access"], token.as_str());
    assert!(rig.server.is_alive(after["refresh"].as_str().unwrap()));
    assert_eq!(refreshes(&rig), 1);
    let kept = rig.read("openclaw-auth/main.json");
    assert!(!kept.contains(before["refresh"].as_str().unwrap()), "nothing of the old login stays");
}

/// The row of `main`'s own database, with the entry that the shared row has.
fn own_row_as_well(rig: &Rig) -> Text {
    let directory = rig.path("agents/main/agent");
    make_own(&directory, "main");
    let own = Text::of(&rig.state_dir(), &directory, "its own", Row::Store);
    assert!(own.write(&row(rig, "main").read().unwrap()));
    own
}

fn entry_in(own: &Text) -> Value {
    let mut text: Value = serde_json::from_str(&own.read().unwrap()).unwrap();
    text["profiles"][ID].take()
}

#[test]
fn a_login_that_is_in_both_rows_is_spent_in_neither() {
    let rig = beside_gateway(std::process::id());
    let own = own_row_as_well(&rig);
    let before = stored(&rig);
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    assert!(is_marked(&stored(&rig)) && is_marked(&entry_in(&own)));
    hold.release();
    running.finish().success();
    let after = stored(&rig);
    assert_eq!(entry_in(&own)["refresh"], after["refresh"]);
    assert_ne!(after["refresh"], before["refresh"]);
    assert!(rig.server.is_alive(after["refresh"].as_str().unwrap()));
    // A login of another account in the row of all is nobody's business here.
    let mut other = after;
    other["refresh"] = "fake-refresh-of-another".into();
    put(&rig, "main", &other);
    let mut expired = entry_in(&own);
    expired["expires"] = 2.into();
    assert!(own.write(&json!({"version": 1, "profiles": {ID: expired}}).to_string()));
    rig.run(&TOKEN).success();
    assert_eq!(stored(&rig), other);
    assert_eq!(refreshes(&rig), 2);
}

#[test]
fn a_login_in_both_rows_comes_back_to_both_where_the_request_failed() {
    let rig = beside_gateway(std::process::id());
    let own = own_row_as_well(&rig);
    let (shared_before, own_before) = (stored(&rig), entry_in(&own));
    rig.server.inject_at(Endpoint::Token, Fault::status(429));
    rig.server.inject_at(Endpoint::Token, Fault::status(429));
    rig.server.inject_at(Endpoint::Token, Fault::status(429));
    rig.run(&TOKEN).failure(4);
    assert_eq!((stored(&rig), entry_in(&own)), (shared_before, own_before));
}

#[test]
fn there_is_no_marker_where_openclaw_waits_for_the_lock() {
    let gone = 4_100_000;
    let other_name = |rig: &Rig| {
        let text = json!({"version": 1, "profiles": {"openai:ada": stored(rig)}}).to_string();
        assert!(row(rig, "main").write(&text));
    };
    let not_expired = |rig: &Rig| {
        let mut entry = stored(rig);
        entry["expires"] = (now() + 60_000).into();
        put(rig, "main", &entry);
    };
    let cases: [(&str, u32, &str, Change); 3] = [
        ("no gateway", gone, ID, &|_| {}),
        ("another name", std::process::id(), "openai:ada", &other_name),
        ("not expired", std::process::id(), ID, &not_expired),
    ];
    for (what, pid, id, change) in cases {
        let rig = beside_gateway(pid);
        change(&rig);
        let hold = rig.server.hold_token_responses();
        let running = rig.start(&["models", "auth", "token", "--profile", id, "--force-refresh"]);
        assert!(hold.wait_until_held(1, PATIENCE), "{what}");
        assert!(!is_marked(&stored_of(&rig, "main")[id]), "{what}");
        hold.release();
        running.finish().success();
    }
}

#[test]
fn one_who_is_killed_before_the_request_has_lost_nothing() {
    for gateway_stops in [false, true] {
        let rig = beside_gateway(std::process::id());
        let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
        let before = send_to(&rig, &format!("http://{}/token", deaf.local_addr().unwrap()));
        let running = rig.start(&TOKEN);
        let connection = deaf.accept().unwrap();
        let marker = stored(&rig);
        assert!(is_marked(&marker), "{marker}");
        rig.kill_worker();
        drop(connection);
        running.finish().failure(4);
        assert_eq!(stored(&rig), marker, "nobody was left to take it away");
        send_to(&rig, &before);
        if gateway_stops {
            row(&rig, "main").run("DELETE FROM state_leases");
        }
        rig.let_pass(Duration::from_hours(1));
        // What is only shown is not changed.
        let listed = rig.run(&["models", "auth", "list"]).success();
        assert!(!listed.contains("lost"), "{listed}");
        let token = rig.run(&TOKEN).success();
        let after = stored(&rig);
        assert_eq!(after["access"], token.as_str());
        assert!(rig.server.is_alive(after["refresh"].as_str().unwrap()));
        assert_eq!((refreshes(&rig), rig.server.reuse_attempts()), (1, 0));
    }
}

#[test]
fn one_who_is_killed_after_the_request_leaves_what_a_login_needs() {
    let rig = beside_gateway(std::process::id());
    rig.server.inject(Fault::Sequence(vec![Fault::Delay(PATIENCE), Fault::DropBefore]));
    let running = rig.start(&TOKEN);
    assert!(rig.server.wait_for_requests(Endpoint::Token, 2, PATIENCE));
    rig.kill_worker();
    running.finish().failure(4);
    assert!(is_marked(&stored(&rig)));
    rig.let_pass(Duration::from_hours(1));
    let token = rig.run(&TOKEN).success();
    assert_eq!(stored(&rig)["access"], token.as_str());
    assert_eq!(rig.server.reuse_attempts(), 0);
}

#[test]
fn a_reply_that_was_spooled_takes_the_place_of_the_marker() {
    let rig = beside_gateway(std::process::id());
    // Two stores hold the grant: the reply is spooled before it is stored.
    make_own(&rig.path("agents/work/agent"), "work");
    let before = stored(&rig);
    put(&rig, "work", &before);
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    assert!(is_marked(&stored(&rig)) && is_marked(&stored_of(&rig, "work")[ID]));
    let writing = row(&rig, "main").hold();
    hold.release();
    while !has_spooled(&rig) {
        std::thread::yield_now();
    }
    rig.kill_worker();
    drop(writing);
    running.finish();
    assert!(is_marked(&stored(&rig)));
    let token = rig.run(&TOKEN).success();
    for agent in ["main", "work"] {
        let entry = stored_of(&rig, agent)[ID].take();
        assert_eq!(entry["access"], token.as_str(), "{agent}");
        assert!(rig.server.is_alive(entry["refresh"].as_str().unwrap()), "{agent}");
    }
    assert_eq!((refreshes(&rig), rig.server.reuse_attempts()), (1, 0));
}

#[test]
fn a_refresh_that_fails_leaves_the_login_as_it_was() {
    let fails: [(&str, Fault, i32, bool); 4] = [
        (
            "refused",
            Fault::Text {
                status: 400,
                content_type: "application/json".into(),
                body: r#"{"error":"invalid_grant"}"#.into(),
            },
            3,
            true,
        ),
        ("not carried out", Fault::status(429), 4, true),
        ("an edge", Fault::status(403), 3, true),
        // Nobody knows whether it is spent: OpenClaw is kept from it, and we try again later.
        ("no answer", Fault::DropBefore, 4, false),
    ];
    for (what, fault, code, is_back) in fails {
        let rig = beside_gateway(std::process::id());
        let before = stored(&rig);
        rig.server.inject_persistent(Endpoint::Token, fault);
        rig.run(&TOKEN).failure(code);
        if is_back {
            assert_eq!(stored(&rig), before, "{what}");
            continue;
        }
        let marker = stored(&rig);
        assert!(marker["refresh"].as_str().unwrap().contains(":failed:refresh:"), "{marker}");
        rig.server.clear_faults();
        rig.let_pass(Duration::from_hours(1));
        let token = rig.run(&TOKEN).success();
        assert_eq!(stored(&rig)["access"], token.as_str(), "{what}");
        assert_eq!(rig.server.reuse_attempts(), 0, "{what}");
    }
}

#[test]
fn a_login_that_somebody_makes_over_the_marker_is_kept() {
    let rig = beside_gateway(std::process::id());
    let mut login = stored(&rig);
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    login["access"] = "fake-access-of-another".into();
    login["refresh"] = "fake-refresh-of-another".into();
    login["expires"] = (now() + 3_600_000).into();
    put(&rig, "main", &login);
    hold.release();
    assert_eq!(running.finish().success(), "fake-access-of-another");
    assert_eq!(stored(&rig), login);
}

#[test]
fn a_marker_of_openclaw_for_what_was_posted_does_not_cost_the_reply() {
    use sha2::{Digest, Sha256};
    // No gateway says that it runs, and still somebody refreshes without a lock.
    let rig = beside_gateway(4_100_000);
    let before = stored(&rig);
    for state in ["", "failed:"] {
        let mut entry = stored(&rig);
        entry["expires"] = 2.into();
        put(&rig, "main", &entry);
        let hold = rig.server.hold_token_responses();
        let running = rig.start(&TOKEN);
        assert!(hold.wait_until_held(1, PATIENCE));
        for kind in ["access", "refresh"] {
            let named =
                json!(["openclaw.oauth-refresh-generation", 1, ID, "openai", kind, entry[kind]]);
            let digest = Sha256::digest(named.to_string());
            entry[kind] = format!("{MARKER}{}:{state}{kind}:{digest:x}", "ab".repeat(16)).into();
        }
        entry["expires"] = 1.into();
        put(&rig, "main", &entry);
        hold.release();
        let token = running.finish().success();
        let after = stored(&rig);
        assert_eq!(after["access"], token.as_str(), "{state}");
        assert!(rig.server.is_alive(after["refresh"].as_str().unwrap()), "{state}");
        assert_eq!(after["email"], before["email"]);
    }
}

#[test]
fn a_marker_fits_whatever_a_login_looks_like() {
    // The server gives no new refresh token; the provider is spelled otherwise; the entry has no
    // expiry, and fields that OpenClaw does not know.
    let cases: [Change; 4] = [
        &|rig| rig.server.configure(|want| want.rotation = false),
        &|rig| rig.server.configure(|want| want.include_refresh_token_on_refresh = false),
        &|rig| {
            let mut entry = stored(rig);
            entry["provider"] = " OpenAI ".into();
            put(rig, "main", &entry);
        },
        &|rig| {
            let mut entry = stored(rig);
            entry.as_object_mut().unwrap().remove("expires");
            entry["odd \u{436}"] = json!({"a": [1.50, null]});
            put(rig, "main", &entry);
        },
    ];
    for (number, change) in cases.into_iter().enumerate() {
        let rig = beside_gateway(std::process::id());
        change(&rig);
        let before = stored(&rig);
        let hold = rig.server.hold_token_responses();
        let running = rig.start(&[&TOKEN[..], &["--force-refresh"]].concat());
        assert!(hold.wait_until_held(1, PATIENCE), "{number}");
        assert!(is_marked(&stored(&rig)), "{number}");
        hold.release();
        let token = running.finish().success();
        let after = stored(&rig);
        assert_eq!(after["access"], token.as_str(), "{number}");
        assert_eq!(after["provider"], before["provider"], "{number}");
        assert!(rig.server.is_alive(after["refresh"].as_str().unwrap()), "{number}: {after}");
    }
}

#[test]
fn a_login_that_only_one_agent_has_gets_its_marker_in_its_own_row() {
    let rig = beside_gateway(std::process::id());
    let entry = stored(&rig);
    make_own(&rig.path("agents/work/agent"), "work");
    put(&rig, "work", &entry);
    assert!(row(&rig, "main").write(r#"{"version":1,"profiles":{}}"#));
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&[&TOKEN[..], &["--agent", "work"]].concat());
    assert!(hold.wait_until_held(1, PATIENCE));
    assert!(is_marked(&stored_of(&rig, "work")[ID]));
    rig.kill_worker();
    hold.release();
    running.finish().failure(4);
    // A logout leaves nothing of it.
    let logout = ["models", "auth", "logout", ID, "--agent", "work", "--local"];
    rig.run(&logout).success();
    assert_eq!(stored_of(&rig, "work"), json!({}));
    let kept = rig.read("openclaw-auth/work.json");
    assert!(!kept.contains(entry["refresh"].as_str().unwrap()), "{kept}");
}
