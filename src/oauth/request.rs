//! The requests of the protocol: how they are built and sent, within which limit, and what it
//! means that no answer came. Who asks for something names the fields and reads the answer.
//!
//! Invariant: what a token endpoint answers, or an endpoint that answers as one, is received as
//! far as it comes ([`post`], [`sender`]). Any other answer counts when it is whole
//! ([`HttpClient::send`]).

use super::client::{Client, TokenRequestFormat};
use super::reply::Reply;
use super::token_error::TokenError;
use super::token_reply::NoGrant;
use crate::secret::Secret;
use crate::system::http::HttpClient;
use crate::system::{Clock, limits};
use crate::text::printable;
use oauth2::RequestTokenError;
use oauth2::basic::BasicErrorResponse;
use oauth2::http::{self, header};
use serde_json::{Map, Value};
use url::Url;

/// The media type of JSON.
const JSON: &str = "application/json";

/// A request without a body yet: of `method`, for the JSON at `url`, on behalf of whom `bearer`
/// was issued to (RFC 6750 section 2.1).
pub fn json_request(
    method: http::Method,
    url: &str,
    bearer: Option<&Secret>,
) -> http::request::Builder {
    let request = http::Request::builder().method(method).uri(url).header(header::ACCEPT, JSON);
    let Some(bearer) = bearer else { return request };
    request.header(header::AUTHORIZATION, format!("Bearer {}", bearer.expose()))
}

/// A request that posts `fields` as a form.
///
/// # Errors
/// The endpoint cannot be asked.
pub(super) fn form(
    endpoint: &Url,
    fields: &[(&str, &str)],
) -> Result<http::Request<Vec<u8>>, TokenError> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    http::Request::post(endpoint.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, JSON)
        .body(body.into_bytes())
        .map_err(|error| TokenError::Unreadable(error.to_string()))
}

/// The HTTP client as the closure that the `oauth2` package calls: it is given a token
/// response as the standard wants it, whatever the server has made of it.
pub(super) fn sender<'c>(
    http: &'c HttpClient,
    client: &'c Client,
    clock: &'c Clock,
) -> impl Fn(oauth2::HttpRequest) -> SendFuture<'c> {
    move |request| {
        Box::pin(async move {
            let reply = ask(http, request, client.token_request_format, clock).await?;
            let members = reply.token_response(client, clock.now())?;
            let body = Value::Object(members).to_string().into_bytes();
            let mut response = http::Response::new(body);
            let json = http::HeaderValue::from_static(JSON);
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            Ok(response)
        })
    }
}

pub(super) type SendFuture<'c> =
    std::pin::Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, TokenError>> + 'c>>;

/// Makes a request with a form in the `format` that the server wants.
async fn ask(
    http: &HttpClient,
    request: oauth2::HttpRequest,
    format: TokenRequestFormat,
    clock: &Clock,
) -> Result<Reply, TokenError> {
    let posted = secrets_in(request.body());
    let request = match format {
        TokenRequestFormat::Form => request,
        TokenRequestFormat::Json => as_json(request),
    };
    let mut reply = Reply::of(http.ask(request, limits::TOKEN_ANSWER).await?, clock)?;
    reply.posted = posted;
    Ok(reply)
}

/// What of a form nobody may be shown, though the answer may quote it.
fn secrets_in(form: &[u8]) -> Vec<Secret> {
    const NAMES: [&str; 6] =
        ["refresh_token", "code", "code_verifier", "client_secret", "device_code", "token"];
    // What is shorter is no secret, and part of many a word.
    const SHORTEST: usize = 4;
    let members = url::form_urlencoded::parse(form);
    let secrets = members
        .filter(|(name, value)| NAMES.contains(&name.as_ref()) && value.len() >= SHORTEST)
        .map(|(_, value)| Secret::new(value.into_owned()));
    secrets.collect()
}

/// The same token request with its form body as a JSON object.
fn as_json(mut request: oauth2::HttpRequest) -> oauth2::HttpRequest {
    let body: Map<String, Value> = url::form_urlencoded::parse(request.body())
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    *request.body_mut() = Value::Object(body).to_string().into_bytes();
    let json = http::HeaderValue::from_static(JSON);
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    request
}

/// The failure of a token request. But for the first, the `oauth2` package has none of its own
/// left: it is given what it expects.
pub(super) fn token_error(error: RequestTokenError<TokenError, BasicErrorResponse>) -> TokenError {
    match error {
        RequestTokenError::Request(error) => error,
        // The text of a parse error can quote a token.
        RequestTokenError::ServerResponse(_) | RequestTokenError::Parse(..) => {
            TokenError::Unreadable(NoGrant::HasNoToken.reason().to_owned())
        }
        RequestTokenError::Other(reason) => TokenError::Unreadable(printable(&reason, 200)),
    }
}

/// Posts `fields` and returns what the server answers, unless it cannot answer now.
///
/// # Errors
/// See [`TokenError`].
pub(super) async fn post(
    http: &HttpClient,
    endpoint: &Url,
    fields: &[(&str, &str)],
    format: TokenRequestFormat,
    clock: &Clock,
) -> Result<Reply, TokenError> {
    ask(http, form(endpoint, fields)?, format, clock).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_token_request_has_the_same_parameters() {
        let form = http::Request::post("https://as.example.test/token")
            .body(b"grant_type=refresh_token&refresh_token=a%2Bb".to_vec())
            .unwrap();
        let json = as_json(form);
        assert_eq!(
            String::from_utf8_lossy(json.body()),
            r#"{"grant_type":"refresh_token","refresh_token":"a+b"}"#
        );
    }
}
