//! Properties of what reads and rewrites text that is not ours.

use indexmap::IndexMap;
use openclaw_auth::cli;
use openclaw_auth::cli::ExitStatus;
use openclaw_auth::config::{Config, Paths, record_profile, remove_profile};
use openclaw_auth::oauth::{ExpectedResponse, parse_pasted};
use openclaw_auth::profile::{AgentId, Kind, ProfileId};
use openclaw_auth::secret::Secret;
use openclaw_auth::store::Document;
use openclaw_auth::system::lock::{Attempt, StaleRule, iso, try_acquire};
use openclaw_auth::system::{Environment, Streams, now};
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::ffi::OsString;
use url::Url;

fn cases(count: u32) -> ProptestConfig {
    // Without files: what fails is printed, and goes into a test of its own.
    ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() }
}

/// JSON values as somebody else may have written them.
fn value() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "1.0e+400",
        "-0",
        "0.10",
        "12345678901234567890123",
        r#""\u0041\/\\\"\ud83e\udd9e""#,
        "\"\u{2028}ü\"",
        "null",
        "true",
        "{}",
        "[]",
    ]);
    let leaf = prop_oneof![odd.prop_map(str::to_owned), any::<i64>().prop_map(|n| n.to_string())];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let members = prop::collection::vec(("[a-z]{1,3}", inner.clone()), 0..3);
        let object = members.prop_map(|members| {
            let members: IndexMap<String, String> = members.into_iter().collect();
            let members: Vec<_> =
                members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        let list = prop::collection::vec(inner, 0..3);
        prop_oneof![object, list.prop_map(|items| format!("[{}]", items.join(",")))]
    })
}

/// Entries of a document, credentials among them.
fn entry() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "access",
        "refresh",
        "idToken",
        "expires",
        "token",
        "tokenRef",
        "key",
        "apiKey",
        "keyRef",
        "email",
        "accountId",
        "displayName",
        "clientId",
        "loginMethod",
        "importedFrom",
        "provider",
        "k\\u0065y",
        "note",
        "\\ud800",
    ]);
    let odd = prop::sample::select(vec![
        r#"" fake ""#,
        r#""""#,
        r#""${FAKE_KEY}""#,
        r#""fake\u002dkey""#,
        r#""\ud800""#,
        "1e400",
        "4102444800000",
        r#"{"source":"env","id":"FAKE"}"#,
        r#"{"\ud800":1}"#,
        r#""openclaw-oauth-refresh-fence:v1:x""#,
        r#"{"tool":"t"}"#,
    ]);
    let field = (name, prop_oneof![3 => odd.prop_map(str::to_owned), 1 => value()]);
    let kind = prop::sample::select(vec!["oauth", "token", "api_key", "odd"]);
    let object = (kind, prop::collection::vec(field, 0..6)).prop_map(|(kind, fields)| {
        let fields = fields.iter().map(|(name, value)| format!(" ,\n\"{name}\" : {value}"));
        let fields = fields.collect::<String>();
        format!("{{\"type\":\"{kind}\",\"provider\":\"p\"{fields}}}")
    });
    prop_oneof![6 => object, 1 => value()]
}

/// All that a document says of the profile `id`.
fn said(document: &Document, id: &str) -> String {
    let inspection = document.inspections().find(|(of, _)| *of == id);
    let summary = document.summaries().find(|summary| summary.id == id);
    let credential = document.credential(id);
    let secrets = credential.as_ref().map(|credential| {
        let held = [credential.bearer(), credential.refresh_token()];
        held.map(|secret| secret.map(|secret| secret.expose().to_owned()))
    });
    format!("{inspection:?} {summary:?} {credential:?} {secrets:?}")
}

/// `json` without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut text, mut in_string, mut escaped) = (String::new(), false, false);
    for character in json.chars() {
        if in_string || !character.is_ascii_whitespace() {
            text.push(character);
        }
        let ends = character == '"' && !escaped;
        escaped = in_string && character == '\\' && !escaped;
        in_string ^= ends;
    }
    text
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn an_edit_of_one_entry_keeps_every_token_of_the_others(
        entries in prop::collection::vec(("[a-z:@. ü]{1,8}", value()), 1..6),
        members in prop::collection::vec(("x[a-z]{1,5}", value()), 0..4),
        chosen in any::<prop::sample::Index>(),
        change in prop_oneof![Just(None), value().prop_map(Some)],
    ) {
        let entries: IndexMap<String, String> = entries.into_iter().collect();
        let members: IndexMap<String, String> = members.into_iter().collect();
        let object = |map: &IndexMap<String, String>| {
            let members = map.iter().map(|(name, value)| {
                format!("{}:{value}", serde_json::to_string(name).unwrap())
            });
            members.collect::<Vec<_>>().join(", ")
        };
        let rest = if members.is_empty() { String::new() } else { format!(",{}", object(&members)) };
        let text = format!("{{\"version\":7,\"profiles\": {{ {} }}{rest} }}", object(&entries));
        let mut document = Document::parse(&text).unwrap();
        let (edited, _) = entries.get_index(chosen.index(entries.len())).unwrap();
        match &change {
            Some(value) => {
                document.set_entry(edited, RawValue::from_string(value.clone()).unwrap());
            }
            None => prop_assert!(document.remove_entry(edited)),
        }
        let written = document.to_text().unwrap();
        let again = Document::parse(&written).unwrap();
        prop_assert_eq!(&again.to_text().unwrap(), &written);
        for (id, value) in &entries {
            let expected = if id == edited { change.as_ref() } else { Some(value) };
            let found = again.entry(id).map(compact);
            prop_assert_eq!(found.as_ref(), expected, "{}", id);
        }
        for (name, value) in &members {
            prop_assert_eq!(&compact(again.member(name).unwrap().get()), value);
        }
        prop_assert_eq!(again.member("version").unwrap().get(), "7");
    }

    #[test]
    fn a_document_says_of_an_entry_what_the_entry_says_alone(
        entries in prop::collection::vec(("[a-z:@. ü{]{1,8}", entry()), 1..5),
        mark in prop::sample::select(vec!["", "\u{feff}"]),
    ) {
        let entries: IndexMap<String, String> = entries.into_iter().collect();
        let members: Vec<_> =
            entries.iter().map(|(id, entry)| format!("\"{id}\" :\n {entry} ")).collect();
        let text = format!("{mark}{{\"profiles\": {{ {} }} }}", members.join(","));
        let document = Document::parse(&text).unwrap();
        let mut set = Document::default();
        for (id, entry) in &entries {
            set.set_entry(id, RawValue::from_string(entry.clone()).unwrap());
            prop_assert_eq!(document.entry(id), Some(entry.as_str()));
            prop_assert_eq!(said(&document, id), said(&set, id));
            let facts = document.credential(id).map(|credential| credential.facts());
            let summary = document.summaries().find(|summary| summary.id == id);
            prop_assert_eq!(
                facts.map(|facts| (facts.kind, facts.has_bearer, facts.has_refresh)),
                summary.map(|it| (it.facts.kind, it.facts.has_bearer, it.facts.has_refresh))
            );
        }
        prop_assert_eq!(document.entries().count(), entries.len());
    }

    #[test]
    fn no_response_with_another_state_is_accepted(
        code in "[A-Za-z0-9._~-]{1,20}",
        state in "[A-Za-z0-9._~-]{0,20}",
        form in 0..6_usize,
    ) {
        let line = match form {
            0 => format!("http://localhost:1455/auth/callback?code={code}&state={state}"),
            1 => format!("http://localhost:1455/auth/callback#state={state}&code={code}"),
            2 => format!("{code}#{state}"),
            3 => format!("code={code}&state={state}"),
            4 => format!("localhost:1455/auth/callback?state={state}&code={code}"),
            _ => format!("?code={code}&state={STATE}&state={state}"),
        };
        prop_assert!(parse_pasted(&line, &expectation()).is_err(), "{}", line);
        let query = line.rsplit(['?', '#']).next().unwrap();
        prop_assert!(expectation().check_query(query).is_err(), "{}", query);
        let right = format!("code={code}&state={STATE}");
        prop_assert!(expectation().check_query(&right).is_ok());
        prop_assert!(matches!(parse_pasted(&right, &expectation()), Ok((_, true))));
    }

    #[test]
    fn whatever_is_pasted_is_read_without_a_panic(line in "(?s).{0,80}", tail in "[&=#?%/:a-z]*") {
        for line in [line.clone(), format!("code={line}"), format!("http://{line}?{tail}")] {
            if let Ok((_, true)) = parse_pasted(&line, &expectation()) {
                prop_assert!(false, "the state cannot be in {:?}", line);
            }
            prop_assert!(expectation().check_query(&line).is_err());
        }
    }

    #[test]
    fn an_agent_id_is_normal_after_one_normalisation(name in "(?s).{0,90}") {
        let id = AgentId::from(name.as_str());
        prop_assert_eq!(&AgentId::from(id.as_str()), &id);
        let id = id.as_str();
        prop_assert!((1..=64).contains(&id.len()));
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        prop_assert!(id.chars().all(is_word), "{}", id);
    }
}

/// Long enough that no generated text holds it.
const STATE: &str = "the-state-of-this-login-0123456789abcdef";

fn expectation() -> ExpectedResponse {
    ExpectedResponse {
        state: Secret::new(STATE),
        issuer: None,
        has_issuer: false,
        authorization_endpoint: Url::parse("https://as.example.test/authorize").unwrap(),
    }
}

proptest! {
    // Each of these writes files.
    #![proptest_config(cases(24))]

    #[test]
    fn a_config_edit_keeps_every_byte_of_the_rest(
        members in prop::collection::vec(("[a-z]{2,6}", value(), "[a-z *'\"{]{0,12}"), 0..5),
        id in "[a-z]{1,8}:[a-z@.]{1,8}",
        crlf in any::<bool>(),
    ) {
        let root = tempfile::tempdir().unwrap();
        let environment =
            Environment::of([("OPENCLAW_STATE_DIR", root.path().to_str().expect("text"))]);
        let paths = Paths::new(&environment, root.path());
        let path = paths.config.clone();
        let id = ProfileId::from(id);
        let members: IndexMap<String, (String, String)> =
            members.into_iter().map(|(name, value, note)| (format!("x{name}"), (value, note))).collect();
        let ending = if crlf { "\r\n" } else { "\n" };
        let kept: Vec<String> = members
            .iter()
            .map(|(name, (value, note))| {
                // A raw 1e400 is no number of JSON5's.
                let value = value.replace("1.0e+400", "+.5");
                format!("  // {note}{ending}  {name}: /* {note} */ {value}")
            })
            .collect();
        let text = format!("// first{ending}{{{ending}{}{ending}}} // last{ending}", kept.join(&format!(",{ending}")));
        std::fs::write(&path, &text).unwrap();
        Config::load(&paths, &environment).unwrap();
        let holds_all = |when: &str| {
            let edited = std::fs::read_to_string(&path).unwrap();
            for kept in kept.iter().map(String::as_str).chain(["// first", "} // last"]) {
                assert!(edited.contains(kept), "{when}: {kept:?} is not in {edited:?}");
            }
        };
        record_profile(&path, &id, &"openai".into(), Kind::Token).unwrap();
        holds_all("recorded");
        let config = Config::load(&paths, &environment).unwrap();
        prop_assert_eq!(config.auth_mode(&id), Some(Kind::Token));
        remove_profile(&path, &id).unwrap();
        holds_all("removed");
        let config = Config::load(&paths, &environment).unwrap();
        prop_assert_eq!(config.auth_mode(&id), None);
    }

    #[test]
    fn a_lock_is_never_taken_from_a_live_process_whatever_its_payload_says(
        junk in prop::collection::vec(any::<u8>(), 0..64),
        extra in "[a-z]{0,8}",
        ahead in -300_000..300_000_i64,
    ) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        std::fs::write(&path, &junk).unwrap();
        // A young file that cannot be read may be half written.
        prop_assert!(matches!(try_acquire(&path, StaleRule::ByAge, now()).unwrap(), Attempt::Held(_)));
        let since = iso(now() + ahead.max(0));
        let payload = format!(
            r#"{{"x{extra}":[1.5e3],"pid":{},"createdAt":"{since}","k":null}}"#,
            std::process::id()
        );
        std::fs::write(&path, payload).unwrap();
        match try_acquire(&path, StaleRule::ByAge, now()).unwrap() {
            Attempt::Held(holder) => prop_assert_eq!(holder.pid, Some(std::process::id())),
            Attempt::Acquired(_) => prop_assert!(false, "a live process was robbed"),
        }
    }

    #[test]
    fn a_duration_is_a_sum_of_units_and_nothing_else_is_one(
        parts in prop::collection::vec((0..999_u32, prop::sample::select(vec!["ms", "s", "m", "h", "d"])), 1..4),
        junk in "[0-9a-z.+ ü-]{0,12}",
    ) {
        let sum: Vec<String> =
            parts.iter().map(|(number, unit)| format!("{number}{unit}")).collect();
        let sum = sum.concat();
        prop_assert_eq!(with_duration(&sum), ExitStatus::LoginRequired, "{}", sum);
        prop_assert_eq!(with_duration(&format!("{sum}x")), ExitStatus::Usage);
        prop_assert_eq!(with_duration(&format!("-{sum}")), ExitStatus::Usage);
        let status = with_duration(&junk);
        prop_assert!(matches!(status, ExitStatus::LoginRequired | ExitStatus::Usage), "{}", junk);
    }
}

/// How a command ends that takes a duration and then finds no login.
fn with_duration(text: &str) -> ExitStatus {
    let root = tempfile::tempdir().unwrap();
    let environment = Environment::default()
        .with("HOME", root.path())
        .with("OPENCLAW_STATE_DIR", root.path().join("state"));
    let mut streams = Streams {
        stdout: Box::new(std::io::sink()),
        stderr: Box::new(std::io::sink()),
        stdin: None,
        stdin_is_terminal: false,
        stdout_is_terminal: false,
        stderr_is_terminal: false,
    };
    let option = format!("--min-ttl={text}");
    let args = ["openclaw-auth", "models", "auth", "token", "--provider", "openai-codex", &option];
    cli::run(args.map(OsString::from), environment, &mut streams, root.path())
}
