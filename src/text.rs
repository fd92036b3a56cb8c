//! Text that came from outside (a server, a file, a profile name), made safe to show.

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
