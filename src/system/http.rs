//! The HTTP client: https or loopback only, no redirects, bounded in time and size.
//!
//! The system's trust store, `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY` are honoured;
//! a loopback address never goes through a proxy.

use super::Environment;
use super::route::Route;
use oauth2::http;
use std::time::Duration;
use url::Url;

/// A request and its answer may take this long altogether.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A longer body is not read to its end.
const LARGEST_BODY: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server was not reached, or the connection broke before the whole answer.
    #[error("{reason}")]
    Unreachable {
        /// What happened.
        reason: String,
        /// Whether the request may have arrived all the same.
        sent: bool,
    },
    /// The answer is larger than we accept.
    #[error("the answer is larger than {} KiB", LARGEST_BODY / 1024)]
    TooLarge,
    /// The request cannot be made.
    #[error("{0}")]
    Request(String),
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
            .timeout(TOTAL_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT);
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
        let route = Route::of(&Environment::of_run(), server);
        match builder.build() {
            Ok(client) => Ok(Self { client, route }),
            Err(error) => Err(HttpError::Request(format!("{}{route}", describe(error)))),
        }
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// See [`HttpError`]. A status of 400 or more is an answer, not an error.
    pub async fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|error| HttpError::Request(describe(error)))?;
        if !is_acceptable(request.url()) {
            let message = format!("{} is neither https nor a loopback address", request.url());
            return Err(HttpError::Request(message));
        }
        let unreachable = |error: reqwest::Error| {
            let sent = !error.is_connect();
            let reason = format!("{}{}", describe(error), self.route);
            HttpError::Unreachable { reason, sent }
        };
        let mut answer = self.client.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = http::Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
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
