//! The loopback redirect URI that a client is registered with (RFC 8252 section 7.3).

use super::invalid_definition::{Fault, InvalidDefinition};
use super::registration_error::RegistrationError;
use serde::Deserialize;
use url::Url;

/// Where the redirect listener can be reached.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The loopback redirect URI: `http://<host>:<first free port><path>`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Redirect {
    /// The host as registered: `localhost`, `127.0.0.1` or `[::1]`.
    pub host: String,
    /// The registered ports, in the order in which they are tried.
    pub ports: Vec<u16>,
    /// The path, with its leading slash.
    pub path: String,
}

impl Default for Redirect {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            ports: vec![1455, 1457],
            path: "/auth/callback".into(),
        }
    }
}

impl Redirect {
    /// The redirect URI at the first registered port.
    ///
    /// # Errors
    /// The parts make no URI.
    pub fn uri(&self) -> Result<Url, url::ParseError> {
        let port = self.ports.first().copied().unwrap_or(80);
        Url::parse(&format!("http://{}:{port}{}", self.host, self.path))
    }

    /// Checks that it is a loopback address with ports.
    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        if !HOSTS.contains(&self.host.as_str()) {
            return Err(Fault::NoLoopback(&HOSTS).of("redirect.host"));
        }
        if self.ports.is_empty() || self.ports.contains(&0) {
            return Err(Fault::Ports.of("redirect.ports"));
        }
        if !self.path.starts_with('/') || self.path.contains(['?', '#', ' ']) {
            return Err(Fault::Path.of("redirect.path"));
        }
        Ok(())
    }

    /// The redirect URI in the variable `name`, which holds `text`.
    pub(super) fn of_variable(name: &str, text: &str) -> Result<Self, RegistrationError> {
        let wrong = || RegistrationError::NoLoopback { variable: name.to_owned() };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let host = url.host_str().filter(|host| HOSTS.contains(host)).ok_or_else(wrong)?;
        let port = url.port().filter(|port| *port != 0).ok_or_else(wrong)?;
        if url.scheme() != "http" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), ports: vec![port], path: url.path().to_owned() })
    }
}
