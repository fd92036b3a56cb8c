//! The clock of the machine as the timer of a server: the limits of the listener count by it.

use crate::system::Clock;
use hyper::rt::{Sleep, Timer};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A timer that goes by a clock. Needs the timer of a runtime.
pub(super) struct ByClock(pub(super) Clock);

/// Somebody who waits until a time comes.
struct Waiting(Pin<Box<dyn Future<Output = ()> + Send + Sync>>);

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl Sleep for Waiting {}

impl Timer for ByClock {
    fn sleep(&self, time: Duration) -> Pin<Box<dyn Sleep>> {
        let clock = self.0.clone();
        Box::pin(Waiting(Box::pin(async move { clock.sleep(time).await })))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let clock = self.0.clone();
        Box::pin(Waiting(Box::pin(async move { clock.sleep_until(deadline).await })))
    }

    fn now(&self) -> Instant {
        self.0.instant()
    }
}
