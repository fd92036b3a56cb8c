//! What the loopback redirect listener makes of requests that are not the redirect.

use crate::support::rig::{Rig, RunningLogin};
use crate::support::user_agent::{authorize, follow, request};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

fn address(rig: &Rig) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], rig.ports[0]))
}

fn send(rig: &Rig, head: &str) -> String {
    String::from_utf8_lossy(&request(address(rig), head.as_bytes())).into_owned()
}

fn get(rig: &Rig, target: &str) -> String {
    send(rig, &format!("GET {target} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", rig.ports[0]))
}

/// The login is still there and ends well.
fn signs_in(login: RunningLogin) {
    let visit = login.visit();
    let finished = login.finish();
    assert_eq!(visit.status, 200, "{finished:?}");
    finished.success();
}

#[test]
fn only_get_of_the_redirect_path_by_name_is_answered() {
    let rig = Rig::new();
    let login = rig.start_login(&[]);
    let port = rig.ports[0];
    let host = format!("Host: localhost:{port}\r\n");
    for (head, status) in [
        (format!("GET / HTTP/1.1\r\n{host}\r\n"), "404"),
        (format!("GET /favicon.ico HTTP/1.1\r\n{host}\r\n"), "404"),
        (format!("POST /auth/callback HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n"), "405"),
        (format!("HEAD /auth/callback HTTP/1.1\r\n{host}\r\n"), "405"),
        (format!("GET /auth/callback HTTP/1.1\r\nHost: evil.example.test:{port}\r\n\r\n"), "400"),
        (format!("GET /auth/callback HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", port - 1), "400"),
        ("GET /auth/callback HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "400"),
        (format!("GET /auth/callback HTTP/1.1\r\n{host}{host}\r\n"), "400"),
        ("GET /auth/callback HTTP/1.0\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = send(&rig, &head);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}"))
                || answer.starts_with(&format!("HTTP/1.0 {status}")),
            "{head}\n{answer}"
        );
    }
    signs_in(login);
}

#[test]
fn a_response_to_another_request_is_refused_and_the_login_goes_on() {
    let rig = Rig::new();
    let login = rig.start_login(&[]);
    let refusals: Vec<String> = [
        "/auth/callback",
        "/auth/callback?code=fake-code",
        "/auth/callback?code=fake-code&state=fake-state",
        "/auth/callback?error=access_denied&state=fake-state",
        "/auth/callback?state=",
    ]
    .iter()
    .map(|target| get(&rig, target))
    .collect();
    for refusal in &refusals {
        assert!(refusal.starts_with("HTTP/1.1 400"), "{refusal}");
        let body = |answer: &str| answer.split("\r\n\r\n").nth(1).map(str::to_owned);
        assert_eq!(body(refusal), body(&refusals[0]), "the answers tell nothing about the state");
    }
    signs_in(login);
}

#[test]
fn garbage_and_huge_and_slow_requests_do_not_disturb_the_login() {
    let rig = Rig::new();
    rig.quickly(|| disturbed(&rig));
}

fn disturbed(rig: &Rig) {
    let login = rig.start_login_by_clock();
    let _ = send(rig, "\u{16}\u{3}\u{1}garbage\r\n\r\n");
    let _ = send(rig, "\r\n\r\n\r\n\r\n");
    let _ = get(rig, &format!("/auth/callback?code={}", "x".repeat(1 << 20)));
    let _ = send(rig, &format!("GET / HTTP/1.1\r\n{}\r\n", "X-Filler: y\r\n".repeat(50_000)));
    // These never finish their request; the redirect gets through all the same.
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(address(rig)).unwrap();
            stream.write_all(b"GET /auth/callback?co").unwrap();
            stream
        })
        .collect();
    signs_in(login);
    drop(slow);
}

#[test]
fn a_connection_that_never_finishes_its_request_is_closed() {
    let rig = Rig::new();
    let login = rig.start_login_by_clock();
    let mut stream = TcpStream::connect(address(&rig)).unwrap();
    stream.write_all(b"GET /auth/callback?co").unwrap();
    let mut rest = Vec::new();
    assert!(rig.clock.pass(std::time::Duration::from_secs(5)), "somebody waits for it for 5 s");
    // Ends when the listener gives up on the request head.
    let _ = stream.read_to_end(&mut rest);
    signs_in(login);
}

#[test]
fn the_response_is_accepted_once() {
    let rig = Rig::new();
    let hold = rig.server.hold_token_responses();
    let login = rig.start_login(&[]);
    let redirect = authorize(&login.url);
    let first = {
        let redirect = redirect.clone();
        std::thread::spawn(move || follow(&redirect))
    };
    assert!(hold.wait_until_held(1, std::time::Duration::from_mins(1)));
    let second = follow(&redirect);
    assert_eq!(second.status, 400);
    assert!(second.body.contains("Nothing to do here"), "{}", second.body);
    hold.release();
    assert!(first.join().unwrap().body.contains("You are signed in"));
    login.finish().success();
    assert_eq!(rig.server.token_requests("authorization_code"), 1);
}

#[test]
fn the_page_is_not_stored_framed_or_extended() {
    let rig = Rig::new();
    let login = rig.start_login(&[]);
    let visit = login.visit();
    login.finish().success();
    assert_eq!(visit.header("cache-control"), Some("no-store"));
    assert_eq!(visit.header("referrer-policy"), Some("no-referrer"));
    let policy = visit.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!visit.body.contains("<script") && !visit.body.contains("http"), "{}", visit.body);
}

#[test]
fn an_issuer_of_another_server_ends_the_login() {
    let rig = Rig::new();
    rig.server.configure(|want| want.issuer_parameter = Some("https://evil.example.test".into()));
    let login = rig.start_login(&[]);
    assert!(login.visit().body.contains("did not complete"));
    let stderr = login.finish().failure(1);
    assert!(stderr.contains("another authorization server"), "{stderr}");
    assert_eq!(rig.server.token_requests("authorization_code"), 0);

    let issuer = rig.server.url().to_owned();
    rig.server.configure(|want| want.issuer_parameter = Some(issuer));
    rig.login(&[]).success();
}

#[test]
fn the_redirect_arrives_over_ipv6_as_well() {
    let Ok(_) = std::net::TcpListener::bind("[::1]:0") else { return };
    let rig = Rig::new();
    let login = rig.start_login(&[]);
    let redirect = authorize(&login.url).replace("localhost", "[::1]");
    assert_eq!(follow(&redirect).status, 200);
    login.finish().success();
}
