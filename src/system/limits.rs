//! The limits of a request, its answer and its worker: the one table of them.
//!
//! A limit on what is received never costs a token: what came within it is handed on.

use std::time::Duration;

/// Finding the address, connecting, and the TLS handshake, together.
pub const CONNECT: Duration = Duration::from_secs(10);

/// The answer of a token endpoint, counted from when the request went out; bytes that keep
/// coming do not extend it. A server that has got the request may have spent the token.
pub const TOKEN_ANSWER: Duration = Duration::from_mins(2);

/// Storing a reply, or spooling it, with all waits for locks.
pub const COMMIT: Duration = Duration::from_secs(20);

/// A worker in all: connecting, the answer, and storing it. Only one that holds a reply that
/// is not saved lives longer.
pub const WORKER: Duration = Duration::from_secs(150);

/// A worker begins its request within so long, or not at all: request and answer are over
/// before the worker is.
pub const WORKER_REQUEST: Duration =
    Duration::from_secs(WORKER.as_secs() - CONNECT.as_secs() - TOKEN_ANSWER.as_secs());

/// A worker waits for locks so long in all; a caller who wants to wait longer starts another.
pub const WORKER_LOCKS: Duration = Duration::from_secs(15);

/// Any other request and its answer, connecting included.
pub const REQUEST: Duration = Duration::from_secs(30);

/// The body of an answer in bytes, as it came and unpacked.
pub const BODY: usize = 8 * 1024 * 1024;

/// The header fields of an answer. 512 is what has to be taken; the parser gives back nothing
/// of a head that it refuses, so it refuses as late as it can.
pub const HEADER_FIELDS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_limits_are_these_limits() {
        let documented = include_str!("../../docs/security.md");
        for (what, limit) in [
            ("connect and TLS", CONNECT),
            ("answer of a token endpoint", TOKEN_ANSWER),
            ("storing a reply", COMMIT),
            ("the process that makes a refresh", WORKER),
            ("any other request", REQUEST),
        ] {
            let row = |line: &str| {
                line.starts_with(&format!("| {what}"))
                    && line.ends_with(&format!("| {} s |", limit.as_secs()))
            };
            assert!(documented.lines().any(row), "docs/security.md: {what}");
        }
        assert!(documented.contains(&format!("| {} MiB |", BODY / 1024 / 1024)));
    }
}
