//! Proxies as people name them (issue 14, kind 4): SOCKS, odd passwords, blank variables.
//! What cannot be used is a usage error, and never a request that goes without the proxy.

use super::network::{TOKEN, rig, unavailable};
use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig};
use base64::Engine;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

const SERVER: &str = "https://as.example.test/token";

/// A proxy that hears `questions` answers, and then goes away: what it heard.
fn proxy(answers: &'static [&'static [u8]]) -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            for answer in answers {
                let mut question = [0; 4096];
                let count = stream.read(&mut question).unwrap_or(0);
                let _ = told.send(question[..count].to_vec());
                let _ = stream.write_all(answer);
            }
        }
    });
    (port, heard)
}

fn run(rig: &Rig, variables: &[(&str, &str)]) -> Finished {
    let mut command = rig.command(&TOKEN);
    // That of the rig is not meant here.
    command.env_remove("HTTPS_PROXY").envs(variables.iter().copied());
    command.finish_here()
}

#[test]
fn socks_is_spoken_and_the_name_goes_to_the_proxy_with_socks5h() {
    // Choose the user and the password; they are right; the server cannot be reached.
    let answers: &[&[u8]] = &[&[5, 2], &[1, 0], &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]];
    let (port, heard) = proxy(answers);
    let address = format!("socks5h://bob:fake%40password@127.0.0.1:{port}");
    let finished = run(&rig(SERVER), &[("ALL_PROXY", &address)]);
    let stderr = finished.failure(4);
    assert!(stderr.contains(&format!("proxy: socks5h://127.0.0.1:{port} (ALL_PROXY)")), "{stderr}");
    assert!(!stderr.contains("password"), "{stderr}");
    let [hello, user, connect] = [(); 3].map(|()| heard.recv().unwrap());
    assert_eq!(hello[0], 5);
    assert_eq!(user, b"\x01\x03bob\x0dfake@password");
    let mut wanted = b"\x05\x01\x00\x03\x0fas.example.test".to_vec();
    wanted.extend(443_u16.to_be_bytes());
    assert_eq!(connect, wanted);
}

#[test]
fn socks_of_other_kinds_is_spoken_to_addresses() {
    for (scheme, first) in [("socks5", 5), ("SOCKS5", 5), ("socks4", 4), ("socks4a", 4)] {
        let (port, heard) = proxy(&[&[0xFF, 0xFF]]);
        let address = format!("{scheme}://127.0.0.1:{port}");
        let finished = run(&rig("https://192.0.2.1/token"), &[("https_proxy", &address)]);
        finished.failure(4);
        assert_eq!(heard.recv().unwrap()[0], first, "{scheme}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_a_usage_error_that_shows_no_password() {
    for address in [
        "http://bob:first@second-half/third@127.0.0.1:1",
        "http://bob:se@cret@127.0.0.1:1",
        "http://bob:se/cret@127.0.0.1:1",
        "http://bob:se#cret@127.0.0.1:1",
        "http://bob:se?cret@127.0.0.1:1",
        "http://bob:secret",
        "http://127.0.0.1:99999",
        "socks://127.0.0.1:1",
        "ftp://127.0.0.1:1",
        "se cret",
    ] {
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            let rig = rig(SERVER);
            let before = rig.document();
            let stderr = run(&rig, &[(variable, address)]).failure(2);
            assert!(stderr.contains(&format!("{variable} is not the address")), "{stderr}");
            assert!(stderr.contains(&format!("hint: correct or unset {variable}: ")), "{stderr}");
            for part in ["first", "second", "third", "se@", "cret"] {
                assert!(!stderr.contains(part), "{address}: {stderr}");
            }
            assert_eq!(rig.document(), before);
        }
    }
    let login = ["models", "auth", "login", "--provider", "openai-codex"];
    let rig = rig(SERVER);
    let mut command = rig.command(&login);
    command.env("HTTPS_PROXY", "http://bob:se@cret@127.0.0.1:1");
    let stderr = command.finish_here().failure(2);
    assert!(!stderr.contains("Sign in") && !stderr.contains("cret"), "{stderr}");
}

#[test]
fn a_password_reaches_the_proxy_as_it_is_meant() {
    for (given, meant) in [
        ("fake", "fake"),
        ("fake%40pass%2Fword%23%3F%25", "fake@pass/word#?%"),
        ("fake:with:colons", "fake:with:colons"),
        ("100%", "100%"),
        ("with space", "with space"),
        ("na\u{ef}ve", "na\u{ef}ve"),
    ] {
        let (port, heard) = proxy(&[b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"]);
        let address = format!("http://bob:{given}@127.0.0.1:{port}");
        let stderr = unavailable(&rig(SERVER), &[("HTTPS_PROXY", &address)]);
        assert!(!stderr.contains(given) && !stderr.contains(meant), "{stderr}");
        let asked = String::from_utf8(heard.recv().unwrap()).unwrap();
        assert!(asked.starts_with("CONNECT as.example.test:443"), "{asked}");
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("bob:{meant}"));
        assert!(asked.contains(&format!("Basic {basic}")), "{given}: {asked}");
    }
}

#[test]
fn a_proxy_that_is_away_is_no_reason_to_go_without_it() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "https", "socks5h"] {
        let address = format!("{scheme}://{gone}");
        let stderr = unavailable(&rig(SERVER), &[("HTTPS_PROXY", &address)]);
        assert!(stderr.contains(&format!("proxy: {scheme}://{gone}")), "{stderr}");
    }
}

#[test]
fn blank_variables_count_as_unset() {
    let away = "https://127.0.0.1:1/token";
    let said = |variables: &[(&str, &str)]| {
        let stderr = run(&rig(away), variables).failure(4);
        let first = stderr.lines().next().unwrap().to_owned();
        first.chars().filter(|character| !character.is_ascii_digit()).collect::<String>()
    };
    let unset = said(&[]);
    assert!(unset.contains("efused"), "{unset}");
    for variable in [
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "NODE_EXTRA_CA_CERTS",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ] {
        for blank in ["", " "] {
            assert_eq!(said(&[(variable, blank)]), unset, "{variable}");
        }
    }
    assert_eq!(said(&[("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", "")]), unset);
}
