use std::time::Duration;

use serde_json::{Value, json};

/// The client identifier of the built-in `openai-codex` provider.
const CODEX_CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// The user that consents at the authorization endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "account_id is the claim's name")]
pub(crate) struct Account {
    /// The `sub` claim.
    pub subject: String,
    /// The claim of the e-mail address, when there is one.
    pub email: Option<String>,
    /// The `chatgpt_account_id` claim, when there is one.
    pub account_id: Option<String>,
}

impl Account {
    /// An account whose subject and account identifier are derived from its e-mail address.
    pub(crate) fn of_email(email: &str) -> Self {
        let name = email.split('@').next().unwrap_or(email);
        Self {
            subject: format!("fake-user-{name}"),
            email: Some(email.to_owned()),
            account_id: Some(format!("fake-account-{name}")),
        }
    }
}

/// How the token endpoint words its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorStyle {
    /// RFC 6749 section 5.2: status 400 and `{"error":"invalid_grant","error_description":"…"}`.
    Standard,
    /// As `OpenAI`: status 401 and `{"error":{"message":"…","type":"…","code":"…"}}`.
    Nested,
}

/// What the user does with a device code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceUser {
    /// Nothing yet.
    Waits,
    /// Approves.
    Approves,
    /// Denies.
    Denies,
    /// Lets the code expire.
    IsTooLate,
}

/// What the server does about device authorizations.
#[derive(Clone, Debug)]
pub(crate) struct DeviceWant {
    /// The `interval` of the response; null for none.
    pub interval: Value,
    /// How long the code is good for, in seconds.
    pub lifetime: i64,
    /// What the next polls are answered, whatever the user does: `slow_down`, `pending`.
    pub first_polls: Vec<&'static str>,
    /// What the user does.
    pub user: DeviceUser,
    /// Members of the response that are added or replaced; null removes one.
    pub response: Value,
    /// Whether errors have status 200, as those of GitHub.
    pub errors_are_ok: bool,
}

/// What the server checks and answers.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Want {
    /// The only client identifier accepted.
    pub client_id: String,
    /// The client secret that token requests must carry, in the body or by HTTP Basic.
    pub client_secret: Option<String>,
    /// Who consents to the next authorization request.
    pub account: Account,
    /// Whether the user denies the authorization request.
    pub deny: bool,
    /// The `error_description` of a denial.
    pub deny_description: String,
    /// The `iss` parameter of the authorization response (RFC 9207), when there is one.
    pub issuer_parameter: Option<String>,
    /// How long an authorization code is good for.
    pub code_lifetime: Duration,
    /// How long an access token is good for, in seconds.
    pub access_token_lifetime: u64,
    /// Whether token responses have `expires_in`.
    pub include_expires_in: bool,
    /// Whether token responses have `id_token`.
    pub include_id_token: bool,
    /// Whether the answer to a refresh has a refresh token; without one nothing is rotated.
    pub include_refresh_token_on_refresh: bool,
    /// Whether a refresh replaces the refresh token; otherwise the answer repeats the old one.
    pub rotation: bool,
    /// Whether access tokens are opaque strings rather than JWTs.
    pub opaque_access_tokens: bool,
    /// How the token endpoint words its errors.
    pub error_style: ErrorStyle,
    /// Whether the answer to a login has a refresh token.
    pub include_refresh_token: bool,
    /// Members that every token response has besides.
    pub token_members: Value,
    /// Whether token responses have `expired_in`, in milliseconds since the epoch.
    pub include_expired_in: bool,
    /// How far the server's clock is ahead of ours, in seconds.
    pub clock_ahead: i64,
    /// Device authorizations.
    pub device: DeviceWant,
    /// The user information, for who has an access token of the server.
    pub userinfo: Value,
    /// Members of the metadata that are added or replaced; null removes one.
    pub metadata: Value,
}

impl Default for Want {
    fn default() -> Self {
        Self {
            client_id: CODEX_CLIENT_ID.to_owned(),
            client_secret: None,
            account: Account::of_email("ada@example.test"),
            deny: false,
            deny_description: "The user denied the authorization request.".to_owned(),
            issuer_parameter: None,
            code_lifetime: Duration::from_mins(1),
            access_token_lifetime: 3600,
            include_expires_in: true,
            include_id_token: true,
            include_refresh_token_on_refresh: true,
            rotation: true,
            opaque_access_tokens: false,
            error_style: ErrorStyle::Standard,
            include_refresh_token: true,
            token_members: json!({}),
            include_expired_in: false,
            clock_ahead: 0,
            device: DeviceWant {
                interval: json!(1),
                lifetime: 900,
                first_polls: Vec::new(),
                user: DeviceUser::Approves,
                response: json!({}),
                errors_are_ok: false,
            },
            userinfo: json!({"sub": "fake-user-ada", "email": "ada@example.test"}),
            metadata: json!({}),
        }
    }
}
