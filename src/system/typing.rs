//! Lines typed or pasted on the terminal of standard input, read byte by byte.
//!
//! A terminal that reads lines by itself (canonical mode) cuts them at 4,095 bytes, which
//! is less than some redirect URLs have, and an interrupt while it hides a secret would
//! leave it hiding. So it is set to hand over bytes, and is set back on every way out:
//! [`restore`] is called at the end of a conversation and by a panic, [`restore_for_good`] by a
//! signal; Ctrl-C, Ctrl-\ and Ctrl-Z are read here and become what they mean.

use super::terminal::may_read;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr,
};
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// The longest line, in bytes; what is typed beyond it is dropped.
const LONGEST_LINE: usize = 64 * 1024;

/// Signals are there within milliseconds.
const STOPPED_AFTER: Duration = Duration::from_millis(100);

/// How the terminal was set before it handed over bytes; `None` while it does not.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether standard input is a terminal that can be read here.
pub fn is_possible() -> bool {
    isatty(io::stdin())
}

/// Whether this process is about to end: nobody may set the terminal any more.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Sets the terminal to hand over bytes, unless it does already or `is_wanted` says no: a
/// [`restore`] after that answer has changed comes last. Only for a process in the
/// foreground: another would be stopped.
///
/// # Errors
/// The terminal refuses.
pub fn set_raw(is_wanted: impl Fn() -> bool) -> io::Result<()> {
    static RESTORE_AT_PANIC: Once = Once::new();
    RESTORE_AT_PANIC.call_once(|| {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Whoever holds the lock may be the one that panics.
            if let Ok(mut before) = BEFORE.try_lock() {
                set_back(&mut before);
            }
            earlier(panic);
        }));
    });
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_wanted() || IS_ENDING.load(Ordering::Relaxed) {
        return Ok(());
    }
    let present = tcgetattr(io::stdin())?;
    // A shell that has continued this process may have set it as it was.
    if before.is_some() && !present.local_modes.contains(LocalModes::ICANON) {
        return Ok(());
    }
    let mut bytes = present.clone();
    bytes.local_modes -= LocalModes::ICANON
        | LocalModes::ECHO
        | LocalModes::ECHONL
        | LocalModes::ISIG
        | LocalModes::IEXTEN;
    bytes.special_codes[SpecialCodeIndex::VMIN] = 1;
    bytes.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(io::stdin(), OptionalActions::Now, &bytes)?;
    before.get_or_insert(present);
    Ok(())
}

/// Sets the terminal back as it was.
pub fn restore() {
    set_back(&mut BEFORE.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Remembers how the terminal is set, until [`restore`]: who is about to set it cannot set
/// it back when a signal comes. One that does not say is left as it is.
pub fn save() {
    if let Ok(present) = tcgetattr(io::stdin()) {
        BEFORE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(present);
    }
}

/// Sets the terminal back for good: this process is about to end, while another thread of
/// it may read on.
pub fn restore_for_good() {
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    IS_ENDING.store(true, Ordering::Relaxed);
    set_back(&mut before);
}

fn set_back(before: &mut Option<Termios>) {
    // In the background it is the shell's, which has set it back.
    if let Some(before) = before.take().filter(|_| may_read()) {
        // There is nobody to tell.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

/// What came of a byte.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// The line goes on.
    More,
    /// It is complete.
    Line(Zeroizing<Vec<u8>>),
    /// Ctrl-D on an empty line.
    End,
    /// Ctrl-C or Ctrl-\.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
}

/// A line under way: backspace, Ctrl-U and Ctrl-W edit it, other control characters and
/// the sequences of special keys are dropped.
#[derive(Debug, Default)]
pub struct Line {
    bytes: Zeroizing<Vec<u8>>,
    escape: Escape,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Begun,
    Sequence,
}

impl Line {
    /// Takes a byte, and appends what is to be shown for it to `echo`.
    pub fn take(&mut self, byte: u8, echo: &mut Vec<u8>) -> Typed {
        if self.is_in_escape(byte) {
            return Typed::More;
        }
        match byte {
            b'\r' | b'\n' => {
                echo.extend_from_slice(b"\r\n");
                return Typed::Line(std::mem::take(&mut self.bytes));
            }
            3 | 28 => return Typed::Interrupt,
            26 => return Typed::Suspend,
            4 if self.bytes.is_empty() => return Typed::End,
            8 | 127 => self.erase(echo),
            21 => {
                while !self.bytes.is_empty() {
                    self.erase(echo);
                }
            }
            23 => {
                while self.bytes.last() == Some(&b' ') {
                    self.erase(echo);
                }
                while self.bytes.last().is_some_and(|last| *last != b' ') {
                    self.erase(echo);
                }
            }
            0..=31 => {}
            _ if self.bytes.len() < LONGEST_LINE => {
                self.bytes.push(byte);
                echo.push(byte);
            }
            _ => {}
        }
        Typed::More
    }

    /// Removes the last character, which may be of several bytes.
    fn erase(&mut self, echo: &mut Vec<u8>) {
        while let Some(byte) = self.bytes.pop() {
            if byte & 0b1100_0000 != 0b1000_0000 {
                echo.extend_from_slice(b"\x08 \x08");
                return;
            }
        }
    }

    /// Whether the byte belongs to the sequence of a special key (ECMA-48, 5.4).
    const fn is_in_escape(&mut self, byte: u8) -> bool {
        self.escape = match (self.escape, byte) {
            (_, 27) => Escape::Begun,
            (Escape::Begun, b'[' | b'O') | (Escape::Sequence, b' '..=b'?') => Escape::Sequence,
            (Escape::None, _) => return false,
            // A line does not end within a sequence.
            (Escape::Begun | Escape::Sequence, 0..=31) => {
                self.escape = Escape::None;
                return false;
            }
            (Escape::Begun | Escape::Sequence, _) => {
                self.escape = Escape::None;
                return true;
            }
        };
        true
    }
}

/// Reads a line, and what a paste has after it, without showing them. What stays unread would
/// go to the shell.
///
/// # Errors
/// [`ErrorKind::Interrupted`] for Ctrl-C, [`ErrorKind::UnexpectedEof`] at the end of input.
pub fn hidden_paste() -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Line::default();
    let mut pasted = Zeroizing::new(Vec::new());
    let mut is_line = false;
    let read = loop {
        if let Err(error) = set_raw(|| true) {
            break Err(error);
        }
        if is_line && !is_awaited() {
            pasted.extend_from_slice(&line.bytes);
            break Ok(pasted);
        }
        let mut byte = [0];
        match rustix::io::read(io::stdin(), &mut byte) {
            Ok(0) => break Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => break Err(error.into()),
        }
        match line.take(byte[0], &mut Vec::new()) {
            Typed::More => {}
            Typed::Line(mut line) if pasted.len() <= LONGEST_LINE => {
                pasted.append(&mut line);
                pasted.push(b'\n');
                is_line = true;
            }
            Typed::Line(_) => is_line = true,
            Typed::End if is_line => {}
            Typed::End => break Err(ErrorKind::UnexpectedEof.into()),
            Typed::Interrupt => break Err(ErrorKind::Interrupted.into()),
            Typed::Suspend => suspend(),
        }
    };
    restore();
    read
}

/// Waits for input on the terminal, for the moment within which a paste goes on.
pub fn is_awaited() -> bool {
    const WHILE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    let stdin = io::stdin();
    let mut wanted = [PollFd::new(&stdin, PollFlags::IN)];
    matches!(poll(&mut wanted, Some(&WHILE)), Ok(1..))
}

/// Stops this process, as Ctrl-Z does, until it is continued.
pub fn suspend() {
    restore();
    // A process that cannot stop itself goes on.
    let _ = kill_current_process_group(Signal::TSTP);
    // The signal stops whichever thread gets it, and the others soon after: what follows
    // must not set the terminal again before that.
    std::thread::sleep(STOPPED_AFTER);
}

/// Interrupts this process and those that run with it, as Ctrl-C does.
pub fn interrupt() {
    let _ = kill_current_process_group(Signal::INT);
}

/// Whether what is typed is a secret.
static HIDDEN: AtomicBool = AtomicBool::new(false);

/// Stops to show what is typed, or begins again.
pub fn hide_input(is_secret: bool) {
    HIDDEN.store(is_secret, Ordering::Relaxed);
}

/// Shows what was typed, unless it is a secret: of that, only the end of the line.
pub fn echo(typed: &[u8], is_line: bool) {
    match (HIDDEN.load(Ordering::Relaxed), is_line) {
        (false, _) => show(typed),
        (true, true) => show(b"\r\n"),
        (true, false) => {}
    }
}

/// Shows text on the terminal.
fn show(mut text: &[u8]) {
    while !text.is_empty() {
        match rustix::io::write(io::stdin(), text) {
            Ok(written @ 1..) => text = &text[written..],
            Err(rustix::io::Errno::INTR) => {}
            // A terminal that can only be read.
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line is, and what was shown, after `typed`.
    fn after(typed: &[u8]) -> (Typed, String) {
        let (mut line, mut echo) = (Line::default(), Vec::new());
        let mut last = Typed::More;
        for byte in typed {
            last = line.take(*byte, &mut echo);
        }
        (last, String::from_utf8(echo).unwrap())
    }

    fn line(text: &str) -> Typed {
        Typed::Line(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_line_is_longer_than_a_terminal_would_take() {
        let long = "x".repeat(20_000);
        assert_eq!(after(format!("{long}\r").as_bytes()), (line(&long), format!("{long}\r\n")));
        let too_long = "x".repeat(LONGEST_LINE + 5);
        assert_eq!(after(format!("{too_long}\n").as_bytes()).0, line(&too_long[5..]));
    }

    #[test]
    fn keys_edit_it() {
        assert_eq!(after(b"ab\x7fc\r"), (line("ac"), "ab\u{8} \u{8}c\r\n".into()));
        assert_eq!(after("aé\u{8}\r".as_bytes()).0, line("a"));
        assert_eq!(after(b"ab\x15c\r").0, line("c"));
        assert_eq!(after(b"one two  \x17c\r").0, line("one c"));
        assert_eq!(after(b"a\x1b[Db\x1bOP\x1b[1;5Cc\x01\r"), (line("abc"), "abc\r\n".into()));
        assert_eq!(after(b"a\x1b\r").0, line("a"));
    }

    #[test]
    fn control_characters_mean_what_they_mean_elsewhere() {
        assert_eq!(after(b"abc\x03").0, Typed::Interrupt);
        assert_eq!(after(b"abc\x1c").0, Typed::Interrupt);
        assert_eq!(after(b"abc\x1a").0, Typed::Suspend);
        assert_eq!(after(b"\x04").0, Typed::End);
        assert_eq!(after(b"a\x04b\r").0, line("ab"));
    }
}
