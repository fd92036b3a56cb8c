use std::sync::Arc;
use std::time::Duration;

use super::state::Shared;

/// Keeps token responses back for as long as it lives.
pub(crate) struct TokenResponseHold {
    shared: Arc<Shared>,
}

impl TokenResponseHold {
    pub(super) fn place(shared: Arc<Shared>) -> Self {
        shared.update(|state| state.holds += 1);
        Self { shared }
    }

    /// Waits until that many responses are held back at once; false when the time is over first.
    pub(crate) fn wait_until_held(&self, count: usize, timeout: Duration) -> bool {
        self.shared.wait_until(timeout, |state| state.held >= count)
    }

    /// Lets the responses go, as dropping does.
    pub(crate) fn release(self) {
        drop(self);
    }
}

impl Drop for TokenResponseHold {
    fn drop(&mut self) {
        self.shared.update(|state| state.holds -= 1);
    }
}
