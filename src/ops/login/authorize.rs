//! The race of a login: redirect, paste and device code at once; the first that completes
//! wins.

use super::device::{self, Device, DeviceEvent};
use super::error::LoginError;
use super::notice::{AuthorizationNotice, OtherCode, Tunnel, UserCodeNotice};
use super::parts::Login;
use super::pastes::Pastes;
use super::takeover::{self, PortClaim};
use crate::oauth::{
    self, AuthorizationCode, AuthorizationError, AuthorizationRequest, Bound, DeviceAuthorization,
    ExpectedResponse, Grant, Verdict,
};
use crate::ops::{Event, Input, Interaction};
use crate::system::Clock;
use crate::system::Stop;
use crate::system::browser::Opening;
use crate::system::environment::Remote;
use crate::system::lock::Holder;
use crate::system::process;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often the user is told how much time is left.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// A server that is slow to give a code does not keep the other ways waiting.
const CODE_PATIENCE: Duration = Duration::from_secs(5);

/// A login that waits for the user.
pub(super) struct Waiting {
    /// The authorization request, where a browser is among the ways.
    pub(super) authorization: Option<AuthorizationRequest>,
    expectation: Option<ExpectedResponse>,
    serving: Option<oauth::Serving>,
    /// The port of the listener, for a later login to ask for.
    place: Option<PortClaim>,
    pasted: Option<Pastes>,
    device: Option<Device>,
    deadline: Instant,
    timeout: Duration,
    clock: Clock,
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
        stop: &mut Stop,
    ) -> Result<Waiting, LoginError> {
        let timeout = self.request.timeout;
        let clock = self.app.machine.clock.clone();
        let mut waiting = Waiting {
            authorization: None,
            expectation: None,
            serving: None,
            place: None,
            pasted: None,
            device: self.methods.device.then(|| self.begin_device()),
            deadline: clock.instant() + timeout,
            timeout,
            clock,
        };
        let has_browser = self.methods.browser || self.methods.paste;
        if self.environment.remote().is_some() || !has_browser {
            waiting.await_code(self, interaction, stop).await?;
        }
        if has_browser {
            tokio::select! {
                begun = self.begin_authorization(&mut waiting, interaction) => begun?,
                () = stop.asked() => return Err(LoginError::Interrupted),
            }
        }
        Ok(waiting)
    }

    /// Makes the authorization request, listens for its response, and shows the URL.
    async fn begin_authorization(
        &self,
        waiting: &mut Waiting,
        interaction: &mut dyn Interaction,
    ) -> Result<(), LoginError> {
        let bound = self.bound(waiting.device.is_some(), interaction).await?;
        let locks = self.app.paths.login_locks();
        let (listener, redirect_uri, busy) = match bound {
            Bound::Listening(listener, busy) => {
                let redirect_uri = listener.redirect_uri().clone();
                waiting.place = redirect_uri
                    .port()
                    .and_then(|port| PortClaim::take(&locks, port, &self.app.machine.clock));
                (Some(listener), redirect_uri, busy)
            }
            Bound::AllBusy(redirect_uri, busy) => (None, redirect_uri, busy),
        };
        let authorization = self.authorization_request(redirect_uri)?;
        let expectation = self.expectation(&authorization)?;
        let serving = listener
            .map(|listener| listener.serve(expectation.clone(), &self.app.machine.clock))
            .transpose()
            .map_err(LoginError::Listen)?;
        let holder = |port| {
            let ours =
                takeover::waiting_on(&locks, port, self.app.now()).and_then(|holder| holder.pid);
            let ours = ours.map(|pid| format!("another login (pid {pid})"));
            ours.or_else(|| process::port_holder(port))
        };
        let busy_ports = busy.iter().map(|port| (port.0, holder(port.0))).collect();
        self.show(&authorization, serving.is_some(), waiting, busy_ports, interaction);
        waiting.serving = serving;
        let lines = if self.methods.paste { interaction.lines(Input::Pastes) } else { None };
        waiting.pasted = lines.map(|lines| Pastes::of(lines, waiting.clock.clone()));
        waiting.authorization = Some(authorization);
        waiting.expectation = Some(expectation);
        Ok(())
    }

    /// Listens, where the browser's redirect is among the ways. A machine on which nothing can
    /// listen leaves the others.
    async fn bound(
        &self,
        has_code: bool,
        interaction: &mut dyn Interaction,
    ) -> Result<Bound, LoginError> {
        let alone = || {
            let uri = self.redirect.uri().map_err(LoginError::RedirectUri)?;
            Ok(Bound::AllBusy(uri, Vec::new()))
        };
        if !self.methods.browser {
            return alone();
        }
        match self.listen(interaction).await {
            Err(error) if self.methods.paste || has_code => {
                interaction.note(&format!("could not listen for the redirect: {error}"));
                alone()
            }
            bound => bound.map_err(LoginError::Listen),
        }
    }

    /// Listens on a registered port: a free one, else that of an earlier login of ours.
    async fn listen(&self, interaction: &mut dyn Interaction) -> std::io::Result<Bound> {
        let redirect = &self.redirect;
        let bound = oauth::bind(&redirect.host, &redirect.ports, &redirect.path)?;
        let Bound::AllBusy(_, busy) = &bound else { return Ok(bound) };
        let (locks, clock) = (self.app.paths.login_locks(), &self.app.machine.clock);
        let takeover = takeover::take_over(&locks, redirect, clock);
        tokio::pin!(takeover);
        let taken = tokio::select! {
            taken = &mut takeover => taken?,
            () = clock.sleep(TICK) => {
                interaction.note("waiting for an earlier login to give up its port");
                takeover.await?
            }
        };
        let Some((listener, port, from)) = taken else {
            // A login of ours that has died meanwhile has closed its port before its lock.
            return oauth::bind(&redirect.host, &redirect.ports, &redirect.path);
        };
        let from = from.pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
        interaction.note(&format!("took port {port} over from an earlier login{from}"));
        let others = busy.iter().filter(|busy| busy.0 != port).copied().collect();
        Ok(Bound::Listening(listener, others))
    }

    /// Shows the URL first, then opens the browser.
    fn show(
        &self,
        authorization: &AuthorizationRequest,
        listening: bool,
        waiting: &Waiting,
        busy_ports: Vec<(u16, Option<String>)>,
        interaction: &mut dyn Interaction,
    ) {
        let remote = self.environment.remote();
        let port = authorization.redirect_uri.port().unwrap_or(80);
        // Who reaches a container by SSH is a remote of that kind.
        let has_tunnel = matches!(remote, Some(Remote::Ssh | Remote::NoDisplay));
        let tunnel = (listening && has_tunnel).then(|| Tunnel::to(port, self.environment));
        let code = match &waiting.device {
            None => OtherCode::None,
            Some(device) if device.end.is_some() => OtherCode::Shown,
            Some(_) => OtherCode::Awaited,
        };
        interaction.event(Event::Authorization(AuthorizationNotice {
            provider: &self.definition.id,
            provider_label: &self.definition.label,
            url: &authorization.url,
            redirect_uri: &authorization.redirect_uri,
            listening,
            pasting: self.methods.paste,
            busy_ports,
            remote,
            tunnel,
            is_wsl: remote.is_none() && self.environment.is_wsl(),
            code,
            timeout: self.request.timeout,
        }));
        let opening = if self.request.browser && listening {
            self.app.machine.browser.open(self.environment, &authorization.url)
        } else {
            Opening::NotTried
        };
        interaction.event(Event::Browser(opening));
    }

    fn show_code(
        &self,
        device: &DeviceAuthorization,
        has_url: bool,
        interaction: &mut dyn Interaction,
    ) {
        interaction.event(Event::UserCode(UserCodeNotice {
            provider: &self.definition.id,
            provider_label: &self.definition.label,
            user_code: &device.user_code,
            verification_uri: &device.verification_uri,
            verification_uri_complete: device.verification_uri_complete.as_ref(),
            lifetime: device.lifetime,
            remote: self.environment.remote(),
            is_alternative: has_url,
            is_followed: !has_url && (self.methods.browser || self.methods.paste),
        }));
    }
}

impl Waiting {
    /// Waits for the code of the device authorization, for a while, and shows it. Where it
    /// is the only way, its failure is that of the login.
    async fn await_code(
        &mut self,
        login: &Login<'_>,
        interaction: &mut dyn Interaction,
        stop: &mut Stop,
    ) -> Result<(), LoginError> {
        let has_url = self.authorization.is_some();
        let Some(Device { approval, code, end, .. }) = &mut self.device else { return Ok(()) };
        let is_only = !login.methods.browser && !login.methods.paste;
        let patience = if is_only { self.timeout } else { CODE_PATIENCE };
        tokio::select! {
            biased;
            () = stop.asked() => Err(LoginError::Interrupted),
            device = device::shown(code, end, &self.clock) => {
                login.show_code(&device, has_url, interaction);
                Ok(())
            }
            // It ends before it has shown a code when there is none.
            ended = approval.as_mut() => match ended {
                Ok(_) => Err(LoginError::ApprovedWithoutCode),
                Err(error) if is_only => Err(login.not_signed_in(error)),
                Err(error) => {
                    interaction.note(&format!("could not get a device code: {error}"));
                    self.device = None;
                    Ok(())
                }
            },
            () = self.clock.sleep(patience) => Ok(()),
        }
    }

    /// The first of: redirect, paste, approval, timeout, interrupt.
    pub(super) async fn response(
        &mut self,
        login: &Login<'_>,
        interaction: &mut dyn Interaction,
        stop: &mut Stop,
    ) -> Result<Response, LoginError> {
        let mut tick = self.clock.ticks(TICK);
        interaction.event(Event::Waiting { left: self.clock.until(self.deadline) });
        loop {
            if self.serving.is_none() && self.pasted.is_none() && self.device.is_none() {
                return Err(login.nothing_left());
            }
            tokio::select! {
                biased;
                () = stop.asked() => return Err(LoginError::Interrupted),
                arrival = arrival(&mut self.serving) => return match arrival.response {
                    Ok(code) => Ok(Response::Code(code, Origin::Redirect(arrival.verdict))),
                    Err(error) => {
                        // A browser that has gone away needs no verdict.
                        let _ = arrival.verdict.send(Verdict::Failed);
                        Err(LoginError::NotAuthorized(error))
                    }
                },
                event = device::event(&mut self.device) => match event {
                    DeviceEvent::Code(device) => {
                        login.show_code(&device, self.authorization.is_some(), interaction);
                    }
                    DeviceEvent::Trouble(reason) => {
                        interaction.note(&device::trouble_note(&reason));
                    }
                    DeviceEvent::Ended(Ok(grant)) => return Ok(Response::Granted(Box::new(grant))),
                    DeviceEvent::Ended(Err(error)) => {
                        self.device = None;
                        if error.is_denial() || (self.serving.is_none() && self.pasted.is_none()) {
                            return Err(login.not_signed_in(error));
                        }
                        interaction.note(&format!("the device code cannot be used: {error}"));
                    }
                },
                () = self.clock.sleep_until(self.deadline) => {
                    return Err(LoginError::TimedOut { waited: self.timeout });
                }
                paste = paste(&mut self.pasted) => match paste {
                    None => self.pasted = None,
                    Some(paste) => {
                        if let Some(response) = self.pasted(&paste, interaction)? {
                            return Ok(response);
                        }
                    }
                },
                by = wanted(self.place.as_ref()) => {
                    self.serving = None;
                    self.place = None;
                    return Err(LoginError::TakenOver { by: by.pid });
                }
                () = tick.tick() => interaction.event(Event::Waiting { left: self.left() }),
            }
        }
    }

    /// How long the user has: no longer than the code is good, where that is the only way.
    fn left(&self) -> Duration {
        let end = match &self.device {
            Some(device) if self.authorization.is_none() => device.end,
            _ => None,
        };
        let end = end.map_or(self.deadline, |end| end.min(self.deadline));
        self.clock.until(end)
    }

    /// What a paste says; `None` when it is refused and the prompt is back.
    fn pasted(
        &mut self,
        paste: &str,
        interaction: &mut dyn Interaction,
    ) -> Result<Option<Response>, LoginError> {
        let (Some(expectation), Some(pastes)) = (&self.expectation, &mut self.pasted) else {
            return Ok(None);
        };
        match pastes.read(paste, expectation) {
            Ok((code, has_state)) => {
                interaction.event(Event::PasteAccepted);
                let origin = if has_state { Origin::Pasted } else { Origin::BareCode };
                Ok(Some(Response::Code(code, origin)))
            }
            Err(error @ AuthorizationError::Refused { .. }) => {
                Err(LoginError::NotAuthorized(error))
            }
            Err(error) => {
                interaction.event(Event::PasteRefused { reason: &error.to_string() });
                Ok(None)
            }
        }
    }

    /// Lets the browser fetch its page.
    pub(super) async fn finish(mut self) {
        // Who binds the port next says so itself.
        self.place = None;
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

async fn wanted(place: Option<&PortClaim>) -> Holder {
    match place {
        Some(place) => place.is_wanted().await,
        None => std::future::pending().await,
    }
}

async fn paste(pasted: &mut Option<Pastes>) -> Option<String> {
    match pasted {
        Some(pasted) => pasted.next().await,
        None => std::future::pending().await,
    }
}
