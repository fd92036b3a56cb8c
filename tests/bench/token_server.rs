//! A token endpoint on a loopback port, in this process: it rotates one refresh token and
//! refuses every other one, and gives a first one for any code.

use crate::fixture;
use crate::trap::{Moment, Trap};
use anyhow::{Context, Result};
use serde_json::json;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A running server; it ends when it is dropped.
pub(crate) struct TokenServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    delay: Duration,
    /// How many refresh requests have come in.
    requests: AtomicU32,
    /// The number of the refresh token that is good.
    generation: Mutex<u32>,
    /// What it took to answer, all requests together.
    busy: Mutex<Duration>,
    trap: Trap,
    stopping: AtomicBool,
}

impl TokenServer {
    /// Starts a server that takes `delay` for each answer.
    pub(crate) fn start(delay: Duration) -> Result<Self> {
        Self::with_trap(delay, Trap::default())
    }

    /// Starts a server that kills the first process which gets as far as the trap.
    pub(crate) fn with_trap(delay: Duration, trap: Trap) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no loopback port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            delay,
            requests: AtomicU32::new(0),
            generation: Mutex::new(0),
            busy: Mutex::new(Duration::ZERO),
            trap,
            stopping: AtomicBool::new(false),
        });
        let for_acceptor = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accept(&listener, &for_acceptor));
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn requests(&self) -> u32 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// From the arrivals of the requests until their answers were sent.
    pub(crate) fn busy(&self) -> Duration {
        *self.shared.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that may send requests, and get into the trap.
    pub(crate) fn expect(&self, pid: u32) {
        self.shared.trap.expect(pid);
    }

    /// Which process was killed, and when.
    pub(crate) fn killed(&self) -> Option<(u32, Instant)> {
        self.shared.trap.killed()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The accepting thread waits for a connection before it looks whether to stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, peer)) = listener.accept() {
        let arrived = Instant::now();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        // A peer that goes away early is its own business.
        std::thread::spawn(move || {
            let answered = answer(&stream, peer, &shared);
            *shared.busy.lock().unwrap_or_else(PoisonError::into_inner) += arrived.elapsed();
            answered
        });
    }
}

fn answer(mut stream: &TcpStream, peer: SocketAddr, shared: &Shared) -> io::Result<()> {
    let here = stream.local_addr()?;
    if shared.trap.springs(Moment::Connected, peer, here) {
        return Ok(());
    }
    let form = read_body(stream)?;
    shared.requests.fetch_add(1, Ordering::SeqCst);
    if shared.trap.springs(Moment::InFlight, peer, here) {
        return Ok(());
    }
    std::thread::sleep(shared.delay);
    let mut generation = shared.generation.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = fixture::refresh_token(*generation);
    let is_login = form.contains("grant_type=authorization_code");
    let (status, body) = if is_login || form.contains(&format!("refresh_token={wanted}")) {
        *generation += 1;
        let tokens = json!({
            "access_token": fixture::access_token(*generation),
            "refresh_token": fixture::refresh_token(*generation),
            "expires_in": 3_600,
            "token_type": "Bearer",
        });
        ("200 OK", tokens)
    } else {
        ("400 Bad Request", json!({ "error": "invalid_grant" }))
    };
    drop(generation);
    if shared.trap.springs(Moment::Rotated, peer, here) {
        return Ok(());
    }
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes())
}

/// The body of the request that comes next.
fn read_body(stream: &TcpStream) -> io::Result<String> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    Ok(body)
}
