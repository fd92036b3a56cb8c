//! The HTTP client: https or loopback only, no redirects, bounded in time and size
//! ([`limits`]).
//!
//! What is received is handed on as far as it came: who has asked for something that cannot
//! be asked for twice decides what it is worth.
//!
//! The system's trust store, `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY` are honoured;
//! a loopback address never goes through a proxy.

use super::coding::{self, Unpacked};
use super::route::Route;
use super::{Environment, limits};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use oauth2::http;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;
use url::Url;

/// Why there is no answer, or no whole one.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server was not reached, or the connection broke before the whole answer.
    #[error("{reason}")]
    Unreachable {
        /// What happened.
        reason: String,
        /// Whether the request may have arrived all the same.
        sent: bool,
        /// Whether a limit of time has passed.
        timed_out: bool,
    },
    /// The answer is larger than we accept.
    #[error("the answer is larger than {} MiB", limits::BODY / 1024 / 1024)]
    TooLarge,
    /// The request cannot be made.
    #[error("{0}")]
    Request(String),
}

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

/// Whether the host of `url` is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// A client for one server.
pub struct HttpClient {
    client: reqwest::Client,
    /// Which way requests go, as errors tell it.
    route: Route,
}

impl HttpClient {
    /// A client for requests to `server`; one for http trusts no https server.
    ///
    /// # Errors
    /// The trust store or the proxy settings cannot be used.
    pub fn new(server: &Url) -> Result<Self, HttpError> {
        // A provider that another thread has already installed serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("openclaw-auth/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits::CONNECT)
            .http1_max_headers(limits::HEADER_FIELDS)
            // A line of a head that is odd must not cost the answer.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true);
        if is_loopback(server) {
            builder = builder.no_proxy();
        }
        if server.scheme() == "http" {
            // No certificate will be looked at: reading the system's authorities costs more
            // than everything else together.
            builder = builder.tls_certs_only([]);
        }
        #[cfg(static_glibc)]
        {
            builder = builder.dns_resolver(super::getent::HostNames);
        }
        let route = Route::of(&Environment::of_process(), server);
        match builder.build() {
            Ok(client) => Ok(Self { client, route }),
            Err(error) => Err(HttpError::Request(format!("{}{route}", describe(error)))),
        }
    }

    /// Sends one request and reads its answer, within [`limits::REQUEST`].
    ///
    /// # Errors
    /// See [`HttpError`]. A status of 400 or more is an answer, not an error.
    pub async fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
        let mut request = prepared(request)?;
        *request.timeout_mut() = Some(limits::REQUEST);
        self.receive(request, std::future::pending()).await?.whole()
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
        let (watched, went_out) = Watched::new();
        let request = prepared(request.map(watched))?;
        let limit = async {
            let _ = went_out.await;
            tokio::time::sleep(limit).await;
        };
        self.receive(request, limit).await
    }

    /// Makes the request, and reads the answer until `limit` is over.
    async fn receive(
        &self,
        request: reqwest::Request,
        limit: impl Future<Output = ()>,
    ) -> Result<Answer, HttpError> {
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let unreachable = |error: reqwest::Error| {
            let (sent, timed_out) = (!error.is_connect(), error.is_timeout());
            let reason = format!("{}{}", describe(error), self.route);
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
                    if chunk.len() > room {
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

/// The body of a request that tells when it goes out: it is asked for once there is a
/// connection to write it to.
struct Watched {
    body: Option<Bytes>,
    went_out: Option<oneshot::Sender<()>>,
}

impl Watched {
    /// What makes such a body, and what is told.
    fn new() -> (impl FnOnce(Vec<u8>) -> reqwest::Body, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        let wrap = |body: Vec<u8>| {
            reqwest::Body::wrap(Self { body: Some(body.into()), went_out: Some(sender) })
        };
        (wrap, receiver)
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(went_out) = self.went_out.take() {
            let _ = went_out.send(());
        }
        Poll::Ready(self.body.take().map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}

/// The error with its causes; reqwest's own text leaves them out.
fn describe(error: reqwest::Error) -> String {
    let host = error.url().and_then(|url| url.host_str().map(str::to_owned));
    let timed_out = error.is_timeout();
    let mut text = if timed_out { "no answer in time".to_owned() } else { String::new() };
    let error = error.without_url();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(current) = cause {
        let part = current.to_string();
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
        cause = current.source();
    }
    match host {
        Some(host) => format!("{host}: {text}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
