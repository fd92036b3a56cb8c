//! The protocol: authorization request and response (RFC 6749, 8252, 9207) with PKCE
//! (RFC 7636), token requests, revocation (RFC 7009), and unverified claims.
//!
//! Invariant: nothing here knows a provider id or a file.

mod authorization;
mod claims;
mod listener;
mod reply_page;
mod response;
mod revocation;
mod token;
mod token_reply;

pub use authorization::{AuthorizationRequest, Client, Endpoints, TokenRequestFormat};
pub use claims::Claims;
pub use listener::{Arrival, Bound, BusyPort, RedirectListener, Serving, Verdict, bind};
pub use response::{AuthorizationCode, AuthorizationError, Expectation, parse_pasted};
pub use revocation::revoke;
pub use token::{Grant, TokenError, exchange_code, refresh};
