//! A minimal HTTP user-agent: it stands in for the browser.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use url::{Url, form_urlencoded};

const MOST_REDIRECTS: usize = 10;
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the user-agent ended up.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The status code of the last response.
    pub status: u16,
    /// The header fields of the last response in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body of the last response.
    pub body: String,
    /// Every URL that a response redirected to, in order.
    pub locations: Vec<String>,
}

impl Visit {
    /// The first header field of that name, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Opens a URL and follows its redirects, to the loopback listener too.
pub(crate) fn follow(url: &str) -> Visit {
    let mut next = Url::parse(url).expect("a URL");
    let mut locations = Vec::new();
    loop {
        let mut visit = get(&next);
        let Some(location) = redirect_of(&visit, &next) else {
            visit.locations = locations;
            return visit;
        };
        assert!(locations.len() < MOST_REDIRECTS, "too many redirects");
        locations.push(location.to_string());
        next = location;
    }
}

/// Opens an authorization URL and returns the URL it redirects to, without going there.
pub(crate) fn authorize(url: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    let visit = get(&url);
    match redirect_of(&visit, &url) {
        Some(location) => location.to_string(),
        None => panic!("no redirect from {url}: {visit:?}"),
    }
}

/// Posts a form to a URL, and follows no redirect.
pub(crate) fn post_form(url: &str, parameters: &[(&str, &str)]) -> Visit {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let body = form.extend_pairs(parameters).finish();
    post(url, "application/x-www-form-urlencoded", &body)
}

/// Posts a body to a URL, and follows no redirect.
pub(crate) fn post(url: &str, content_type: &str, body: &str) -> Visit {
    let url = Url::parse(url).expect("a URL");
    let fields = format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
    exchange("POST", &url, &fields, body)
}

/// Sends bytes as they are, and returns all that comes back until the peer closes.
pub(crate) fn request(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let stream = TcpStream::connect(address).expect("connect");
    // The peer may refuse, and answer, before it has read everything.
    let _ = (&stream).write_all(bytes);
    receive(&stream, |_| false)
}

fn get(url: &Url) -> Visit {
    exchange("GET", url, "", "")
}

fn exchange(method: &str, url: &Url, fields: &str, body: &str) -> Visit {
    let addresses = url.socket_addrs(|| None).expect("the address of a URL");
    let stream = TcpStream::connect(addresses.as_slice())
        .unwrap_or_else(|error| panic!("connect to {url}: {error}"));
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\
         Accept: */*\r\nConnection: close\r\n\r\n"
    );
    // The peer may refuse, and answer, before it has read everything.
    let _ = (&stream).write_all(format!("{head}{body}").as_bytes());
    let received = receive(&stream, is_whole);
    parse(&received).unwrap_or_else(|| {
        let received = String::from_utf8_lossy(&received);
        panic!("no HTTP response from {url}: {received:?}")
    })
}

fn receive(mut stream: &TcpStream, is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let timeout = Some(READ_TIMEOUT);
    stream.set_read_timeout(timeout).expect("set the timeout");
    let mut received = Vec::new();
    let mut chunk = [0; 8192];
    while !is_enough(&received) {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => received.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("read a response: {error}"),
        }
    }
    received
}

fn is_whole(received: &[u8]) -> bool {
    let Some((visit, head_length)) = parse_head(received) else {
        return false;
    };
    visit
        .header("content-length")
        .and_then(|length| length.parse::<usize>().ok())
        .is_some_and(|length| received.len() >= head_length + length)
}

fn parse(received: &[u8]) -> Option<Visit> {
    let (mut visit, head_length) = parse_head(received)?;
    visit.body = String::from_utf8_lossy(&received[head_length..]).into_owned();
    Some(visit)
}

fn parse_head(received: &[u8]) -> Option<(Visit, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(received).ok()? else {
        return None;
    };
    let headers = head
        .headers
        .iter()
        .map(|field| {
            let value = String::from_utf8_lossy(field.value).into_owned();
            (field.name.to_ascii_lowercase(), value)
        })
        .collect();
    let visit = Visit { status: head.code?, headers, body: String::new(), locations: Vec::new() };
    Some((visit, length))
}

fn redirect_of(visit: &Visit, from: &Url) -> Option<Url> {
    let location = visit.header("location")?;
    (300..400).contains(&visit.status).then(|| from.join(location).expect("a URL in Location"))
}
