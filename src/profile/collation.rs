//! The two orders that OpenClaw's listings have: JavaScript's order of object keys, and
//! the root collation of the Unicode Collation Algorithm (what `localeCompare` gives).
//!
//! Invariant: for ASCII and for the Latin-1 letters [`compare`] agrees with ICU. Other
//! characters come after them, by code point; no listing is wrong by that, only sorted
//! otherwise.

use std::cmp::Ordering;

/// The printable ASCII characters that are no letters or digits, in the order of the
/// root collation; digits come after them, then letters.
const PUNCTUATION: &str = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/// Compares as the root collation does: by letters and digits without regard to case and
/// accents, then by accents, then lower case before upper case.
pub fn compare(a: &str, b: &str) -> Ordering {
    // What both start with weighs the same, and ids of one provider start alike.
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b && a.is_ascii()).count();
    let (a, b) = (&a[same..], &b[same..]);
    let level = |weight: fn(&(u32, u32, bool)) -> u32| {
        let (mut a, mut b) = (weights(a), weights(b));
        loop {
            match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (a, b) => match a.as_ref().map(weight).cmp(&b.as_ref().map(weight)) {
                    Ordering::Equal => {}
                    different => return different,
                },
            }
        }
    };
    level(|weights| weights.0)
        .then_with(|| level(|weights| weights.1))
        .then_with(|| level(|weights| u32::from(weights.2)))
}

/// The primary weight, the accent, and whether it is upper case, of each character that
/// counts.
fn weights(text: &str) -> impl Iterator<Item = (u32, u32, bool)> {
    text.chars().filter(|c| !c.is_control()).map(|character| {
        let base = base_letter(character);
        let accent = if base == character {
            0
        } else {
            character.to_lowercase().next().map_or(0, u32::from)
        };
        let primary = match base {
            '0'..='9' => 0x100 + u32::from(base),
            'a'..='z' | 'A'..='Z' => 0x200 + u32::from(base.to_ascii_lowercase()),
            _ => match PUNCTUATION.find(base) {
                Some(rank) => u32::try_from(rank).unwrap_or(0) + 1,
                None => 0x1000 + character.to_lowercase().next().map_or(0, u32::from),
            },
        };
        (primary, accent, character.is_uppercase())
    })
}

/// The letter under the accent, for the Latin-1 letters that have one.
const fn base_letter(character: char) -> char {
    match character {
        'À'..='Å' => 'A',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' => 'O',
        'Ù'..='Ü' => 'U',
        'Ý' => 'Y',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

/// `key` as an array index (ECMA-262): a canonical integer below 2^32 - 1. JavaScript
/// lists such keys first, in ascending order.
pub fn array_index(key: &str) -> Option<u32> {
    let index: u32 = key.parse().ok()?;
    (index != u32::MAX && index.to_string() == key).then_some(index)
}

/// Brings keys, in the order in which they were written, into the order in which
/// JavaScript lists them.
pub fn sort_as_object_keys<T>(entries: &mut [T], key: impl Fn(&T) -> &str) {
    entries.sort_by_cached_key(|entry| array_index(key(entry)).map_or((1, 0), |index| (0, index)));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sorted by `localeCompare` of Node 26 (ICU 78).
    #[test]
    fn the_order_is_that_of_the_root_collation() {
        let all = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789\
                   aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ";
        let mut characters: Vec<String> = all.chars().map(String::from).collect();
        characters.reverse();
        characters.sort_by(|a, b| compare(a, b));
        assert_eq!(characters.concat(), all);
        let sorted = [
            "",
            "1a",
            "a",
            "A",
            "ä",
            "a_b",
            "a-b",
            "a.b",
            "a1",
            "a10",
            "a2",
            "ab",
            "aB",
            "Ab",
            "AB",
            "ae",
            "b",
            "B",
            "e",
            "E",
            "é",
            "ea",
            "éa",
            "Éa",
            "eb",
            "f",
            "n",
            "ñ",
            "o",
            "openai",
            "openai codex",
            "openai-codex",
            "openai:ref",
            "st",
            "x@y.z",
            "x@Y.z",
            "X@y.z",
            "x+t@y.z",
            "z",
            "ω",
            "Ω",
            "я",
            "日本",
        ];
        let mut shuffled = sorted;
        shuffled.sort_unstable();
        shuffled.sort_by(|a, b| compare(a, b));
        assert_eq!(shuffled, sorted);
        assert_eq!(compare("a\u{0}b", "ab"), Ordering::Equal);
    }

    #[test]
    fn only_canonical_integers_are_array_indices() {
        assert_eq!(array_index("10"), Some(10));
        for id in ["01", "-1", "+1", "4294967295", "1.0", "a", ""] {
            assert_eq!(array_index(id), None, "{id}");
        }
        let mut keys = ["b", "10", "a", "2"];
        sort_as_object_keys(&mut keys, |key| key);
        assert_eq!(keys, ["2", "10", "b", "a"]);
    }
}
