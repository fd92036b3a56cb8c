use std::thread;
use std::time::Duration;

use super::{LONG, refresh, server, server_with_grant, text, tokens};
use crate::support::authorization_server::Account;

#[test]
fn a_hold_keeps_processed_responses_back_until_released() {
    let (server, refresh_token) = server_with_grant();
    let hold = server.hold_token_responses();
    thread::scope(|scope| {
        let client = scope.spawn(|| refresh(&server, &refresh_token));
        assert!(hold.wait_until_held(1, LONG));
        assert!(!hold.wait_until_held(2, Duration::from_millis(1)));
        assert!(!client.is_finished());
        assert!(!server.is_alive(&refresh_token));
        hold.release();
        tokens(&client.join().unwrap());
    });
}

#[test]
fn hundreds_of_clients_are_served_at_once() {
    const CLIENTS: usize = 300;
    let server = server();
    let account = Account::of_email("ada@example.test");
    let hold = server.hold_token_responses();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| text(&server.issue_tokens(&account), "refresh_token"))
            .map(|token| {
                let server = &server;
                scope.spawn(move || refresh(server, &token))
            })
            .collect();
        assert!(hold.wait_until_held(CLIENTS, LONG));
        drop(hold);
        for client in clients {
            tokens(&client.join().unwrap());
        }
    });
    assert_eq!(server.token_requests("refresh_token"), CLIENTS);
    assert_eq!(server.live_refresh_tokens().len(), CLIENTS);
    assert_eq!(server.reuse_attempts(), 0);
}

#[test]
fn one_refresh_token_posted_at_once_by_many_is_rotated_once() {
    let (server, refresh_token) = server_with_grant();
    let statuses = thread::scope(|scope| {
        let clients = [(); 8].map(|()| scope.spawn(|| refresh(&server, &refresh_token).status));
        clients.map(|client| client.join().unwrap())
    });
    let rotated = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(rotated, 1);
    assert_eq!(server.reuse_attempts(), 7);
    assert!(server.live_refresh_tokens().is_empty());
}
