//! Which way a request goes: through which proxy, trusting which certificate authorities.
//! The variables of proxies are those of the environment that is handed in, and mean what
//! they mean to reqwest; those of authorities are read as rustls-native-certs reads them, so
//! that an error can name them.

use super::Environment;
use crate::secret::Secret;
use hyper_util::client::proxy::matcher::Matcher;
use oauth2::http::Uri;
use std::fmt;
use url::Url;

/// The way to one server.
#[derive(Clone, Debug, Default)]
pub struct Route {
    proxy: Option<Proxy>,
    /// The variables that name certificate authorities, with their values.
    authorities: Vec<(&'static str, String)>,
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

/// The variables that name a proxy, in the order in which they are read.
const PROXIES: [[&str; 2]; 3] =
    [["HTTPS_PROXY", "https_proxy"], ["HTTP_PROXY", "http_proxy"], ["ALL_PROXY", "all_proxy"]];

/// The value of the first of two spellings that is set.
fn first<'e>(
    environment: &'e Environment,
    names: [&'static str; 2],
) -> Option<(&'static str, &'e str)> {
    names.into_iter().find_map(|name| Some((name, environment.raw(name)?)))
}

impl Route {
    /// The way from here to `server`.
    pub fn of(environment: &Environment, server: &Url) -> Self {
        let authorities = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
        let named = |name| Some((name, environment.raw(name)?.to_owned()));
        Self {
            proxy: if is_loopback(server) { None } else { proxy(environment, server) },
            authorities: authorities.into_iter().filter_map(named).collect(),
            is_encrypted: server.scheme() == "https",
        }
    }

    /// The address of the proxy that the request goes through, where there is one. It may
    /// hold a password.
    pub(super) fn proxy(&self) -> Option<&Secret> {
        self.proxy.as_ref().map(|proxy| &proxy.address)
    }
}

fn proxy(environment: &Environment, server: &Url) -> Option<Proxy> {
    // Where a server runs this as a CGI program, HTTP_PROXY is a header of the client.
    if environment.raw("REQUEST_METHOD").is_some() {
        return None;
    }
    let value = |names| first(environment, names).map_or("", |(_, value)| value).to_owned();
    let [https, http, all] = PROXIES;
    let matcher = Matcher::builder()
        .https(value(https))
        .http(value(http))
        .all(value(all))
        .no(value(["NO_PROXY", "no_proxy"]))
        .build();
    let uri: Uri = server.as_str().parse().ok()?;
    let proxy = matcher.intercept(&uri)?;
    let own = if server.scheme() == "https" { https } else { http };
    let (name, address) = [own, all]
        .into_iter()
        .find_map(|names| first(environment, names).filter(|(_, value)| is_usable(value)))?;
    let shown = format!("{} ({name})", without_user(proxy.uri()));
    Some(Proxy { shown, address: Secret::new(address) })
}

/// The address of a proxy without the password in it.
fn without_user(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = uri.host().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}")
}

/// Whether a value names a proxy: one that does not is passed over in silence by reqwest.
fn is_usable(value: &str) -> bool {
    let matcher = Matcher::builder().all(value.to_owned()).build();
    let probe = Uri::from_static("https://probe.invalid/");
    matcher.intercept(&probe).is_some_and(|proxy| {
        let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
        proxy.uri().host().is_some_and(|host| !host.is_empty())
            && proxy.uri().scheme_str().is_some_and(|scheme| known.contains(&scheme))
    })
}

/// What is wrong with the variables that name proxies and certificate authorities. Their
/// values may hold a password and are not shown.
pub fn problems(environment: &Environment) -> Vec<String> {
    let proxies = PROXIES.into_iter().filter_map(|names| first(environment, names));
    let mut problems: Vec<_> = proxies
        .filter(|(_, value)| !value.trim().is_empty() && !is_usable(value))
        .map(|(name, _)| {
            format!("{name} is not the address of a proxy (http://host:port) and is not used")
        })
        .collect();
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let Some(path) = environment.path(name) else { continue };
        // SSL_CERT_DIR may be a list.
        let missing = std::env::split_paths(&path).find(|path| !path.exists());
        if let Some(missing) = missing {
            problems.push(format!("{name} names {}, which does not exist", missing.display()));
        }
    }
    problems
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> =
            self.proxy.iter().map(|proxy| format!("proxy: {}", proxy.shown)).collect();
        if self.is_encrypted {
            let named: Vec<_> =
                self.authorities.iter().map(|(name, value)| format!("{name}={value}")).collect();
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
        Route::of(&environment, &Url::parse(server).unwrap()).to_string()
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
    fn a_value_that_names_no_proxy_is_a_problem() {
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
    }
}
