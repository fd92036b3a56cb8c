use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::http_connection::{Body, Response};
use super::request_record::Endpoint;

/// What goes wrong with one request.
///
/// A fault that replaces the answer leaves the request unprocessed: nothing is spent or rotated.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Wait, then go on.
    Delay(Duration),
    /// Answer this status.
    Status {
        /// The status code.
        status: u16,
        /// The `Retry-After` field.
        retry_after: Option<String>,
        /// The body, sent as JSON when it looks like JSON, otherwise as text.
        body: String,
    },
    /// Close the connection without processing the request.
    DropBefore,
    /// Process the request, which rotates the refresh token, and close without an answer.
    DropAfterRotation,
    /// Answer 200 with JSON that breaks off.
    Malformed,
    /// Answer 200 with a page.
    Html,
    /// Answer 200 with that many bytes of JSON that does not end, without `Content-Length`.
    Huge(u64),
    /// Process the request, then send the body byte by byte.
    Slow {
        /// The time before each byte.
        chunk_every: Duration,
    },
    /// Process the request, and leave a member out of the JSON answer.
    MissingField(String),
    /// Answer any body.
    Text {
        /// The status code.
        status: u16,
        /// The `Content-Type` field.
        content_type: String,
        /// The body.
        body: String,
    },
    /// Process the request, and wrap up the answer.
    Wrapped(Wrapping),
    /// Answer 302 to that URL.
    Redirect(String),
    /// Process the request, whatever another fault in the same sequence answers instead.
    Process,
    /// All of these for the same request.
    Sequence(Vec<Fault>),
}

/// How the answer to a request that is processed goes out.
#[derive(Clone, Debug)]
pub(crate) struct Wrapping {
    /// The status code.
    pub status: u16,
    /// Header fields that take the place of those of the same name.
    pub headers: Vec<(&'static str, String)>,
    /// Makes the body of the JSON text.
    pub body: fn(&str) -> Vec<u8>,
    /// How many bytes are announced and never come.
    pub missing: usize,
}

impl Default for Wrapping {
    fn default() -> Self {
        Self { status: 200, headers: Vec::new(), body: |text| text.into(), missing: 0 }
    }
}

impl Wrapping {
    fn apply(self, response: &mut Response) {
        response.status = self.status;
        for (name, value) in self.headers {
            response.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
            response.headers.push((name.to_owned(), value));
        }
        if let Body::Whole(bytes) = &response.body {
            let bytes = (self.body)(std::str::from_utf8(bytes).unwrap_or_default());
            response.body = Body::Cut { bytes, missing: self.missing };
        }
    }
}

impl Fault {
    /// That status, with an empty body and no `Retry-After`.
    pub(crate) fn status(status: u16) -> Self {
        Self::Status { status, retry_after: None, body: String::new() }
    }
}

/// The faults that are yet to happen.
#[derive(Default)]
pub(crate) struct Faults {
    queued: HashMap<Endpoint, VecDeque<Fault>>,
    persistent: HashMap<Endpoint, Fault>,
}

impl Faults {
    pub(crate) fn queue(&mut self, endpoint: Endpoint, fault: Fault) {
        self.queued.entry(endpoint).or_default().push_back(fault);
    }

    pub(crate) fn persist(&mut self, endpoint: Endpoint, fault: Fault) {
        self.persistent.insert(endpoint, fault);
    }

    pub(crate) fn clear(&mut self) {
        self.queued.clear();
        self.persistent.clear();
    }

    /// Takes what is to happen to a request that has just come in.
    pub(crate) fn next_plan(&mut self, endpoint: Endpoint) -> Plan {
        let queued = self.queued.get_mut(&endpoint).and_then(VecDeque::pop_front);
        let fault = queued.or_else(|| self.persistent.get(&endpoint).cloned());
        let mut plan = Plan::default();
        if let Some(fault) = fault {
            plan.add(fault);
        }
        plan
    }
}

#[derive(Default)]
enum Ending {
    #[default]
    Answer,
    Replace(Response),
    Close,
}

/// What is to happen to one request.
#[derive(Default)]
pub(crate) struct Plan {
    pub delay: Duration,
    process: bool,
    ending: Ending,
    drip_every: Option<Duration>,
    missing_fields: Vec<String>,
    wrapping: Option<Wrapping>,
}

impl Plan {
    fn add(&mut self, fault: Fault) {
        match fault {
            Fault::Delay(delay) => self.delay += delay,
            Fault::Process => self.process = true,
            Fault::DropBefore => self.ending = Ending::Close,
            Fault::DropAfterRotation => {
                self.process = true;
                self.ending = Ending::Close;
            }
            Fault::Slow { chunk_every } => self.drip_every = Some(chunk_every),
            Fault::MissingField(name) => self.missing_fields.push(name),
            Fault::Sequence(faults) => faults.into_iter().for_each(|fault| self.add(fault)),
            Fault::Status { status, retry_after, body } => {
                self.ending = Ending::Replace(failure(status, retry_after, body));
            }
            Fault::Malformed => {
                let body = r#"{"access_token":"fake-access-token","refresh_tok"#;
                self.ending = Ending::Replace(Response::new(200, "application/json", body));
            }
            Fault::Html => {
                let body = "<!doctype html><title>Sign in</title><p>Please wait.</p>\n";
                self.ending = Ending::Replace(Response::new(200, "text/html", body));
            }
            Fault::Huge(length) => {
                let mut response = Response::new(200, "application/json", "");
                response.body = Body::Endless { length };
                self.ending = Ending::Replace(response);
            }
            Fault::Text { status, content_type, body } => {
                self.ending = Ending::Replace(Response::new(status, &content_type, body));
            }
            Fault::Wrapped(wrapping) => self.wrapping = Some(wrapping),
            Fault::Redirect(url) => self.ending = Ending::Replace(Response::redirect(&url)),
        }
    }

    /// Whether the request is to be processed at all.
    pub(crate) fn processes(&self) -> bool {
        self.process || matches!(self.ending, Ending::Answer)
    }

    /// The response to send in place of the real one; `None` to close the connection without.
    pub(crate) fn shape(self, real: Option<Response>) -> Option<Response> {
        let mut response = match self.ending {
            Ending::Close => return None,
            Ending::Replace(response) => response,
            Ending::Answer => real?,
        };
        if let Body::Whole(bytes) = &mut response.body {
            if !self.missing_fields.is_empty() {
                *bytes = without_fields(bytes, &self.missing_fields);
            }
            if let Some(every) = self.drip_every {
                let bytes = std::mem::take(bytes);
                response.body = Body::Drip { bytes, every };
            }
        }
        if let Some(wrapping) = self.wrapping {
            wrapping.apply(&mut response);
        }
        Some(response)
    }
}

fn failure(status: u16, retry_after: Option<String>, body: String) -> Response {
    let content_type =
        if body.starts_with('{') { "application/json" } else { "text/plain; charset=utf-8" };
    let response = Response::new(status, content_type, body);
    match retry_after {
        Some(value) => response.with_header("Retry-After", &value),
        None => response,
    }
}

fn without_fields(json: &[u8], names: &[String]) -> Vec<u8> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(json) else {
        return json.to_vec();
    };
    for name in names {
        members.remove(name);
    }
    Value::Object(members).to_string().into_bytes()
}
