//! Error responses (RFC 6749 section 5.2), in the shapes that servers give them.

use super::lenient_json::Members;
use crate::text::printable;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an error response says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorReply {
    /// The error codes in it, the one that is most to the point first.
    pub(super) codes: Vec<String>,
    /// What the server says about it.
    pub(super) description: Option<String>,
    /// Whether the text is that one object and parses: no quotation in a page, and no part.
    pub(super) is_whole: bool,
}

/// Where codes are: as the standard has it; OpenAI and Anthropic (an object under `error`),
/// Google (`status` in it, beside a `code` that is a number), an object under
/// `detail`; other names in use.
const CODES: [&str; 12] = [
    "/error/code",
    "/error/type",
    "/error/status",
    "/error/error",
    "/error",
    "/code",
    "/error_code",
    "/errorCode",
    "/detail/code",
    "/detail/error",
    "/errors/0/code",
    "/error/errors/0/reason",
];

/// Where descriptions are.
const DESCRIPTIONS: [&str; 11] = [
    "/error_description",
    "/error/message",
    "/error/error_description",
    "/message",
    "/detail/message",
    "/detail",
    "/msg",
    "/errorSummary",
    "/errors/0/message",
    "/base_resp/status_msg",
    "/title",
];

impl ErrorReply {
    /// Reads an error response; one that says nothing is empty.
    pub(super) fn of(text: &str) -> Self {
        let members = Members::of(text);
        let reply = Value::Object(members.strict());
        let at = |pointer: &&str, limit| {
            let text = printable(reply.pointer(pointer)?.as_str()?.trim(), limit);
            Some(text).filter(|text| !text.is_empty())
        };
        let mut codes: Vec<String> = CODES
            .iter()
            .filter_map(|pointer| at(pointer, 80))
            .filter(|text| is_code(text))
            .collect();
        // As MiniMax has it: a number, and what it means.
        let number = reply.pointer("/base_resp/status_code").and_then(Value::as_i64);
        codes.extend(number.map(|number| number.to_string()));
        if codes.is_empty() {
            let is_http = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
            codes.extend(
                at(&"/status", 80).filter(|text| is_code(text)).filter(|text| !is_http(text)),
            );
        }
        let sentence = || at(&"/error", 300).filter(|text| !is_code(text));
        let description = DESCRIPTIONS.iter().find_map(|pointer| at(pointer, 300));
        let description = description.or_else(sentence);
        Self { codes, description, is_whole: parses(text) }
    }
}

/// Whether a text is one JSON object, but for what some servers put in front of theirs.
#[expect(clippy::zero_sized_map_values, reason = "a set is no object, and a value has ranges")]
fn parses(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim();
    let guarded = text.strip_prefix(")]}'").map(|text| text.trim_start_matches(','));
    serde_json::from_str::<BTreeMap<String, IgnoredAny>>(guarded.unwrap_or(text)).is_ok()
}

/// Whether a text is a code, not a sentence.
fn is_code(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(json: &str) -> (Option<String>, Option<String>) {
        let reply = ErrorReply::of(json);
        (reply.codes.into_iter().next(), reply.description)
    }

    #[test]
    fn code_and_description_are_found_in_every_shape() {
        for (json, code, description) in [
            (r#"{"error":"invalid_grant"}"#, "invalid_grant", ""),
            (r#"{"error":"invalid_grant","error_description":"d"}"#, "invalid_grant", "d"),
            (
                r#"{"error":{"message":"m","type":"t","param":null,"code":"refresh_token_reused"}}"#,
                "refresh_token_reused",
                "m",
            ),
            (r#"{"error":{"type":"t","code":null}}"#, "t", ""),
            (
                r#"{"type":"error","error":{"type":"authentication_error","message":"m"}}"#,
                "authentication_error",
                "m",
            ),
            (
                r#"{"error":{"code":401,"message":"m","status":"UNAUTHENTICATED"}}"#,
                "UNAUTHENTICATED",
                "m",
            ),
            (r#"{"error":{"code":403,"errors":[{"reason":"forbidden"}]}}"#, "forbidden", ""),
            (r#"{"code":"session_gone","message":"m"}"#, "session_gone", "m"),
            (
                r#"{"code":400,"error_code":"refresh_token_not_found","msg":"m"}"#,
                "refresh_token_not_found",
                "m",
            ),
            (r#"{"errorCode":"E0000011","errorSummary":"m"}"#, "E0000011", "m"),
            (r#"{"detail":{"code":"c","message":"m"}}"#, "c", "m"),
            (r#"{"errors":[{"code":"c","message":"m"}]}"#, "c", "m"),
            (r#"{"base_resp":{"status_code":1004,"status_msg":"m"}}"#, "1004", "m"),
            (r#"{"status":"error","message":"m"}"#, "error", "m"),
            ("\u{feff})]}'\n{\"n\":1e999,\"error\":\"invalid_grant\"}", "invalid_grant", ""),
        ] {
            let description = Some(description.to_owned()).filter(|text| !text.is_empty());
            assert_eq!(first(json), (Some(code.to_owned()), description), "{json}");
        }
    }

    #[test]
    fn there_may_be_no_code() {
        for (json, description) in [
            ("", None),
            ("[]", None),
            ("{}", None),
            ("null", None),
            ("<html><body>403</body></html>", None),
            (r#"{"error":null}"#, None),
            (r#"{"error":""}"#, None),
            (r#"{"error":"The token is not valid"}"#, Some("The token is not valid")),
            (
                r#"{"detail":"Could not validate credentials"}"#,
                Some("Could not validate credentials"),
            ),
            (r#"{"message":"Bad credentials","status":"401"}"#, Some("Bad credentials")),
        ] {
            assert_eq!(first(json), (None, description.map(str::to_owned)), "{json}");
        }
    }

    #[test]
    fn only_an_object_that_parses_is_a_whole_reply() {
        for whole in [
            r#"{"error":"invalid_grant"}"#,
            "\r\n {\"error\":\"invalid_grant\"}\n",
            "\u{feff})]}',\n{\"n\":1e999,\"error\":\"invalid_grant\",\"error\":\"invalid_grant\"}",
        ] {
            let reply = ErrorReply::of(whole);
            assert!(reply.is_whole && reply.codes == ["invalid_grant"], "{whole}");
        }
        for part in [
            r#"{"error":"invalid_grant","error_descri"#,
            r#"<html><pre>{"error":"invalid_grant"}</pre></html>"#,
            r#"The server said {"error":"invalid_grant"}"#,
            r#"{"error":"invalid_grant"} and more"#,
            r#"{"error":"invalid_grant"}{"error":"temporarily_unavailable"}"#,
            r#"{"error":"invalid_grant",}"#,
        ] {
            let reply = ErrorReply::of(part);
            assert!(!reply.is_whole && reply.codes == ["invalid_grant"], "{part}");
        }
    }
}
