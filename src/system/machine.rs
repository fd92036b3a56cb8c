//! What a use case has of the machine that it runs on.
//!
//! Invariant: it takes the time, and whatever else is not its own, from here alone; so a test
//! decides what time it is, and sees what is opened and started.

use super::browser::Browser;
use super::child::Programs;
use super::trace::Trace;
use super::{Clock, StopSource};

/// The machine.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The clock.
    pub clock: Clock,
    /// Who may ask a use case to stop.
    pub stop: StopSource,
    /// Who opens a page for the user.
    pub browser: Browser,
    /// Who starts other programs.
    pub programs: Programs,
    /// Where a run tells its steps.
    pub trace: Trace,
}
