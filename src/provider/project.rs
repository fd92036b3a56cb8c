//! The project of an account, for a provider whose API wants one: Google's Code Assist
//! service, which is asked after a login and makes a project where there is none yet.

use crate::oauth::json_request;
use crate::secret::Secret;
use crate::system::http::HttpError;
use crate::system::{Clients, Clock, Environment};
use crate::text::printable;
use oauth2::http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// How long the service may take to make a project.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// The tier of those who have no subscription.
const FREE_TIER: &str = "free-tier";
/// What a perimeter around the user's organisation answers in the service's place.
const BEHIND_A_PERIMETER: &str = "SECURITY_POLICY_VIOLATED";

/// The service that knows the project of an account.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Project {
    /// Its base URLs, in the order in which they are asked.
    pub endpoints: Vec<Url>,
    /// The variables that name the project, first found wins.
    #[serde(default)]
    pub env: Vec<String>,
    /// How many seconds to wait before asking whether the account is ready.
    #[serde(default = "usual_poll")]
    pub poll_seconds: u32,
}

/// Why the project of an account is not found out. It does not quote the token.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The account has none that it owns.
    #[error("the account has no project of its own")]
    None,
    /// There is nobody to ask.
    #[error("it has no endpoint")]
    NoEndpoint,
    /// The service refused.
    #[error("the service refused: {status}{}", message.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// The status of its answer.
        status: StatusCode,
        /// What it says about it.
        message: Option<String>,
    },
    /// The service makes a project and does not say how to ask for it.
    #[error("the service names no operation to wait for")]
    NoOperation,
    /// The service takes too long to make a project.
    #[error("the service makes the account ready and is not done yet")]
    NotDone,
    /// The token holds characters that cannot be sent.
    #[error("the token has characters that a header must not have")]
    UnfitToken,
    /// The service was not reached, or gave no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
}

const fn usual_poll() -> u32 {
    5
}

impl Project {
    /// The project that a variable names.
    pub fn named<'e>(&self, environment: &'e Environment) -> Option<&'e str> {
        self.env.iter().find_map(|name| environment.text(name))
    }

    /// The project of the account that `access` belongs to; the environment of the
    /// `clients` names the one that the user wants.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn find(
        &self,
        access: &Secret,
        clients: &Clients,
        clock: &Clock,
    ) -> Result<String, ProjectError> {
        let named = self.named(clients.environment());
        let found = self.ask_for_project(Caller { access, clients, clock }, named).await;
        // The user knows better than a service that does not answer.
        found.or_else(|reason| named.map(str::to_owned).ok_or(reason))
    }

    async fn ask_for_project(
        &self,
        caller: Caller<'_>,
        named: Option<&str>,
    ) -> Result<String, ProjectError> {
        let (endpoint, known) = self.load(caller, named).await?;
        let of_account = if known.get("currentTier").is_some_and(|tier| !tier.is_null()) {
            known
        } else {
            self.onboard(&endpoint, caller, named, &known).await?
        };
        project_in(&of_account).ok_or(ProjectError::None)
    }

    /// What the service knows of the account, and the endpoint that told.
    async fn load(
        &self,
        caller: Caller<'_>,
        named: Option<&str>,
    ) -> Result<(Url, Value), ProjectError> {
        let mut body = json!({"metadata": metadata(named)});
        if let Some(named) = named {
            body["cloudaicompanionProject"] = named.into();
        }
        let mut failure = ProjectError::NoEndpoint;
        for endpoint in &self.endpoints {
            match ask(endpoint, "v1internal:loadCodeAssist", caller, Some(&body)).await {
                Ok((status, known)) if status.is_success() => return Ok((endpoint.clone(), known)),
                Ok((_, refusal)) if refusal.to_string().contains(BEHIND_A_PERIMETER) => {
                    return Ok((endpoint.clone(), json!({"currentTier": {}})));
                }
                Ok((status, refusal)) => failure = refused(status, &refusal),
                Err(reason) => failure = reason,
            }
        }
        Err(failure)
    }

    /// Makes the account one of the service; what it then says of it.
    async fn onboard(
        &self,
        endpoint: &Url,
        caller: Caller<'_>,
        named: Option<&str>,
        known: &Value,
    ) -> Result<Value, ProjectError> {
        let tiers = known.get("allowedTiers").and_then(Value::as_array);
        let is_default = |tier: &&Value| tier.get("isDefault") == Some(&Value::Bool(true));
        let tier = tiers.and_then(|tiers| tiers.iter().find(is_default));
        let tier = tier.and_then(|tier| tier.get("id")?.as_str()).unwrap_or(FREE_TIER);
        // A project of the user's own is for those who pay.
        let named = named.filter(|_| tier != FREE_TIER);
        let mut body = json!({"tierId": tier, "metadata": metadata(named)});
        if let Some(named) = named {
            body["cloudaicompanionProject"] = named.into();
        }
        let deadline = caller.clock.instant() + LONGEST_WAIT;
        let mut answer = ask(endpoint, "v1internal:onboardUser", caller, Some(&body)).await?;
        loop {
            let (status, operation) = answer;
            if !status.is_success() {
                return Err(refused(status, &operation));
            }
            if operation.get("done") == Some(&Value::Bool(true)) {
                return match operation.get("error") {
                    Some(error) => Err(refused(status, &json!({"error": error}))),
                    None => Ok(operation.get("response").cloned().unwrap_or_default()),
                };
            }
            let name = operation.get("name").and_then(Value::as_str);
            let name = name.filter(|name| is_name(name));
            let name = name.ok_or(ProjectError::NoOperation)?;
            let interval = Duration::from_secs(self.poll_seconds.into());
            if caller.clock.instant() + interval > deadline {
                return Err(ProjectError::NotDone);
            }
            caller.clock.sleep(interval).await;
            answer = ask(endpoint, &format!("v1internal/{name}"), caller, None).await?;
        }
    }
}

fn metadata(named: Option<&str>) -> Value {
    let mut metadata = json!({
        "ideType": "IDE_UNSPECIFIED",
        "platform": "PLATFORM_UNSPECIFIED",
        "pluginType": "GEMINI",
    });
    if let Some(named) = named {
        metadata["duetProject"] = named.into();
    }
    metadata
}

/// The project in an answer: a text, or an object with its id.
fn project_in(answer: &Value) -> Option<String> {
    let project = answer.get("cloudaicompanionProject")?;
    let text = project.as_str().or_else(|| project.get("id")?.as_str())?.trim();
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// Whether this is the name of an operation and no way elsewhere.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    !name.is_empty() && name.chars().all(is_plain) && !name.contains("..")
}

fn refused(status: StatusCode, answer: &Value) -> ProjectError {
    let message = answer.pointer("/error/message").and_then(Value::as_str);
    ProjectError::Refused { status, message: message.map(|message| printable(message, 300)) }
}

/// On whose behalf the service is asked, and from where.
#[derive(Clone, Copy)]
struct Caller<'a> {
    access: &'a Secret,
    clients: &'a Clients,
    clock: &'a Clock,
}

/// Posts `body`, or gets where there is none, and reads the answer.
async fn ask(
    endpoint: &Url,
    path: &str,
    caller: Caller<'_>,
    body: Option<&Value>,
) -> Result<(StatusCode, Value), ProjectError> {
    let url = format!("{}/{path}", endpoint.as_str().trim_end_matches('/'));
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let mut request = json_request(method, &url, Some(caller.access));
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request
        .body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
        .map_err(|_| ProjectError::UnfitToken)?;
    let http = caller.clients.to(endpoint)?;
    let response = http.send(request).await?;
    let answer = serde_json::from_slice(response.body()).unwrap_or_default();
    Ok((response.status(), answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_a_text_or_an_object_with_its_id() {
        let project = |answer: Value| project_in(&json!({"cloudaicompanionProject": answer}));
        assert_eq!(project(json!(" p-1 ")).as_deref(), Some("p-1"));
        assert_eq!(project(json!({"id": "p-2"})).as_deref(), Some("p-2"));
        for none in [json!(""), json!({}), json!(5), json!("a\u{1b}")] {
            assert_eq!(project(none), None);
        }
    }

    #[test]
    fn the_name_of_an_operation_leads_nowhere_else() {
        assert!(is_name("operations/abc-1"));
        for name in ["", "../x", "a?b", "https://x", "a b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
