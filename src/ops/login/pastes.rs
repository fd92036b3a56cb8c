//! What the user pastes while a login waits, one paste at a time.
//!
//! A paste may have several lines, which arrive at once: they belong together until none has
//! come for a moment. An address that was not whole is kept for what comes next, because a slow
//! console hands over its pieces one by one.

use crate::oauth::{
    AuthorizationCode, AuthorizationError, ExpectedResponse, is_begun, parse_pasted,
};
use crate::system::Clock;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;

/// The lines of a paste come faster than this.
const PAUSE: Duration = Duration::from_millis(250);
/// For so long, what looks like a code may be the next piece of an address.
const SLOW: Duration = Duration::from_secs(5);
/// The longest text that is kept, in bytes.
const LONGEST: usize = 64 * 1024;

/// The pastes among the lines of the input.
pub(super) struct Pastes {
    lines: Option<Receiver<String>>,
    /// The lines of the paste under way.
    begun: String,
    /// When it is whole unless a line comes.
    whole_at: Option<Instant>,
    /// An address that was not whole, and when it came.
    piece: Option<(String, Instant)>,
    clock: Clock,
}

impl Pastes {
    pub(super) const fn of(lines: Receiver<String>, clock: Clock) -> Self {
        Self { lines: Some(lines), begun: String::new(), whole_at: None, piece: None, clock }
    }

    /// The next paste; `None` at the end of the input. Nothing is lost when it is not awaited
    /// to its end.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            let line = match (&mut self.lines, self.whole_at) {
                (None, _) => return None,
                (Some(lines), None) => lines.recv().await,
                (Some(lines), Some(at)) => tokio::select! {
                    biased;
                    line = lines.recv() => line,
                    () = self.clock.sleep_until(at) => return Some(self.take()),
                },
            };
            let Some(line) = line else {
                self.lines = None;
                return Some(self.take()).filter(|text| !text.is_empty());
            };
            self.begun.push_str(line.trim_end_matches(['\r', '\n']));
            self.begun.push('\n');
            self.whole_at = Some(self.clock.instant() + PAUSE);
            if self.begun.len() > LONGEST {
                return Some(self.take());
            }
        }
    }

    fn take(&mut self) -> String {
        self.whole_at = None;
        std::mem::take(&mut self.begun)
    }

    /// Reads a paste, with the piece of an address that came before it. Says with the code
    /// whether a state came with it.
    ///
    /// # Errors
    /// See [`AuthorizationError`].
    pub(super) fn read(
        &mut self,
        paste: &str,
        expectation: &ExpectedResponse,
    ) -> Result<(AuthorizationCode, bool), AuthorizationError> {
        let earlier = self.piece.take().filter(|_| !paste.trim().is_empty());
        let read = parse_pasted(paste, expectation);
        let Some((piece, since)) = earlier.filter(|_| !matches!(read, Ok((_, true)))) else {
            self.keep(paste, &read, expectation);
            return read;
        };
        let joined = format!("{piece}{paste}");
        let whole = parse_pasted(&joined, expectation);
        if matches!(whole, Ok((_, true))) {
            return whole;
        }
        let is_next = self.clock.since(since) < SLOW && !piece.contains(paste.trim());
        let read = if read.is_ok() && is_next { whole } else { read };
        let text = if paste.contains("://") { paste } else { &joined };
        self.keep(text, &read, expectation);
        read
    }

    /// Keeps what was refused and may be the begin of an address.
    fn keep(
        &mut self,
        text: &str,
        read: &Result<(AuthorizationCode, bool), AuthorizationError>,
        expectation: &ExpectedResponse,
    ) {
        if read.is_err() && text.len() <= LONGEST && is_begun(text, expectation) {
            self.piece = Some((text.to_owned(), self.clock.instant()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use tokio::sync::mpsc::{Sender, channel};
    use url::Url;

    const STATE: &str = "ho8nYlBWPXS-O5jksJNGZHPTusVDOCTMweF8T4IXBZg";
    const ADDRESS: &str =
        "http://localhost:1455/auth/callback?code=ac_Code.x-1_Y&scope=openid+profile&state=";

    fn expectation() -> ExpectedResponse {
        ExpectedResponse {
            state: Secret::new(STATE),
            issuer: None,
            has_issuer: false,
            authorization_endpoint: Url::parse("https://as.example.test/authorize").unwrap(),
        }
    }

    fn pastes() -> (Sender<String>, Pastes) {
        let (sender, lines) = channel(8);
        (sender, Pastes::of(lines, Clock::System))
    }

    /// Reads one paste after the other; whether each was taken with its state, without, or not.
    fn read(pasted: &[&str]) -> Vec<Option<bool>> {
        let (_sender, mut input) = pastes();
        let mut read = |text: &&str| input.read(&format!("{text}\n"), &expectation()).ok();
        pasted.iter().map(|text| read(text).map(|(_, has_state)| has_state)).collect()
    }

    #[test]
    fn pieces_that_come_one_by_one_become_an_address_and_none_is_sent_as_a_code() {
        let address = format!("{ADDRESS}{STATE}");
        for width in 12..address.len() {
            let pieces: Vec<String> = (0..address.len())
                .step_by(width)
                .map(|at| address[at..(at + width).min(address.len())].to_owned())
                .collect();
            let read = read(&pieces.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(read.last(), Some(&Some(true)), "{width}: {read:?}");
            assert!(read[..read.len() - 1].iter().all(Option::is_none), "{width}: {read:?}");
        }
    }

    #[test]
    fn a_refused_address_is_forgotten_at_an_empty_line_and_with_another_one() {
        let (cut, other) = (format!("{ADDRESS}ho8n"), format!("{ADDRESS}{}", "x".repeat(43)));
        let rest = &STATE[4..];
        assert_eq!(read(&[&cut, rest]), [None, Some(true)]);
        assert_eq!(read(&[&cut, "", rest]), [None, None, None]);
        assert_eq!(read(&[&cut, &other, rest]), [None, None, None]);
        assert_eq!(read(&[&cut, "yes", &format!("{ADDRESS}{STATE}")]), [None, None, Some(true)]);
        assert_eq!(read(&[&other, "fake-code-1"]), [None, Some(false)]);
        assert_eq!(read(&[&cut, "ac_Code.x-1_Y"]), [None, Some(false)], "a code out of it");
        assert_eq!(read(&[&cut, "fake-code-1"]), [None, None], "it may be the next piece");
    }

    #[tokio::test]
    async fn lines_that_come_at_once_are_one_paste() {
        let (sender, mut pastes) = pastes();
        for line in ["a\r\n", "b\n"] {
            sender.send(line.to_owned()).await.unwrap();
        }
        assert_eq!(pastes.next().await.as_deref(), Some("a\nb\n"));
        sender.send("c\n".to_owned()).await.unwrap();
        // Whoever stops to wait loses nothing.
        assert!(tokio::time::timeout(Duration::ZERO, pastes.next()).await.is_err());
        sender.send("d".to_owned()).await.unwrap();
        drop(sender);
        assert_eq!(pastes.next().await.as_deref(), Some("c\nd\n"));
        assert_eq!(pastes.next().await, None);
    }
}
