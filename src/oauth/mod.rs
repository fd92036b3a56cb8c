//! The protocol: authorization request and response (RFC 6749, 8252, 9207) with PKCE
//! (RFC 7636), device authorization (RFC 8628), token requests, revocation (RFC 7009),
//! discovery (RFC 8414), and unverified claims.
//!
//! Invariant: nothing here knows a provider id or a file.

mod approval;
mod authorization;
mod bare_code;
mod claims;
mod client;
mod device;
mod device_endpoints;
mod device_reply;
mod discovery;
mod edge;
mod error_reply;
mod exchange;
mod grant;
mod lenient_json;
mod listener;
mod listener_timer;
mod pasted;
mod pasted_address;
mod pasted_text;
mod poll_code;
mod reply;
mod reply_page;
mod request;
mod response;
mod revocation;
mod token;
mod token_error;
mod token_reply;

pub use approval::{Poll, poll_device, wait_for_approval};
pub use authorization::AuthorizationRequest;
pub use claims::Claims;
pub use client::{Client, Endpoints, TokenRequestFormat};
pub use device::authorize_device;
pub use device_endpoints::{DeviceEndpoints, DeviceFlow};
pub use device_reply::DeviceAuthorization;
pub use discovery::{OtherSubject, ServerMetadata};
pub use exchange::{ExchangeError, ExchangedToken, TokenExchange};
pub use grant::{Grant, Members};
pub use listener::{Arrival, Bound, BusyPort, RedirectListener, Serving, Verdict, bind};
pub use pasted::{holds_state, is_begun, parse_pasted};
pub use request::json_request;
pub use response::{AuthorizationCode, AuthorizationError, ExpectedResponse};
pub use revocation::revoke;
pub use token::{exchange_code, refresh};
pub use token_error::{Refusal, TokenError};
