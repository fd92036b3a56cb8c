//! Odd answers: what a token endpoint may send in place of a plain 200 with JSON, each with
//! the tokens in it. All of them are answers that a login must live through.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::Value;
use std::io::Write;

/// An answer as it goes out.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// How many bytes are announced and never come.
    pub(crate) missing: usize,
}

impl Reply {
    pub(crate) fn plain(status: u16, kind: &str, body: &str) -> Self {
        Self {
            status,
            fields: vec![("Content-Type", kind.to_owned())],
            body: body.into(),
            missing: 0,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        use std::fmt::Write;
        let length = self.body.len() + self.missing;
        let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {length}\r\n", self.status);
        for (name, value) in &self.fields {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        [head.as_bytes(), b"Connection: close\r\n\r\n", &self.body].concat()
    }
}

/// What is odd about an answer.
const ODDITIES: [&str; 17] = [
    "status 201",
    "another status of success",
    "text/plain",
    "application/octet-stream",
    "no media type",
    "gzip",
    "deflate",
    "byte order mark",
    "noise before",
    "noise behind",
    "a number of 400 digits",
    "1e999",
    "deep nesting",
    "members twice and of other types",
    "no access token",
    "no expires_in",
    "breaks off after the refresh token",
];

/// Draws an odd answer with the tokens of this one; also what is odd.
pub(crate) fn draw(random: &mut StdRng, json: &str) -> (Reply, &'static str) {
    let mut reply = Reply::plain(200, "application/json", json);
    let oddity = random.gen_range(0..ODDITIES.len());
    match oddity {
        0 => reply.status = 201,
        1 => reply.status = [202, 203, 206, 299][random.gen_range(0..4)],
        2 => reply.fields = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())],
        3 => reply.fields = vec![("Content-Type", "application/octet-stream".to_owned())],
        4 => reply.fields.clear(),
        5 => {
            reply.fields.push(("Content-Encoding", "gzip".to_owned()));
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(json.as_bytes()).unwrap();
            reply.body = encoder.finish().unwrap();
        }
        6 => {
            reply.fields.push(("Content-Encoding", "deflate".to_owned()));
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(json.as_bytes()).unwrap();
            reply.body = encoder.finish().unwrap();
        }
        7 => reply.body = format!("\u{feff}{json}").into(),
        8 => reply.body = [b"\xff\xfe\0 noise\r\n", json.as_bytes()].concat(),
        9 => reply.body = format!("{json}\n<!-- served by an edge -->\0\0").into(),
        10 => reply.body = with(json, &format!("\"expires_in\":{}", "9".repeat(400))),
        11 => reply.body = with(json, "\"expires_in\":1e999,\"created_at\":-1E-999"),
        12 => {
            let deep = format!("{}{}", "[".repeat(3_000), "]".repeat(3_000));
            reply.body = with(json, &format!("\"extra\":{deep}"));
        }
        13 => reply.body = with(json, "\"scope\":\"a\",\"scope\":[1],\"token_type\":7"),
        14 => reply.body = without(json, "access_token"),
        15 => reply.body = without(json, "expires_in"),
        _ => {
            // It breaks off after the refresh token.
            let tokens: Value = serde_json::from_str(json).unwrap_or_default();
            let refresh = tokens["refresh_token"].as_str().unwrap_or_default();
            let access = tokens["access_token"].as_str().unwrap_or_default();
            let body = format!(
                "{{\"access_token\":\"{access}\",\"refresh_token\":\"{refresh}\",\"expires_i"
            );
            reply.missing = 64;
            reply.body = body.into();
        }
    }
    (reply, ODDITIES[oddity])
}

/// The JSON with further members before the others.
fn with(json: &str, members: &str) -> Vec<u8> {
    json.replacen('{', &format!("{{{members},"), 1).into()
}

fn without(json: &str, member: &str) -> Vec<u8> {
    let mut tokens: Value = serde_json::from_str(json).unwrap_or_default();
    if let Some(members) = tokens.as_object_mut() {
        members.remove(member);
    }
    tokens.to_string().into()
}
