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
pub(super) use plain::Plain;

use jsonc_parser::ParseOptions;
use serde_json::Value;

/// JSON5 as the editor is asked to take it: with every extension.
pub(super) const JSON5: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: true,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: true,
    allow_hexadecimal_numbers: true,
    allow_unary_plus_numbers: true,
    allow_bare_decimal_point_numbers: true,
    allow_non_finite_numbers: true,
    allow_extended_string_escapes: true,
};

/// The value of a JSON5 text.
///
/// # Errors
/// It is not JSON5; the error has the place.
pub(super) fn parse_json5(text: &str) -> Result<Value, Json5Error> {
    let text = text.trim_start_matches('\u{feff}');
    // Written by OpenClaw, it is plain JSON; the JSON5 parser is for people.
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) => parser::parse(text).map(|parsed| parsed.value),
    }
}
