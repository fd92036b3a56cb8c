//! Text that came from outside (a server, a file, a profile name), made safe to show.

use std::ffi::OsStr;
use std::fmt::Write as _;

/// `text` on one line without control characters and without the characters that
/// reorder or hide text on a terminal; cut after `limit` characters.
pub fn printable(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit * 4));
    for (count, character) in text.chars().filter(|c| !is_unsafe(*c)).enumerate() {
        if count == limit {
            shown.push('…');
            break;
        }
        shown.push(character);
    }
    shown
}

/// Writes what [`printable`] makes of an id: at most `limit` characters, or as many as the
/// precision of the format says (`{id:.60}`).
pub(crate) fn show(id: &str, limit: usize, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    f.write_str(&printable(id, f.precision().unwrap_or(limit)))
}

/// Whether `text` has nothing that [`printable`] leaves out.
pub fn is_plain(text: &str) -> bool {
    !text.contains(is_unsafe)
}

/// An error and its sources, outermost first.
pub fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// `text` as one word of a POSIX command line, without anything that [`printable`] leaves
/// out. What no command line can hold (a NUL, or a line end at the end) becomes text that no
/// shell accepts.
pub fn shell_word(text: &OsStr) -> String {
    let is_bare = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    match text.to_str() {
        Some(text) if !text.is_empty() && is_plain(text) && text.chars().all(is_bare) => {
            text.to_owned()
        }
        Some(text) if is_plain(text) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => printed(text.as_encoded_bytes()),
    }
}

/// The bytes of an argument as the output of `printf`, for what a terminal must not show.
fn printed(bytes: &[u8]) -> String {
    // The shell takes line ends off the end of an output, and no argument has a NUL.
    if bytes.ends_with(b"\n") || bytes.contains(&0) {
        return "<text that cannot be typed>".to_owned();
    }
    let mut format = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"/._:@ ".contains(byte) {
            format.push(char::from(*byte));
        } else {
            let _ = write!(format, "\\{byte:03o}");
        }
    }
    format!("\"$(printf '{format}')\"")
}

/// Control characters (C0, DEL, C1), bidirectional controls, line separators, and
/// invisible formatting characters.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00ad}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn terminal_escapes_are_dropped() {
        assert_eq!(printable("a\u{1b}[31mb\u{9b}2Jc\r\nd\u{202e}e\u{7f}", 99), "a[31mb2Jcde");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
    }
}
