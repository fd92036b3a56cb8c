//! How old a marker of OpenClaw's is, which stands in the place of the tokens of a login.
//!
//! Invariant: only who waits for a marker notes anything.

use super::Store;
use crate::profile::Millis;

impl Store {
    /// Since when a marker of OpenClaw's has stood in the profiles, at the latest, in
    /// milliseconds since the epoch; `None` where it does not, or nobody knows.
    pub fn marked_since(&self, marker: &str, now: Millis) -> Option<Millis> {
        self.engine.marked_since(marker, now)
    }

    /// Notes that a marker is there, so that no later change makes it look younger.
    pub fn note_marker(&self, marker: &str, now: Millis) {
        self.engine.note_marker(marker, now);
    }

    /// A marker is gone.
    pub fn forget_marker(&self, marker: &str) {
        self.engine.forget_marker(marker);
    }
}
