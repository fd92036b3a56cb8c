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
    /// The command that leads the redirect from the user's machine to this one.
    pub tunnel: Option<String>,
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

/// The `ssh` command that leads the redirect from the user's machine to this one.
pub(super) fn tunnel(environment: &Environment, port: u16) -> String {
    // SSH_CONNECTION: client address, client port, server address, server port.
    let connection: Vec<&str> =
        environment.text("SSH_CONNECTION").unwrap_or_default().split_whitespace().collect();
    let host_name = process::host_name();
    let host = connection.get(2).copied().unwrap_or(&host_name);
    let user = ["USER", "LOGNAME"].iter().find_map(|name| environment.text(name));
    let destination = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
    let ssh_port = match connection.get(3) {
        Some(&"22") | None => String::new(),
        Some(other) => format!("-p {other} "),
    };
    format!("ssh -L {port}:127.0.0.1:{port} {ssh_port}{destination}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tunnel_names_this_host_as_the_user_reached_it() {
        let over_ssh = Environment::of([
            ("SSH_CONNECTION", "192.0.2.7 50000 198.51.100.3 2222"),
            ("USER", "ada"),
        ]);
        assert_eq!(tunnel(&over_ssh, 1455), "ssh -L 1455:127.0.0.1:1455 -p 2222 ada@198.51.100.3");
        let elsewhere = tunnel(&Environment::of([("USER", "ada")]), 1457);
        assert_eq!(elsewhere, format!("ssh -L 1457:127.0.0.1:1457 ada@{}", process::host_name()));
    }
}
