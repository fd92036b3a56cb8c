//! What may be the response in a text that somebody pasted: the text as it is, and as it was
//! before a browser, chat, mail, terminal, log or document made of it what it is (RFC 3986
//! appendix C).
//!
//! Invariant: this is pure and decides nothing. A reading is taken only when it holds the
//! `state` of the login, which nobody can guess, so that a wrong one does no harm.

use crate::text::{tidy, unframed};

/// How many readings are made of a text.
const MOST_READINGS: usize = 24;

/// A way to undo what was done to a text; `None` where nothing was.
type Change = fn(&str) -> Option<String>;

/// The readings of `text`, the most literal first.
pub(super) fn readings(text: &str) -> Vec<String> {
    const CHANGES: [Change; 10] = [
        nested,
        listed,
        without_wide,
        defended,
        without_html,
        without_escapes,
        without_carets,
        percent_decoded,
        without_soft_breaks,
        squeezed,
    ];
    let mut readings = vec![tidy(text)];
    let mut at = 0;
    while at < readings.len() {
        for change in CHANGES {
            match change(&readings[at]) {
                Some(changed) if readings.len() < MOST_READINGS && !readings.contains(&changed) => {
                    readings.push(changed);
                }
                _ => {}
            }
        }
        at += 1;
    }
    readings
}

/// The address that a redirector has in a parameter.
fn nested(text: &str) -> Option<String> {
    let small = text.to_ascii_lowercase();
    let starts = ["http%3a%2f%2f", "https%3a%2f%2f"];
    let start = starts.iter().filter_map(|start| small.find(start)).min()?;
    let address = &text[start..];
    let end = address.find(|c: char| c == '&' || c.is_whitespace() || CLOSING.contains(c));
    percent_decoded(&address[..end.unwrap_or(address.len())])
}

/// The parameters of a response that stand in a document, a table or in lines of their own:
/// `"code": "c", "state": "s"`.
fn listed(text: &str) -> Option<String> {
    let is_between = |c: char| c.is_whitespace() || "\"'`{}[],;()<>".contains(c);
    let mut words =
        text.split(is_between).filter(|word| !word.trim_matches([':', '=', '>']).is_empty());
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let (name, value) = word.split_once([':', '=']).unwrap_or((word, ""));
        if !["code", "state", "iss", "error"].contains(&name) {
            continue;
        }
        let value = if value.is_empty() { words.next()? } else { value };
        // It is not encoded here.
        let value = value.replace('%', "%25").replace('+', "%2B").replace('&', "%26");
        found.push(format!("{name}={value}"));
    }
    let has = |name: &str| found.iter().any(|parameter| parameter.starts_with(name));
    (has("state=") && (has("code=") || has("error="))).then(|| found.join("&"))
}

/// The wide forms of the characters of ASCII, which an input method for Chinese or Japanese
/// gives.
fn without_wide(text: &str) -> Option<String> {
    let narrow = |c: char| match u32::from(c) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    let narrowed: String = text.chars().map(narrow).collect();
    (narrowed != text).then_some(narrowed)
}

/// The address in a link of a mail filter that writes `%` as `-` and `/` as `_`.
fn defended(text: &str) -> Option<String> {
    let start = ["=http-3A", "=https-3A"].iter().find_map(|start| text.find(start))?;
    let address = text[start + 1..].split(['&', ' ', '\n']).next()?;
    percent_decoded(&address.replace('-', "%").replace('_', "/"))
}

/// The references of HTML to characters that addresses and their quotes have.
fn without_html(text: &str) -> Option<String> {
    const REFERENCES: [(&str, &str); 7] = [
        ("&amp;", "&"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&equals;", "="),
    ];
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let named = REFERENCES.iter().find(|(name, _)| rest.starts_with(name));
        let (character, length) = match named {
            Some((name, character)) => ((*character).to_owned(), name.len()),
            None => numbered(rest).unwrap_or_else(|| ("&".to_owned(), 1)),
        };
        decoded.push_str(&character);
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    (decoded != text).then_some(decoded)
}

/// A reference by number at the start of `text`, as `&#38;` or `&#x26;`, and its length.
fn numbered(text: &str) -> Option<(String, usize)> {
    let number = text.strip_prefix("&#")?;
    let end = number.find(';').filter(|end| *end < 8)?;
    let code = match number[..end].strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number[..end].parse().ok()?,
    };
    Some((char::from_u32(code)?.to_string(), "&#;".len() + end))
}

/// The escapes of JSON, scripts and shells: `\u0026`, `\x26`, `\/`, `\&`, `\n`.
fn without_escapes(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        decoded.push_str(before);
        let digits = match after.chars().next() {
            Some('u') => 4,
            Some('x') => 2,
            _ => 0,
        };
        let code = after.get(1..=digits).filter(|_| digits > 0);
        let code = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        rest = match (code, after.chars().next()) {
            (Some(character), _) => {
                decoded.push(character);
                &after[1 + digits..]
            }
            (None, Some('n' | 'r' | 't' | '\n') | None) => {
                decoded.push('\n');
                after.get(1..).unwrap_or_default()
            }
            (None, Some(_)) => after,
        };
    }
    decoded.push_str(rest);
    (decoded != text).then(|| tidy(&decoded))
}

/// The escapes of the command line of Windows: `^&`.
fn without_carets(text: &str) -> Option<String> {
    text.contains("^&").then(|| text.replace('^', ""))
}

/// Percent-encoding of a whole text.
fn percent_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = match bytes[at] {
            b'%' => text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok()),
            _ => None,
        };
        decoded.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    (decoded.len() < bytes.len()).then(|| tidy(&String::from_utf8_lossy(&decoded)))
}

/// The quoted-printable encoding of mail (RFC 2045 section 6.7): `=3D`, and `=` at a line end.
fn without_soft_breaks(text: &str) -> Option<String> {
    if !text.contains("=3D") && !text.contains("=\n") {
        return None;
    }
    let text = text.lines().map(unframed).collect::<Vec<_>>().join("\n");
    let decoded = text.replace("=\n", "").replace("=3D", "=").replace("=26", "&");
    Some(decoded.replace("=3F", "?").replace("=3A", ":").replace("=2F", "/").replace("=20", " "))
}

/// No white space at all: a line end may stand within an escape.
fn squeezed(text: &str) -> Option<String> {
    let squeezed: String = text.split_whitespace().collect();
    (squeezed.len() < text.trim().len()).then_some(squeezed)
}

/// What ends an address that stands in a text: no browser leaves any of it in one.
const CLOSING: &str = "\"<>{}`“”„‟«»‹›‘’‚‛「」『』，。；：！？）】》";

/// A word of a text, with what its place says about whether it goes on in the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'t> {
    /// The word.
    pub text: &'t str,
    /// The number of its line.
    line: usize,
    /// How many characters its line has.
    width: usize,
    /// Whether it is the first word of its line, and the last one.
    is_first: bool,
    is_last: bool,
}

/// The words of a text, without the marks of a quotation or a box at the ends of lines.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    for (line, shown) in text.lines().enumerate() {
        let inner = unframed(shown);
        let count = inner.split_whitespace().count();
        let width = inner.chars().count();
        words.extend(inner.split_whitespace().enumerate().map(|(at, text)| Word {
            text,
            line,
            width,
            is_first: at == 0,
            is_last: at + 1 == count,
        }));
    }
    words
}

impl Word<'_> {
    /// Whether the text that ends with this word may go on in `next` by the looks of it: it
    /// was cut at a line end, or `next` is part of a query.
    pub(super) fn goes_on_in(&self, next: &Self) -> bool {
        let is_cut = self.is_last && next.is_alone() && next.line == self.line + 1;
        let is_parameter = next.text.contains(['&', '=']);
        let is_plain_word =
            next.text.len() <= 12 && next.text.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_shorter = next.text.chars().count() <= self.width && self.width >= 20;
        let is_piece = is_parameter || (is_shorter && !is_plain_word);
        !begins_address(next.text) && (next.text.starts_with('&') || (is_cut && is_piece))
    }

    /// Whether nothing else is on its line.
    pub(super) const fn is_alone(&self) -> bool {
        self.is_first && self.is_last
    }
}

/// Whether a word is the begin of an address rather than the rest of one.
pub(super) fn begins_address(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    scheme_end(word).is_some_and(|end| word[..end].chars().all(is_of_scheme))
}

fn scheme_end(text: &str) -> Option<usize> {
    text.find("://").filter(|end| *end > 0)
}

const fn is_of_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-')
}

/// The addresses in a text without spaces, each to the end of the text; the text itself where
/// no scheme is in it, the more literal before the other. Says of each whether it was shortened (`…`).
pub(super) fn addresses(text: &str) -> Vec<(&str, bool)> {
    let starts = text.match_indices("://").map(|(at, _)| {
        let before = text[..at].trim_end_matches(is_of_scheme);
        before.len()
    });
    let mut addresses = Vec::new();
    for start in starts {
        addresses.push(bare(text, start));
        // Chats write a link as its address and its label.
        if let Some(end) = text[start..].find('|') {
            addresses.push(bare(&text[..start + end], start));
        }
    }
    if addresses.is_empty() {
        let start = |is_around: fn(char) -> bool| {
            bare(text, text.len() - text.trim_start_matches(is_around).len())
        };
        // A code may begin with what also marks emphasis.
        addresses.push(start(is_opening));
        if text.starts_with(['_', '~']) {
            addresses.push(start(|c| is_opening(c) || matches!(c, '_' | '~')));
        }
    }
    addresses
}

fn is_opening(c: char) -> bool {
    CLOSING.contains(c) || matches!(c, '\'' | '(' | '[' | '{' | '*' | '¿' | '¡')
}

/// What begins at `start` without what stands around it: quotes, brackets, emphasis, and the
/// punctuation of the sentence. Says whether that shows that it was shortened.
fn bare(text: &str, start: usize) -> (&str, bool) {
    let address = &text[start..];
    let end = address.find(|c| CLOSING.contains(c)).unwrap_or(address.len());
    let address = &address[..unbalanced(&address[..end]).unwrap_or(end)];
    let before = &text[..start];
    let is_quoted = before.ends_with('\'');
    let end = address.find('\'').filter(|_| is_quoted).unwrap_or(address.len());
    let address = &address[..end];
    let is_punctuation = |c: char| ".,;:!?'|}\\…".contains(c);
    let mut bare = address.trim_end_matches(is_punctuation);
    // Of emphasis as much as there is in front: an address may end so.
    for mark in before.chars().rev().take_while(|mark| "*_~".contains(*mark)) {
        bare = bare.strip_suffix(mark).unwrap_or(bare);
    }
    let bare = bare.trim_end_matches(is_punctuation);
    let around = &address[bare.len()..];
    (bare, around.contains('…') || around.contains("..."))
}

/// Where a bracket is closed that was not opened.
fn unbalanced(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            '(' | '[' => open.push(character),
            ')' if open.pop() != Some('(') => return Some(at),
            ']' if open.pop() != Some('[') => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_to_a_text_is_undone() {
        for (done, text) in [
            ("a&amp;b&#38;c&#x26;d", "a&b&c&d"),
            (r"http:\/\/h\u0026a\x26b\&c", "http://h&a&b&c"),
            ("http%3A%2F%2Fh%3Fa%3Db", "http://h?a=b"),
            ("http%253A%252F%252Fh", "http://h"),
            ("https://r?u=http%3A%2F%2Fh%3Fa%3Db&h=1", "http://h?a=b"),
            ("a=3Db=\nc", "a=bc"),
            ("http%3\nA%2F%2Fh", "http://h"),
            ("a&am\np;b", "a&b"),
            ("a^&b", "a&b"),
        ] {
            assert!(readings(done).iter().any(|reading| reading == text), "{done}");
        }
        assert_eq!(readings("http://h?a=b"), ["http://h?a=b"]);
    }

    #[test]
    fn an_address_is_found_in_what_stands_around_it() {
        let address = "http://localhost:1455/cb?code=a(1)&state=b_";
        for around in [
            "<@>",
            "`@`",
            "“@”",
            "\"@\"",
            "'@'",
            "(@)",
            "[x](@)",
            "(@).",
            "*@*",
            "**@**",
            "_@_",
            "@.",
            "@,",
            "@!",
            "see:@",
            "{@}",
            "[@]",
            "„@“",
            "href=\"@\">x</a>",
            "‹@›.",
        ] {
            let text = around.replace('@', address);
            assert_eq!(addresses(&text).last(), Some(&(address, false)), "{text}");
        }
        assert_eq!(addresses("http://[::1]:1/?a=b]"), [("http://[::1]:1/?a=b", false)]);
        assert_eq!(addresses("http://h?a=b…"), [("http://h?a=b", true)]);
    }

    #[test]
    fn marks_of_quotations_and_boxes_are_no_words() {
        let texts = |text| words(text).iter().map(|word| word.text).collect::<Vec<_>>().concat();
        assert_eq!(texts("> http://h\n> > ab\n│ cd  │\n"), "http://habcd");
    }
}
