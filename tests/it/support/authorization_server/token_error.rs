use serde_json::json;

use super::http_connection::Response;
use super::want::ErrorStyle;

/// Why the token endpoint refuses a token request.
#[derive(Debug)]
pub(crate) struct TokenError {
    status: u16,
    error: &'static str,
    nested_code: &'static str,
    description: String,
}

impl TokenError {
    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", "invalid_request", description)
    }

    pub(crate) fn invalid_client(description: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", "invalid_client", description)
    }

    pub(crate) fn unsupported_grant_type(grant_type: &str) -> Self {
        let description = format!("The grant type {grant_type:?} is not supported.");
        let error = "unsupported_grant_type";
        Self::new(400, error, error, description)
    }

    /// An authorization code or refresh token that is not good, or not good any more.
    pub(crate) fn invalid_grant(nested_code: &'static str, description: &str) -> Self {
        Self::new(400, "invalid_grant", nested_code, description)
    }

    /// How a poll of RFC 8628 section 3.5 is refused; `status` is that of the answer.
    pub(crate) fn of_poll(status: u16, error: &'static str) -> Self {
        Self::new(status, error, error, "It is about the device code.")
    }

    fn new(
        status: u16,
        error: &'static str,
        nested_code: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self { status, error, nested_code, description: description.into() }
    }

    /// The error code.
    pub(crate) fn code(&self) -> &'static str {
        self.error
    }

    pub(crate) fn response(&self, style: ErrorStyle) -> Response {
        match style {
            ErrorStyle::Standard => Response::json(
                self.status,
                &json!({ "error": self.error, "error_description": self.description }),
            ),
            ErrorStyle::Nested => Response::json(
                401,
                &json!({ "error": {
                    "message": self.description,
                    "type": "invalid_request_error",
                    "code": self.nested_code,
                } }),
            ),
        }
    }
}
