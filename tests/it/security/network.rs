//! What an error of the network says: which proxy, which certificate authorities.

use crate::support::rig::{PROFILE, Rig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

pub(super) const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// A rig whose login has to be refreshed at `endpoint`.
pub(super) fn rig(endpoint: &str) -> Rig {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let mut provider: serde_json::Value =
        serde_json::from_str(&rig.read("providers/openai-codex.json")).unwrap();
    provider["tokenEndpoint"] = endpoint.into();
    rig.write("providers/openai-codex.json", &provider.to_string());
    rig
}

/// A refresh with these variables that ends with 4; what it says.
#[track_caller]
pub(super) fn unavailable(rig: &Rig, variables: &[(&str, &str)]) -> String {
    let mut command = rig.command(&[&TOKEN[..], &["--lock-timeout", "1s"]].concat());
    let output = command.envs(variables.iter().copied()).output().unwrap();
    // What was not reached is not tried again at once.
    rig.let_pass(std::time::Duration::from_secs(5));
    crate::support::rig::Finished::from(output).failure(4)
}

/// A TLS server with a certificate of its own, which refuses every request.
struct TlsServer {
    port: u16,
}

impl TlsServer {
    /// `None`, said aloud, where there is no openssl to make a certificate with.
    fn start(directory: &Path) -> Option<Self> {
        let (key, certificate) = (directory.join("key.pem"), directory.join("cert.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            super::skipped("there is no openssl to make a certificate with");
            return None;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(&certificate).unwrap()],
                PrivateKeyDer::from_pem_file(&key).unwrap(),
            )
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = rustls::ServerConnection::new(config.clone()).unwrap();
                let mut tls = rustls::StreamOwned::new(connection, stream.unwrap());
                // A client that does not trust us goes away.
                if tls.read(&mut [0; 4096]).is_ok() {
                    let body = r#"{"error":"invalid_request"}"#;
                    let _ = write!(
                        tls,
                        "HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = tls.flush();
                }
            }
        });
        Some(Self { port })
    }
}

#[test]
fn an_untrusted_certificate_names_the_authorities_in_use() {
    let root = tempfile::tempdir().unwrap();
    let Some(server) = TlsServer::start(root.path()) else { return };
    let rig = rig(&format!("https://127.0.0.1:{}/token", server.port));
    let before = rig.document();
    let stderr = unavailable(&rig, &[]);
    assert!(stderr.contains("certificate authorities: the system's"), "{stderr}");
    // Everyday input, report 21 (claude-code#55760): the hint names the variable that people have.
    let hint = |stderr: &str| {
        let hint = stderr.lines().find(|line| line.starts_with("hint: "));
        hint.unwrap_or_else(|| panic!("{stderr}")).to_owned()
    };
    let without = hint(&stderr);
    assert!(without.contains("SSL_CERT_FILE=<file>"), "{without}");
    assert!(without.contains("NODE_EXTRA_CA_CERTS"), "{without}");
    let with = hint(&unavailable(&rig, &[("NODE_EXTRA_CA_CERTS", "/etc/my company.pem")]));
    assert!(with.contains("'SSL_CERT_FILE=/etc/my company.pem' openclaw-auth"), "{with}");
    assert_eq!(hint(&unavailable(&rig, &[("NODE_EXTRA_CA_CERTS", " ")])), without);

    let other = tempfile::tempdir().unwrap();
    let _other = TlsServer::start(other.path());
    let file = other.path().join("cert.pem").display().to_string();
    let stderr = unavailable(&rig, &[("SSL_CERT_FILE", &file)]);
    assert!(stderr.contains(&format!("SSL_CERT_FILE={file}")), "{stderr}");
    let stderr = unavailable(&rig, &[("SSL_CERT_FILE", "/nonexistent/ca.pem")]);
    assert!(stderr.contains("warning: SSL_CERT_FILE names /nonexistent/ca.pem"), "{stderr}");
    assert_eq!(rig.document(), before, "the login is kept");

    // With the right file the server is reached.
    let file = root.path().join("cert.pem").display().to_string();
    let mut command = rig.command(&TOKEN);
    let output = command.env("SSL_CERT_FILE", &file).output().unwrap();
    let stderr = crate::support::rig::Finished::from(output).failure(3);
    assert!(stderr.contains("invalid_request"), "{stderr}");
}

#[test]
fn http_to_this_machine_does_not_read_the_authorities() {
    let rig = Rig::signed_in();
    rig.expire(crate::support::rig::PROFILE);
    let mut command = rig.command(&TOKEN);
    // What cannot be read would end the command.
    let output = command.env("SSL_CERT_FILE", rig.state_dir()).output().unwrap();
    crate::support::rig::Finished::from(output).success();
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = proxy.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in proxy.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap();
            assert!(request[..count].starts_with(b"CONNECT as.example.test:443"));
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let rig = rig("https://as.example.test/token");
    let stderr =
        unavailable(&rig, &[("HTTPS_PROXY", &format!("http://me:fake-password@127.0.0.1:{port}"))]);
    assert!(stderr.contains(&format!("proxy: http://127.0.0.1:{port} (HTTPS_PROXY)")), "{stderr}");
    assert!(!stderr.contains("fake-password"), "{stderr}");
}

#[test]
fn a_malformed_proxy_is_a_warning() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let mut command = rig.command(&TOKEN);
    let output = command.env("HTTPS_PROXY", "not a proxy: fake-password").output().unwrap();
    let finished = crate::support::rig::Finished::from(output);
    assert!(finished.stderr.contains("warning: HTTPS_PROXY is not the address"), "{finished:?}");
    assert!(!finished.stderr.contains("fake-password"), "{finished:?}");
    finished.success();
}

#[test]
fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = format!("http://{}/token", elsewhere.local_addr().unwrap());
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = rig(&format!("http://{}/token", server.local_addr().unwrap()));
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(
                stream,
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n"
            );
        }
    });
    let finished = rig.run(&[&TOKEN[..], &["--lock-timeout", "1s"]].concat());
    assert_ne!(finished.code, 0, "{finished:?}");
    let reached = elsewhere.accept().map(drop);
    assert_eq!(reached.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
