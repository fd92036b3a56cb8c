//! Text that came from outside: a server's, a file's or a profile's made safe to show, and
//! what a person pastes made plain to read.

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

/// A span of milliseconds for people: the largest unit that makes sense, rounded down.
pub fn span(milliseconds: i64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        172_800..63_072_000 => format!("{} days", seconds / 86_400),
        _ => format!("{} years", seconds / 31_536_000),
    }
}

/// A point in time, in milliseconds since the epoch, to the minute: `2026-11-28 12:00 UTC`.
pub fn date(at: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(at);
    time.map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// `template` with each of the names in it replaced by its value, once: a value is not looked
/// through for names.
pub fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        filled.push_str(before);
        let value = values.iter().find_map(|(name, value)| Some((from.strip_prefix(name)?, value)));
        rest = if let Some((after, value)) = value {
            filled.push_str(value);
            after
        } else {
            filled.push('{');
            &from[1..]
        };
    }
    filled + rest
}

/// An error and its sources, outermost first.
pub fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The text of bytes that somebody typed, pasted or piped in: UTF-8, or UTF-16 as PowerShell
/// and Notepad write it, with a byte order mark or without. What is neither has U+FFFD.
pub fn decoded(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        String::from_utf16_lossy(&zeroize::Zeroizing::new(units.collect::<Vec<u16>>()))
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [1..=255, 0, 1..=255, 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, 1..=255, 0, 1..=255, ..] => utf16(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// What brackets a paste on a terminal (`\e[200~` and `\e[201~`), where the escape character
/// was lost or is spelt out.
const PASTE_MARKS: [&str; 4] = ["^[[200~", "^[[201~", "[200~", "[201~"];

/// `text` as somebody meant to paste it: without colours and links of a terminal, what it
/// brackets a paste with, and characters that nobody sees; each line end is `\n`, every other white space a space.
/// Control characters stay: no code, address or key holds one.
pub fn tidy(text: &str) -> String {
    let mut text = zeroize::Zeroizing::new(without_sequences(text));
    for mark in PASTE_MARKS.iter().filter(|mark| text.contains(**mark)).collect::<Vec<_>>() {
        text = zeroize::Zeroizing::new(text.replace(*mark, ""));
    }
    let lost = text.trim().strip_prefix("200~").and_then(|text| text.strip_suffix("201~"));
    if let Some(pasted) = lost.map(str::to_owned) {
        text = zeroize::Zeroizing::new(pasted);
    }
    let mut tidied = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                tidied.push('\n');
            }
            character if is_invisible(character) => {}
            character if character.is_whitespace() => tidied.push(' '),
            character => tidied.push(character),
        }
    }
    tidied
}

/// A line without the marks of a quotation or a box around it, and the one at its end that
/// says that it goes on.
pub fn unframed(line: &str) -> &str {
    let is_frame = |c: char| c.is_whitespace() || "|│┃║▏▕▌▐".contains(c);
    line.trim_start_matches(|c| is_frame(c) || c == '>')
        .trim_end_matches(|c| is_frame(c) || c == '\\')
}

/// A text without the control sequences and commands of terminals (ECMA-48, 5.4 and 5.6) that
/// are whole.
fn without_sequences(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        let end = match after.chars().next() {
            Some('[') => after[1..].find(|c| !matches!(c, ' '..='?')).map(|end| end + 2),
            Some(']') => ["\u{1b}\\", "\u{7}"]
                .iter()
                .filter_map(|end| after.find(end).map(|at| at + end.len()))
                .min(),
            _ => None,
        };
        let end = end.filter(|end| after.is_char_boundary(*end));
        if end.is_none() {
            plain.push('\u{1b}');
        }
        rest = &after[end.unwrap_or_default()..];
    }
    plain.push_str(rest);
    plain
}

/// Whether nobody sees the character, which copying likes to add: zero-width and
/// bidirectional formatting, soft hyphens, variation selectors, byte order marks.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e01ef}'
    )
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
    use super::{decoded, printable, span, tidy};

    #[test]
    fn spans_are_shown_for_people() {
        assert_eq!(span(59_999), "59 s");
        assert_eq!(span(3_600_000), "60 min");
        assert_eq!(span(86_400_000), "24 h");
        assert_eq!(span(10 * 86_400_000), "10 days");
        assert_eq!(span(-5), "0 s");
    }

    #[test]
    fn terminal_escapes_are_dropped() {
        assert_eq!(printable("a\u{1b}[31mb\u{9b}2Jc\r\nd\u{202e}e\u{7f}", 99), "a[31mb2Jcde");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
    }

    #[test]
    fn utf_16_is_read_with_its_mark_and_without() {
        let encode = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}abé\n".encode_utf16().flat_map(unit).collect()
        };
        for bytes in [encode(u16::to_le_bytes), encode(u16::to_be_bytes)] {
            assert_eq!(decoded(&bytes), "abé\n");
            assert_eq!(decoded(&bytes[2..]), "abé\n");
        }
        assert_eq!(tidy(&decoded("\u{feff}aé".as_bytes())), "aé");
        assert_eq!(decoded(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(
            (decoded(b""), decoded(b"\0"), decoded(b"a")),
            (String::new(), "\0".into(), "a".into())
        );
    }

    #[test]
    fn what_copying_adds_is_taken_away() {
        for (pasted, meant) in [
            ("\u{1b}[200~a\u{1b}[201~", "a"),
            ("^[[200~a", "a"),
            ("200~a201~\n", "a"),
            ("\u{1b}[4;34ma\u{1b}[0m", "a"),
            ("\u{1b}]8;;http://h\u{1b}\\a\u{1b}]8;;\u{7}", "a"),
            ("\u{1b}]0;a", "\u{1b}]0;a"),
            ("\u{1b}[é\u{1b}", "\u{1b}[é\u{1b}"),
            ("a\u{200b}b\u{2060}\u{ad}c\u{e0041}", "abc"),
            ("a\u{a0}b\tc\u{3000}d", "a b c d"),
            ("a\r\nb\rc\u{2028}d\u{85}", "a\nb\nc\nd\n"),
            ("a\u{1b}b\0", "a\u{1b}b\0"),
        ] {
            assert_eq!(tidy(pasted), meant);
        }
    }
}
