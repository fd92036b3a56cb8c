//! What a login says where the browser of the user may not be on this machine.

use crate::ops::login::{AuthorizationNotice, OtherCode, Tunnel};
use crate::system::environment::Remote;

/// What keeps the redirect from getting here, or may.
pub(super) fn obstacle(notice: &AuthorizationNotice<'_>) -> Option<String> {
    if !notice.listening {
        return None;
    }
    let port = notice.redirect_uri.port().unwrap_or(80);
    if notice.is_wsl {
        return Some(format!(
            "A browser on Windows gets here where localhost:{port} is forwarded to WSL, as is usual"
        ));
    }
    (notice.remote == Some(Remote::Container)).then(|| {
        let place = if notice.code == OtherCode::Shown {
            String::new()
        } else {
            format!("{}. ", place(notice.remote))
        };
        let otherwise = match (notice.code != OtherCode::None, notice.pasting) {
            (true, true) => ". Else use the code, or paste the address",
            (true, false) => ". Else use the code",
            (false, true) => ". Else paste the address",
            (false, false) => "",
        };
        format!(
            "{place}For a browser outside of the container, use --network host or the port forwarding \
             of your editor; docker run -p does not reach 127.0.0.1:{port}{otherwise}"
        )
    })
}

/// Why a browser on this machine would not reach the user.
pub(super) const fn place(remote: Option<Remote>) -> &'static str {
    match remote {
        Some(Remote::Ssh) => "You are connected over SSH",
        Some(Remote::Container) => "This is a container",
        _ => "This machine has no display",
    }
}

/// The command, for the user's own machine, that leads the redirect from there to this one.
pub(super) fn ssh(tunnel: &Tunnel) -> String {
    let Tunnel { port, user, host, ssh_port } = tunnel;
    let user = user.as_ref().map_or_else(String::new, |user| format!("{user}@"));
    let ssh_port = ssh_port.as_ref().map_or_else(String::new, |port| format!("-p {port} "));
    format!("ssh -L {port}:127.0.0.1:{port} {ssh_port}{user}{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_is_shown_as_the_command_that_makes_it() {
        let mut tunnel = Tunnel {
            port: 1455,
            user: Some("ada".to_owned()),
            host: "198.51.100.3".to_owned(),
            ssh_port: Some("2222".to_owned()),
        };
        assert_eq!(ssh(&tunnel), "ssh -L 1455:127.0.0.1:1455 -p 2222 ada@198.51.100.3");
        (tunnel.user, tunnel.ssh_port) = (None, None);
        assert_eq!(ssh(&tunnel), "ssh -L 1455:127.0.0.1:1455 198.51.100.3");
    }
}
