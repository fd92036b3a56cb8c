//! An HTTP service of one's own on a loopback port: it notes what it is asked, and a
//! function answers.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde_json::Value;

use super::authorization_server::http_connection::{HttpConnection, Request, Response};

/// What the service was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `GET /path`.
    pub line: String,
    /// The header fields, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, where it is JSON.
    pub body: Value,
}

impl Asked {
    /// The value of a header field.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

type Answer = Box<dyn FnMut(&Asked) -> (u16, Value) + Send>;

struct Shared {
    asked: Mutex<Vec<Asked>>,
    answer: Mutex<Answer>,
    is_stopping: AtomicBool,
}

/// A running service; it stops when dropped.
pub(crate) struct Service {
    /// Its base URL, without a trailing slash.
    pub url: String,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts a service that answers a status and JSON, one request after the other.
    pub(crate) fn start(answer: impl FnMut(&Asked) -> (u16, Value) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            asked: Mutex::default(),
            answer: Mutex::new(Box::new(answer)),
            is_stopping: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.is_stopping.load(Ordering::Relaxed) {
                    return;
                }
                // A peer that goes away early is its own business.
                let _ = serving.serve(&stream);
            }
        });
        Self { url, shared, acceptor: Some(acceptor) }
    }

    /// Answers otherwise from now on.
    pub(crate) fn answer(&self, answer: impl FnMut(&Asked) -> (u16, Value) + Send + 'static) {
        *self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(answer);
    }

    /// Everything that it was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let connection = HttpConnection::new(stream)?;
        let Request { method, target, headers, body } = connection.read_request()?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let asked = Asked { line: format!("{method} {target}"), headers, body };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
        let (status, value) = {
            let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&asked)
        };
        connection.send(&Response::json(status, &value), |_| true)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        // The acceptor waits for a connection before it looks whether to stop.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}
