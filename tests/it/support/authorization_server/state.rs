use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::device_request::DeviceAuthorization;
use super::fault::Faults;
use super::grant::Grants;
use super::request_record::{Endpoint, RequestRecord};
use super::want::Want;

/// All that the server knows, behind one lock.
pub(crate) struct State {
    pub want: Want,
    pub grants: Grants,
    pub devices: Vec<DeviceAuthorization>,
    pub faults: Faults,
    pub requests: Vec<RequestRecord>,
    pub holds: usize,
    pub held: usize,
    stopping: bool,
    connections: HashMap<u64, Arc<TcpStream>>,
    next_connection: u64,
}

impl State {
    pub(crate) fn token_requests(&self, grant_type: &str) -> usize {
        self.requests
            .iter()
            .filter(|request| request.endpoint == Endpoint::Token)
            .filter(|request| request.parameter("grant_type") == Some(grant_type))
            .count()
    }
}

/// The state that the server's threads share, and a signal for each change of it.
pub(crate) struct Shared {
    pub url: String,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub(crate) fn new(url: String, want: Want) -> Self {
        let state = State {
            want,
            grants: Grants::default(),
            devices: Vec::new(),
            faults: Faults::default(),
            requests: Vec::new(),
            holds: 0,
            held: 0,
            stopping: false,
            connections: HashMap::new(),
            next_connection: 0,
        };
        Self { url, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes whoever waits for a change.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let answer = change(&mut self.lock());
        self.changed.notify_all();
        answer
    }

    /// Waits for a condition; false when the time is over, or the server stops, first.
    pub(crate) fn wait_until(&self, timeout: Duration, condition: impl Fn(&State) -> bool) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| !condition(state) && !state.stopping)
            .unwrap_or_else(PoisonError::into_inner);
        condition(&state)
    }

    /// Lets the time pass; false when the server stops meanwhile.
    pub(crate) fn pause(&self, duration: Duration) -> bool {
        !self.wait_until(duration, |state| state.stopping)
    }

    /// Waits while token responses are held back; false when the server stops meanwhile.
    pub(crate) fn wait_while_held(&self) -> bool {
        let mut state = self.lock();
        if state.holds > 0 {
            state.held += 1;
            self.changed.notify_all();
            state = self
                .changed
                .wait_while(state, |state| state.holds > 0 && !state.stopping)
                .unwrap_or_else(PoisonError::into_inner);
            state.held -= 1;
        }
        !state.stopping
    }

    /// Notes an open connection, to be shut down when the server stops; `None` when it has.
    pub(crate) fn register(&self, stream: &Arc<TcpStream>) -> Option<u64> {
        let mut state = self.lock();
        if state.stopping {
            return None;
        }
        let connection = state.next_connection;
        state.next_connection += 1;
        state.connections.insert(connection, Arc::clone(stream));
        Some(connection)
    }

    pub(crate) fn unregister(&self, connection: u64) {
        self.lock().connections.remove(&connection);
    }

    /// Ends every wait and every connection.
    pub(crate) fn stop(&self) {
        self.update(|state| {
            state.stopping = true;
            for stream in state.connections.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }
}
