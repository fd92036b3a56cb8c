//! The members of a JSON object at its top level, read so that nothing odd beside a member
//! costs that member: bytes that are no UTF-8, numbers of any size, nesting of any depth, names
//! that are repeated, an end that is missing.
//!
//! Invariant: a member is there when its value is complete; one that breaks off is not.

use std::borrow::Cow;

/// The members of an object, in order; names may be repeated.
pub(super) struct Members<'t> {
    /// Names, and the texts of their values.
    found: Vec<(String, &'t str)>,
    /// Whether the object has its end.
    pub(super) is_whole: bool,
}

impl<'t> Members<'t> {
    /// The members of the first object in `text`, whatever comes before and behind it
    /// (`)]}'`, say); none at all when there is no object.
    pub(super) fn of(text: &'t str) -> Self {
        let mut members = Self { found: Vec::new(), is_whole: false };
        let Some(start) = text.find('{') else { return members };
        let mut at = start + 1;
        loop {
            at = skip(text, at, |byte| byte.is_ascii_whitespace() || byte == b',');
            match text.as_bytes().get(at) {
                None => return members,
                Some(b'}') => {
                    members.is_whole = true;
                    return members;
                }
                Some(_) => {}
            }
            match member(text, at) {
                Ok((name, value, end)) => {
                    members.found.push((name, value));
                    at = end;
                }
                Err(Failed::BreaksOff) => return members,
                // Something that is no member: go on behind the next comma.
                Err(Failed::IsNone) => {
                    let rest = &text.as_bytes()[at..];
                    let Some(comma) = rest.iter().position(|byte| *byte == b',') else {
                        return members;
                    };
                    at += comma + 1;
                }
            }
        }
    }

    /// The texts of the values with this name, the last one first: the last one wins.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'t str> {
        let named = self.found.iter().rev().filter(move |(found, _)| found == name);
        named.map(|(_, value)| *value)
    }

    /// The last text with this name that is not blank.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.values(name).filter_map(unquoted).find(|text| !text.trim().is_empty())
    }

    /// The members whose values a strict reader understands.
    pub(super) fn strict(&self) -> serde_json::Map<String, serde_json::Value> {
        let members = self.found.iter();
        members
            .filter_map(|(name, value)| Some((name.clone(), serde_json::from_str(value).ok()?)))
            .collect()
    }
}

/// Bytes as text: UTF-8, or UTF-16 when they begin with its mark and hold an object in it;
/// what is neither becomes U+FFFD. Without the mark.
pub(super) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let units = |order: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2).map(|pair| order([pair[0], pair[1]]));
        String::from_utf16_lossy(&pairs.collect::<Vec<_>>())
    };
    let utf16 = match bytes {
        [0xFF, 0xFE, ..] => Some(units(u16::from_le_bytes)),
        [0xFE, 0xFF, ..] => Some(units(u16::from_be_bytes)),
        _ => None,
    };
    // Stray bytes may look like the mark.
    match utf16.filter(|text| text.contains('{') && text.contains('"')) {
        Some(text) => Cow::Owned(text),
        None => String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)),
    }
}

/// The text of a JSON string; `None` when `value` is no string.
pub(super) fn unquoted(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let mut characters = rest[at + 1..].chars();
        match characters.next() {
            Some('u') => {
                let (decoded, behind) = escaped(&rest[at..]);
                text.push(decoded);
                rest = behind;
                continue;
            }
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some(other) => text.push(other),
            None => {}
        }
        rest = characters.as_str();
    }
    text.push_str(rest);
    Some(text)
}

/// The character of the `\u` escape that `text` begins with, and what is behind it.
fn escaped(text: &str) -> (char, &str) {
    const ODD: char = char::REPLACEMENT_CHARACTER;
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let Some(first) = unit(text) else { return (ODD, &text[2..]) };
    let rest = &text[6..];
    let pair = unit(rest).map(|second| [first, second]);
    let decoded = |units: &[u16]| char::decode_utf16(units.iter().copied()).next()?.ok();
    match decoded(&[first]) {
        Some(character) => (character, rest),
        None => match pair.and_then(|pair| decoded(&pair)) {
            Some(character) => (character, &rest[6..]),
            None => (ODD, rest),
        },
    }
}

/// Why there is no member.
enum Failed {
    /// The text ends in the middle of it.
    BreaksOff,
    /// Something else is there.
    IsNone,
}

/// The member that begins at `at`: its name, the text of its value, and where that ends.
fn member(text: &str, at: usize) -> Result<(String, &str, usize), Failed> {
    if text.as_bytes()[at] != b'"' {
        return Err(Failed::IsNone);
    }
    let name_end = string_end(text.as_bytes(), at).ok_or(Failed::BreaksOff)?;
    let name = unquoted(&text[at..name_end]).ok_or(Failed::IsNone)?;
    let colon = skip(text, name_end, |byte| byte.is_ascii_whitespace());
    let behind = text[colon..].strip_prefix(':').ok_or(Failed::IsNone)?;
    let start = skip(text, text.len() - behind.len(), |byte| byte.is_ascii_whitespace());
    let end = value_end(text, start).ok_or(Failed::BreaksOff)?;
    if start == end { Err(Failed::IsNone) } else { Ok((name, &text[start..end], end)) }
}

/// Where the bytes from `at` on are others than `which`.
fn skip(text: &str, at: usize, which: impl Fn(u8) -> bool) -> usize {
    let rest = &text.as_bytes()[at..];
    at + rest.iter().position(|byte| !which(*byte)).unwrap_or(rest.len())
}

/// The end of the value that begins at `at`; `None` when it breaks off.
fn value_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.get(at)? {
        b'"' => string_end(bytes, at),
        b'{' | b'[' => nested_end(bytes, at),
        _ => {
            let is_part = |byte: u8| !byte.is_ascii_whitespace() && !b",}]\":".contains(&byte);
            let end = skip(text, at, is_part);
            // More of it may have been on its way.
            (end < bytes.len()).then_some(end)
        }
    }
}

fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn nested_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found under `t`, and whether the object has its end.
    fn found(text: &str) -> (Option<String>, bool) {
        let members = Members::of(text);
        (members.text("t"), members.is_whole)
    }

    #[test]
    fn what_is_odd_beside_a_member_does_not_matter() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let beside = [
            "\"n\":1e999",
            "\"n\":-0.00e+99999999999999999999",
            "\"n\":123456789012345678901234567890",
            "\"s\":\"\\ud800\"",
            "\"s\":\"\\u12\"",
            "\"s\":\"\\q\"",
            "\"s\":\"a\nb\tc\"",
            "\"s\":\"}],{[\\\"\"",
            "\"t\":null",
            "\"t\":\"earlier\"",
            "\"o\":{\"t\":\"nested\",\"u\":[{\"t\":\"deeper\"}]}",
            "\"o\":NaN",
            "\"o\":undefined",
            "\"o\":'single'",
            "unquoted:1",
            "",
            "\"\":\"\"",
            "\"x\" \"y\"",
            &format!("\"d\":{deep}"),
        ];
        for beside in beside {
            let text = format!("{{{beside},\"t\":\"fake\"}}");
            assert_eq!(found(&text), (Some("fake".to_owned()), true), "{beside:.60}");
        }
        for beside in &beside[..8] {
            let text = format!("{{\"t\" : \"fake\" , {beside} }}");
            assert_eq!(found(&text), (Some("fake".to_owned()), true), "{beside}");
        }
    }

    #[test]
    fn what_stands_around_the_object_does_not_matter() {
        for (before, behind) in [
            (")]}'\n", ""),
            (")]}',\n", ""),
            ("while(1);", ""),
            ("for(;;);", ""),
            (" \t\r\n", "\r\n\r\n"),
            ("/**/ callback(", ");"),
            ("\u{feff}", "\0\0"),
            ("[", "]"),
            ("", "{\"t\":\"second\"}"),
            ("", "<!-- served by a proxy -->"),
        ] {
            let text = format!("{before}{{\"t\":\"fake\"}}{behind}");
            assert_eq!(found(&text), (Some("fake".to_owned()), true), "{text}");
        }
    }

    #[test]
    fn the_last_text_wins() {
        assert_eq!(found(r#"{"t":"a","t":"b"}"#).0.as_deref(), Some("b"));
        assert_eq!(found(r#"{"t":"a","t":null,"t":" "}"#).0.as_deref(), Some("a"));
        assert_eq!(found(r#"{"t":"a","\u0074":"b"}"#).0.as_deref(), Some("b"));
    }

    #[test]
    fn only_a_complete_value_counts() {
        let text = r#"{"a":1,"t":"fake\"\\","n":12,"o":{"x":[1]}}"#;
        for end in 0..text.len() {
            let (value, is_whole) = found(&text[..end]);
            assert!(!is_whole);
            let complete = end > text.find(",\"n\"").unwrap() - 1;
            assert_eq!(value.as_deref(), complete.then_some("fake\"\\"), "{end}");
        }
        assert!(Members::of(r#"{"n":12"#).values("n").next().is_none(), "more digits may follow");
        assert_eq!(Members::of(r#"{"n":12,"#).values("n").next(), Some("12"));
    }

    #[test]
    fn texts_are_decoded() {
        for (quoted, text) in [
            (r#""a\/b\n""#, "a/b\n"),
            (r#""\u0041\ud83d\ude00z""#, "A\u{1f600}z"),
            (r#""\ud83dx""#, "\u{fffd}x"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ude00""#, "\u{fffd}"),
            (r#""\uzz""#, "\u{fffd}zz"),
        ] {
            assert_eq!(unquoted(quoted).as_deref(), Some(text), "{quoted}");
        }
        for value in ["12", "null", "\"", "{}", ""] {
            assert_eq!(unquoted(value), None, "{value}");
        }
        let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}{\"t\":\"é\"}".encode_utf16().flat_map(order).collect()
        };
        for bytes in [
            b"\xEF\xBB\xBF{\"t\":\"\xC3\xA9\"}".to_vec(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
        ] {
            assert_eq!(decoded(&bytes), "{\"t\":\"é\"}");
        }
        assert_eq!(decoded(b"{\"n\":\"Ren\xE9\"}"), "{\"n\":\"Ren\u{fffd}\"}");
        for stray in [&b"\xFF\xFE"[..], b"\xFF\xFE\0 noise\r\n", b"\xFE\xFF\0", b"\xFE\xFF "] {
            let text = [stray, b"{\"t\":\"a\"}"].concat();
            assert_eq!(Members::of(&decoded(&text)).text("t").as_deref(), Some("a"), "{text:?}");
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_read() {
        for text in
            ["", "{", "}", "{\"", "{\"a", "{\"a\\", "{\"a\":", "{:}", "{]}", "{\"a\":}", "é{é"]
        {
            let _ = Members::of(text).strict();
        }
    }
}
