//! The HTTP clients of a program: one for each server, made when the server is first asked.
//!
//! Invariant: which way a request goes, and whom it trusts, is by the environment that was
//! handed in, and by nothing that the process has beside it.

use super::Environment;
use super::http::{HttpClient, HttpError};
use super::trace::Trace;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::{Origin, Url};

/// The HTTP clients of a program.
#[derive(Clone, Default)]
pub struct Clients(Arc<Made>);

#[derive(Default)]
struct Made {
    environment: Environment,
    trace: Trace,
    clients: Mutex<HashMap<Origin, HttpClient>>,
}

/// The values of the variables may be secrets.
impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clients").field(&self.0.environment).finish()
    }
}

impl Clients {
    /// Those of a program in an environment. None is made yet.
    pub fn of(environment: Environment) -> Self {
        Self::traced(environment, Trace::default())
    }

    /// As [`Self::of`], with the requests told to `trace`.
    pub fn traced(environment: Environment, trace: Trace) -> Self {
        Self(Arc::new(Made { environment, trace, clients: Mutex::default() }))
    }

    /// The variables that say which way requests go.
    pub fn environment(&self) -> &Environment {
        &self.0.environment
    }

    /// The client for requests to the host of `server`.
    ///
    /// # Errors
    /// The trust store or the proxy settings cannot be used.
    pub fn to(&self, server: &Url) -> Result<HttpClient, HttpError> {
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&server.origin()) {
            return Ok(client.clone());
        }
        let client = HttpClient::new(&self.0.environment, server)?.traced(&self.0.trace);
        clients.insert(server.origin(), client.clone());
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::block_on;
    use oauth2::http::Request;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn a_server_has_one_client_and_each_request_its_own_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/a", listener.local_addr().unwrap())).unwrap();
        let clients = Clients::default();
        let server = std::thread::spawn(move || {
            for _ in 0..2 {
                // One that is asked twice by one connection waits for ever for the second.
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]).unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                while stream.read(&mut [0; 64]).unwrap_or(0) > 0 {}
            }
        });
        for path in ["a", "b"] {
            let url = url.join(path).unwrap();
            let request = Request::get(url.as_str()).body(Vec::new()).unwrap();
            let asked = async { clients.to(&url).unwrap().send(request).await };
            assert_eq!(block_on(asked).unwrap().unwrap().status(), 200);
        }
        server.join().unwrap();
        assert_eq!(clients.0.clients.lock().unwrap().len(), 1);
    }
}
