//! The usage of subscriptions: asked of the providers, none of which hides another.

use crate::support::authorization_server::{AuthorizationServer, Endpoint, Fault, Want};
use crate::support::rig::{PROFILE, Rig, store};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const LIST: [&str; 3] = ["channels", "list", "--json"];
const FAR: i64 = 4_102_444_800_000;

/// A server that a provider of the rig is asked at, and what it answers.
struct Provider(AuthorizationServer);

impl Provider {
    /// Points the provider `id` to a server with this fault for every request.
    fn new(rig: &Rig, id: &str, fault: Fault) -> Self {
        let server = AuthorizationServer::start(Want::default());
        server.inject_persistent(Endpoint::Other, fault);
        let endpoint = format!("{}/usage", server.url());
        let file = json!({"usage": {"endpoint": endpoint}});
        rig.write(&format!("providers/{id}.json"), &file.to_string());
        Self(server)
    }

    fn answering(rig: &Rig, id: &str, body: &Value) -> Self {
        Self::new(rig, id, answer(200, &body.to_string()))
    }

    fn count(&self) -> usize {
        self.0.requests().len()
    }

    /// A header field of the one request.
    fn header(&self, name: &str) -> Option<String> {
        let requests = self.0.requests();
        assert_eq!(requests.len(), 1, "asked once");
        requests[0].header(name).map(str::to_owned)
    }
}

fn answer(status: u16, body: &str) -> Fault {
    Fault::Text { status, content_type: "application/json".into(), body: body.into() }
}

fn codex_answer() -> Value {
    json!({"plan_type": "plus", "rate_limit": {
        "primary_window": {"limit_window_seconds": 18_000, "used_percent": 41, "reset_at": FAR / 1_000},
        "secondary_window": {"limit_window_seconds": 604_800, "used_percent": 12.5},
    }})
}

fn claude_answer() -> Value {
    json!({"five_hour": {"utilization": 7.0, "resets_at": "2100-01-01T00:00:00Z"}})
}

/// Stores these profiles as those of `main`; each is `(id, type, provider)`.
fn store_profiles(rig: &Rig, profiles: &[(&str, &str, &str)]) {
    let entries = profiles.iter().map(|(id, kind, provider)| {
        let token = format!("fake-{id}");
        let entry = match *kind {
            "oauth" => json!({"access": token, "refresh": "fake", "expires": FAR, "accountId": "fake-acct"}),
            "token" => json!({"token": token}),
            _ => json!({"key": token}),
        };
        let mut entry = entry;
        entry["type"] = (*kind).into();
        entry["provider"] = (*provider).into();
        ((*id).to_owned(), entry)
    });
    let document = json!({"profiles": entries.collect::<serde_json::Map<_, _>>()});
    rig.write(&store("main"), &document.to_string());
}

fn snapshots(rig: &Rig) -> Value {
    let mut listing = rig.run(&LIST).json();
    assert!(listing["usage"]["updatedAt"].is_i64());
    listing["usage"]["providers"].take()
}

#[test]
fn every_format_is_asked_as_it_wants_and_told_alike() {
    let rig = Rig::new();
    store_profiles(
        &rig,
        &[
            ("a", "token", "anthropic"),
            ("g", "token", "github-copilot"),
            ("i", "oauth", "google-gemini-cli"),
            ("k", "api_key", "minimax"),
            ("m", "oauth", "minimax-portal"),
            ("c", "oauth", "openai-codex"),
            ("z", "api_key", "zai"),
        ],
    );
    let claude = Provider::answering(&rig, "anthropic", &claude_answer());
    let copilot = Provider::answering(
        &rig,
        "github-copilot",
        &json!({"copilot_plan": "individual", "quota_snapshots": {"chat": {"percent_remaining": 80}}}),
    );
    let gemini = Provider::answering(
        &rig,
        "google-gemini-cli",
        &json!({"buckets": [{"modelId": "gemini-2.5-pro", "remainingFraction": 0.25}]}),
    );
    let key = Provider::answering(&rig, "minimax", &json!({}));
    let portal = Provider::answering(
        &rig,
        "minimax-portal",
        &json!({"model_remains": [{"model_name": "MiniMax-M2", "current_interval_total_count": 200, "current_interval_usage_count": 50}]}),
    );
    let codex = Provider::answering(&rig, "openai-codex", &codex_answer());
    let zai = Provider::answering(
        &rig,
        "zai",
        &json!({"success": true, "code": 200, "data": {"limits": [{"type": "TIME_LIMIT", "percentage": 3}]}}),
    );
    let before = rig.tree();
    let finished = rig.run(&LIST);
    assert_eq!(finished.stderr, "");
    assert!(!finished.stdout.contains("fake-"), "no secret is shown: {}", finished.stdout);
    assert_eq!(
        finished.json()["usage"]["providers"],
        json!([
            {"provider": "anthropic", "displayName": "Claude", "windows": [
                {"label": "5h", "usedPercent": 7, "resetAt": FAR}]},
            {"provider": "github-copilot", "displayName": "Copilot", "windows": [
                {"label": "Chat", "usedPercent": 20}], "plan": "individual"},
            {"provider": "google-gemini-cli", "displayName": "Gemini", "windows": [
                {"label": "Pro", "usedPercent": 75}]},
            {"provider": "minimax", "displayName": "MiniMax", "windows": [
                {"label": "5h", "usedPercent": 75}], "plan": "Coding Plan · MiniMax-M2"},
            {"provider": "openai-codex", "displayName": "Codex", "windows": [
                {"label": "5h", "usedPercent": 41, "resetAt": FAR},
                {"label": "Week", "usedPercent": 12.5}], "plan": "plus"},
            {"provider": "zai", "displayName": "z.ai", "windows": [
                {"label": "Monthly", "usedPercent": 3}]},
        ])
    );
    assert_eq!(claude.header("authorization").unwrap(), "Bearer fake-a");
    assert_eq!(claude.header("anthropic-beta").unwrap(), "oauth-2025-04-20");
    assert_eq!(copilot.header("authorization").unwrap(), "token fake-g");
    assert!(copilot.header("editor-version").is_some());
    assert_eq!(gemini.0.requests()[0].method, "POST");
    assert_eq!(portal.header("authorization").unwrap(), "Bearer fake-m");
    assert_eq!(key.count(), 0, "the login goes before the key");
    assert_eq!(codex.header("chatgpt-account-id").unwrap(), "fake-acct");
    assert_eq!(codex.header("user-agent").unwrap(), "CodexBar");
    assert_eq!(zai.header("authorization").unwrap(), "Bearer fake-z");
    assert_eq!(rig.tree(), before, "asking writes nothing");
}

#[test]
fn nobody_is_asked_unless_the_usage_is_wanted() {
    let rig = Rig::new();
    store_profiles(&rig, &[("c", "oauth", "openai-codex")]);
    let codex = Provider::answering(&rig, "openai-codex", &codex_answer());
    for args in [
        &["channels", "list", "--no-usage"][..],
        &["channels", "list", "--json", "--no-usage"],
        &["channels", "status"],
        &["models", "status"],
        &["models", "status", "--json"],
        &["models", "status", "--check", "--plain"],
        &["models", "auth", "list"],
        &["doctor"],
    ] {
        let _ = rig.run(args);
        assert_eq!(codex.count(), 0, "{args:?}");
    }
    assert!(rig.run(&["models", "status", "--json"]).json().get("usage").is_none());
    rig.run(&["channels", "list"]).success();
    assert_eq!(codex.count(), 1);
    let keys = [("k", "api_key", "openai-codex"), ("r", "api_key", "anthropic")];
    store_profiles(&rig, &keys);
    assert_eq!(snapshots(&rig), json!([]), "a key has no subscription");
    assert_eq!(codex.count(), 1);
}

#[test]
fn a_provider_that_fails_hides_no_other() {
    let rig = Rig::new();
    store_profiles(&rig, &[("a", "token", "anthropic"), ("c", "oauth", "openai-codex")]);
    let claude = Provider::answering(&rig, "anthropic", &claude_answer());
    let page = "<!doctype html><title>Just a moment</title>";
    let cases = [
        (answer(500, page), "HTTP 500: Internal Server Error"),
        (answer(429, "{}"), "HTTP 429: Too Many Requests"),
        (answer(401, "{}"), "Token expired"),
        (answer(403, "{}"), "Token expired"),
        (answer(200, page), "the answer is not JSON"),
        (answer(200, "[]"), "the answer does not tell the usage"),
        (answer(200, &"[".repeat(9_000)), "the answer is not JSON"),
        (Fault::Malformed, "the answer is not JSON"),
        (Fault::Redirect("https://example.test/".into()), "HTTP 302: Found"),
        (Fault::Huge(64 * 1024 * 1024), "the answer is larger than"),
        (Fault::DropBefore, "127.0.0.1"),
    ];
    for (fault, expected) in cases {
        let name = format!("{fault:?}").chars().take(60).collect::<String>();
        let codex = Provider::new(&rig, "openai-codex", fault);
        let snapshots = snapshots(&rig);
        assert_eq!(snapshots[0]["windows"][0]["usedPercent"], 7, "{name}");
        let error = snapshots[1]["error"].as_str().unwrap();
        assert!(error.starts_with(expected), "{name}: {error}");
        assert_eq!(snapshots[1]["windows"], json!([]), "{name}");
        let force = "openclaw-auth models auth refresh --provider openai-codex --force";
        let hint = (expected == "Token expired").then_some(force);
        assert_eq!(snapshots[1]["hint"].as_str(), hint, "{name}");
        drop(codex);
        let text = rig.run(&["channels", "list"]).success();
        assert!(text.contains("  Codex: 127.0.0.1: "), "nothing listens any more: {text}");
    }
    drop(claude);
    assert_eq!(snapshots(&rig).as_array().unwrap().len(), 2, "rows without a network");
}

#[test]
fn a_provider_that_does_not_answer_is_not_waited_for() {
    let rig = Rig::new();
    store_profiles(&rig, &[("a", "token", "anthropic"), ("c", "oauth", "openai-codex")]);
    let _claude = Provider::new(&rig, "anthropic", Fault::Delay(Duration::from_hours(1)));
    let _codex = Provider::answering(&rig, "openai-codex", &codex_answer());
    let snapshots = snapshots(&rig);
    assert_eq!(snapshots[0]["error"], "no answer within 5 s");
    assert_eq!(snapshots[1]["plan"], "plus");
}

#[test]
fn odd_values_are_brought_into_their_range_and_made_harmless() {
    let rig = Rig::new();
    store_profiles(&rig, &[("a", "token", "anthropic"), ("c", "oauth", "openai-codex")]);
    let _claude = Provider::answering(
        &rig,
        "anthropic",
        &json!({
            "five_hour": {"utilization": -5, "resets_at": "1970-01-01T00:00:00Z"},
            "seven_day": {"utilization": 1e300, "resets_at": 1e300},
            "seven_day_opus": {"utilization": "NaN"},
        }),
    );
    let _codex = Provider::answering(
        &rig,
        "openai-codex",
        &json!({"plan_type": "\u{1b}[2Jpro\u{202e}\r\n", "rate_limit": {"primary_window": {"used_percent": "40"}}}),
    );
    let snapshots = snapshots(&rig);
    assert_eq!(
        snapshots[0]["windows"],
        json!([{"label": "5h", "usedPercent": 0}, {"label": "Week", "usedPercent": 100}])
    );
    assert_eq!(snapshots[1]["plan"], "[2Jpro");
    let text = rig.run(&["channels", "list"]).success();
    assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']), "{text:?}");
    assert!(text.contains("    Week  [##############################]  100% used\n"), "{text}");
}

#[test]
fn an_expired_token_is_told_and_not_refreshed() {
    let rig = Rig::signed_in();
    rig.server.inject_persistent(Endpoint::Other, answer(200, &codex_answer().to_string()));
    assert_eq!(snapshots(&rig)[0]["plan"], "plus");
    let account =
        rig.server.requests_at(Endpoint::Other)[0].header("chatgpt-account-id").map(str::to_owned);
    assert_eq!(account.as_deref(), rig.document()["profiles"][PROFILE]["accountId"].as_str());
    rig.expire(PROFILE);
    let before = rig.tree();
    let expired = &snapshots(&rig)[0];
    assert_eq!(expired["error"], "Token expired");
    let hint = "openclaw-auth models auth refresh --provider openai-codex";
    assert_eq!(expired["hint"], hint);
    let words: Vec<_> = hint.split(' ').collect();
    assert_eq!(expired["hintCommand"], serde_json::json!(words));
    let text = rig.run(&["channels", "list"]).success();
    assert!(text.contains(&format!("  Codex: Token expired\n    {hint}\n")), "{text}");
    assert_eq!(rig.tree(), before, "listing refreshes nothing");
    assert_eq!(rig.server.token_requests("refresh_token"), 0);
    assert_eq!(rig.server.requests_at(Endpoint::Other).len(), 1);
    rig.run(&hint.split(' ').skip(1).collect::<Vec<_>>()).success();
    assert_eq!(snapshots(&rig)[0]["plan"], "plus", "the hint helps");
}

#[test]
fn the_first_usable_login_in_the_order_is_asked_with() {
    let rig = Rig::new();
    let logins = ["one", "two", "three"].map(|id| (id, "oauth", "openai-codex"));
    store_profiles(&rig, &logins);
    let order = ["models", "auth", "order", "set", "--provider", "openai-codex", "three", "one"];
    rig.run(&order).success();
    rig.edit("main", |document| {
        document["profiles"]["three"]["access"] = Value::Null;
    });
    let codex = Provider::answering(&rig, "openai-codex", &codex_answer());
    assert_eq!(snapshots(&rig)[0]["plan"], "plus");
    assert_eq!(codex.header("authorization").unwrap(), "Bearer fake-one");
}

#[test]
fn models_status_tells_the_usage_when_it_is_asked() {
    let rig = Rig::new();
    rig.run(&["agents", "add", "work"]).success();
    store_profiles(&rig, &[("c", "oauth", "openai-codex")]);
    let codex = Provider::answering(&rig, "openai-codex", &codex_answer());
    let status = rig.run(&["models", "status", "--usage", "--json"]).json();
    assert_eq!(status["usage"]["providers"][0]["windows"][1]["usedPercent"], 12.5);
    assert_eq!(status.as_object().unwrap().keys().next_back().unwrap(), "usage");
    let text = rig.run(&["models", "status", "--usage", "--agent", "work"]).success();
    assert!(text.contains("\nUsage:\n  Codex, plus\n    5h    ["), "{text}");
    assert!(text.contains("  41% used, resets in "), "{text}");
    assert!(text.lines().skip_while(|line| *line != "Usage:").all(|line| line.len() <= 80));
    assert_eq!(codex.count(), 2);
    rig.run(&["models", "status", "--usage", "--plain"]).failure(2);
    drop(codex);
    let check = rig.run(&["models", "status", "--usage", "--check"]);
    let without = rig.run(&["models", "status", "--check"]);
    assert_eq!(check.code, without.code, "the usage is no part of the answer");
    assert!(check.stdout.contains("Codex: 127.0.0.1"), "{}", check.stdout);
}

#[test]
fn a_token_goes_nowhere_that_somebody_else_can_choose() {
    let rig = Rig::new();
    store_profiles(&rig, &[("a", "token", "anthropic"), ("c", "oauth", "openai-codex")]);
    let codex = Provider::answering(&rig, "openai-codex", &codex_answer());
    let file = rig.path("providers/openai-codex.json");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    let exposed = snapshots(&rig);
    assert!(exposed[1]["error"].as_str().unwrap().contains("insecure permissions"), "{exposed}");
    assert!(exposed[1]["hint"].as_str().unwrap().contains("chmod"), "{exposed}");
    assert_eq!(codex.count(), 0);
    std::fs::remove_file(&file).unwrap();
    let far = json!({"usage": {"endpoint": "http://usage.example.test/"}});
    rig.write("providers/anthropic.json", &far.to_string());
    rig.write("providers/openai-codex.json", r#"{"usage": null}"#);
    let refused = snapshots(&rig);
    assert_eq!(refused[0]["provider"], "anthropic");
    assert!(refused[0]["error"].as_str().unwrap().contains("usage.endpoint"), "{refused}");
    assert_eq!(refused.as_array().unwrap().len(), 1, "`null` takes the usage away");
}

#[test]
fn a_token_of_the_other_server_of_a_provider_is_not_sent_to_the_first() {
    let rig = Rig::new();
    store_profiles(&rig, &[("m", "oauth", "minimax-portal")]);
    rig.edit("main", |document| document["profiles"]["m"]["loginMethod"] = "oauth-cn".into());
    let first = Provider::answering(&rig, "minimax-portal", &json!({}));
    assert_eq!(snapshots(&rig), json!([]));
    assert_eq!(first.count(), 0);
    rig.edit("main", |document| document["profiles"]["m"]["loginMethod"] = "oauth".into());
    snapshots(&rig);
    assert_eq!(first.count(), 1);
}

#[test]
fn a_provider_of_ones_own_can_tell_its_usage() {
    let rig = Rig::new();
    store_profiles(&rig, &[("mine", "token", "example")]);
    let server = AuthorizationServer::start(Want::default());
    server.inject_persistent(Endpoint::Other, answer(200, &claude_answer().to_string()));
    let file = json!({"label": "Example", "usage": {
        "format": "claude", "endpoint": format!("{}/mine", server.url()), "headers": {"X-Mine": "1"},
    }});
    rig.write("providers/example.json", &file.to_string());
    let snapshots = snapshots(&rig);
    assert_eq!(snapshots[0]["displayName"], "Example");
    assert_eq!(snapshots[0]["windows"][0]["usedPercent"], 7);
    assert_eq!(server.requests()[0].header("x-mine"), Some("1"));
    assert_eq!(server.requests()[0].path, "/mine");
    for (bad, key) in [
        (json!({"format": "other", "endpoint": "https://example.test/"}), "other"),
        (json!({"format": "claude", "endpoint": "https://u:p@example.test/"}), "user name"),
        (
            json!({"format": "claude", "endpoint": "https://example.test/", "headers": {"a b": "1"}}),
            "a b",
        ),
        (json!({"format": "claude", "endpoint": "https://example.test/", "url": 1}), "url"),
    ] {
        rig.write("providers/example.json", &json!({"label": "Example", "usage": bad}).to_string());
        let error = self::snapshots(&rig)[0]["error"].as_str().unwrap().to_owned();
        assert!(error.contains("example.json") && error.contains(key), "{error}");
    }
}
