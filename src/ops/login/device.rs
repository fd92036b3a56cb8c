//! A device authorization while it is raced with other ways: first its code, then its end.

use super::parts::Login;
use crate::oauth::{self, DeviceAuthorization, Grant, TokenError};
use crate::system::Clock;
use std::pin::Pin;
use std::time::Instant;
use tokio::sync::oneshot;

/// A device authorization under way.
pub(super) struct Device {
    /// Its end: the grant.
    pub(super) approval: Pin<Box<dyn Future<Output = Result<Grant, TokenError>>>>,
    /// The code to show, once it is there.
    pub(super) code: Option<oneshot::Receiver<DeviceAuthorization>>,
    /// What came in the place of an answer, once that has happened.
    trouble: Option<oneshot::Receiver<String>>,
    /// When the code is no longer good, once it is there.
    pub(super) end: Option<Instant>,
    clock: Clock,
}

impl Login<'_> {
    /// Asks for a code, and for the approval.
    pub(super) fn begin_device(&self) -> Device {
        let (client, scopes) = (self.client.clone(), self.scopes.clone());
        let clock = self.app.machine.clock.clone();
        let (shown, code) = oneshot::channel();
        let (told, trouble) = oneshot::channel();
        let own_clock = clock.clone();
        let approval = Box::pin(async move {
            let mut device = oauth::authorize_device(&client, &scopes, &own_clock).await?;
            // Whoever does not look any more does not wait for the approval either.
            let _ = shown.send(device.clone());
            oauth::wait_for_approval(&client, &mut device, told, &own_clock).await
        });
        Device { approval, code: Some(code), trouble: Some(trouble), end: None, clock }
    }
}

/// What happens to a device authorization.
pub(super) enum DeviceEvent {
    /// There is a code to show.
    Code(Box<DeviceAuthorization>),
    /// The server could not be asked, and is asked again.
    Trouble(String),
    /// The user has approved, or will not.
    Ended(Result<Grant, TokenError>),
}

pub(super) async fn event(device: &mut Option<Device>) -> DeviceEvent {
    let Some(Device { approval, code, trouble, end, clock }) = device else {
        return std::future::pending().await;
    };
    tokio::select! {
        biased;
        device = shown(code, end, clock) => DeviceEvent::Code(Box::new(device)),
        reason = trouble_of(trouble) => DeviceEvent::Trouble(reason),
        ended = approval.as_mut() => DeviceEvent::Ended(ended),
    }
}

/// What came in the place of an answer, once.
pub(super) async fn trouble_of(trouble: &mut Option<oneshot::Receiver<String>>) -> String {
    let received = match trouble.as_mut() {
        Some(receiver) => receiver.await,
        None => std::future::pending().await,
    };
    *trouble = None;
    match received {
        Ok(reason) => reason,
        // There was none: the approval says how it ended.
        Err(_) => std::future::pending().await,
    }
}

/// That the server could not be asked about a code, as a note.
pub(super) fn trouble_note(reason: &str) -> String {
    format!("{reason}; the server is asked again until the code expires")
}

/// The code of a device authorization, once, and when it ends.
pub(super) async fn shown(
    code: &mut Option<oneshot::Receiver<DeviceAuthorization>>,
    end: &mut Option<Instant>,
    clock: &Clock,
) -> DeviceAuthorization {
    let received = match code.as_mut() {
        Some(receiver) => receiver.await,
        None => std::future::pending().await,
    };
    *code = None;
    match received {
        Ok(device) => {
            *end = Some(clock.instant() + device.lifetime);
            device
        }
        // There is none: the approval says why.
        Err(_) => std::future::pending().await,
    }
}
