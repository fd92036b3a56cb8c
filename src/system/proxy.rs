//! The address of a proxy, as a variable has it, and the hosts that need none.
//!
//! Invariant: what cannot be read in one way only is not used: a part of a password is never
//! taken for a host. Nothing here quotes a value.

use crate::secret::Secret;
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// The address of a proxy.
#[derive(Clone, Debug)]
pub(super) struct ProxyAddress {
    scheme: &'static str,
    host: Host,
    port: Option<u16>,
    /// User and password, as they are given.
    user: Option<Secret>,
}

/// The schemes of proxies. With `socks5h` and `socks4a`, the proxy looks the name up.
const SCHEMES: [&str; 6] = ["http", "https", "socks5", "socks5h", "socks4", "socks4a"];

impl ProxyAddress {
    /// Reads `[scheme://][user[:password]@]host[:port][/]`; the scheme is `http` where there is
    /// none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(value: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = match value.split_once("://") {
            Some((given, rest)) => (scheme(given)?, rest),
            None if is_no_host(value) => return Err("the host is missing or not valid"),
            None => ("http", value),
        };
        if rest.contains(char::is_control) {
            return Err("it has a control character in it");
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        if behind.contains('@') {
            return Err("it has an @ behind a /, ? or #");
        }
        let (user, place) = match authority.split_once('@') {
            Some((_, place)) if place.contains('@') => return Err("it has more than one @"),
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        let user = user.filter(|user| !user.is_empty()).map(Secret::new);
        Ok(Self { scheme, host, port, user })
    }

    /// The address with the user and the password, for the client. What is percent-encoded in
    /// them stays so.
    pub(super) fn with_user(&self) -> Option<Secret> {
        let mut address = Url::parse(&self.to_string()).ok()?;
        let user = self.user.as_ref().map(Secret::expose).unwrap_or_default();
        let (name, password) =
            user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
        address.set_username(name).ok()?;
        address.set_password(password).ok()?;
        Some(Secret::new(String::from(address)))
    }
}

/// Without the user and the password.
impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, .. } = self;
        write!(f, "{scheme}://{host}")?;
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn scheme(given: &str) -> Result<&'static str, &'static str> {
    let known = SCHEMES.into_iter().find(|known| known.eq_ignore_ascii_case(given));
    known.ok_or_else(|| match given.to_ascii_lowercase().as_str() {
        "socks" => "it does not say which SOCKS: socks5h://, socks5:// or socks4://",
        _ => "it is no http, https or SOCKS proxy",
    })
}

/// Whether a value without a scheme is a word that switches something off, or an address whose
/// scheme was mistyped (`http//host`), rather than the name of a proxy.
fn is_no_host(value: &str) -> bool {
    const WORDS: [&str; 8] = ["direct", "none", "off", "no", "false", "null", "undefined", "nil"];
    let place = value.split('/').next().unwrap_or_default();
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(place));
    let is_scheme = SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(place));
    is_word || (is_scheme && value.contains('/'))
}

fn host_and_port(place: &str) -> Result<(Host, Option<u16>), &'static str> {
    let no_host = "it names no host";
    let bracket = place.starts_with('[').then(|| place.find(']')).flatten();
    let (host, port) = match bracket {
        Some(end) => (&place[..=end], &place[end + 1..]),
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    if host.is_empty() {
        return Err(no_host);
    }
    let is_odd =
        |character: char| character.is_whitespace() || "%!$&'()*+,;=\"".contains(character);
    if host.contains(is_odd) {
        return Err("the host is missing or not valid");
    }
    let port = match port {
        "" => None,
        port => {
            let digits = port.strip_prefix(':').unwrap_or_default();
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.parse::<u16>().ok().filter(|port| *port > 0 && is_number);
            Some(number.ok_or("its port is no number from 1 to 65535")?)
        }
    };
    Ok((Host::parse(host).map_err(|_| "the host is missing or not valid")?, port))
}

/// Whether `NO_PROXY` says that `server` needs no proxy: `*`, names (with those below them,
/// whether or not a dot or `*.` is in front), addresses and networks (`10.0.0.0/8`), with a
/// port or without, between commas or spaces.
pub(super) fn needs_none(no_proxy: &str, server: &Url) -> bool {
    let entries = no_proxy.split(|character: char| character == ',' || character.is_whitespace());
    let mut entries = entries.filter(|entry| !entry.is_empty());
    let Some(host) = server.host() else { return false };
    entries.any(|entry| {
        let (place, port) = with_port(entry);
        let is_port = port.is_none_or(|port| Some(port) == server.port_or_known_default());
        is_port && (place == "*" || names(place, &host))
    })
}

/// An entry without its port. An IPv6 address with one is in brackets.
fn with_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, behind)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, behind.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.split_once(':') {
        Some((place, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (place, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn names(place: &str, host: &Host<&str>) -> bool {
    let address = match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let place = place.strip_prefix('*').unwrap_or(place);
            let place = place.trim_matches('.').to_ascii_lowercase();
            let below = name.strip_suffix(place.as_str());
            return !place.is_empty()
                && below.is_some_and(|below| below.is_empty() || below.ends_with('.'));
        }
        Host::Ipv4(address) => IpAddr::from(*address),
        Host::Ipv6(address) => IpAddr::from(*address),
    };
    match place.split_once('/') {
        None => place.parse() == Ok(address),
        Some((network, bits)) => match (network.parse(), bits.parse()) {
            (Ok(network), Ok(bits)) => is_in(address, network, bits),
            _ => false,
        },
    }
}

/// Whether `address` begins with the first `bits` of `network`.
fn is_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let differ = u32::from(address) ^ u32::from(network);
            differ.leading_zeros() >= bits
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let differ = u128::from(address) ^ u128::from(network);
            differ.leading_zeros() >= bits
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_its_user() {
        for (value, shown, whole) in [
            ("proxy.test:3128", "http://proxy.test:3128", "http://proxy.test:3128"),
            ("proxy.test", "http://proxy.test", "http://proxy.test"),
            ("HTTP://Proxy.Test:3128/", "http://proxy.test:3128", "http://proxy.test:3128"),
            ("https://proxy.test", "https://proxy.test", "https://proxy.test"),
            ("socks5h://127.0.0.1:1080", "socks5h://127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
            ("http://[::1]:3128", "http://[::1]:3128", "http://[::1]:3128"),
            ("http://u:p@proxy.test:1", "http://proxy.test:1", "http://u:p@proxy.test:1"),
            ("u:p@proxy.test:1", "http://proxy.test:1", "http://u:p@proxy.test:1"),
            ("http://u@proxy.test:1", "http://proxy.test:1", "http://u@proxy.test:1"),
            ("http://@proxy.test:1", "http://proxy.test:1", "http://proxy.test:1"),
            ("http://u:a:b@proxy.test:1", "http://proxy.test:1", "http://u:a%3Ab@proxy.test:1"),
            ("http://u:a%40b@proxy.test:1", "http://proxy.test:1", "http://u:a%40b@proxy.test:1"),
            ("http://u:50%@proxy.test:1", "http://proxy.test:1", "http://u:50%@proxy.test:1"),
            ("http://u:a b@proxy.test:1", "http://proxy.test:1", "http://u:a%20b@proxy.test:1"),
            ("http://u:\u{e9}@proxy.test:1", "http://proxy.test:1", "http://u:%C3%A9@proxy.test:1"),
        ] {
            let found =
                ProxyAddress::parse(value).unwrap_or_else(|error| panic!("{value}: {error}"));
            assert_eq!(found.to_string(), shown, "{value}");
            assert_eq!(found.with_user().unwrap().expose().trim_end_matches('/'), whole, "{value}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_used() {
        for value in [
            "http://bob:first@second-half/third@127.0.0.1:1",
            "http://bob:p@ss@proxy.test:3128",
            "http://bob:p/ss@proxy.test:3128",
            "http://bob:p?ss@proxy.test:3128",
            "http://bob:p#ss@proxy.test:3128",
            "http://bob:p\\ss@proxy.test:3128",
            "bob:pass#word@proxy.test",
            "http://bob:secret",
            "http://bob:p\u{7}ss@proxy.test",
            "http://proxy.test:99999",
            "http://proxy.test:0",
            "http://proxy.test:+1",
            "http://proxy.test:",
            "http:/proxy.test:3128",
            "http:proxy.test",
            "http//proxy.test:3128",
            "socks5/127.0.0.1:1080",
            "DIRECT",
            "none",
            "off",
            "//proxy.test",
            "http://:1",
            "http://",
            "://x",
            "not a proxy",
            "http://[::1",
            "http://[::1]x",
            "http://a%40b",
            "ftp://proxy.test:1",
            "socks://proxy.test:1",
            "socks6://proxy.test:1",
        ] {
            assert!(ProxyAddress::parse(value).is_err(), "{value}");
        }
    }

    #[test]
    fn no_proxy_names_hosts_in_all_usual_forms() {
        let none =
            |no_proxy: &str, server: &str| needs_none(no_proxy, &Url::parse(server).unwrap());
        let server = "https://as.example.test/token";
        for no_proxy in [
            "*",
            "example.test",
            ".example.test",
            "*.example.test",
            "EXAMPLE.test",
            "example.test.",
            "as.example.test",
            "test",
            "other.test, as.example.test",
            "other.test as.example.test",
            "as.example.test:443",
            "*:443",
        ] {
            assert!(none(no_proxy, server), "{no_proxy}");
        }
        for no_proxy in [
            "",
            ",",
            ".",
            "ample.test",
            "b.example.test",
            "as.example.test:8443",
            "example",
            "10.0.0.0/8",
        ] {
            assert!(!none(no_proxy, server), "{no_proxy}");
        }
        for (no_proxy, server, expected) in [
            ("192.0.2.1", "https://192.0.2.1/", true),
            ("192.0.2.1:443", "https://192.0.2.1/", true),
            ("192.0.2.0/24", "https://192.0.2.77/", true),
            ("192.0.2.0/28", "https://192.0.2.77/", false),
            ("0.0.0.0/0", "https://192.0.2.77/", true),
            ("192.0.2.0/33", "https://192.0.2.77/", false),
            ("2001:db8::1", "https://[2001:db8::1]/", true),
            ("[2001:db8::1]:443", "https://[2001:db8::1]/", true),
            ("2001:db8::/32", "https://[2001:db8::9]/", true),
            ("2001:db8::/32", "https://192.0.2.1/", false),
            ("2.1", "https://192.0.2.1/", false),
        ] {
            assert_eq!(none(no_proxy, server), expected, "{no_proxy} {server}");
        }
    }
}
