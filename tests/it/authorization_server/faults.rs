use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{json, raw_refresh, refresh, server_with_grant, tokens};
use crate::support::authorization_server::{Endpoint, Fault};
use crate::support::user_agent;

#[test]
fn a_delay_passes_before_the_real_answer() {
    let (server, refresh_token) = server_with_grant();
    let delay = Duration::from_millis(150);
    server.inject(Fault::Delay(delay));
    let start = Instant::now();
    tokens(&refresh(&server, &refresh_token));
    assert!(start.elapsed() >= delay);
}

#[test]
fn a_status_is_answered_without_processing_the_request() {
    let (server, refresh_token) = server_with_grant();
    server.inject(Fault::Status {
        status: 429,
        retry_after: Some("7".to_owned()),
        body: r#"{"error":"slow_down"}"#.to_owned(),
    });
    server.inject(Fault::status(500));
    let limited = refresh(&server, &refresh_token);
    assert_eq!(limited.status, 429);
    assert_eq!(limited.header("retry-after"), Some("7"));
    assert_eq!(json(&limited)["error"], "slow_down");
    assert_eq!(refresh(&server, &refresh_token).status, 500);
    assert!(server.is_alive(&refresh_token));
    tokens(&refresh(&server, &refresh_token));
}

#[test]
fn a_drop_before_processing_leaves_the_refresh_token_alive() {
    let (server, refresh_token) = server_with_grant();
    server.inject(Fault::DropBefore);
    assert!(raw_refresh(&server, &refresh_token).is_empty());
    assert!(server.is_alive(&refresh_token));
    assert_eq!(server.token_requests("refresh_token"), 1);
}

#[test]
fn a_drop_after_rotation_loses_the_new_refresh_token() {
    let (server, refresh_token) = server_with_grant();
    server.inject(Fault::DropAfterRotation);
    assert!(raw_refresh(&server, &refresh_token).is_empty());
    assert!(!server.is_alive(&refresh_token));
    assert_eq!(server.live_refresh_tokens().len(), 1);
}

#[test]
fn malformed_json_breaks_off() {
    let (server, refresh_token) = server_with_grant();
    server.inject(Fault::Malformed);
    let visit = refresh(&server, &refresh_token);
    assert_eq!(visit.status, 200);
    let error = serde_json::from_str::<Value>(&visit.body).unwrap_err();
    assert!(error.is_eof());
    assert!(server.is_alive(&refresh_token));
}

#[test]
fn a_page_is_answered_in_place_of_json() {
    let (server, refresh_token) = server_with_grant();
    server.inject(Fault::Html);
    let visit = refresh(&server, &refresh_token);
    assert_eq!(visit.status, 200);
    assert_eq!(visit.header("content-type"), Some("text/html"));
    assert!(visit.body.starts_with("<!doctype html>"));
}

#[test]
fn a_huge_body_has_the_length_asked_for_and_does_not_announce_it() {
    let (server, refresh_token) = server_with_grant();
    server.inject(Fault::Huge(3_000_000));
    let visit = refresh(&server, &refresh_token);
    assert_eq!(visit.header("content-length"), None);
    assert_eq!(visit.body.len(), 3_000_000);
}

#[test]
fn a_slow_body_arrives_in_pieces_and_whole() {
    let (server, refresh_token) = server_with_grant();
    server.configure(|want| {
        want.opaque_access_tokens = true;
        want.include_id_token = false;
    });
    let chunk_every = Duration::from_millis(2);
    server.inject(Fault::Slow { chunk_every });
    let start = Instant::now();
    let visit = refresh(&server, &refresh_token);
    let length = u32::try_from(visit.body.len()).unwrap();
    assert!(start.elapsed() >= chunk_every * length);
    tokens(&visit);
}

#[test]
fn a_missing_field_is_left_out_of_the_real_answer() {
    let (server, refresh_token) = server_with_grant();
    server.inject(Fault::MissingField("access_token".to_owned()));
    let tokens = tokens(&refresh(&server, &refresh_token));
    assert_eq!(tokens.get("access_token"), None);
    assert_eq!(server.live_refresh_tokens(), [tokens["refresh_token"].as_str().unwrap()]);
}

#[test]
fn any_text_is_answered_as_it_is() {
    let (server, refresh_token) = server_with_grant();
    let body = "\u{1b}[31mfake\u{7}\0";
    server.inject(Fault::Text {
        status: 400,
        content_type: "text/x-fake".to_owned(),
        body: body.to_owned(),
    });
    let visit = refresh(&server, &refresh_token);
    assert_eq!((visit.status, visit.body.as_str()), (400, body));
    assert_eq!(visit.header("content-type"), Some("text/x-fake"));
}

#[test]
fn a_redirect_points_elsewhere() {
    let (server, refresh_token) = server_with_grant();
    let elsewhere = format!("{}/elsewhere", server.url());
    server.inject(Fault::Redirect(elsewhere.clone()));
    let visit = refresh(&server, &refresh_token);
    assert_eq!(visit.status, 302);
    assert_eq!(visit.header("location"), Some(elsewhere.as_str()));
    assert!(server.requests_at(Endpoint::Other).is_empty());
    assert!(server.is_alive(&refresh_token));
}

#[test]
fn the_faults_of_a_sequence_meet_in_one_request() {
    let (server, refresh_token) = server_with_grant();
    let delay = Duration::from_millis(50);
    server.inject(Fault::Sequence(vec![Fault::Delay(delay), Fault::Process, Fault::status(503)]));
    let start = Instant::now();
    assert_eq!(refresh(&server, &refresh_token).status, 503);
    assert!(start.elapsed() >= delay);
    assert!(!server.is_alive(&refresh_token));
    assert_eq!(server.live_refresh_tokens().len(), 1);
}

#[test]
fn a_persistent_fault_stays_behind_the_queued_ones_until_cleared() {
    let (server, refresh_token) = server_with_grant();
    server.inject_persistent(Endpoint::Token, Fault::status(500));
    server.inject(Fault::status(503));
    let statuses = [(); 3].map(|()| refresh(&server, &refresh_token).status);
    assert_eq!(statuses, [503, 500, 500]);
    server.clear_faults();
    tokens(&refresh(&server, &refresh_token));
}

#[test]
fn garbage_is_refused_and_not_recorded() {
    let (server, _) = server_with_grant();
    let answer = user_agent::request(server.address(), b"\x16\x03\x01 not http\r\n\r\n");
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
    assert!(server.requests().is_empty());
}

#[test]
fn dropping_the_server_ends_delays_and_open_connections() {
    let (server, refresh_token) = server_with_grant();
    let mut idle = TcpStream::connect(server.address()).unwrap();
    idle.write_all(b"POST /token HTTP/1.1\r\n").unwrap();
    server.inject(Fault::Delay(Duration::from_hours(1)));
    std::thread::scope(|scope| {
        let server = server;
        let body = format!("grant_type=refresh_token&refresh_token={refresh_token}");
        let request = format!(
            "POST /token HTTP/1.1\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            body.len()
        );
        let address = server.address();
        let delayed = scope.spawn(move || user_agent::request(address, request.as_bytes()));
        assert!(server.wait_for_token_requests("refresh_token", 1, super::LONG));
        drop(server);
        assert!(delayed.join().unwrap().is_empty());
    });
    let mut rest = Vec::new();
    let ended = idle.read_to_end(&mut rest);
    assert!(ended.is_err() || rest.is_empty());
}
