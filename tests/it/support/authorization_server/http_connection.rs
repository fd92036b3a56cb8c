use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::Value;

const LONGEST_HEAD: usize = 64 * 1024;
const LONGEST_BODY: usize = 1024 * 1024;
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// An HTTP request, read to its end.
pub(crate) struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// A response body, and how it goes out.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Whole(Vec<u8>),
    Drip { bytes: Vec<u8>, every: Duration },
    Endless { length: u64 },
    Cut { bytes: Vec<u8>, missing: usize },
}

/// An HTTP response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![
            ("Content-Type".to_owned(), content_type.to_owned()),
            ("Cache-Control".to_owned(), "no-store".to_owned()),
        ];
        Self { status, headers, body: Body::Whole(body.into()) }
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    pub(crate) fn redirect(location: &str) -> Self {
        Self::text(302, "").with_header("Location", location)
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        match &self.body {
            Body::Whole(bytes) | Body::Drip { bytes, .. } => {
                head.extend(["Content-Length: ", &bytes.len().to_string(), "\r\n"]);
            }
            Body::Cut { bytes, missing } => {
                head.extend(["Content-Length: ", &(bytes.len() + missing).to_string(), "\r\n"]);
            }
            Body::Endless { .. } => {}
        }
        head.push_str("Connection: close\r\n\r\n");
        head
    }
}

/// One request and one response over a TCP connection.
pub(crate) struct HttpConnection<'stream> {
    stream: &'stream TcpStream,
}

impl<'stream> HttpConnection<'stream> {
    pub(crate) fn new(stream: &'stream TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// Reads a request; an error of kind `InvalidData` says why it is none.
    pub(crate) fn read_request(&self) -> io::Result<Request> {
        let mut received = Vec::new();
        let (mut request, head_length) = loop {
            self.receive(&mut received)?;
            if let Some(parsed) = parse_head(&received)? {
                break parsed;
            }
            if received.len() > LONGEST_HEAD {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "head too long"));
            }
        };
        let body_length = body_length(&request)?;
        while received.len() < head_length + body_length {
            self.receive(&mut received)?;
        }
        request.body = received[head_length..head_length + body_length].to_vec();
        Ok(request)
    }

    fn receive(&self, received: &mut Vec<u8>) -> io::Result<()> {
        let mut chunk = [0; 8192];
        let mut stream = self.stream;
        match stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                received.extend_from_slice(&chunk[..length]);
                Ok(())
            }
        }
    }

    /// Sends a response; `pause` lets the time between two drips pass, and is false to give up.
    pub(crate) fn send(
        &self,
        response: &Response,
        pause: impl Fn(Duration) -> bool,
    ) -> io::Result<()> {
        let mut stream = self.stream;
        let mut head = response.head().into_bytes();
        match &response.body {
            Body::Whole(bytes) | Body::Cut { bytes, .. } => {
                head.extend_from_slice(bytes);
                stream.write_all(&head)
            }
            Body::Drip { bytes, every } => {
                stream.write_all(&head)?;
                for byte in bytes {
                    if !pause(*every) {
                        return Ok(());
                    }
                    stream.write_all(&[*byte])?;
                }
                Ok(())
            }
            Body::Endless { length } => {
                stream.write_all(&head)?;
                io::copy(&mut endless_json().take(*length), &mut stream).map(drop)
            }
        }
    }

    /// Ends the connection so that a peer that is still sending can read the response first.
    pub(crate) fn close_gently(&self) {
        let stream = self.stream;
        let _ = stream.shutdown(Shutdown::Write);
        let _ = io::copy(&mut stream.take(LONGEST_BODY as u64), &mut io::sink());
    }
}

fn endless_json() -> impl Read {
    (&br#"{"access_token":""#[..]).chain(io::repeat(b'a'))
}

fn parse_head(received: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(length) =
        head.parse(received).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
    else {
        return Ok(None);
    };
    let headers = head
        .headers
        .iter()
        .map(|field| {
            let value = String::from_utf8_lossy(field.value).into_owned();
            (field.name.to_ascii_lowercase(), value)
        })
        .collect();
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
    };
    Ok(Some((request, length)))
}

fn body_length(request: &Request) -> io::Result<usize> {
    if request.header("transfer-encoding").is_some() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "transfer-encoding is not supported: send a content-length",
        ));
    }
    let length = request.header("content-length").unwrap_or("0");
    length
        .parse()
        .ok()
        .filter(|length| *length <= LONGEST_BODY)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "bad content-length"))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
