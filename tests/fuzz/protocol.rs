//! What an authorization server, a browser or a user sends.

use openclaw_auth::oauth::{Claims, Client, Endpoints, ExpectedResponse};
use openclaw_auth::oauth::{TokenError, holds_state, is_begun, parse_pasted, refresh};
use openclaw_auth::profile::Form;
use openclaw_auth::provider::{QuotaFormat, QuotaSource};
use openclaw_auth::secret::Secret;
use openclaw_auth::system::http::HttpClient;
use openclaw_auth::system::{Clock, Environment, block_on};
use openclaw_auth::text::{decoded, tidy};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex, PoisonError};
use url::Url;

/// In no corpus: no changed input can hold it.
const STATE: &str = "GY6mLr2ZVxw0TqPc1nKd";

fn expectation() -> ExpectedResponse {
    ExpectedResponse {
        state: Secret::new(STATE),
        issuer: None,
        has_issuer: false,
        authorization_endpoint: Url::parse("https://as.example.test/authorize").unwrap(),
    }
}

/// Without the state, nothing is accepted; what is said holds no control characters.
pub(crate) fn redirect(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let error = expectation().check_query(&text).expect_err("the state is not in it");
    assert!(!error.to_string().contains(char::is_control));
    if let Err(error) = expectation().check_query(&format!("state={STATE}&{text}")) {
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
}

/// Without the state, at most a bare code is accepted, which is no piece of an address; with a
/// whole address in a line of its own, that is found.
pub(crate) fn pasted(input: &[u8]) {
    let text = decoded(input);
    match parse_pasted(&text, &expectation()) {
        Ok((_, with_state)) => {
            assert!(!with_state, "the state is not in it");
            assert!(!text.contains(['&', '?']) && !text.contains("://"), "it is a piece");
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
    assert!(!holds_state(&text, &Secret::new(STATE)));
    let _ = is_begun(&text, &expectation());
    if let Err(error) = parse_pasted(&format!("{text}#{STATE}"), &expectation()) {
        assert!(!error.to_string().contains(char::is_control));
    }
}

/// A secret is a piece of the text, or of a known form pieces of it in their order.
pub(crate) fn pasted_secret(input: &[u8]) {
    let text = decoded(input);
    let setup = Form { prefix: Some("sk-ant-oat01-"), min_length: 80, usual_length: Some(108) };
    for form in [Form::default(), setup] {
        match openclaw_auth::profile::pasted_secret(&text, form) {
            Err(reason) => assert!(!reason.to_string().contains(char::is_control)),
            Ok(secret) => {
                let tidied = tidy(&text);
                let joined: String = tidied.split_whitespace().collect();
                let is_piece = tidied.contains(secret.as_str());
                assert!(is_piece || form.prefix.is_some() && joined.contains(secret.as_str()));
                assert!(!secret.is_empty() && !secret.contains(char::is_whitespace));
                assert!(!secret.contains(char::is_control) && !secret.contains("..."));
            }
        }
    }
}

/// Claims are found or not; times are positive.
pub(crate) fn claims(input: &[u8]) {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let text = String::from_utf8_lossy(input);
    // As a token, and as the payload of one.
    for token in [text.to_string(), format!("e30.{}.x", URL_SAFE_NO_PAD.encode(input))] {
        let Some(claims) = Claims::of(&token) else { continue };
        for pointer in ["/email", "/iss|/sub", "", "/", "/a~1b/0", text.as_ref()] {
            let _ = claims.text(pointer);
        }
        assert!([claims.expires(), claims.issued()].into_iter().flatten().all(|at| at > 0));
    }
}

const FORMATS: [QuotaFormat; 6] = [
    QuotaFormat::Codex,
    QuotaFormat::Claude,
    QuotaFormat::Copilot,
    QuotaFormat::Gemini,
    QuotaFormat::Minimax,
    QuotaFormat::Zai,
];

/// The first byte chooses format and status. The usage has percentages, times and texts that
/// can be shown; so has an error.
pub(crate) fn usage(input: &[u8]) {
    let (&first, body) = input.split_first().unwrap_or((&b'0', b""));
    let choice = usize::from(first.wrapping_sub(b'0'));
    let source = QuotaSource {
        format: FORMATS[choice % FORMATS.len()],
        endpoint: Url::parse("https://api.example.test/usage").unwrap(),
        id: None,
        label: None,
        headers: indexmap::IndexMap::new(),
    };
    let status = [200, 429, 403, 500][choice / FORMATS.len() % 4];
    let is_line = |text: &str| !text.contains(char::is_control) && text.chars().count() < 260;
    match source.read(status.try_into().unwrap(), body) {
        Ok(usage) => {
            assert!(status == 200 && usage.windows.len() <= 12);
            assert!(usage.plan.is_none_or(|plan| is_line(&plan)));
            for window in usage.windows {
                assert!((0.0..=100.0).contains(&window.used_percent), "{window:?}");
                assert!(is_line(&window.label) && !window.label.is_empty(), "{window:?}");
                assert!(window.reset_at.is_none_or(|at| (1..=253_402_300_799_999).contains(&at)));
            }
        }
        Err(error) => assert!(is_line(&error.to_string()), "{error:?}"),
    }
}

/// A server that gives one answer.
struct Server {
    url: Url,
    answer: Mutex<Vec<u8>>,
}

static SERVER: LazyLock<&'static Server> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let server = Server { url: Url::parse(&url).unwrap(), answer: Mutex::default() };
    let server: &'static Server = Box::leak(Box::new(server));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while !request.ends_with(b"client_id=fuzz") {
                match stream.read(&mut chunk) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => request.extend_from_slice(&chunk[..count]),
                }
            }
            let answer = server.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let _ = stream.write_all(&answer);
        }
    });
    server
});

static HTTP: LazyLock<HttpClient> =
    LazyLock::new(|| HttpClient::new(&Environment::default(), &SERVER.url).unwrap());

/// The first byte chooses the status. A token response is a grant or an error that quotes
/// no token and no control character. A refresh token alone is a grant; what is no grant and
/// came with success is in the error.
pub(crate) fn token_response(input: &[u8]) {
    let (&first, body) = input.split_first().unwrap_or((&b'0', b""));
    let status = [200, 200, 200, 400, 401, 403, 500, 302][usize::from(first) % 8];
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    *SERVER.answer.lock().unwrap_or_else(PoisonError::into_inner) =
        [head.as_bytes(), body].concat();
    let client = Client {
        id: "fuzz".to_owned(),
        endpoints: Endpoints { token: Some(SERVER.url.clone()), ..Endpoints::default() },
        ..Client::default()
    };
    let granted = block_on(refresh(&HTTP, &client, &Secret::new("fake"), &Clock::System)).unwrap();
    match granted {
        Ok(grant) => {
            assert_eq!(status, 200);
            assert!(!grant.access.expose().is_empty() || grant.refresh.is_some());
            let _ = grant.expires;
        }
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(!text.contains("fake-access"), "it quotes a token: {text:?}");
            let is_refusal = matches!(error, TokenError::Refused { .. });
            assert!(error.refused_grant().is_none() || is_refusal, "{status} {text}");
            if let TokenError::Unusable { raw, .. } = &error {
                assert!(status == 200 && raw.expose() == body, "{text}");
            }
        }
    }
}
