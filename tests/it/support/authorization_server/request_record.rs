use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Instant;

use serde_json::Value;
use url::form_urlencoded;

use super::http_connection::Request;

/// What a request is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    /// The authorization endpoint.
    Authorize,
    /// The token endpoint.
    Token,
    /// The revocation endpoint.
    Revoke,
    /// The device authorization endpoint, of any flow.
    Device,
    /// Where the pairing flow is polled.
    Pairing,
    /// The metadata, in either place.
    Metadata,
    /// The user information endpoint.
    Userinfo,
    /// Any other path.
    Other,
}

impl Endpoint {
    /// By the end of the path: the server stands for any host, whose name may come first, and
    /// has the paths of all providers.
    fn of(path: &str) -> Self {
        let endings = [
            (Self::Metadata, &["/.well-known/openid-configuration"][..]),
            (Self::Device, &["/device/code", "/deviceauth/usercode", "/oauth/code"]),
            (Self::Pairing, &["/deviceauth/token"]),
            (Self::Token, &["/token", "/access_token"]),
            (Self::Authorize, &["/authorize", "/o/oauth2/v2/auth"]),
            (Self::Revoke, &["/revoke"]),
            (Self::Userinfo, &["/userinfo"]),
        ];
        let is_metadata = path.contains("/.well-known/oauth-authorization-server");
        let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
        let found = endings.iter().find(|(_, paths)| ends(paths)).map(|(endpoint, _)| *endpoint);
        if is_metadata { Self::Metadata } else { found.unwrap_or(Self::Other) }
    }
}

/// The format of a request's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    /// In the query of the URL.
    Query,
    /// An `application/x-www-form-urlencoded` body.
    Form,
    /// An `application/json` body.
    Json,
    /// A body of another type, which has no parameters.
    Unknown,
}

/// A request as the server received it.
#[derive(Clone, Debug)]
pub(crate) struct RequestRecord {
    /// What it was addressed to.
    pub endpoint: Endpoint,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The format of the parameters.
    pub format: BodyFormat,
    /// The query, as it was sent.
    pub query: String,
    /// The body, as it was sent.
    pub body: String,
    /// The parameters.
    pub parameters: BTreeMap<String, String>,
    /// Why the parameters cannot be trusted: a body that does not parse, a repeated parameter.
    pub defect: Option<String>,
    /// When it was read to its end.
    pub received_at: Instant,
}

impl RequestRecord {
    pub(super) fn of(request: &Request) -> Self {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let format = format_of(request);
        let pairs = match format {
            BodyFormat::Query => Ok(form_pairs(query.as_bytes())),
            BodyFormat::Form => Ok(form_pairs(&request.body)),
            BodyFormat::Json => json_pairs(&request.body),
            BodyFormat::Unknown => Err("the content type is not supported".to_owned()),
        };
        let (parameters, defect) = match pairs {
            Ok(pairs) => without_repetition(pairs),
            Err(defect) => (BTreeMap::new(), Some(defect)),
        };
        Self {
            endpoint: Endpoint::of(path),
            method: request.method.clone(),
            path: path.to_owned(),
            headers: request.headers.clone(),
            format,
            query: query.to_owned(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            parameters,
            defect,
            received_at: Instant::now(),
        }
    }

    /// The parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The first header field of that name, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

fn format_of(request: &Request) -> BodyFormat {
    if request.method != "POST" {
        return BodyFormat::Query;
    }
    let content_type = request.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => BodyFormat::Form,
        "application/json" => BodyFormat::Json,
        _ => BodyFormat::Unknown,
    }
}

fn form_pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

fn json_pairs(body: &[u8]) -> Result<Vec<(String, String)>, String> {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return Err("the body is not a JSON object".to_owned());
    };
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}

fn without_repetition(pairs: Vec<(String, String)>) -> (BTreeMap<String, String>, Option<String>) {
    let mut parameters = BTreeMap::new();
    let mut defect = None;
    for (name, value) in pairs {
        match parameters.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(entry) => {
                defect = Some(format!("the parameter {} is repeated", entry.key()));
            }
        }
    }
    (parameters, defect)
}
