//! What happens during a login, for a program that drives it: a line of JSON for each event. The
//! members and their order are documented in `docs/login.md`.

use crate::profile::ProviderId;
use serde::Serialize;

/// An event as a program reads it.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(super) enum EventLine<'n> {
    /// Where to sign in.
    Url {
        schema: u32,
        provider: &'n ProviderId,
        url: &'n str,
        redirect_uri: &'n str,
        listening: bool,
    },
    /// A code to enter on another device.
    UserCode {
        schema: u32,
        provider: &'n ProviderId,
        user_code: &'n str,
        verification_uri: &'n str,
        #[serde(skip_serializing_if = "Option::is_none")]
        verification_uri_complete: Option<&'n str>,
        expires_in_seconds: u64,
    },
    /// A page for the user, and nothing more is known of it.
    Page { schema: u32, provider: &'n ProviderId, url: &'n str },
    /// A question, whose answer is a line of standard input.
    Prompt { schema: u32, text: &'n str, secret: bool },
    /// It is up to the user now.
    Waiting { schema: u32, seconds_left: u64 },
}
