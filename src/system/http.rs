//! The HTTP client: https or loopback only, no redirects, bounded in time and size
//! ([`limits`]).
//!
//! What is received is handed on as far as it came: who has asked for something that cannot
//! be asked for twice decides what it is worth.
//!
//! The system's trust store, `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY` are honoured;
//! a loopback address never goes through a proxy.

use super::coding::{self, Unpacked};
pub use super::http_error::HttpError;
use super::request_error::{describe, is_untrusted};
use super::route::{Route, is_loopback};
use super::trace::{Event, Trace};
use super::watched_body::watched;
use super::{Environment, authorities, limits};
use oauth2::http;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What came of an answer: its head, and as much of its body as was received.
pub struct Answer {
    /// The status.
    pub status: http::StatusCode,
    /// The header fields.
    pub headers: http::HeaderMap,
    /// The body as it came, at most [`limits::BODY`] bytes.
    pub received: Vec<u8>,
    /// Why that is not all of it.
    pub cut: Option<HttpError>,
}

impl Answer {
    /// The body without its content codings.
    pub fn unpacked(&self) -> Unpacked<'_> {
        coding::unpack(&self.headers, &self.received)
    }

    /// The answer, if it is whole.
    fn whole(mut self) -> Result<http::Response<Vec<u8>>, HttpError> {
        if let Some(cut) = self.cut.take() {
            return Err(cut);
        }
        let unpacked = self.unpacked();
        if unpacked.is_too_large {
            return Err(HttpError::TooLarge);
        }
        let mut response = http::Response::new(unpacked.bytes.into_owned());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        Ok(response)
    }
}

/// Whether requests may go there: https, or http to this machine.
pub fn is_acceptable(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// A client for one server.
#[derive(Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    /// Which way requests go, as errors tell it.
    route: Arc<Route>,
    trace: Trace,
}

impl HttpClient {
    /// A client for requests to `server`, by the proxy that `environment` names; one for http
    /// trusts no https server.
    ///
    /// # Errors
    /// The trust store or the proxy settings cannot be used.
    pub fn new(environment: &Environment, server: &Url) -> Result<Self, HttpError> {
        // A provider that another thread has already installed serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("openclaw-auth/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits::CONNECT)
            .http1_max_headers(limits::HEADER_FIELDS)
            // A connection that the server closes just then would leave unknown whether a
            // refresh token was spent: each request has its own.
            .pool_max_idle_per_host(0)
            // A line of a head that is odd must not cost the answer.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            // What the process has for variables does not count.
            .no_proxy();
        let route = Route::of(environment, server)?;
        let unfit = |error| HttpError::Request(format!("{}{route}", describe(error)));
        if let Some(proxy) = route.proxy() {
            builder = builder.proxy(reqwest::Proxy::all(proxy.expose()).map_err(unfit)?);
        }
        if server.scheme() == "http" {
            // No certificate will be looked at: reading the system's authorities costs more
            // than everything else together.
            builder = builder.tls_certs_only([]);
        } else if let Some(authorities) = authorities::of(environment) {
            builder = builder.tls_certs_only(authorities);
        }
        #[cfg(static_glibc)]
        {
            let variables = environment.kept_without_secrets();
            builder = builder.dns_resolver(super::getent::HostNames(variables));
        }
        let client = builder.build().map_err(unfit)?;
        Ok(Self { client, route: Arc::new(route), trace: Trace::default() })
    }

    /// The same client, with its requests told to `trace`.
    #[must_use]
    pub fn traced(mut self, trace: &Trace) -> Self {
        self.trace = trace.clone();
        self
    }

    /// Sends one request and reads its answer, within [`limits::REQUEST`].
    ///
    /// # Errors
    /// See [`HttpError`]. A status of 400 or more is an answer, not an error.
    pub async fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
        let size = request.body().len();
        let mut request = prepared(request)?;
        *request.timeout_mut() = Some(limits::REQUEST);
        self.receive((request, size), std::future::pending()).await?.whole()
    }

    /// Sends one request and reads of its answer what comes within `limit`, counted from when
    /// the request goes out.
    ///
    /// # Errors
    /// See [`HttpError`]; nothing of an answer has come then.
    pub async fn ask(
        &self,
        request: http::Request<Vec<u8>>,
        limit: Duration,
    ) -> Result<Answer, HttpError> {
        let (head, body) = request.into_parts();
        let size = body.len();
        let (body, went_out) = watched(body);
        let request = prepared(http::Request::from_parts(head, body))?;
        let limit = async {
            let _ = went_out.await;
            tokio::time::sleep(limit).await;
        };
        self.receive((request, size), limit).await
    }

    /// Makes the request, whose body has so many bytes, reads the answer until `limit` is over,
    /// and tells both.
    async fn receive(
        &self,
        (request, size): (reqwest::Request, usize),
        limit: impl Future<Output = ()>,
    ) -> Result<Answer, HttpError> {
        if self.trace.level().is_none() {
            return self.exchange(request, limit).await;
        }
        let (url, began) = (request.url().clone(), self.trace.elapsed());
        let url = &url;
        self.trace.tell(|| Event::Request { method: request.method(), url, size });
        let answered = self.exchange(request, limit).await;
        let after = self.trace.elapsed().saturating_sub(began);
        self.trace.tell(|| match &answered {
            Ok(Answer { status, received, cut, .. }) => Event::Answer {
                url,
                status: *status,
                size: received.len(),
                is_whole: cut.is_none(),
                after,
            },
            Err(error) => Event::NoAnswer { url, why: error.code(), after },
        });
        answered
    }

    /// Makes the request, and reads the answer until `limit` is over.
    async fn exchange(
        &self,
        request: reqwest::Request,
        limit: impl Future<Output = ()>,
    ) -> Result<Answer, HttpError> {
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let unreachable = |error: reqwest::Error| {
            let (sent, timed_out) = (!error.is_connect(), error.is_timeout());
            let is_untrusted = is_untrusted(&error);
            let reason = format!("{}{}", describe(error), self.route);
            if is_untrusted {
                return HttpError::Untrusted { reason, untrusted: self.route.untrusted() };
            }
            HttpError::Unreachable { reason, sent, timed_out }
        };
        let too_late = || {
            let reason = format!("{host}: no answer in time{}", self.route);
            HttpError::Unreachable { reason, sent: true, timed_out: true }
        };
        let mut limit = pin!(limit);
        let mut answer = tokio::select! {
            biased;
            answer = self.client.execute(request) => answer.map_err(unreachable)?,
            () = &mut limit => return Err(too_late()),
        };
        let mut received = Vec::new();
        let cut = loop {
            let chunk = tokio::select! {
                biased;
                chunk = answer.chunk() => chunk,
                () = &mut limit => break Some(too_late()),
            };
            match chunk {
                Ok(Some(chunk)) => {
                    let room = limits::BODY - received.len();
                    received.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() >= room {
                        break Some(HttpError::TooLarge);
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(unreachable(error)),
            }
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(Answer { status, headers, received, cut })
    }
}

/// The request, if it may go where it wants to.
fn prepared<B: Into<reqwest::Body>>(
    request: http::Request<B>,
) -> Result<reqwest::Request, HttpError> {
    let request =
        reqwest::Request::try_from(request).map_err(|error| HttpError::Request(describe(error)))?;
    if !is_acceptable(request.url()) {
        let message = format!("{} is neither https nor a loopback address", request.url());
        return Err(HttpError::Request(message));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A server that answers one request with these pieces, a pause after each. What it was
    /// asked is in the thread.
    fn server(pieces: Vec<Vec<u8>>, pause: Duration) -> (Url, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while !request.ends_with(b"end=1") {
                let count = stream.read(&mut chunk).unwrap();
                request.extend_from_slice(&chunk[..count]);
            }
            for piece in pieces {
                // Whoever has given up reads no more.
                let _ = stream.write_all(&piece);
                std::thread::sleep(pause);
            }
            String::from_utf8(request).unwrap()
        });
        (Url::parse(&url).unwrap(), asked)
    }

    fn request(url: &Url) -> http::Request<Vec<u8>> {
        http::Request::post(url.as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(b"a=b&end=1".to_vec())
            .unwrap()
    }

    /// What comes of an answer in pieces within `limit`, and what was asked.
    fn asked(
        pieces: Vec<Vec<u8>>,
        pause: Duration,
        limit: Duration,
    ) -> (Result<Answer, HttpError>, String) {
        let (url, asked) = server(pieces, pause);
        let http = HttpClient::new(&Environment::default(), &url).unwrap();
        let answer = crate::system::block_on(http.ask(request(&url), limit)).unwrap();
        (answer, asked.join().unwrap())
    }

    const LONG: Duration = Duration::from_secs(20);
    const NO_TIME: Duration = Duration::ZERO;

    #[test]
    fn an_answer_that_takes_too_long_is_cut_and_what_came_is_there() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n".to_vec();
        let mut pieces = vec![head];
        pieces.extend((b'a'..=b'z').map(|letter| vec![letter]));
        let (pause, limit) = (Duration::from_millis(50), Duration::from_millis(700));
        let (answer, _) = asked(pieces, pause, limit);
        let answer = answer.unwrap();
        assert!(answer.received.len() > 2 && answer.received.len() < 26, "a drip counts");
        assert!(b"abcdefghijklmnopqrstuvwxyz".starts_with(&answer.received));
        let cut = answer.cut.unwrap();
        assert!(
            matches!(cut, HttpError::Unreachable { sent: true, timed_out: true, .. }),
            "{cut:?}"
        );
        assert!(cut.to_string().contains("127.0.0.1: no answer in time"), "{cut}");

        let (answer, _) = asked(vec![Vec::new()], Duration::from_secs(1), pause);
        let error = answer.err().unwrap();
        assert!(matches!(error, HttpError::Unreachable { sent: true, timed_out: true, .. }));
    }

    #[test]
    fn the_time_for_an_answer_begins_when_the_request_goes_out() {
        // Nobody takes the connection: it stands, and the request is on its way.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = Url::parse(&format!("http://{address}/token")).unwrap();
        let http = HttpClient::new(&Environment::default(), &url).unwrap();
        let limit = Duration::from_millis(100);
        let begun = std::time::Instant::now();
        let ask = |_| crate::system::block_on(http.ask(request(&url), limit)).unwrap().err();
        assert!(ask(0).is_some() && begun.elapsed() >= limit);
        // A server that is not there has not got it.
        drop(listener);
        // A child that another test has just forked listens until it executes its program.
        let is_unsent =
            |it: &_| matches!(it, HttpError::Unreachable { sent: false, timed_out: false, .. });
        assert!((0..50).filter_map(ask).any(|error| is_unsent(&error)));
    }

    #[test]
    fn an_answer_that_breaks_off_is_there_as_far_as_it_came() {
        for (head, body, came) in [
            ("Content-Length: 9", "abc", "abc"),
            ("Transfer-Encoding: chunked", "3\r\nabc\r\n5\r\nde", "abcde"),
            ("Transfer-Encoding: chunked", "3\r\nabc\r\nnonsense\r\n", "abc"),
        ] {
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}").into_bytes();
            let answer = asked(vec![answer], NO_TIME, LONG).0.unwrap();
            assert_eq!(String::from_utf8_lossy(&answer.received), came);
            assert!(matches!(answer.cut, Some(HttpError::Unreachable { sent: true, .. })));
        }
    }

    #[test]
    fn an_answer_that_is_too_large_is_there_up_to_the_limit() {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(answer.len() + limits::BODY + 10, b'a');
        let answer = asked(vec![answer], NO_TIME, LONG).0.unwrap();
        assert_eq!(answer.received.len(), limits::BODY);
        assert!(matches!(answer.cut, Some(HttpError::TooLarge)));
    }

    #[test]
    fn an_odd_head_does_not_cost_the_answer() {
        let many = |count: usize| "X-Field: y\r\n".repeat(count);
        for fields in [
            many(512),
            many(2000),
            "X-Space : y\r\n".to_owned(),
            "X-Folded: y\r\n z\r\n".to_owned(),
            "X-Latin: Ren\u{e9}\r\n".to_owned(),
            "X(odd): y\r\nno colon at all\r\n".to_owned(),
            "X-Empty:\r\n".to_owned(),
        ] {
            let answer = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\n{{}}");
            let (answer, _) = asked(vec![answer.into_bytes()], NO_TIME, LONG);
            let answer = answer.unwrap_or_else(|error| panic!("{fields:.80}: {error}"));
            assert_eq!(answer.received, b"{}", "{fields:.80}");
            assert!(answer.cut.is_none());
        }
    }

    #[test]
    fn a_request_is_the_same_whoever_waits_for_its_answer() {
        let answer = || vec![b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()];
        let without_port =
            |text: &str, url: &Url| text.replace(&url.port().unwrap().to_string(), "1");
        let (url, thread) = server(answer(), NO_TIME);
        let http = HttpClient::new(&Environment::default(), &url).unwrap();
        crate::system::block_on(http.send(request(&url))).unwrap().unwrap();
        let sent = without_port(&thread.join().unwrap(), &url);
        let (url, thread) = server(answer(), NO_TIME);
        let http = HttpClient::new(&Environment::default(), &url).unwrap();
        crate::system::block_on(http.ask(request(&url), LONG)).unwrap().unwrap();
        let asked = without_port(&thread.join().unwrap(), &url);
        assert_eq!(asked, sent);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            asked,
            format!(
                "POST /token HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 accept: */*\r\nuser-agent: openclaw-auth/{version}\r\nhost: 127.0.0.1:1\r\n\
                 content-length: 9\r\n\r\na=b&end=1"
            )
        );
    }

    #[test]
    fn only_https_and_loopback_are_acceptable() {
        let accepts = |url: &str| is_acceptable(&Url::parse(url).unwrap());
        assert!(accepts("https://auth.example.test/token"));
        assert!(accepts("http://127.0.0.1:8080/token"));
        assert!(accepts("http://[::1]/token"));
        assert!(accepts("http://localhost/token"));
        assert!(!accepts("http://auth.example.test/token"));
        assert!(!accepts("http://127.0.0.1.example.test/"));
        assert!(!accepts("http://localhost.example.test/"));
        assert!(!accepts("file:///etc/passwd"));
        assert!(!accepts("ftp://127.0.0.1/"));
    }
}
