//! The contract of the store: what every engine has to keep, told through one adapter.
//!
//! `subject.rs` and what is below it alone name the types of the store and the places of an
//! engine. A test body speaks of worlds, subjects and documents, runs on all
//! [`subject::engines`], and names the engine where it fails. What an engine cannot be made to
//! do (a row takes no text that is not JSON) its subject answers with `false`, and the test has
//! nothing to ask there.

mod child;
mod journal;
mod kill;
mod kill_anywhere;
mod lease;
mod race;
mod read;
mod refusal;
mod spool;
mod state;
mod subject;
mod undo;

use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What is bounded ends within this time, on a busy machine as well.
const BOUND: Duration = Duration::from_secs(10);

const PROVIDER: &str = "p";

/// A login whose access and refresh tokens are fake.
fn login(access: &str, refresh: &str) -> Value {
    json!({"type": "oauth", "provider": PROVIDER, "access": access, "refresh": refresh,
        "expires": 5, "email": "ada@example.test"})
}

fn key(value: &str) -> Value {
    json!({"type": "api_key", "provider": PROVIDER, "key": value})
}

/// Asks until there is an answer.
fn within<T>(time: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || started.elapsed() > time {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
