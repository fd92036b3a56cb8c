//! The messages of the protocol, version 1: one request, an object on a line; then events
//! from the program, an object a line, and answers to its questions.

use super::breach::Breach;
use crate::oauth::{Grant, Members, Refusal, TokenError};
use crate::profile::{Credential, Identity, Millis, ProviderId};
use crate::provider::registration::is_own_field;
use crate::secret::Secret;
use crate::system::http;
use crate::text::{is_plain, printable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

const PROTOCOL_VERSION: u32 = 1;
/// A time before this, in milliseconds since the epoch (1973), was meant in seconds.
const EARLIEST: Millis = 100_000_000_000;

/// What a program is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Say what it is.
    Describe,
    /// Sign a user in.
    Login,
    /// Renew a credential.
    Refresh,
    /// End a login at the server.
    Revoke,
}

/// What a program says that it is.
#[derive(Clone, Debug)]
pub struct Description {
    /// The name of the provider for people.
    pub label: Option<String>,
    operations: Vec<String>,
}

impl Description {
    /// Whether it offers an operation.
    pub fn offers(&self, operation: Operation) -> bool {
        let name = serde_json::to_value(operation).unwrap_or_default();
        self.operations.iter().any(|offered| name == offered.as_str())
    }
}

/// What a program says.
#[derive(Debug)]
pub enum Message {
    /// What it is.
    Described(Description),
    /// A page that the user should open.
    Url(Url),
    /// A code to enter on a page.
    UserCode(UserCode),
    /// It wants an answer of the user.
    Question(Question),
    /// Something for the user to know.
    Note(String),
    /// A line of its standard error.
    Aside(String),
    /// It is done; with a credential where there is one.
    Done(Option<Box<Issued>>),
    /// It has failed.
    Failed(TokenError),
}

/// A code to enter on a page.
#[derive(Debug)]
pub struct UserCode {
    /// The code.
    pub code: String,
    /// Where to enter it.
    pub verification_uri: Url,
    /// The same with the code in it.
    pub verification_uri_complete: Option<Url>,
    /// How long it lives.
    pub lifetime: Duration,
}

/// A question to the user.
#[derive(Debug)]
pub struct Question {
    /// The question.
    pub text: String,
    /// Whether the answer is a secret.
    pub is_secret: bool,
}

/// A credential as a program has it.
pub struct Issued {
    /// The tokens and their expiry.
    pub grant: Grant,
    /// Who it belongs to.
    pub identity: Identity,
    /// Further fields of the profile, which may be secrets.
    pub fields: Vec<(String, Value)>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { grant, identity, .. } = self;
        let mut shown = f.debug_struct("Issued");
        shown.field("grant", grant).field("identity", identity).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'r> {
    protocol_version: u32,
    operation: Operation,
    provider: &'r ProviderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<Held<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Held<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

impl<'r> Held<'r> {
    fn of(credential: &'r Credential, entry: &Secret) -> Self {
        let mut fields: Map<String, Value> =
            serde_json::from_str(entry.expose()).unwrap_or_default();
        fields.retain(|name, _| !is_own_field(name));
        Self {
            access: credential.bearer().map(Secret::expose),
            refresh: credential.refresh_token().map(Secret::expose),
            expires_at: credential.expires(),
            email: credential.identity.email.as_deref(),
            account_id: credential.identity.account_id.as_deref(),
            fields,
        }
    }
}

/// The request of an operation, on `credential` with the text of its entry.
pub(super) fn request(
    operation: Operation,
    provider: &ProviderId,
    credential: Option<(&Credential, &Secret)>,
) -> Secret {
    let credential = credential.map(|(credential, entry)| Held::of(credential, entry));
    let request = Request { protocol_version: PROTOCOL_VERSION, operation, provider, credential };
    line(&request)
}

/// A message on a line. Nothing in one cannot be written.
fn line(message: &impl Serialize) -> Secret {
    // Growing would leave copies behind.
    let mut text = Vec::with_capacity(16 * 1024);
    let written = serde_json::to_writer(&mut text, message);
    debug_assert!(written.is_ok());
    Secret::new(String::from_utf8(text).unwrap_or_default())
}

/// The answer to a question.
pub(super) fn answer(text: &str) -> Secret {
    #[derive(Serialize)]
    struct Answer<'a> {
        answer: &'a str,
    }
    line(&Answer { answer: text })
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Event {
    Describe {
        protocol_version: u32,
        label: Option<String>,
        operations: Vec<String>,
    },
    Url {
        url: Url,
    },
    UserCode {
        user_code: String,
        verification_uri: Url,
        verification_uri_complete: Option<Url>,
        expires_in: Option<f64>,
    },
    Prompt {
        text: String,
        #[serde(default)]
        secret: bool,
    },
    Note {
        text: String,
    },
    Done {
        credential: Option<Credentials>,
    },
    Error {
        code: String,
        message: Option<String>,
    },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    access: Secret,
    refresh: Option<Secret>,
    expires_at: Option<f64>,
    expires_in: Option<f64>,
    email: Option<String>,
    account_id: Option<String>,
    #[serde(default)]
    fields: Map<String, Value>,
}

/// What a line says at the time `now`, from which lifetimes count; `None` for an event that this version does not know.
pub(super) fn parse(line: &Secret, now: Millis) -> Result<Option<Message>, Breach> {
    let event =
        serde_json::from_str::<Event>(line.expose()).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Breach::IncompleteEvent,
            _ => Breach::NotJson,
        })?;
    Ok(Some(match event {
        Event::Describe { protocol_version: PROTOCOL_VERSION, label, operations } => {
            let label = label.map(|label| printable(label.trim(), 80));
            let label = label.filter(|label| !label.is_empty());
            Message::Described(Description { label, operations })
        }
        Event::Describe { protocol_version, .. } => {
            return Err(Breach::OtherVersion(protocol_version));
        }
        Event::Url { url } => Message::Url(page(url)?),
        Event::UserCode { user_code, verification_uri, verification_uri_complete, expires_in } => {
            Message::UserCode(UserCode {
                code: printable(&user_code, 80),
                verification_uri: page(verification_uri)?,
                verification_uri_complete: verification_uri_complete.map(page).transpose()?,
                lifetime: lifetime(expires_in).unwrap_or(DEFAULT_LIFETIME),
            })
        }
        Event::Prompt { text, secret } => {
            Message::Question(Question { text: printable(&text, 300), is_secret: secret })
        }
        Event::Note { text } => Message::Note(printable(&text, 500)),
        Event::Done { credential } => {
            Message::Done(credential.map(|it| issued(it, now)).transpose()?.map(Box::new))
        }
        Event::Error { code, message } => Message::Failed(failure(&code, message)),
        Event::Unknown => return Ok(None),
    }))
}

/// The lifetime of a code when the program does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(15);

fn lifetime(seconds: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds?).ok()
}

fn page(url: Url) -> Result<Url, Breach> {
    if http::is_acceptable(&url) {
        return Ok(url);
    }
    Err(Breach::InsecurePage)
}

/// The codes by which a program says that a login is over (`docs/providers.md`).
const FINAL_CODES: [&str; 4] =
    ["invalid_grant", "token_revoked", "refresh_token_expired", "refresh_token_reused"];

fn failure(code: &str, message: Option<String>) -> TokenError {
    let code = printable(code, 80);
    let description = message.map(|message| printable(&message, 300));
    if code == "unavailable" {
        let reason = description.unwrap_or(code);
        return TokenError::unavailable(reason, false);
    }
    let is_final = FINAL_CODES.contains(&code.as_str());
    let meaning = if is_final { Refusal::Final } else { Refusal::Unexplained };
    TokenError::Refused { code, description, status: None, meaning }
}

fn issued(credential: Credentials, now: Millis) -> Result<Issued, Breach> {
    if credential.access.is_blank() {
        return Err(Breach::EmptyToken);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
    let at = credential.expires_at.map(|at| at as Millis);
    if at.is_some_and(|at| at < EARLIEST) {
        return Err(Breach::ExpiryInSeconds);
    }
    let of_lifetime = |lifetime: Duration| {
        now.saturating_add(Millis::try_from(lifetime.as_millis()).unwrap_or(Millis::MAX))
    };
    let expires = at.or_else(|| lifetime(credential.expires_in).map(of_lifetime));
    let text = |text: Option<String>| {
        text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty() && is_plain(text))
    };
    let fields = credential.fields.into_iter().filter(|(name, _)| !is_own_field(name));
    Ok(Issued {
        grant: Grant {
            access: credential.access,
            refresh: credential.refresh.filter(|refresh| !refresh.is_blank()),
            id_token: None,
            expires,
            members: Members::default(),
        },
        identity: Identity {
            email: text(credential.email),
            account_id: text(credential.account_id),
            subject: None,
        },
        fields: fields.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_700_000_000_000;

    fn said(line: &str) -> String {
        match parse(&Secret::new(line), NOW) {
            Err(breach) => breach.to_string(),
            Ok(None) => "nothing".to_owned(),
            Ok(Some(Message::Failed(error))) => error.to_string(),
            Ok(Some(message)) => format!("{message:?}"),
        }
    }

    #[test]
    fn a_line_is_read_as_the_protocol_has_it() {
        for (line, expected) in [
            ("fake-secret", "printed a line that is not JSON"),
            ("[1]", "printed an event that lacks what it needs"),
            (r#"{"event":"url"}"#, "printed an event that lacks what it needs"),
            (r#"{"event":"later","x":1}"#, "nothing"),
            (r#"{"event":"note","text":"a\u001b[31mb","more":1}"#, r#"Note("a[31mb")"#),
            (
                r#"{"event":"url","url":"file:///etc/passwd"}"#,
                "named a page that is neither https nor on this machine",
            ),
            (
                r#"{"event":"describe","protocolVersion":2,"operations":[]}"#,
                "speaks version 2 of the protocol, not 1",
            ),
            (
                r#"{"event":"error","code":"invalid_grant","message":"over"}"#,
                "the authorization server refused: invalid_grant: over",
            ),
            (
                r#"{"event":"error","code":"unavailable","message":"down"}"#,
                "the authorization server is unavailable: down",
            ),
            (r#"{"event":"done"}"#, "Done(None)"),
            (r#"{"event":"done","credential":{"access":" "}}"#, "gave an empty access token"),
            (
                r#"{"event":"done","credential":{"access":"fake","expiresAt":1700000000}}"#,
                "gave an `expiresAt` that is not in milliseconds since the epoch",
            ),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn a_credential_keeps_its_own_fields_and_no_others_of_ours() {
        let line = r#"{"event":"done","credential":{"access":"fake-a","refresh":"fake-r",
            "expiresAt":1700000000000,"email":" a@x ","fields":{"region":"eu","type":"x"}}}"#;
        let Ok(Some(Message::Done(Some(issued)))) = parse(&Secret::new(line), NOW) else {
            panic!()
        };
        assert_eq!(issued.grant.expires, Some(1_700_000_000_000));
        assert_eq!(issued.identity.email.as_deref(), Some("a@x"));
        assert_eq!(issued.fields, [("region".to_owned(), "eu".into())]);
        // One that only looks like another account is none.
        let line = r#"{"event":"done","credential":{"access":"fake-a","email":"a\u202e@x"}}"#;
        let Ok(Some(Message::Done(Some(hidden)))) = parse(&Secret::new(line), NOW) else {
            panic!()
        };
        assert_eq!(hidden.identity.email, None);
        assert!(!format!("{issued:?}").contains("fake"));
        // A lifetime counts from when the line came.
        let line = r#"{"event":"done","credential":{"access":"fake-a","expiresIn":1.5}}"#;
        let Ok(Some(Message::Done(Some(issued)))) = parse(&Secret::new(line), NOW) else {
            panic!()
        };
        assert_eq!(issued.grant.expires, Some(NOW + 1_500));
    }
}
