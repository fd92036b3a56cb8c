//! The race of a login: redirect, paste and device code at once; the first that completes
//! wins.

use super::Login;
use super::notice::{AuthorizationNotice, UserCodeNotice, tunnel};
use crate::exit::{ExitStatus, Failure};
use crate::oauth::{
    self, AuthorizationCode, AuthorizationError, AuthorizationRequest, Bound, DeviceAuthorization,
    Expectation, Grant, TokenError, Verdict,
};
use crate::ops::Interaction;
use crate::system::browser::{self, Opening};
use crate::system::signal::StopSignals;
use crate::system::{now, process};
use anyhow::Context;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How often the user is told how much time is left.
const TICK: Duration = Duration::from_secs(1);
/// A server that is slow to give a code does not keep the other ways waiting.
const CODE_PATIENCE: Duration = Duration::from_secs(5);

/// A login that waits for the user.
pub(super) struct Waiting {
    /// The authorization request, where a browser is among the ways.
    pub(super) authorization: Option<AuthorizationRequest>,
    expectation: Option<Expectation>,
    serving: Option<oauth::Serving>,
    pasted: Option<Receiver<String>>,
    device: Option<Device>,
    deadline: Instant,
    timeout: Duration,
}

/// A device authorization under way.
struct Device {
    /// Its end: the grant.
    approval: Pin<Box<dyn Future<Output = Result<Grant, TokenError>>>>,
    /// The code to show, once it is there.
    code: Option<oneshot::Receiver<DeviceAuthorization>>,
}

/// What came of the user's sign-in.
pub(super) enum Response {
    /// An authorization code, and how it came.
    Code(AuthorizationCode, Origin),
    /// The user has approved on another device.
    Granted(Box<Grant>),
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
    /// Begins every way of the login and shows what the user needs: first what is most
    /// likely to work where this runs.
    pub(super) async fn start(
        &self,
        interaction: &mut dyn Interaction,
        signals: &mut StopSignals,
    ) -> Result<Waiting, Failure> {
        let timeout = self.request.timeout;
        let mut waiting = Waiting {
            authorization: None,
            expectation: None,
            serving: None,
            pasted: None,
            device: self.ways.device.then(|| self.begin_device()),
            deadline: Instant::now() + timeout,
            timeout,
        };
        let has_browser = self.ways.browser || self.ways.paste;
        if self.environment.remote().is_some() || !has_browser {
            waiting.await_code(self, interaction, signals).await?;
        }
        if has_browser {
            let is_alternative = waiting.has_shown_code();
            self.begin_authorization(&mut waiting, is_alternative, interaction)?;
        }
        Ok(waiting)
    }

    fn begin_device(&self) -> Device {
        let (client, scopes) = (self.client.clone(), self.scopes.clone());
        let (shown, code) = oneshot::channel();
        let approval = Box::pin(async move {
            let device = oauth::authorize_device(&client, &scopes, now).await?;
            // Whoever does not look any more does not wait for the approval either.
            let _ = shown.send(device.clone());
            oauth::wait_for_approval(&client, &device, now).await
        });
        Device { approval, code: Some(code) }
    }

    /// Makes the authorization request, listens for its response, and shows the URL.
    fn begin_authorization(
        &self,
        waiting: &mut Waiting,
        is_alternative: bool,
        interaction: &mut dyn Interaction,
    ) -> Result<(), Failure> {
        let redirect = &self.redirect;
        let bound = if self.ways.browser {
            oauth::bind(&redirect.host, &redirect.ports, &redirect.path)
                .context("could not listen for the redirect")?
        } else {
            let uri = redirect.uri().context("the redirect URI")?;
            Bound::AllBusy(uri, Vec::new())
        };
        let (listener, redirect_uri, busy) = match bound {
            Bound::Listening(listener, busy) => {
                let redirect_uri = listener.redirect_uri().clone();
                (Some(listener), redirect_uri, busy)
            }
            Bound::AllBusy(redirect_uri, busy) => (None, redirect_uri, busy),
        };
        let authorization = self.authorization_request(redirect_uri)?;
        let expectation = self.expectation(&authorization)?;
        let serving = listener
            .map(|listener| listener.serve(expectation.clone()))
            .transpose()
            .context("could not listen for the redirect")?;
        let busy_ports = busy.iter().map(|port| (port.0, process::port_holder(port.0))).collect();
        self.show(&authorization, serving.is_some(), busy_ports, is_alternative, interaction);
        waiting.serving = serving;
        waiting.pasted = if self.ways.paste { interaction.pasted_lines() } else { None };
        waiting.authorization = Some(authorization);
        waiting.expectation = Some(expectation);
        Ok(())
    }

    /// Shows the URL first, then opens the browser.
    fn show(
        &self,
        authorization: &AuthorizationRequest,
        listening: bool,
        busy_ports: Vec<(u16, Option<String>)>,
        is_alternative: bool,
        interaction: &mut dyn Interaction,
    ) {
        let remote = self.environment.remote();
        let port = authorization.redirect_uri.port().unwrap_or(80);
        let tunnel = (listening && remote.is_some()).then(|| tunnel(self.environment, port));
        interaction.show_authorization(&AuthorizationNotice {
            provider_label: &self.definition.label,
            url: &authorization.url,
            redirect_uri: &authorization.redirect_uri,
            listening,
            pasting: self.ways.paste,
            busy_ports,
            remote,
            tunnel,
            is_alternative,
            timeout: self.request.timeout,
        });
        let opening = if self.request.browser && listening {
            browser::open(self.environment, &authorization.url)
        } else {
            Opening::NotTried
        };
        interaction.show_browser(&opening);
    }

    fn show_code(&self, device: &DeviceAuthorization, interaction: &mut dyn Interaction) {
        interaction.show_user_code(&UserCodeNotice {
            provider_label: &self.definition.label,
            user_code: &device.user_code,
            verification_uri: &device.verification_uri,
            verification_uri_complete: device.verification_uri_complete.as_ref(),
            lifetime: device.lifetime,
            remote: self.environment.remote(),
            is_alternative: self.environment.remote().is_none()
                && (self.ways.browser || self.ways.paste),
        });
    }
}

impl Waiting {
    /// Whether the user has a code to enter.
    fn has_shown_code(&self) -> bool {
        self.device.as_ref().is_some_and(|device| device.code.is_none())
    }

    /// Waits for the code of the device authorization, for a while, and shows it. Where it
    /// is the only way, its failure is that of the login.
    async fn await_code(
        &mut self,
        login: &Login<'_>,
        interaction: &mut dyn Interaction,
        signals: &mut StopSignals,
    ) -> Result<(), Failure> {
        let Some(Device { approval, code }) = &mut self.device else { return Ok(()) };
        let is_only = !login.ways.browser && !login.ways.paste;
        let patience = if is_only { self.timeout } else { CODE_PATIENCE };
        tokio::select! {
            biased;
            () = signals.received() => Err(Failure::interrupted()),
            device = shown(code) => {
                login.show_code(&device, interaction);
                Ok(())
            }
            // It ends before it has shown a code when there is none.
            ended = approval.as_mut() => match ended {
                Ok(_) => Err(Failure::message(ExitStatus::Failure, "approved without a code")),
                Err(error) if is_only => Err(login.not_signed_in(&error)),
                Err(error) => {
                    interaction.note(&format!("no device code: {error}"));
                    self.device = None;
                    Ok(())
                }
            },
            () = tokio::time::sleep(patience) => Ok(()),
        }
    }

    /// The first of: redirect, paste, approval, timeout, interrupt.
    pub(super) async fn response(
        &mut self,
        login: &Login<'_>,
        interaction: &mut dyn Interaction,
        signals: &mut StopSignals,
    ) -> Result<Response, Failure> {
        let mut tick = tokio::time::interval(TICK);
        interaction.waiting(self.deadline.saturating_duration_since(Instant::now()));
        loop {
            if self.serving.is_none() && self.pasted.is_none() && self.device.is_none() {
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
                    Ok(code) => Ok(Response::Code(code, Origin::Redirect(arrival.verdict))),
                    Err(error) => {
                        // A browser that has gone away needs no verdict.
                        let _ = arrival.verdict.send(Verdict::Failed);
                        Err(not_authorized(&error))
                    }
                },
                event = device_event(&mut self.device) => match event {
                    DeviceEvent::Code(device) => login.show_code(&device, interaction),
                    DeviceEvent::Ended(Ok(grant)) => return Ok(Response::Granted(Box::new(grant))),
                    DeviceEvent::Ended(Err(error)) => {
                        self.device = None;
                        let is_denied = matches!(
                            &error,
                            TokenError::Refused { code, .. } if code == "access_denied"
                        );
                        if is_denied || (self.serving.is_none() && self.pasted.is_none()) {
                            return Err(login.not_signed_in(&error));
                        }
                        interaction.note(&format!("the device code is of no use: {error}"));
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
                _ = tick.tick() => {
                    interaction.waiting(self.deadline.saturating_duration_since(Instant::now()));
                }
            }
        }
    }

    /// What a pasted line says; `None` when it is refused and the prompt is back.
    fn pasted(
        &self,
        line: &str,
        interaction: &mut dyn Interaction,
    ) -> Result<Option<Response>, Failure> {
        let Some(expectation) = &self.expectation else { return Ok(None) };
        match oauth::parse_pasted(line, expectation) {
            Ok((code, true)) => Ok(Some(Response::Code(code, Origin::Pasted))),
            Ok((code, false)) => Ok(Some(Response::Code(code, Origin::BareCode))),
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

/// What happens to a device authorization.
enum DeviceEvent {
    /// There is a code to show.
    Code(Box<DeviceAuthorization>),
    /// The user has approved, or will not.
    Ended(Result<Grant, TokenError>),
}

async fn device_event(device: &mut Option<Device>) -> DeviceEvent {
    let Some(Device { approval, code }) = device else { return std::future::pending().await };
    tokio::select! {
        biased;
        device = shown(code) => DeviceEvent::Code(Box::new(device)),
        ended = approval.as_mut() => DeviceEvent::Ended(ended),
    }
}

/// The code of a device authorization, once.
async fn shown(code: &mut Option<oneshot::Receiver<DeviceAuthorization>>) -> DeviceAuthorization {
    let received = match code.as_mut() {
        Some(receiver) => receiver.await,
        None => std::future::pending().await,
    };
    *code = None;
    match received {
        Ok(device) => device,
        // There is none: the approval says why.
        Err(_) => std::future::pending().await,
    }
}

pub(super) fn not_authorized(error: &AuthorizationError) -> Failure {
    Failure::message(ExitStatus::Failure, format!("the sign-in failed: {error}"))
        .hint("nothing was stored; run the command again")
}
