//! Which way a request goes: through which proxy, trusting which certificate authorities.
//! The variables are those of the environment that is handed in; a blank one counts as unset.
//!
//! Invariant: a proxy that is named and cannot be used is an error, and never a request that
//! goes without it.

use super::proxy::{ProxyAddress, needs_none};
use super::{Environment, authorities};
use crate::secret::Secret;
use std::fmt;
use std::path::{Path, PathBuf};
use url::Url;

/// The way to one server.
#[derive(Clone, Debug, Default)]
pub struct Route {
    proxy: Option<Proxy>,
    /// The variables that name certificate authorities, with their values.
    authorities: Vec<(&'static str, PathBuf)>,
    untrusted: Untrusted,
    is_encrypted: bool,
}

/// The proxy that a request goes through.
#[derive(Clone, Debug)]
struct Proxy {
    /// Its address and the variable that names it, as errors tell it.
    shown: String,
    /// Its address as the variable has it, mostly with the user and the password.
    address: Secret,
}

/// Whether the host of `url` is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// The variables that name the proxy of https, in the order in which they are read. There is
/// no http but to this machine, and that goes through no proxy.
const PROXIES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The first of two spellings that is set to something, with its value.
fn first(environment: &Environment, names: [&'static str; 2]) -> Option<(&'static str, PathBuf)> {
    names.into_iter().find_map(|name| Some((name, environment.path(name)?)))
}

/// A variable that names a proxy, and cannot be used. Its value may hold a password and is
/// not shown.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{variable} is not the address of a proxy that can be used: {reason}")]
pub struct UnusableProxy {
    /// The variable.
    pub variable: &'static str,
    reason: &'static str,
}

impl Route {
    /// The way from here to `server`.
    ///
    /// # Errors
    /// It goes through a proxy whose address cannot be used.
    pub fn of(environment: &Environment, server: &Url) -> Result<Self, UnusableProxy> {
        let named = |variable| Some((variable, environment.path(variable)?));
        Ok(Self {
            proxy: if is_loopback(server) { None } else { proxy(environment, server)? },
            authorities: authorities::VARIABLES.into_iter().filter_map(named).collect(),
            untrusted: Untrusted::of(environment),
            is_encrypted: server.scheme() == "https",
        })
    }

    /// The address of the proxy that the request goes through, where there is one. It may
    /// hold a password.
    pub(super) fn proxy(&self) -> Option<&Secret> {
        self.proxy.as_ref().map(|proxy| &proxy.address)
    }

    /// What names the authority of a server whose certificate is not trusted.
    pub(super) fn untrusted(&self) -> Untrusted {
        self.untrusted.clone()
    }
}

/// The variable by which Node.js is told of further authorities. It is not ours to use.
const OTHER_AUTHORITIES: &str = "NODE_EXTRA_CA_CERTS";

/// What the environment has about a certificate that is not trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Untrusted {
    /// The file that `NODE_EXTRA_CA_CERTS` names.
    pub other: Option<PathBuf>,
}

impl Untrusted {
    /// What `environment` has about it.
    pub fn of(environment: &Environment) -> Self {
        Self { other: environment.path(OTHER_AUTHORITIES) }
    }
}

fn proxy(environment: &Environment, server: &Url) -> Result<Option<Proxy>, UnusableProxy> {
    let no_proxy = first(environment, NO_PROXY).map(|(_, value)| value);
    if no_proxy.is_some_and(|hosts| needs_none(&hosts.to_string_lossy(), server)) {
        return Ok(None);
    }
    let Some((variable, value)) = PROXIES.into_iter().find_map(|names| first(environment, names))
    else {
        return Ok(None);
    };
    let unusable = |reason| UnusableProxy { variable, reason };
    let found = address(&value).map_err(unusable)?;
    let shown = format!("{found} ({variable})");
    let address = found.with_user().ok_or_else(|| unusable("its user cannot be sent"))?;
    Ok(Some(Proxy { shown, address }))
}

fn address(value: &Path) -> Result<ProxyAddress, &'static str> {
    ProxyAddress::parse(value.to_str().ok_or("it is not UTF-8")?)
}

/// What is wrong with the variables that name proxies and certificate authorities. Their
/// values may hold a password and are not shown.
pub fn problems(environment: &Environment) -> Vec<String> {
    let proxies = PROXIES.into_iter().filter_map(|names| first(environment, names));
    let unusable = proxies.filter_map(|(variable, value)| {
        let reason = address(&value).err()?;
        Some(UnusableProxy { variable, reason }.to_string())
    });
    let missing = authorities::VARIABLES.into_iter().filter_map(|variable| {
        let named = authorities::named(environment, variable);
        let missing = named.into_iter().find(|path| !path.exists())?;
        Some(format!("{variable} names {}, which does not exist", missing.display()))
    });
    unusable.chain(missing).collect()
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> =
            self.proxy.iter().map(|proxy| format!("proxy: {}", proxy.shown)).collect();
        if self.is_encrypted {
            let named: Vec<_> = self
                .authorities
                .iter()
                .map(|(name, value)| format!("{name}={}", value.display()))
                .collect();
            parts.push(match named.as_slice() {
                [] => "certificate authorities: the system's".to_owned(),
                named => format!("certificate authorities: {}", named.join(", ")),
            });
        }
        if parts.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(variables: &[(&str, &str)], server: &str) -> String {
        let environment = Environment::of(variables.iter().copied());
        Route::of(&environment, &Url::parse(server).unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_proxy_is_named_without_its_password() {
        let server = "https://as.example.test/token";
        let system = "certificate authorities: the system's";
        assert_eq!(route(&[], server), format!(" ({system})"));
        for (name, value) in [
            ("HTTPS_PROXY", "http://me:fake-password@proxy.test:3128"),
            ("https_proxy", "proxy.test:3128"),
            ("ALL_PROXY", "http://proxy.test:3128/"),
        ] {
            let expected = format!(" (proxy: http://proxy.test:3128 ({name}); {system})");
            assert_eq!(route(&[(name, value)], server), expected);
        }
        let proxied = ("HTTPS_PROXY", "http://proxy.test:3128");
        assert_eq!(
            route(&[proxied, ("NO_PROXY", ".example.test")], server),
            format!(" ({system})")
        );
        assert_eq!(route(&[proxied], "http://127.0.0.1:1/token"), "");
        assert_eq!(
            route(&[("SSL_CERT_FILE", "/x.pem")], server),
            " (certificate authorities: SSL_CERT_FILE=/x.pem)"
        );
    }

    #[test]
    fn blank_variables_count_as_unset_and_capitals_go_first() {
        let server = "https://as.example.test/token";
        let system = " (certificate authorities: the system's)";
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
            assert_eq!(route(&[(name, "")], server), system);
            assert_eq!(route(&[(name, " \t")], server), system);
        }
        for variables in [
            [("HTTPS_PROXY", " "), ("https_proxy", "b.test")],
            [("HTTPS_PROXY", "b.test"), ("https_proxy", "a.test")],
            [("HTTPS_PROXY", "b.test"), ("ALL_PROXY", "a.test")],
            [("https_proxy", "b.test"), ("ALL_PROXY", "not a proxy")],
            [("HTTPS_PROXY", ""), ("all_proxy", "b.test")],
            [("HTTPS_PROXY", "b.test"), ("NO_PROXY", " ")],
            [("HTTPS_PROXY", "b.test"), ("REQUEST_METHOD", "GET")],
        ] {
            let shown = route(&variables, server);
            assert!(shown.starts_with(" (proxy: http://b.test ("), "{variables:?}: {shown}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_only_where_it_is_needed() {
        let of = |variables: &[(&str, &str)], server: &str| {
            let environment = Environment::of(variables.iter().copied());
            Route::of(&environment, &Url::parse(server).unwrap())
        };
        let server = "https://as.example.test/token";
        let odd = ("HTTPS_PROXY", "http://bob:first@second/third@proxy.test:1");
        let error = of(&[odd], server).unwrap_err().to_string();
        assert!(error.starts_with("HTTPS_PROXY is not the address of a proxy"), "{error}");
        assert!(!error.contains("second") && !error.contains("first"), "{error}");
        assert!(of(&[odd], "http://127.0.0.1:1/token").is_ok());
        assert!(of(&[odd, ("NO_PROXY", "example.test")], server).is_ok());
        assert!(of(&[("HTTP_PROXY", "not a proxy")], server).is_ok(), "there is no http");
        let bytes = <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(
            b"http://a\xff.test".to_vec(),
        );
        let environment = Environment::default().with("ALL_PROXY", bytes);
        assert!(Route::of(&environment, &Url::parse(server).unwrap()).is_err());
    }

    #[test]
    fn a_value_that_cannot_be_used_is_a_problem() {
        let of = |name: &str, value: &str| problems(&Environment::of([(name, value)]));
        for value in ["http://:1", "not a proxy", "http://[::1", "ftp://proxy.test:1", "://x"] {
            let found = of("HTTPS_PROXY", value);
            assert_eq!(found.len(), 1, "{value}");
            assert!(!found[0].contains(value));
        }
        for value in ["", "proxy.test:3128", "http://u:p@proxy.test", "http://[::1]:3128"] {
            assert!(of("https_proxy", value).is_empty(), "{value}");
        }
        assert_eq!(of("SSL_CERT_FILE", "/nonexistent/ca.pem").len(), 1);
        assert_eq!(of("SSL_CERT_DIR", "/nonexistent/a:/").len(), 1);
        assert!(of("SSL_CERT_DIR", ":/").is_empty());
    }
}
