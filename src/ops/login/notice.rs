//! What the user needs to know to sign in.

use crate::profile::ProviderId;
use crate::system::environment::{Environment, Remote};
use crate::system::process;
use std::time::Duration;
use url::Url;

/// An authorization request for the browser.
#[derive(Debug)]
pub struct AuthorizationNotice<'a> {
    /// The provider id.
    pub provider: &'a ProviderId,
    /// The name of the provider.
    pub provider_label: &'a str,
    /// Where to sign in.
    pub url: &'a Url,
    /// Where the browser ends.
    pub redirect_uri: &'a Url,
    /// Whether the redirect can arrive by itself.
    pub listening: bool,
    /// Whether its address may be pasted.
    pub pasting: bool,
    /// The registered ports that are taken, and by which process.
    pub busy_ports: Vec<(u16, Option<String>)>,
    /// Why a browser on this machine would not reach the user.
    pub remote: Option<Remote>,
    /// How the redirect gets from the user's machine to this one, where it needs help.
    pub tunnel: Option<Tunnel>,
    /// Whether the browser is that of Windows, and this is Linux inside it.
    pub is_wsl: bool,
    /// Whether there is a code for another device as well.
    pub code: OtherCode,
    /// How long the login waits.
    pub timeout: Duration,
}

/// Whether a login has a code for another device beside its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherCode {
    /// It has none.
    None,
    /// It is shown when it comes.
    Awaited,
    /// It has been shown.
    Shown,
}

/// A code to enter on any device.
#[derive(Debug)]
pub struct UserCodeNotice<'a> {
    /// The provider id.
    pub provider: &'a ProviderId,
    /// The name of the provider.
    pub provider_label: &'a str,
    /// The code.
    pub user_code: &'a str,
    /// Where to enter it.
    pub verification_uri: &'a Url,
    /// The same with the code in it.
    pub verification_uri_complete: Option<&'a Url>,
    /// How long it lives.
    pub lifetime: Duration,
    /// Why a browser on this machine would not reach the user.
    pub remote: Option<Remote>,
    /// Whether another way was shown before it.
    pub is_alternative: bool,
    /// Whether another way is shown right after it.
    pub is_followed: bool,
}

/// A page to open, of which nothing more is known.
#[derive(Debug)]
pub struct PageNotice<'a> {
    /// The provider id.
    pub provider: &'a ProviderId,
    /// The name of the provider.
    pub provider_label: &'a str,
    /// The page.
    pub url: &'a Url,
    /// Whether a browser on this machine would not reach the user.
    pub is_remote: bool,
}

/// A way for the redirect from the user's machine to this one, by SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// The port of the redirect, the same on both machines.
    pub port: u16,
    /// The user here, where that is known.
    pub user: Option<String>,
    /// This machine, as the user reached it, else by its own name.
    pub host: String,
    /// The port of the SSH server, where it is not the usual one.
    pub ssh_port: Option<String>,
}

impl Tunnel {
    /// The tunnel to `port` of this machine.
    pub(super) fn to(port: u16, environment: &Environment) -> Self {
        // SSH_CONNECTION: client address, client port, server address, server port.
        let mut server =
            environment.text("SSH_CONNECTION").unwrap_or_default().split_whitespace().skip(2);
        let host = server.next().map_or_else(process::host_name, str::to_owned);
        let ssh_port = server.next().filter(|port| *port != "22").map(str::to_owned);
        let user = ["USER", "LOGNAME"].iter().find_map(|name| environment.text(name));
        Self { port, user: user.map(str::to_owned), host, ssh_port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tunnel_leads_to_this_host_as_the_user_reached_it() {
        let over_ssh = Environment::of([
            ("SSH_CONNECTION", "192.0.2.7 50000 198.51.100.3 2222"),
            ("USER", "ada"),
        ]);
        let user = Some("ada".to_owned());
        let reached = Tunnel {
            port: 1455,
            user: user.clone(),
            host: "198.51.100.3".to_owned(),
            ssh_port: Some("2222".to_owned()),
        };
        assert_eq!(Tunnel::to(1455, &over_ssh), reached);
        let elsewhere = Tunnel::to(1457, &Environment::of([("USER", "ada")]));
        let host = process::host_name();
        assert_eq!(elsewhere, Tunnel { port: 1457, user, host, ssh_port: None });
    }
}
