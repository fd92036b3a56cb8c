//! A JSON5 text as its editor knows it, and back again.
//!
//! Invariant: whatever the editor leaves where it is comes back as it was written. Each JSON5
//! piece has a comment behind it meanwhile, by which it is found again.

use super::cursor::Json5Piece;
use super::parser::{Json5Error, parse};

/// A text without what the editor does not know.
#[derive(Debug)]
pub(in crate::config) struct Plain {
    /// The text.
    pub(in crate::config) text: String,
    /// What stands in it for a JSON5 piece, with its comment, and that piece.
    pieces: Vec<(String, String)>,
    /// How each comment begins.
    mark: String,
}

impl Plain {
    /// `text`, which is JSON5, as the editor knows it.
    ///
    /// # Errors
    /// It is no JSON5.
    pub(in crate::config) fn of(text: &str) -> Result<Self, Json5Error> {
        let pieces = parse(text)?.pieces;
        let marks = (0..).map(|number| format!("/*{number}:"));
        let mark = marks.into_iter().find(|mark| !text.contains(mark.as_str())).unwrap_or_default();
        let mut plain = Self { text: String::new(), pieces: Vec::new(), mark };
        let mut end = 0;
        for (number, Json5Piece { range, plain: same }) in pieces.into_iter().enumerate() {
            let stands = format!("{same}{}{number}*/", plain.mark);
            plain.text.push_str(&text[end..range.start]);
            plain.text.push_str(&stands);
            plain.pieces.push((stands, text[range.clone()].to_owned()));
            end = range.end;
        }
        plain.text.push_str(&text[end..]);
        Ok(plain)
    }

    /// `edited`, which was made of the plain text, with the JSON5 pieces that are still in it.
    pub(in crate::config) fn restore(&self, edited: String) -> String {
        let mut restored = edited;
        for (stands, piece) in &self.pieces {
            restored = restored.replacen(stands, piece, 1);
        }
        // The editor has come between a piece and its comment: the plain one is as good.
        while let Some(start) = restored.find(&self.mark).filter(|_| !self.pieces.is_empty()) {
            let end = restored[start..].find("*/").map_or(restored.len(), |end| start + end + 2);
            restored.replace_range(start..end, "");
        }
        restored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_foreign_comes_back() {
        let text = "// a\u{2028}\u{feff}{ \\u0061: '\\ud800', /*0:*/ b: NaN\u{feff} }";
        let plain = Plain::of(text).unwrap();
        assert!(!plain.text.contains(['\u{feff}', '\u{2028}', '\\']), "{}", plain.text);
        assert_eq!(plain.restore(plain.text.clone()), text);
        let moved = plain.text.replace("\"a\"", "\"a\" ").replace("NaN", "1");
        let restored = plain.restore(moved);
        assert!(restored.contains("\"a\" : '\\ud800', /*0:*/ b: 1"), "{restored}");
        let plain = Plain::of("{ a: 1 /*0:*/ }").unwrap();
        assert_eq!(plain.restore(plain.text.clone()), "{ a: 1 /*0:*/ }");
    }
}
