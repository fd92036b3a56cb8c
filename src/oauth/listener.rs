//! The loopback redirect listener (RFC 8252 section 7.3).
//!
//! It answers `GET <path>` for its own host names and nothing else. A response is
//! accepted once; its page is shown after the token request, so that it tells the truth.

use super::listener_timer::ByClock;
use super::reply_page::{Page, content_security_policy};
use super::response::{AuthorizationCode, AuthorizationError, ExpectedResponse};
use crate::system::Clock;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use url::Url;

/// A request head must be complete after this long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// A request head may not be larger.
const LARGEST_HEAD: usize = 16 * 1024;
/// So many connections are served at once; more have to wait.
const MOST_CONNECTIONS: usize = 256;
/// The browser gets this long to fetch the reply page after the login has ended.
const LAST_PAGE_TIMEOUT: Duration = Duration::from_secs(2);

/// A port that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusyPort(pub u16);

/// What came of the wish to listen.
#[derive(Debug)]
pub enum Bound {
    /// A listener, and the ports before it that were taken.
    Listening(RedirectListener, Vec<BusyPort>),
    /// Every port is taken; the redirect URI of the first one, for pasting alone.
    AllBusy(Url, Vec<BusyPort>),
}

/// Sockets that wait for the redirect.
#[derive(Debug)]
pub struct RedirectListener {
    sockets: Vec<TcpListener>,
    redirect_uri: Url,
}

/// An authorization response that arrived, with the way to answer it.
#[derive(Debug)]
pub struct Arrival {
    /// What the response says.
    pub response: Result<AuthorizationCode, AuthorizationError>,
    /// Where the verdict goes that the browser waits for.
    pub verdict: oneshot::Sender<Verdict>,
}

/// How the login ended, for the page that the browser shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The credential is stored.
    SignedIn,
    /// It is not.
    Failed,
}

/// Binds the first free port of `ports` on 127.0.0.1 and on `[::1]`, as far as this machine has
/// them.
///
/// # Errors
/// A port cannot be bound for another reason than being taken: there is no loopback address,
/// or no descriptor.
pub fn bind(host: &str, ports: &[u16], path: &str) -> io::Result<Bound> {
    let mut busy = Vec::new();
    for &port in ports {
        match bind_port(host, port) {
            Ok(sockets) => {
                let redirect_uri = redirect_uri(host, port, path)?;
                return Ok(Bound::Listening(RedirectListener { sockets, redirect_uri }, busy));
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) =>
            {
                busy.push(BusyPort(port));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Bound::AllBusy(redirect_uri(host, ports.first().copied().unwrap_or(80), path)?, busy))
}

fn redirect_uri(host: &str, port: u16, path: &str) -> io::Result<Url> {
    Url::parse(&format!("http://{host}:{port}{path}"))
        .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))
}

fn bind_port(host: &str, port: u16) -> io::Result<Vec<TcpListener>> {
    let mut sockets = Vec::new();
    let mut missing = None;
    // Where the browser has to go to one address, the other one is of no use alone.
    let is_needed =
        |address: &SocketAddr| host.parse().is_ok_and(|host: IpAddr| host == address.ip());
    let addresses = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for address in addresses.map(|address: IpAddr| SocketAddr::new(address, port)) {
        match TcpListener::bind(address) {
            Ok(socket) => sockets.push(socket),
            // Another program holds the port there, where `localhost` may lead as well.
            Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(error),
            Err(error) if is_needed(&address) => return Err(error),
            // Without IPv6 on this machine, IPv4 is enough, and the other way round.
            Err(error) => missing = missing.or(Some(error)),
        }
    }
    match missing {
        Some(error) if sockets.is_empty() => return Err(error),
        _ => {}
    }
    for socket in &sockets {
        socket.set_nonblocking(true)?;
    }
    Ok(sockets)
}

/// What the connections share.
struct Shared {
    expectation: ExpectedResponse,
    hosts: Vec<String>,
    path: String,
    arrival: Mutex<Option<oneshot::Sender<Arrival>>>,
}

impl RedirectListener {
    /// Where the authorization server has to send the user.
    pub const fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Starts to serve, with limits by `clock`. Needs a runtime; ends when the result is dropped.
    ///
    /// # Errors
    /// A socket cannot be given to the runtime.
    pub fn serve(self, expectation: ExpectedResponse, clock: &Clock) -> io::Result<Serving> {
        let port = self.redirect_uri.port().unwrap_or(80);
        let host = self.redirect_uri.host_str().unwrap_or("localhost").to_owned();
        let hosts = ["localhost", "127.0.0.1", "[::1]", &host]
            .map(|host| format!("{host}:{port}").to_ascii_lowercase())
            .to_vec();
        let (sender, arrival) = oneshot::channel();
        let shared = Arc::new(Shared {
            expectation,
            hosts,
            path: self.redirect_uri.path().to_owned(),
            arrival: Mutex::new(Some(sender)),
        });
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let mut acceptors = JoinSet::new();
        for socket in self.sockets {
            let socket = tokio::net::TcpListener::from_std(socket)?;
            let (shared, places) = (Arc::clone(&shared), Arc::clone(&places));
            let (connections, clock) = (Arc::clone(&connections), clock.clone());
            acceptors.spawn(async move {
                while let Ok(place) = Arc::clone(&places).acquire_owned().await {
                    let Ok((stream, _)) = socket.accept().await else {
                        clock.sleep(Duration::from_millis(10)).await;
                        continue;
                    };
                    let (shared, clock) = (Arc::clone(&shared), clock.clone());
                    let mut connections =
                        connections.lock().unwrap_or_else(PoisonError::into_inner);
                    while connections.try_join_next().is_some() {}
                    connections.spawn(async move {
                        serve_connection(stream, shared, clock).await;
                        drop(place);
                    });
                }
            });
        }
        Ok(Serving { arrival, connections, clock: clock.clone(), _acceptors: acceptors })
    }
}

/// A listener at work.
pub struct Serving {
    arrival: oneshot::Receiver<Arrival>,
    connections: Arc<Mutex<JoinSet<()>>>,
    clock: Clock,
    _acceptors: JoinSet<()>,
}

impl Serving {
    /// Waits for the authorization response.
    pub async fn arrival(&mut self) -> Arrival {
        match (&mut self.arrival).await {
            Ok(arrival) => arrival,
            // Nobody can send any more: the caller has other ways to wait for.
            Err(_) => std::future::pending().await,
        }
    }

    /// Lets the browser fetch its page, for a short while.
    pub async fn finish(self) {
        let mut connections =
            std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner));
        let all_served = async { while connections.join_next().await.is_some() {} };
        let _ = self.clock.within(LAST_PAGE_TIMEOUT, all_served).await;
    }
}

async fn serve_connection(stream: tokio::net::TcpStream, shared: Arc<Shared>, clock: Clock) {
    let service = hyper::service::service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, std::convert::Infallible>(answer(&request, &shared).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(ByClock(clock))
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(LARGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A broken connection is the browser's business.
    let _ = connection.await;
}

async fn answer(request: &Request<Incoming>, shared: &Shared) -> Response<Full<Bytes>> {
    if !is_expected_host(request, &shared.hosts) {
        return page(StatusCode::BAD_REQUEST, Page::NotExpected);
    }
    if request.uri().path() != shared.path {
        return page(StatusCode::NOT_FOUND, Page::NotExpected);
    }
    if request.method() != Method::GET {
        let mut refusal = page(StatusCode::METHOD_NOT_ALLOWED, Page::NotExpected);
        refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
        return refusal;
    }
    let response = shared.expectation.check_query(request.uri().query().unwrap_or_default());
    if matches!(response, Err(AuthorizationError::WrongState)) {
        return page(StatusCode::BAD_REQUEST, Page::NotExpected);
    }
    let receiver = shared.arrival.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(receiver) = receiver else {
        return page(StatusCode::BAD_REQUEST, Page::NotExpected);
    };
    let (verdict, decided) = oneshot::channel();
    if receiver.send(Arrival { response, verdict }).is_err() {
        return page(StatusCode::OK, Page::Failed);
    }
    match decided.await {
        Ok(Verdict::SignedIn) => page(StatusCode::OK, Page::SignedIn),
        Ok(Verdict::Failed) | Err(_) => page(StatusCode::OK, Page::Failed),
    }
}

/// Whether the request names one of our hosts: not so after DNS rebinding.
fn is_expected_host(request: &Request<Incoming>, hosts: &[String]) -> bool {
    let mut named = request.headers().get_all(header::HOST).iter();
    match (named.next().map(HeaderValue::to_str), named.next()) {
        (Some(Ok(host)), None) => hosts.contains(&host.to_ascii_lowercase()),
        _ => false,
    }
}

fn page(status: StatusCode, page: Page) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(page.html())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONNECTION, "close"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
