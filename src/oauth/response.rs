//! The authorization response (RFC 6749 section 4.1.2), as it arrives at the listener; `pasted.rs`
//! finds it in what a user pastes.
//!
//! Invariant: `state` is compared, in constant time, before anything else in a response
//! is looked at.

use crate::secret::Secret;
use crate::text::printable;
use subtle::ConstantTimeEq;
use url::Url;

/// The authorization code of a response that passed every check.
#[derive(Debug)]
pub struct AuthorizationCode(pub(super) Secret);

/// What a response must match.
#[derive(Clone, Debug)]
pub struct ExpectedResponse {
    /// The `state` of the authorization request.
    pub state: Secret,
    /// The issuer (RFC 9207) that an `iss` must name; without one, an `iss` must have the
    /// origin of the authorization endpoint.
    pub issuer: Option<String>,
    /// Whether the server has announced that its responses name it (RFC 9207 section 3): a
    /// redirect without an `iss` is refused then.
    pub has_issuer: bool,
    /// The authorization endpoint.
    pub authorization_endpoint: Url,
}

/// Why a response gives no code.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AuthorizationError {
    /// The response is not for this request.
    #[error("its state does not belong to this login")]
    WrongState,
    /// The response comes from another authorization server (mix-up, RFC 9207).
    #[error("it was issued by another authorization server")]
    WrongIssuer,
    /// The response does not say where it comes from, although the server always does
    /// (RFC 9207 section 2.4).
    #[error(
        "it does not name the authorization server that issued it, which this server always does"
    )]
    MissingIssuer,
    /// The response cannot be understood.
    #[error("{0}")]
    Unreadable(&'static str),
    /// The authorization server refused: its error code and description.
    #[error("the authorization server refused: {code}{}", description.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// The error code, as sent.
        code: String,
        /// The description, as sent.
        description: Option<String>,
    },
}

/// The parameters of a response.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) code: Option<String>,
    pub(super) state: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
    repeated: bool,
    /// Whether somebody has copied them, without the address that they came in.
    pub(super) is_copied: bool,
}

impl Parameters {
    pub(super) fn of_query(query: &str) -> Self {
        let mut parameters = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let slot = match name.as_ref() {
                "code" => &mut parameters.code,
                "state" => &mut parameters.state,
                "iss" => &mut parameters.issuer,
                "error" => &mut parameters.error,
                "error_description" => &mut parameters.description,
                _ => continue,
            };
            // RFC 6749 section 3.1: parameters must not be included more than once.
            parameters.repeated |= slot.replace(value.into_owned()).is_some();
        }
        parameters
    }

    /// A code and a state that a page has shown to be copied.
    pub(super) fn of_pair(code: &str, state: &str) -> Self {
        let (code, state) = (Some(code.to_owned()), Some(state.to_owned()));
        Self { code, state, is_copied: true, ..Self::default() }
    }

    /// Whether there is nothing of a response.
    pub(super) const fn is_empty(&self) -> bool {
        self.code.is_none() && self.state.is_none() && self.error.is_none()
    }

    /// Whether there is a code and nothing else.
    pub(super) const fn is_code_alone(&self) -> bool {
        self.code.is_some() && self.state.is_none() && self.error.is_none() && self.issuer.is_none()
    }
}

impl ExpectedResponse {
    /// Checks the query of a redirect to the listener.
    ///
    /// # Errors
    /// See [`AuthorizationError`].
    pub fn check_query(&self, query: &str) -> Result<AuthorizationCode, AuthorizationError> {
        self.check(Parameters::of_query(query))
    }

    /// Checks the parameters of a response.
    ///
    /// # Errors
    /// See [`AuthorizationError`].
    pub(super) fn check(
        &self,
        parameters: Parameters,
    ) -> Result<AuthorizationCode, AuthorizationError> {
        let state = parameters.state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(self.state.expose().as_bytes())) {
            return Err(AuthorizationError::WrongState);
        }
        if parameters.repeated {
            return Err(AuthorizationError::Unreadable("it repeats a parameter"));
        }
        match &parameters.issuer {
            Some(issuer) if !self.is_issuer(issuer) => return Err(AuthorizationError::WrongIssuer),
            None if self.has_issuer && !parameters.is_copied => {
                return Err(AuthorizationError::MissingIssuer);
            }
            _ => {}
        }
        if let Some(code) = parameters.error {
            let description = parameters.description.map(|text| printable(&text, 300));
            return Err(AuthorizationError::Refused { code: printable(&code, 80), description });
        }
        match parameters.code {
            Some(code) if !code.trim().is_empty() => {
                Ok(AuthorizationCode(Secret::new(code.trim())))
            }
            _ => Err(AuthorizationError::Unreadable("it holds neither a code nor an error")),
        }
    }

    fn is_issuer(&self, issuer: &str) -> bool {
        match &self.issuer {
            Some(expected) => expected == issuer,
            None => Url::parse(issuer)
                .is_ok_and(|issuer| issuer.origin() == self.authorization_endpoint.origin()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_pasted;
    use super::*;

    fn expectation() -> ExpectedResponse {
        ExpectedResponse {
            state: Secret::new("st"),
            issuer: None,
            has_issuer: false,
            authorization_endpoint: Url::parse("https://as.example.test/authorize").unwrap(),
        }
    }

    fn pasted(line: &str) -> Result<String, AuthorizationError> {
        parse_pasted(line, &expectation()).map(|(code, _)| code.0.expose().to_owned())
    }

    #[test]
    fn every_form_of_a_pasted_response_is_accepted() {
        for line in [
            "http://localhost:1455/auth/callback?code=c1&state=st",
            "  http://127.0.0.1:1455/auth/callback?state=st&code=c1&scope=x \r\n",
            "\"http://localhost:1455/auth/callback?code=c1&state=st\"",
            "http://localhost:1455/auth/callback#code=c1&state=st",
            "c1#st",
            "code=c1&state=st",
            "?code=c1&state=st",
            "localhost:1455/auth/callback?code=c1&state=st",
        ] {
            assert_eq!(pasted(line).as_deref(), Ok("c1"), "{line}");
        }
        for line in ["fake-code-1", "code=fake-code-1"] {
            assert_eq!(pasted(line).as_deref(), Ok("fake-code-1"));
        }
    }

    #[test]
    fn a_response_to_another_request_is_refused_before_it_is_read() {
        for line in [
            "http://localhost:1455/auth/callback?code=c1&state=other",
            "localhost:1455/auth/callback?code=c1&state=other",
            "c1#other",
            "c1#",
            "code=c1&state=other",
        ] {
            assert_eq!(pasted(line), Err(AuthorizationError::WrongState), "{line}");
        }
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for line in [
            "http://localhost:1455/auth/callback?code=c1",
            "http://localhost:1455/auth/callback?error=access_denied",
            "localhost:1455/auth/callback?code=c1",
        ] {
            assert!(matches!(pasted(line), Err(AuthorizationError::Unreadable(_))), "{line}");
        }
        for line in ["", "  ", "#st", "code=&state=st", "two words", "a\u{1b}b", "http://["] {
            assert!(pasted(line).is_err(), "{line:?}");
        }
        let repeated = "http://localhost/?code=c1&code=c2&state=st";
        assert!(matches!(pasted(repeated), Err(AuthorizationError::Unreadable(_))));
        let start = "https://as.example.test/authorize?state=st&code_challenge=x&code=1";
        assert!(matches!(pasted(start), Err(AuthorizationError::Unreadable(_))));
    }

    #[test]
    fn the_error_of_the_server_is_kept_without_control_characters() {
        let query = "error=access_denied&error_description=no%1b%5b2J%0away&state=st";
        assert_eq!(
            expectation().check_query(query).map(|_| ()),
            Err(AuthorizationError::Refused {
                code: "access_denied".into(),
                description: Some("no[2Jway".into())
            })
        );
    }

    #[test]
    fn an_issuer_must_be_the_expected_one() {
        let check = |iss: &str| expectation().check_query(&format!("code=c&state=st&iss={iss}"));
        assert!(check("https://as.example.test").is_ok());
        assert!(check("https://as.example.test/tenant").is_ok());
        assert_eq!(check("https://evil.example.test").err(), Some(AuthorizationError::WrongIssuer));
        let mut named = expectation();
        named.issuer = Some("https://as.example.test/tenant".into());
        assert!(named.check_query("code=c&state=st&iss=https://as.example.test").is_err());
    }

    #[test]
    fn an_issuer_that_was_announced_must_be_there() {
        let mut announced = expectation();
        announced.has_issuer = true;
        for query in ["code=c1&state=st", "error=access_denied&state=st"] {
            let checked = announced.check_query(query).map(|_| ());
            assert_eq!(checked, Err(AuthorizationError::MissingIssuer), "{query}");
            assert!(parse_pasted(query, &announced).is_err(), "{query}");
        }
        assert!(announced.check_query("code=c1&state=st&iss=https://as.example.test").is_ok());
        // A page that shows a code shows nothing else.
        for line in ["fake-code-1", "c1#st", "code=fake-code-1"] {
            assert!(parse_pasted(line, &announced).is_ok(), "{line}");
        }
        let other = announced.check_query("code=c1&state=other").map(|_| ());
        assert_eq!(other, Err(AuthorizationError::WrongState));
    }
}
