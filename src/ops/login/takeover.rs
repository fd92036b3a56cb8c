//! Logins that want the same port. With every registered port taken, and one of them by a
//! login of ours that still waits for its user, the later login takes over: whoever began
//! it is there now.
//!
//! It asks by a lock, not by a request, so that no web page can do the same. A login that
//! listens holds `<host>-<port>.lock` while it waits; who wants the port holds
//! `<host>-<port>.next.lock`, and the first ends when it sees that. A login that has its
//! response does not look any more: it is not interrupted, and its port is waited for.
//! The host's name is part of it because a state directory may be shared by machines and
//! containers, whose ports are not the same.

use crate::oauth::{self, Bound, RedirectListener};
use crate::profile::Millis;
use crate::provider::Redirect;
use crate::system::lock::{self, Attempt, Holder, SidecarLock, StaleRule};
use crate::system::{Clock, file, process};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long one that wants a port waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often one that waits for its user looks whether its port is wanted.
const LOOK: Duration = Duration::from_millis(100);

/// A port on which this login waits for its user.
#[derive(Debug)]
pub(super) struct PortClaim {
    _lock: SidecarLock,
    wanted: PathBuf,
    clock: Clock,
}

impl PortClaim {
    /// Says that this login waits on `port`; `None` where that cannot be said, and the
    /// login cannot be taken over.
    pub(super) fn take(directory: &Path, port: u16, clock: &Clock) -> Option<Self> {
        file::create_private_directory(directory).ok()?;
        match lock::try_acquire(&held(directory, port), StaleRule::ByAge, clock.now()).ok()? {
            Attempt::Acquired(lock) => {
                let (wanted, clock) = (wanted(directory, port), clock.clone());
                Some(Self { _lock: lock, wanted, clock })
            }
            Attempt::Held(_) => None,
        }
    }

    /// Waits until another login wants the port, and says which.
    pub(super) async fn is_wanted(&self) -> Holder {
        loop {
            self.clock.sleep(LOOK).await;
            if let Some((holder, true)) =
                lock::look(&self.wanted, StaleRule::ByAge, self.clock.now())
            {
                return holder;
            }
        }
    }
}

/// A login of ours that waits on `port`, if one does.
pub(super) fn waiting_on(directory: &Path, port: u16, now: Millis) -> Option<Holder> {
    let (holder, is_alive) = lock::look(&held(directory, port), StaleRule::ByAge, now)?;
    is_alive.then_some(holder)
}

/// Takes over the first port of `redirect` on which a login of ours waits, and which it
/// gives up in time; `None` when there is none. The login that had it is named.
///
/// # Errors
/// A port cannot be bound for another reason than being taken.
pub(super) async fn take_over(
    directory: &Path,
    redirect: &Redirect,
    clock: &Clock,
) -> io::Result<Option<(RedirectListener, u16, Holder)>> {
    for &port in &redirect.ports {
        let Some(holder) = waiting_on(directory, port, clock.now()) else { continue };
        let end = clock.instant() + PATIENCE;
        let Some(_request) = request(&wanted(directory, port), end, clock).await else { continue };
        while clock.instant() < end {
            match oauth::bind(&redirect.host, &[port], &redirect.path)? {
                Bound::Listening(listener, _) => return Ok(Some((listener, port, holder))),
                Bound::AllBusy(..) => clock.sleep(lock::POLL).await,
            }
        }
    }
    Ok(None)
}

/// Asks for a port, once whoever asked before has it.
async fn request(path: &Path, end: Instant, clock: &Clock) -> Option<SidecarLock> {
    while clock.instant() < end {
        match lock::try_acquire(path, StaleRule::ByAge, clock.now()).ok()? {
            Attempt::Acquired(lock) => return Some(lock),
            Attempt::Held(_) => clock.sleep(lock::POLL).await,
        }
    }
    None
}

fn held(directory: &Path, port: u16) -> PathBuf {
    directory.join(format!("{}-{port}.lock", host()))
}

fn wanted(directory: &Path, port: u16) -> PathBuf {
    directory.join(format!("{}-{port}.next.lock", host()))
}

/// The name of this machine, fit for a file name.
fn host() -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    process::host_name().chars().filter(is_plain).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::block_on;

    fn redirect(port: u16) -> Redirect {
        Redirect { host: "localhost".into(), ports: vec![port], path: "/cb".into() }
    }

    /// A port that was free, bound as a login binds it.
    fn listener() -> (RedirectListener, u16) {
        let any = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = any.local_addr().unwrap().port();
        drop(any);
        match oauth::bind("localhost", &[port], "/cb").unwrap() {
            Bound::Listening(listener, _) => (listener, port),
            Bound::AllBusy(..) => panic!("the port was taken meanwhile"),
        }
    }

    #[test]
    fn a_waiting_login_is_asked_and_gives_up_its_port() {
        let root = tempfile::tempdir().unwrap();
        let (first, port) = listener();
        let place = PortClaim::take(root.path(), port, &Clock::System).unwrap();
        assert!(
            PortClaim::take(root.path(), port, &Clock::System).is_none(),
            "one login waits on a port"
        );
        let me = Some(std::process::id());
        block_on(async {
            let earlier = async {
                let by = place.is_wanted().await;
                drop((place, first));
                by
            };
            let redirect = redirect(port);
            let (by, taken) =
                tokio::join!(earlier, take_over(root.path(), &redirect, &Clock::System));
            let (listener, taken_port, from) = taken.unwrap().unwrap();
            assert_eq!((by.pid, from.pid, taken_port), (me, me, port));
            drop(listener);
        })
        .unwrap();
        let left: Vec<_> = root.path().read_dir().unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn nobody_else_is_asked() {
        let root = tempfile::tempdir().unwrap();
        let (_foreign, port) = listener();
        let taken =
            block_on(take_over(root.path(), &redirect(port), &Clock::System)).unwrap().unwrap();
        assert!(taken.is_none());
        // The lock of a login that is dead.
        let payload = br#"{"pid":1,"createdAt":"2026-01-01T00:00:00Z","owner":"openclaw-auth"}"#;
        file::replace(&held(root.path(), port), payload).unwrap();
        let taken =
            block_on(take_over(root.path(), &redirect(port), &Clock::System)).unwrap().unwrap();
        assert!(taken.is_none());
        assert!(!wanted(root.path(), port).exists());
    }
}
