//! The escape sequences that the program sends, and the only place that makes any. What
//! becomes part of one is percent-encoded, base64 or text of our own: nothing of a server
//! gets to a terminal as it came.

use super::Multiplexer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use url::Url;

/// Characters for a terminal, escape sequences among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Sequence(String);

/// More base64 than this is dropped by terminals (the least of the known limits).
const LONGEST_COPY: usize = 74_994;
/// `screen` takes a wrapped sequence in parts of fewer than 768 bytes.
const SCREEN_PART: usize = 512;

impl Sequence {
    /// Shows the cursor again.
    pub(in crate::cli) const SHOW_CURSOR: &str = "\u{1b}[?25h";
    /// Goes to the start of the line and clears it.
    pub(in crate::cli) const CLEAR_LINE: &str = "\r\u{1b}[K";

    /// The bytes.
    pub(in crate::cli) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// A line in place of the one on which the cursor is; it stays there. `text` is cut
    /// to fit `columns`, so that the line can be redrawn.
    pub(in crate::cli) fn line(text: &str, columns: usize) -> Self {
        let shown: String = text
            .chars()
            .filter(|character| !character.is_control())
            .take(columns.saturating_sub(1))
            .collect();
        Self(format!("\r{shown}\u{1b}[K"))
    }

    /// A URL that is a link to itself (OSC 8); its text is the whole URL, to be selected.
    /// `None` when a character does not belong into a sequence.
    pub(in crate::cli) fn link(url: &Url) -> Option<Self> {
        let url = url.as_str();
        // The URL standard encodes everything else.
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        // One id makes one link of it where it is broken into lines.
        let id = url
            .bytes()
            .fold(5381_u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(byte.into()));
        Some(Self(format!("\u{1b}]8;id={id:x};{url}\u{1b}\\{url}\u{1b}]8;;\u{1b}\\")))
    }

    /// Asks the terminal to put `text` on the clipboard (OSC 52). `None` when it is too
    /// long for that.
    pub(in crate::cli) fn copy(text: &str, multiplexer: Option<Multiplexer>) -> Option<Self> {
        let encoded = STANDARD.encode(text);
        if encoded.len() > LONGEST_COPY {
            return None;
        }
        // It ends in BEL: the other end of it would end a wrapped sequence as well.
        let plain = format!("\u{1b}]52;c;{encoded}\u{7}");
        Some(Self(match multiplexer {
            None => plain,
            // tmux takes the one with `set-clipboard on`, the other with
            // `allow-passthrough on`; both lead to the same clipboard.
            Some(Multiplexer::Tmux) => {
                let doubled = plain.replace('\u{1b}', "\u{1b}\u{1b}");
                format!("{plain}\u{1b}Ptmux;{doubled}\u{1b}\\")
            }
            Some(Multiplexer::Screen) => {
                let mut wrapped = String::new();
                for part in plain.as_bytes().chunks(SCREEN_PART) {
                    // The whole is ASCII.
                    let _ = write!(wrapped, "\u{1b}P{}\u{1b}\\", String::from_utf8_lossy(part));
                }
                wrapped
            }
        }))
    }

    /// Lines in black on white, whatever the colours of the terminal are. The 256 colours
    /// are used because themes redefine the first 16.
    pub(in crate::cli) fn black_on_white(lines: &[String]) -> Self {
        let lines = lines.iter().map(|line| format!("\u{1b}[38;5;16;48;5;231m{line}\u{1b}[0m\n"));
        Self(lines.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sequence: Option<Sequence>) -> String {
        sequence.unwrap().0
    }

    #[test]
    fn a_link_shows_the_whole_url_and_takes_nothing_that_ends_it() {
        let url = Url::parse("https://as.example.test/a b?c=\u{7}\u{1b}]8;;\u{9c}é").unwrap();
        let link = text(Sequence::link(&url));
        let shown = url.as_str();
        assert!(shown.is_ascii() && !shown.contains(|c: char| c.is_control() || c == ' '));
        assert!(link.starts_with("\u{1b}]8;id="), "{link:?}");
        assert!(link.ends_with(&format!(";{shown}\u{1b}\\{shown}\u{1b}]8;;\u{1b}\\")), "{link:?}");
        assert_eq!(link.matches('\u{1b}').count(), 4, "{link:?}");
    }

    #[test]
    fn a_copy_is_base64_and_is_wrapped_for_a_multiplexer() {
        assert_eq!(text(Sequence::copy("http://x/", None)), "\u{1b}]52;c;aHR0cDovL3gv\u{7}");
        assert_eq!(
            text(Sequence::copy("http://x/", Some(Multiplexer::Tmux))),
            "\u{1b}]52;c;aHR0cDovL3gv\u{7}\u{1b}Ptmux;\u{1b}\u{1b}]52;c;aHR0cDovL3gv\u{7}\u{1b}\\"
        );
        let long = text(Sequence::copy(&"x".repeat(900), Some(Multiplexer::Screen)));
        let parts: Vec<&str> = long.split("\u{1b}P").skip(1).collect();
        assert!(parts.iter().all(|part| part.len() < 768 && part.ends_with("\u{1b}\\")));
        let joined: String = parts.iter().map(|part| part.trim_end_matches("\u{1b}\\")).collect();
        assert_eq!(Some(joined), Sequence::copy(&"x".repeat(900), None).map(|plain| plain.0));
    }

    #[test]
    fn what_terminals_would_cut_is_not_copied() {
        assert!(Sequence::copy(&"x".repeat(56_000), None).is_some());
        assert_eq!(Sequence::copy(&"x".repeat(57_000), None), None);
    }

    #[test]
    fn a_line_fits_and_holds_no_sequence_of_its_own() {
        let line = text(Some(Sequence::line("a\u{1b}[2Jbcdef\n", 6)));
        assert_eq!(line, "\ra[2Jb\u{1b}[K");
    }
}
