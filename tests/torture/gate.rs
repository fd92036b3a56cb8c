//! The gate before the authorization server: it finds out which process asks, injects
//! faults, and writes the ledger.

use super::ledger::{Answer, Asked, Exchange, Ledger};
use super::process::Processes;
use super::support::user_agent;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the connections share.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) ledger: Ledger,
    pub(crate) processes: Processes,
    server: String,
    random: Mutex<StdRng>,
    faults: AtomicBool,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Status(u16),
    DropBefore,
    DropAfter,
}

/// One request that was read.
struct Request {
    path: String,
    content_type: String,
    body: String,
}

impl Gate {
    /// Opens a gate before the server at `server`.
    pub(crate) fn open(server: &str, seed: u64, faults: bool) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let gate = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            ledger: Ledger::default(),
            processes: Processes::default(),
            server: server.to_owned(),
            random: Mutex::new(StdRng::seed_from_u64(seed ^ 0x6761_7465)),
            faults: AtomicBool::new(faults),
        });
        let shared = Arc::clone(&gate);
        std::thread::spawn(move || {
            for (stream, peer) in std::iter::from_fn(|| listener.accept().ok()) {
                let gate = Arc::clone(&shared);
                std::thread::spawn(move || gate.serve(&stream, peer));
            }
        });
        gate
    }

    pub(crate) fn set_faults(&self, on: bool) {
        self.faults.store(on, Ordering::Relaxed);
    }

    /// Times before and after the server's work, and a fault.
    fn draw(&self) -> (Duration, Duration, Fault) {
        let mut random = self.random.lock().unwrap();
        let mut before = random.gen_range(0..15);
        let after = random.gen_range(0..15);
        let mut fault = Fault::None;
        if self.faults.load(Ordering::Relaxed) {
            match random.gen_range(0..1000) {
                0..40 => before += random.gen_range(50..400),
                40..70 => fault = Fault::Status(500),
                70..100 => fault = Fault::Status(429),
                100..130 => fault = Fault::DropBefore,
                130..136 => fault = Fault::DropAfter,
                _ => {}
            }
        }
        (Duration::from_millis(before), Duration::from_millis(after), fault)
    }

    fn serve(&self, stream: &TcpStream, peer: SocketAddr) {
        let Some(request) = read(stream) else { return };
        let received = Instant::now();
        let (before, after, fault) = self.draw();
        std::thread::sleep(before);
        let asked = asked(&request);
        // Looked up last: who is dead by now does not hear the answer.
        let client = self.processes.of_connection(peer, self.address);
        let operation = client.map(|(_, operation)| operation);
        let note = |answer| {
            let (at, asked) = (Instant::now(), asked.clone());
            self.ledger.note(Exchange { received, at, operation, asked, answer, sent: false })
        };
        match fault {
            Fault::Status(status) => {
                note(Answer::Fault(if status == 429 { "429" } else { "500" }));
                let _ = respond(stream, status, "text/plain", "not now\n");
                return;
            }
            Fault::DropBefore => {
                note(Answer::Fault("dropped before"));
                return;
            }
            Fault::None | Fault::DropAfter => {}
        }
        let url = format!("{}{}", self.server, request.path);
        let visit = user_agent::post(&url, &request.content_type, &request.body);
        let tokens: serde_json::Value = serde_json::from_str(&visit.body).unwrap_or_default();
        let number = note(match (visit.status, tokens["refresh_token"].as_str()) {
            (200, Some(token)) => Answer::Issued(token.to_owned()),
            (200, None) => Answer::Done,
            _ => Answer::Refused,
        });
        std::thread::sleep(after);
        if fault == Fault::DropAfter {
            return;
        }
        let content_type = visit.header("content-type").unwrap_or("text/plain");
        if respond(stream, visit.status, content_type, &visit.body).is_ok() {
            self.ledger.sent(number);
        }
        if let Some((pid, _)) = client
            && let Some(delay) = self.processes.doom(pid)
        {
            std::thread::sleep(delay);
            self.processes.kill(pid);
        }
    }
}

fn asked(request: &Request) -> Asked {
    let parameters: Vec<(String, String)> =
        url::form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
    let of = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    match (request.path.as_str(), of("grant_type").as_str()) {
        ("/revoke", _) => Asked::Revoke(of("token")),
        (_, "refresh_token") => Asked::Refresh(of("refresh_token")),
        _ => Asked::Code,
    }
}

fn read(mut stream: &TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Request::new(&mut fields);
        if let httparse::Status::Complete(length) = head.parse(&received).ok()? {
            let field = |name: &str| {
                let mut fields = head.headers.iter();
                let found = fields.find(|field| field.name.eq_ignore_ascii_case(name));
                found.map(|field| String::from_utf8_lossy(field.value).into_owned())
            };
            let body = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            if received.len() >= length + body {
                return Some(Request {
                    path: head.path?.to_owned(),
                    content_type: field("content-type").unwrap_or_default(),
                    body: String::from_utf8_lossy(&received[length..]).into_owned(),
                });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => received.extend_from_slice(&chunk[..count]),
        }
    }
}

fn respond(mut stream: &TcpStream, status: u16, kind: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let response = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(response.as_bytes())
}
