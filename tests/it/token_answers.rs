//! What a token endpoint answers is kept, however it is wrapped, and an answer that is no
//! grant is told as what it is.

use crate::support::authorization_server::{Endpoint, Fault, Wrapping};
use crate::support::rig::{PROFILE, Rig};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write;
use std::time::Duration;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The object with something more at its beginning.
fn with(member: &[u8], text: &str) -> Vec<u8> {
    [b"{", member, b",", &text.as_bytes()[1..]].concat()
}

fn of_type(content_type: &str) -> Wrapping {
    Wrapping { headers: vec![("Content-Type", content_type.to_owned())], ..Wrapping::default() }
}

fn of_body(body: fn(&str) -> Vec<u8>) -> Wrapping {
    Wrapping { body, ..Wrapping::default() }
}

fn packed(coding: &str, body: fn(&str) -> Vec<u8>) -> Wrapping {
    Wrapping { headers: vec![("Content-Encoding", coding.to_owned())], body, ..Wrapping::default() }
}

/// Answers in wrappings in which the tokens are all there.
fn wrappings() -> Vec<Wrapping> {
    // Whatever an answer with new tokens says it is, the server has replaced the former ones.
    let statuses = [201, 202, 203, 206, 299, 302, 307, 400, 401, 404, 409, 429, 500, 503, 520]
        .map(|status| Wrapping { status, ..Wrapping::default() });
    let types = [
        "text/plain; charset=utf-8",
        "text/html",
        "text/javascript",
        "application/vnd.acme+json",
        "application/octet-stream",
        "nonsense",
        "",
    ];
    let codings = [
        packed("gzip", gzip),
        packed("x-gzip", gzip),
        packed("deflate", zlib),
        packed("deflate", deflate),
        packed("deflate, gzip", |text| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&zlib(text)).unwrap();
            encoder.finish().unwrap()
        }),
        packed("identity", gzip),
        packed("gzip", |text| text.into()),
    ];
    let bodies: [fn(&str) -> Vec<u8>; 19] = [
        gzip,
        |text| [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        |text| format!(")]}}'\n{text}").into(),
        |text| format!("\r\n\t {text}\r\n\0").into(),
        |text| format!("{text}<!-- edge 7 -->").into(),
        |text| format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        |text| with(b"\"name\":\"Ren\xE9\"", text),
        |text| with(b"\"name\":\"\\ud800\"", text),
        |text| with(b"\"name\":\"tab\there\nand a line\"", text),
        |text| with(b"\"big\":1e999", text),
        |text| with(b"\"big\":-123456789012345678901234567890.5E+4000", text),
        |text| with(b"\"not\":NaN", text),
        |text| with(format!("\"deep\":{}{}", "[".repeat(500), "]".repeat(500)).as_bytes(), text),
        |text| {
            with(
                format!("\"deep\":{}1{}", "{\"a\":".repeat(9999), "}".repeat(9999)).as_bytes(),
                text,
            )
        },
        |text| {
            with(b"\"expires_in\":60,\"id_token\":\"fake\",\"refresh_token\":\"fake-former\"", text)
        },
        |text| with(b"\"access_token\":null,\"token_type\":7,\"scope\":{\"a\":[]}", text),
        |text| with(b"\"error\":null", text),
        |text| with(format!("\"padding\":\"{}\"", "x".repeat(3 << 20)).as_bytes(), text),
        |text| {
            let tokens = serde_json::from_str::<serde_json::Value>(text).unwrap();
            let members = tokens.as_object().unwrap().iter();
            let pairs = members.map(|(name, value)| {
                (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            });
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into()
        },
    ];
    let fields = Wrapping {
        headers: (0..500)
            .map(|number| (&*Box::leak(format!("X-Field-{number}").into_boxed_str()), "x".into()))
            .collect(),
        ..Wrapping::default()
    };
    let mut all = Vec::from(statuses);
    all.extend(types.map(of_type));
    all.extend(codings);
    all.extend(bodies.map(of_body));
    all.push(fields);
    all
}

/// The refresh token that is stored is the one that the server has last given.
#[track_caller]
fn assert_kept(rig: &Rig, what: &dyn std::fmt::Debug) {
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    assert!(rig.server.is_alive(&refresh), "{what:?}");
    assert_eq!(rig.server.reuse_attempts(), 0, "{what:?}");
}

#[test]
fn a_refresh_is_kept_however_its_answer_is_wrapped() {
    let rig = Rig::signed_in();
    for wrapping in wrappings() {
        rig.expire(PROFILE);
        rig.server.inject(Fault::Wrapped(wrapping.clone()));
        let finished = rig.run(&TOKEN);
        assert_eq!(finished.code, 0, "{wrapping:?}: {}", finished.stderr);
        let token = finished.success();
        assert_eq!(rig.document()["profiles"][PROFILE]["access"], token.as_str(), "{wrapping:?}");
        assert_kept(&rig, &wrapping);
    }
}

#[test]
fn a_login_takes_its_tokens_however_they_are_wrapped() {
    for wrapping in [
        Wrapping { status: 201, ..Wrapping::default() },
        of_type("text/html"),
        packed("gzip", gzip),
        of_body(|text| [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        of_body(|text| with(b"\"name\":\"Ren\xE9\"", text)),
    ] {
        let rig = Rig::new();
        rig.server.inject(Fault::Wrapped(wrapping.clone()));
        rig.login(&[]).success();
        assert_kept(&rig, &wrapping);
    }
}

#[test]
fn metadata_are_read_however_they_are_wrapped() {
    for wrapping in [
        packed("gzip", gzip),
        packed("deflate", deflate),
        of_body(|text| [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        Wrapping { status: 201, ..of_type("text/plain") },
    ] {
        let rig = Rig::new();
        let issuer =
            format!(r#"{{"label":"Acme","clientId":"x","issuer":"{}"}}"#, rig.server.url());
        rig.write("providers/acme.json", &issuer);
        rig.server.inject_at(Endpoint::Metadata, Fault::Wrapped(wrapping.clone()));
        let start = ["models", "auth", "login", "start", "--provider", "acme"];
        let finished = rig.run(&start);
        assert_eq!(finished.code, 0, "{wrapping:?}: {}", finished.stderr);
    }
}

#[test]
fn of_an_answer_that_breaks_off_what_came_whole_is_kept() {
    let rig = Rig::signed_in();
    for body in [
        (|text| text.into()) as fn(&str) -> Vec<u8>,
        |text| text.trim_end_matches('}').into(),
        |text| with_tokens_first(text, ",\"scope\":\"open").into(),
        |text| with_tokens_first(text, ",\"expires_in\":36").into(),
        |text| with_tokens_first(text, ",\"user\":{\"name\":[").into(),
    ] {
        let wrapping = Wrapping { missing: 100, ..of_body(body) };
        rig.expire(PROFILE);
        rig.server.inject(Fault::Wrapped(wrapping.clone()));
        let finished = rig.run(&TOKEN);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_kept(&rig, &wrapping);
    }
}

/// The two tokens, and then `rest`.
fn with_tokens_first(text: &str, rest: &str) -> String {
    let tokens: serde_json::Value = serde_json::from_str(text).unwrap();
    let (access, refresh) = (&tokens["access_token"], &tokens["refresh_token"]);
    format!("{{\"access_token\":{access},\"refresh_token\":{refresh}{rest}")
}

#[test]
fn a_refresh_token_without_an_access_token_is_kept_and_used() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.inject(Fault::MissingField("access_token".into()));
    rig.run(&TOKEN).failure(4);
    assert_kept(&rig, &"the first");
    rig.run(&TOKEN).success();
    assert_kept(&rig, &"the second");
}

#[test]
fn a_login_without_an_access_token_is_none() {
    let rig = Rig::new();
    rig.server.inject(Fault::MissingField("access_token".into()));
    let login = rig.start_login(&[]);
    login.visit();
    assert!(login.finish().failure(1).contains("it has no access_token"));
}

/// An answer of that status and body, with header fields.
fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Fault {
    let (kind, body) =
        if body.starts_with('<') { ("text/html", body) } else { ("text/plain", body) };
    let mut all = vec![("Content-Type", kind.to_owned())];
    all.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let wrapping = Wrapping { status, headers: all, ..Wrapping::default() };
    let text = Fault::Text { status, content_type: kind.to_owned(), body: body.to_owned() };
    Fault::Sequence(vec![text, Fault::Wrapped(wrapping)])
}

const CHALLENGE: &str = "<!DOCTYPE html><title>Just a moment...</title>";

#[test]
fn an_answer_that_is_no_grant_is_told_as_what_it_is() {
    for (fault, code, message) in [
        (answer(401, &[], ""), 3, "refused: 401 Unauthorized"),
        (answer(400, &[], "bad"), 3, "refused: 400 Bad Request"),
        (
            answer(401, &[], r#"{"detail":"Could not validate credentials"}"#),
            3,
            "refused: 401 Unauthorized: Could not validate credentials",
        ),
        (answer(403, &[], r#"{"error":{"code":403,"message":"m"}}"#), 3, "403 Forbidden: m"),
        (answer(401, &[], "<html><title>401 Authorization Required"), 3, "401 Unauthorized"),
        (answer(401, &[], r#"{"error":{"code":"token_expired"}}"#), 3, "token_expired"),
        (answer(401, &[], r#"{"error":"invalid_grant","error_des"#), 3, "invalid_grant"),
        (answer(400, &[], r#"<p>{"error":"invalid_grant"}</p>"#), 3, "invalid_grant"),
        (answer(429, &[("Retry-After", "99999999999999999999")], "later"), 4, "unavailable: 429"),
        (answer(403, &[("cf-mitigated", "challenge")], CHALLENGE), 4, "Cloudflare answered"),
        (answer(503, &[("Server", "cloudflare")], CHALLENGE), 4, "a block page: 503"),
        (answer(403, &[("Server", "AkamaiGHost")], "<H1>Access Denied"), 4, "Akamai answered"),
        (answer(403, &[], "<html>No"), 4, "a server in between answered"),
        (answer(403, &[("Server", "cloudflare")], "error code: 1020"), 4, "Cloudflare answered"),
        (answer(408, &[], "stream timeout"), 4, "unavailable: 408"),
        (answer(429, &[("Retry-After", "60")], "slow down"), 4, "unavailable: 429"),
        (
            answer(429, &[("Retry-After", "Fri, 31 Dec 2199 23:59:59 GMT")], ""),
            4,
            "unavailable: 429",
        ),
        (answer(500, &[], "oops"), 4, "unavailable: 500"),
        (answer(503, &[], "upstream connect error"), 4, "unavailable: 503"),
        (answer(520, &[("Server", "cloudflare")], "error code: 520"), 4, "unavailable: 520"),
        (answer(529, &[], "overloaded"), 4, "unavailable: 529"),
    ] {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        rig.server.inject_persistent(Endpoint::Token, fault.clone());
        let stderr = rig.run(&TOKEN).failure(code);
        assert!(stderr.contains(message), "{message}: {stderr}");
        assert_eq!(rig.server.token_requests("refresh_token"), 1, "{message}");
        rig.server.clear_faults();
        // Who comes too early is told so, in the same way.
        let early = rig.run(&TOKEN).failure(code);
        assert!(early.contains("it is tried again at 20"), "{message}: {early}");
        assert_eq!(rig.server.token_requests("refresh_token"), 1, "{message}");
        rig.let_pass(Duration::from_mins(1));
        let again = rig.run(&TOKEN);
        let was_known = !stderr.contains("unavailable: 5") && !stderr.contains("unavailable: 408");
        assert_eq!(!again.stderr.contains("is unknown"), was_known, "{message}: {again:?}");
        assert!(!again.stderr.contains("cut off"), "it came whole: {again:?}");
        again.success();
    }
}

#[test]
fn a_refusal_that_quotes_the_refresh_token_does_not_show_it() {
    for body in [
        r#"{"error":"invalid_grant","error_description":"TOKEN is not known"}"#,
        r#"{"error":"TOKEN"}"#,
        r#"{"error":{"message":"bad token (TOKEN)","code":"x-TOKEN"}}"#,
        r#"{"message":"TOKEN"}"#,
    ] {
        for status in [400, 401, 404, 200] {
            let rig = Rig::signed_in();
            rig.expire(PROFILE);
            let refresh = rig.document()["profiles"][PROFILE]["refresh"].clone();
            let refresh = refresh.as_str().unwrap();
            let (content_type, body) = ("application/json".into(), body.replace("TOKEN", refresh));
            rig.server.inject(Fault::Text { status, content_type, body });
            let finished = rig.run(&TOKEN);
            let part = &refresh[..refresh.len().min(12)];
            assert!(finished.code != 0 && !finished.stderr.contains(part), "{finished:?}");
        }
    }
}

#[test]
fn the_final_codes_of_a_provider_end_its_logins() {
    for code in [
        "refresh_token_expired",
        "refresh_token_reused",
        "refresh_token_invalidated",
        "invalid_refresh_token",
        "app_session_terminated",
        "app_session_expired",
    ] {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        rig.server.inject(Fault::Text {
            status: 400,
            content_type: "application/json".into(),
            body: format!(
                r#"{{"error":{{"message":"m","type":"invalid_request_error","code":"{code}"}}}}"#
            ),
        });
        for _ in 0..2 {
            assert!(rig.run(&TOKEN).failure(3).contains("openai-codex"), "{code}");
        }
        assert_eq!(rig.server.token_requests("refresh_token"), 1, "{code}");
    }
}

#[test]
fn three_empty_refusals_do_not_end_a_login() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    for minutes in [1, 5, 60] {
        rig.server.inject(Fault::status(401));
        let asked = rig.server.token_requests("refresh_token");
        assert!(rig.run(&TOKEN).failure(3).contains("401 Unauthorized"));
        rig.let_pass(Duration::from_secs(minutes * 60 - 20));
        let early = rig.run(&TOKEN).failure(3);
        assert!(early.contains("did not say whether the login is over"), "{early}");
        assert_eq!(rig.server.token_requests("refresh_token"), asked + 1, "{minutes}");
        rig.let_pass(Duration::from_secs(20));
    }
    rig.run(&TOKEN).success();
    assert_kept(&rig, &"after three");
    // A success ends it: the next refusal is the first of its row.
    rig.expire(PROFILE);
    rig.server.inject(Fault::status(401));
    rig.run(&TOKEN).failure(3);
    rig.let_pass(Duration::from_mins(1));
    rig.run(&TOKEN).success();
}

#[test]
fn a_provider_file_names_its_own_final_codes() {
    let rig = Rig::signed_in();
    let file = "providers/openai-codex.json";
    let mut definition: serde_json::Value = serde_json::from_str(&rig.read(file)).unwrap();
    definition["finalErrorCodes"] = serde_json::json!(["login_gone"]);
    rig.write(file, &definition.to_string());
    for (error, is_final) in [("refresh_token_reused", false), ("login_gone", true)] {
        rig.expire(PROFILE);
        rig.server.inject(Fault::Text {
            status: 401,
            content_type: "text/html".into(),
            body: format!(r#"{{"error":"{error}"}}"#),
        });
        let stderr = rig.run(&TOKEN).failure(3);
        assert!(stderr.contains(error), "{stderr}");
        assert_eq!(stderr.contains("is over:"), is_final, "{stderr}");
        rig.let_pass(Duration::from_mins(1));
    }
}
