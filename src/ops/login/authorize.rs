//! The authorization request and its response: by redirect or by paste, whichever comes
//! first.

use super::Login;
use crate::exit::{ExitStatus, Failure};
use crate::oauth::{
    self, AuthorizationCode, AuthorizationError, AuthorizationRequest, Bound, Expectation,
    RedirectListener, Verdict,
};
use crate::ops::Interaction;
use crate::system::browser::{self, Opening};
use crate::system::environment::{Environment, Remote};
use crate::system::process;
use crate::system::signal::StopSignals;
use anyhow::Context;
use std::time::Duration;
use tokio::sync::oneshot;
use url::Url;

/// What the user needs to know to sign in.
#[derive(Debug)]
pub struct AuthorizationNotice<'a> {
    /// The name of the provider.
    pub provider_label: &'a str,
    /// Where to sign in.
    pub url: &'a Url,
    /// Whether the redirect can arrive by itself.
    pub listening: bool,
    /// The registered ports that are taken, and by which process.
    pub busy_ports: Vec<(u16, Option<String>)>,
    /// Why a browser on this machine would not reach the user.
    pub remote: Option<Remote>,
    /// The command that leads the redirect from the user's machine to this one.
    pub tunnel: Option<String>,
    /// How long the login waits.
    pub timeout: Duration,
}

/// An authorization code with everything that belongs to its request.
pub(super) struct Authorized {
    pub(super) authorization: AuthorizationRequest,
    pub(super) code: AuthorizationCode,
    pub(super) verdict: Option<oneshot::Sender<Verdict>>,
    pub(super) serving: Option<oauth::Serving>,
}

impl Login<'_> {
    /// Shows the URL and waits for the first of: redirect, paste, timeout, interrupt.
    pub(super) async fn authorize(
        &self,
        bound: Bound,
        interaction: &mut dyn Interaction,
        signals: &mut StopSignals,
    ) -> Result<Authorized, Failure> {
        let (listener, redirect_uri, busy) = match bound {
            Bound::Listening(listener, busy) => {
                let redirect_uri = listener.redirect_uri().clone();
                (Some(listener), redirect_uri, busy)
            }
            Bound::AllBusy(redirect_uri, busy) => (None, redirect_uri, busy),
        };
        let authorization = AuthorizationRequest::new(
            self.client,
            redirect_uri,
            &self.registration.scopes,
            &self.registration.authorization_parameters,
        );
        let expectation = Expectation {
            state: authorization.state.clone(),
            issuer: self.registration.issuer.clone(),
            authorization_endpoint: self.registration.endpoints.authorization.clone(),
        };
        let mut serving = listener
            .map(|listener: RedirectListener| listener.serve(expectation.clone()))
            .transpose()
            .context("could not listen for the redirect")?;
        let busy_ports = busy.iter().map(|port| (port.0, process::port_holder(port.0))).collect();
        self.show(&authorization, serving.is_some(), busy_ports, interaction);
        let mut pasted = interaction.pasted_lines();
        let deadline = tokio::time::Instant::now() + self.request.timeout;
        loop {
            if serving.is_none() && pasted.is_none() {
                return Err(Failure::message(
                    ExitStatus::Failure,
                    "every registered port is taken and there is no input to paste into",
                )
                .hint("free a port, or run the command again and paste the redirect URL"));
            }
            tokio::select! {
                biased;
                () = signals.received() => return Err(Failure::interrupted()),
                arrival = async {
                    match &mut serving {
                        Some(serving) => serving.arrival().await,
                        None => std::future::pending().await,
                    }
                } => match arrival.response {
                    Ok(code) => {
                        let verdict = Some(arrival.verdict);
                        return Ok(Authorized { authorization, code, verdict, serving });
                    }
                    Err(error) => {
                        let _ = arrival.verdict.send(Verdict::Failed);
                        if let Some(serving) = serving {
                            serving.finish().await;
                        }
                        return Err(not_authorized(&error));
                    }
                },
                line = async {
                    match &mut pasted {
                        Some(pasted) => pasted.recv().await,
                        None => std::future::pending().await,
                    }
                } => match line {
                    None => pasted = None,
                    Some(line) if line.trim().is_empty() => {
                        interaction.refuse_paste("nothing was pasted");
                    }
                    Some(line) => match oauth::parse_pasted(&line, &expectation) {
                        Ok(code) => {
                            return Ok(Authorized { authorization, code, verdict: None, serving });
                        }
                        Err(error @ AuthorizationError::Refused { .. }) => {
                            return Err(not_authorized(&error));
                        }
                        Err(error) => interaction.refuse_paste(&error.to_string()),
                    },
                },
                () = tokio::time::sleep_until(deadline) => {
                    let waited = self.request.timeout.as_secs();
                    return Err(Failure::message(
                        ExitStatus::Failure,
                        format!("nobody signed in within {waited} s"),
                    )
                    .hint("run the command again; --timeout 30m waits longer"));
                }
            }
        }
    }

    /// Shows the URL first, then opens the browser.
    fn show(
        &self,
        authorization: &AuthorizationRequest,
        listening: bool,
        busy_ports: Vec<(u16, Option<String>)>,
        interaction: &mut dyn Interaction,
    ) {
        let remote = self.environment.remote();
        let port = authorization.redirect_uri.port().unwrap_or(80);
        let tunnel = (listening && remote.is_some()).then(|| tunnel(self.environment, port));
        interaction.show_authorization(&AuthorizationNotice {
            provider_label: &self.definition.label,
            url: &authorization.url,
            listening,
            busy_ports,
            remote,
            tunnel,
            timeout: self.request.timeout,
        });
        let opening = if self.request.browser {
            browser::open(self.environment, &authorization.url)
        } else {
            Opening::NotTried
        };
        interaction.show_browser(&opening);
    }
}

fn not_authorized(error: &AuthorizationError) -> Failure {
    Failure::message(ExitStatus::Failure, format!("the sign-in failed: {error}"))
        .hint("nothing was stored; run the command again")
}

/// The `ssh` command that leads the redirect from the user's machine to this one.
fn tunnel(environment: &Environment, port: u16) -> String {
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
