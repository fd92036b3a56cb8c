//! Asking a use case to stop.
//!
//! Invariant: from the moment that a use case has its [`Stop`], no request to stop is lost and
//! none ends the process by itself; what was begun is finished first. Before that moment there
//! is nothing to finish, and a signal may end the process.

use super::signal::StopSignals;
use std::io;
use tokio::sync::watch;

/// Who may ask a use case to stop: `cli` says the signals of its process, a server its owner.
#[derive(Clone, Debug, Default)]
pub enum StopSource {
    /// Nobody.
    #[default]
    Nobody,
    /// Who sends this process a signal.
    Signals,
    /// Who counts requests here.
    Owner(watch::Receiver<u32>),
}

impl StopSource {
    /// From now on a request to stop is waited for. Needs a runtime.
    ///
    /// # Errors
    /// Signals cannot be caught.
    pub fn listen(&self) -> io::Result<Stop> {
        Ok(Stop(match self {
            Self::Nobody => Source::Nobody,
            Self::Signals => Source::Signals(StopSignals::catch()?),
            Self::Owner(asked) => Source::Owner(asked.clone()),
        }))
    }
}

/// What tells a use case that it is asked to stop.
pub struct Stop(Source);

enum Source {
    Nobody,
    Signals(StopSignals),
    Owner(watch::Receiver<u32>),
}

impl Stop {
    /// Waits for the next request to stop.
    pub async fn asked(&mut self) {
        match &mut self.0 {
            Source::Nobody => std::future::pending().await,
            Source::Signals(signals) => signals.received().await,
            Source::Owner(asked) => {
                if asked.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Whether there is one that was not waited for.
    pub async fn is_asked(&mut self) -> bool {
        match &mut self.0 {
            Source::Nobody => false,
            Source::Signals(signals) => signals.has_come().await,
            Source::Owner(asked) => asked.has_changed().unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_request_of_an_owner_counts_from_when_the_source_was_made() {
        let owner = watch::Sender::new(0);
        let source = StopSource::Owner(owner.subscribe());
        assert!(!source.listen().unwrap().is_asked().await);
        owner.send_modify(|times| *times += 1);
        let mut stop = source.listen().unwrap();
        assert!(stop.is_asked().await);
        stop.asked().await;
        assert!(!stop.is_asked().await);
        owner.send_modify(|times| *times += 1);
        stop.asked().await;
        assert!(!StopSource::Nobody.listen().unwrap().is_asked().await);
    }
}
