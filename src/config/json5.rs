//! JSON5, as OpenClaw accepts it in a configuration.

use jsonc_parser::ParseOptions;
use jsonc_parser::errors::ParseError;
use serde_json::Value;

/// JSON5: every extension that OpenClaw accepts.
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
pub(super) fn parse_json5(text: &str) -> Result<Value, ParseError> {
    let text = text.trim_start_matches('\u{feff}');
    // Written by OpenClaw, it is plain JSON; the JSON5 parser is for people.
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) => jsonc_parser::parse_to_serde_value(text, &JSON5),
    }
}
