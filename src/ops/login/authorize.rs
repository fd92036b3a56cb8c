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
use tokio::sync::mpsc::Receiver;
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

/// An authorization request that waits for its response.
pub(super) struct Waiting {
    pub(super) authorization: AuthorizationRequest,
    expectation: Expectation,
    serving: Option<oauth::Serving>,
    pasted: Option<Receiver<String>>,
    deadline: tokio::time::Instant,
    timeout: Duration,
}

/// An authorization code with the way in which it came.
pub(super) struct Response {
    pub(super) code: AuthorizationCode,
    pub(super) origin: Origin,
}

/// How an authorization code came.
pub(super) enum Origin {
    /// By the redirect; the browser waits for the verdict.
    Redirect(oneshot::Sender<Verdict>),
    /// Pasted, with the state of this login.
    Pasted,
    /// Pasted without a state: it may be anything.
    BareCode,
}

impl Login<'_> {
    /// Makes the authorization request, listens for its response, and shows the URL.
    pub(super) fn start(
        &self,
        bound: Bound,
        interaction: &mut dyn Interaction,
    ) -> Result<Waiting, Failure> {
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
        let serving = listener
            .map(|listener: RedirectListener| listener.serve(expectation.clone()))
            .transpose()
            .context("could not listen for the redirect")?;
        let busy_ports = busy.iter().map(|port| (port.0, process::port_holder(port.0))).collect();
        self.show(&authorization, serving.is_some(), busy_ports, interaction);
        let timeout = self.request.timeout;
        Ok(Waiting {
            authorization,
            expectation,
            serving,
            pasted: interaction.pasted_lines(),
            deadline: tokio::time::Instant::now() + timeout,
            timeout,
        })
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

impl Waiting {
    /// The first of: redirect, paste, timeout, interrupt.
    pub(super) async fn response(
        &mut self,
        interaction: &mut dyn Interaction,
        signals: &mut StopSignals,
    ) -> Result<Response, Failure> {
        loop {
            if self.serving.is_none() && self.pasted.is_none() {
                return Err(Failure::message(
                    ExitStatus::Failure,
                    "every registered port is taken and there is no input to paste into",
                )
                .hint("free a port, or run the command again and paste the redirect URL"));
            }
            tokio::select! {
                biased;
                () = signals.received() => return Err(Failure::interrupted()),
                arrival = arrival(&mut self.serving) => return match arrival.response {
                    Ok(code) => Ok(Response { code, origin: Origin::Redirect(arrival.verdict) }),
                    Err(error) => {
                        // A browser that has gone away needs no verdict.
                        let _ = arrival.verdict.send(Verdict::Failed);
                        Err(not_authorized(&error))
                    }
                },
                () = tokio::time::sleep_until(self.deadline) => {
                    let waited = self.timeout.as_secs();
                    return Err(Failure::message(
                        ExitStatus::Failure,
                        format!("nobody signed in within {waited} s"),
                    )
                    .hint("run the command again; --timeout 30m waits longer"));
                }
                line = line(&mut self.pasted) => match line {
                    None => self.pasted = None,
                    Some(line) => {
                        if let Some(response) = self.pasted(&line, interaction)? {
                            return Ok(response);
                        }
                    }
                },
            }
        }
    }

    /// What a pasted line says; `None` when it is refused and the prompt is back.
    fn pasted(
        &self,
        line: &str,
        interaction: &mut dyn Interaction,
    ) -> Result<Option<Response>, Failure> {
        match oauth::parse_pasted(line, &self.expectation) {
            Ok((code, true)) => Ok(Some(Response { code, origin: Origin::Pasted })),
            Ok((code, false)) => Ok(Some(Response { code, origin: Origin::BareCode })),
            Err(error @ AuthorizationError::Refused { .. }) => Err(not_authorized(&error)),
            Err(error) => {
                interaction.refuse_paste(&error.to_string());
                Ok(None)
            }
        }
    }

    /// Lets the browser fetch its page.
    pub(super) async fn finish(self) {
        if let Some(serving) = self.serving {
            serving.finish().await;
        }
    }
}

async fn arrival(serving: &mut Option<oauth::Serving>) -> oauth::Arrival {
    match serving {
        Some(serving) => serving.arrival().await,
        None => std::future::pending().await,
    }
}

async fn line(pasted: &mut Option<Receiver<String>>) -> Option<String> {
    match pasted {
        Some(pasted) => pasted.recv().await,
        None => std::future::pending().await,
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
