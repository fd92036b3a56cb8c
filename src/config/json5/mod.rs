//! JSON5 (spec.json5.org), read as the `json5` package of OpenClaw does.
//!
//! Invariant: whatever that package reads is read here, to the same value, and nothing else
//! is. Numbers that JSON cannot hold become null, as `JSON.stringify` makes them; half a
//! surrogate pair becomes U+FFFD. A repeated name has its last value.
//!
//! What the editor of the file does not know is noted on the way, and hidden from it.

mod cursor;
mod parser;
mod plain;
mod scalar;

pub use parser::Json5Error;
pub(super) use parser::parse;
pub(super) use plain::Plain;
