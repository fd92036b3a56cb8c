//! The gate before the authorization server: it finds out which process asks, injects
//! faults, harms processes at the moments that matter, and writes the ledger.

use super::ledger::{Answer, Asked, Exchange, Ledger};
use super::odd::{self, Reply};
use super::operation::{CATCHABLE, When};
use super::process::{Asker, Processes};
use super::support::user_agent;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rustix::process::Signal;
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the gate does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temper {
    pub(crate) seed: u64,
    /// The server and the network have faults.
    pub(crate) faults: bool,
    /// How many workers are killed.
    pub(crate) worker_kills: usize,
    /// The longest that an answer takes.
    pub(crate) longest_answer: Duration,
}

/// What the connections share.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) ledger: Ledger,
    pub(crate) processes: Processes,
    /// Signals that workers got, other than SIGKILL.
    pub(crate) worker_signals: AtomicUsize,
    server: String,
    random: Mutex<StdRng>,
    is_unwell: AtomicBool,
    temper: Temper,
    worker_kills_left: AtomicUsize,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Status(u16),
    DropBefore,
    DropAfter,
    Odd,
}

/// What happens to a worker that makes a request.
#[derive(Clone, Copy)]
struct Blow {
    signal: Signal,
    /// After the server's answer, not while it works.
    is_after: bool,
    delay: Duration,
}

/// One request that was read.
struct Request {
    path: String,
    content_type: String,
    body: String,
}

/// What a worker gets that a caller does not.
const WORKER_SIGNALS: [Signal; 5] =
    [Signal::TRAP, Signal::SYS, Signal::STKFLT, Signal::TSTP, Signal::ABORT];

impl Gate {
    /// Opens a gate before the server at `server`, for processes of that home directory.
    pub(crate) fn open(server: &str, home: PathBuf, temper: Temper) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let gate = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            ledger: Ledger::default(),
            processes: Processes::new(home),
            worker_signals: AtomicUsize::new(0),
            server: server.to_owned(),
            random: Mutex::new(StdRng::seed_from_u64(temper.seed ^ 0x6761_7465)),
            is_unwell: AtomicBool::new(false),
            temper,
            worker_kills_left: AtomicUsize::new(temper.worker_kills),
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

    /// Starts or ends what goes wrong: faults, and harm to workers.
    pub(crate) fn set_unwell(&self, on: bool) {
        self.is_unwell.store(on, Ordering::Relaxed);
    }

    pub(crate) fn is_unwell(&self) -> bool {
        self.is_unwell.load(Ordering::Relaxed)
    }

    /// How many workers were killed.
    pub(crate) fn worker_kills(&self) -> usize {
        self.temper.worker_kills - self.worker_kills_left.load(Ordering::Relaxed)
    }

    /// Times before and after the server's work, and a fault.
    fn draw(&self) -> (Duration, Duration, Fault) {
        let mut random = self.random.lock().unwrap();
        let mut before = Duration::from_millis(random.gen_range(0..15));
        let after = Duration::from_millis(random.gen_range(0..15));
        let mut fault = Fault::None;
        if self.is_unwell() && self.temper.faults {
            match random.gen_range(0..1000) {
                // Each length is as likely as one that is twice as long.
                0..40 => {
                    let longest = self.temper.longest_answer.as_secs_f64();
                    before += Duration::from_secs_f64(
                        0.05 * (longest / 0.05).powf(random.gen_range(0.0..=1.0)),
                    );
                }
                40..60 => fault = Fault::Status(500),
                60..85 => fault = Fault::Status(429),
                85..105 => fault = Fault::DropBefore,
                105..111 => fault = Fault::DropAfter,
                111..116 => fault = Fault::Status(401),
                116..121 => fault = Fault::Status(403),
                121..271 => fault = Fault::Odd,
                _ => {}
            }
        }
        (before, after, fault)
    }

    /// What the worker behind a request gets, if anything.
    fn blow(&self, asker: Option<Asker>) -> Option<(u32, Blow)> {
        let Some(Asker::Worker(pid, _)) = asker else { return None };
        if !self.is_unwell() {
            return None;
        }
        let mut random = self.random.lock().unwrap();
        let signal = match random.gen_range(0..100) {
            0..10 if self.take_worker_kill() => Signal::KILL,
            10..40 => *CATCHABLE.choose(&mut *random).unwrap(),
            40..48 => *WORKER_SIGNALS.choose(&mut *random).unwrap(),
            48..51 => Signal::STOP,
            _ => return None,
        };
        let (is_after, longest) =
            if random.gen_bool(0.6) { (true, 6_000) } else { (false, 20_000) };
        let delay = Duration::from_micros(random.gen_range(0..longest));
        Some((pid, Blow { signal, is_after, delay }))
    }

    /// Whether one more worker may be killed.
    fn take_worker_kill(&self) -> bool {
        let left = &self.worker_kills_left;
        let take = |left: usize| left.checked_sub(1);
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Signals and kills workers while they begin, or whatever else they do.
    pub(crate) fn hunt(&self, goes_on: impl Fn() -> bool) {
        let mut seen = HashSet::new();
        while goes_on() {
            std::thread::sleep(Duration::from_millis(25));
            let workers = self.processes.workers();
            for worker in workers.into_iter().filter(|worker| seen.insert(worker.pid)) {
                let mut random = self.random.lock().unwrap();
                let signal = match random.gen_range(0..100) {
                    0..3 if self.take_worker_kill() => Signal::KILL,
                    3..15 => *CATCHABLE.choose(&mut *random).unwrap(),
                    _ => continue,
                };
                let delay = Duration::from_micros(random.gen_range(0..20_000));
                drop(random);
                self.strike((worker.pid, Blow { signal, is_after: false, delay }));
            }
        }
    }

    fn strike(&self, (pid, blow): (u32, Blow)) {
        std::thread::sleep(blow.delay);
        let was_there = self.processes.signal_worker(pid, blow.signal);
        if blow.signal == Signal::STOP {
            std::thread::sleep(Duration::from_millis(1_200));
            self.processes.signal_worker(pid, Signal::CONT);
        }
        if blow.signal != Signal::KILL {
            self.worker_signals.fetch_add(usize::from(was_there), Ordering::Relaxed);
        } else if !was_there {
            self.worker_kills_left.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Does what is due when the request of an operation has come (`Asked`), or when its
    /// answer was sent.
    fn harm(&self, asker: Option<Asker>, is_after: bool) {
        let Some((pid, harm)) = asker.and_then(|asker| self.processes.doom(asker)) else { return };
        match harm.when {
            When::Asked(delay) if !is_after => std::thread::sleep(delay),
            When::Answered(delay) if is_after => std::thread::sleep(delay),
            _ => return,
        }
        self.processes.harm(pid, harm);
    }

    fn serve(self: &Arc<Self>, stream: &TcpStream, peer: SocketAddr) {
        // At once: who dies while the server works has asked all the same.
        let client = self.processes.of_connection(peer, self.address);
        let Some(request) = read(stream) else { return };
        let received = Instant::now();
        let (before, after, fault) = self.draw();
        let asked = what(&request);
        let is_refresh = matches!(asked, Asked::Refresh(_));
        let blow = if is_refresh { self.blow(client) } else { None };
        // The server works on while somebody is killed.
        let gate = Arc::clone(self);
        std::thread::spawn(move || {
            if let Some(blow @ (_, Blow { is_after: false, .. })) = blow {
                gate.strike(blow);
            }
            gate.harm(client, false);
        });
        std::thread::sleep(before);
        let note = |answer| {
            let (at, asked) = (Instant::now(), asked.clone());
            let (sent, dropped) = (false, fault == Fault::DropAfter);
            self.ledger.note(Exchange {
                received,
                at,
                asker: client,
                asked,
                answer,
                sent,
                oddity: None,
                dropped,
            })
        };
        match fault {
            Fault::Status(status) => {
                let known = match status {
                    429 => "429",
                    401 => "401",
                    403 => "403",
                    _ => "500",
                };
                note(Answer::Fault(known));
                let _ = send(stream, &Reply::plain(status, "text/plain", "not now\n"));
                return;
            }
            Fault::DropBefore => {
                note(Answer::Fault("dropped before"));
                return;
            }
            Fault::None | Fault::DropAfter | Fault::Odd => {}
        }
        let url = format!("{}{}", self.server, request.path);
        let visit = user_agent::post(&url, &request.content_type, &request.body);
        let tokens: serde_json::Value = serde_json::from_str(&visit.body).unwrap_or_default();
        let issued = tokens["refresh_token"].as_str().filter(|_| visit.status == 200);
        let number = note(match (visit.status, issued) {
            (200, Some(token)) => Answer::Issued(token.to_owned()),
            (200, None) => Answer::Done,
            _ => Answer::Refused,
        });
        std::thread::sleep(after);
        if fault == Fault::DropAfter {
            return;
        }
        let reply = if fault == Fault::Odd && issued.is_some() {
            let (reply, oddity) = odd::draw(&mut self.random.lock().unwrap(), &visit.body);
            self.ledger.odd(number, oddity);
            reply
        } else {
            let content_type = visit.header("content-type").unwrap_or("text/plain");
            Reply::plain(visit.status, content_type, &visit.body)
        };
        if send(stream, &reply).is_ok() {
            self.ledger.sent(number);
        }
        if let Some(blow @ (_, Blow { is_after: true, .. })) = blow {
            self.strike(blow);
        }
        self.harm(client, true);
    }
}

fn what(request: &Request) -> Asked {
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

fn send(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    stream.write_all(&reply.bytes())
}
