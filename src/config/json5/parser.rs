//! The value of a JSON5 text: arrays, objects, white space and comments.

use super::cursor::{Cursor, Json5Piece, Problem, is_line_end, is_space};
use serde_json::{Map, Value};

/// How deep arrays and objects may be nested.
const DEEPEST: usize = 512;

/// What in a text is no JSON5.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} on line {line} column {column}")]
pub struct Json5Error {
    reason: &'static str,
    line: usize,
    column: usize,
}

/// A value and its JSON5 pieces, in its order.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The value.
    pub(super) value: Value,
    /// What the editor does not know.
    pub(super) pieces: Vec<Json5Piece>,
}

/// The value of a JSON5 text.
///
/// # Errors
/// It is no JSON5; the error has the place.
pub(super) fn parse(text: &str) -> Result<Parsed, Json5Error> {
    let characters = text.char_indices().peekable();
    let mut parser = Cursor { text, characters, pieces: Vec::new(), depth: 0 };
    let value = parser.document().map_err(|(reason, at)| {
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Json5Error { reason, line, column }
    })?;
    Ok(Parsed { value, pieces: parser.pieces })
}

impl Cursor<'_> {
    fn document(&mut self) -> Result<Value, Problem> {
        self.skip()?;
        let value = self.value()?;
        self.skip()?;
        match self.peek() {
            None => Ok(value),
            Some(_) => self.fail("unexpected text behind the value"),
        }
    }

    /// White space and comments.
    fn skip(&mut self) -> Result<(), Problem> {
        loop {
            let start = self.at();
            match self.peek() {
                Some('\u{feff}') => {
                    self.next();
                    self.note(start, String::new());
                }
                Some(character) if is_space(character) => drop(self.next()),
                Some('/') => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Problem> {
        self.next();
        if self.take('/') {
            while let Some(character) = self.peek() {
                let start = self.at();
                if is_line_end(character) {
                    self.next();
                    if !matches!(character, '\n' | '\r') {
                        self.note(start, "\n".to_owned());
                    }
                    break;
                }
                self.next();
            }
            return Ok(());
        }
        if !self.take('*') {
            return self.fail("unexpected character");
        }
        loop {
            match self.next() {
                Some('*') if self.peek() == Some('/') => {
                    self.next();
                    return Ok(());
                }
                Some(_) => {}
                None => return self.fail("unexpected end"),
            }
        }
    }

    fn value(&mut self) -> Result<Value, Problem> {
        match self.peek() {
            Some('{') => self.nested(Self::object),
            Some('[') => self.nested(Self::array),
            Some('"' | '\'') => self.string().map(Value::String),
            Some('n') => self.word("null", Value::Null),
            Some('t') => self.word("true", Value::Bool(true)),
            Some('f') => self.word("false", Value::Bool(false)),
            Some('+' | '-' | '.' | '0'..='9' | 'I' | 'N') => self.number(),
            _ => self.fail("unexpected character"),
        }
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Value, Problem>,
    ) -> Result<Value, Problem> {
        if self.depth == DEEPEST {
            return self.fail("too many arrays and objects in one another");
        }
        self.depth += 1;
        self.next();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, Problem> {
        let mut members = Map::new();
        loop {
            self.skip()?;
            if self.take('}') {
                return Ok(Value::Object(members));
            }
            let name = self.name()?;
            self.skip()?;
            if !self.take(':') {
                return self.fail("expected `:`");
            }
            self.skip()?;
            let value = self.value()?;
            members.insert(name, value);
            self.skip()?;
            if !self.take(',') && self.peek() != Some('}') {
                return self.fail("expected `,` or `}`");
            }
        }
    }

    fn array(&mut self) -> Result<Value, Problem> {
        let mut elements = Vec::new();
        loop {
            self.skip()?;
            if self.take(']') {
                return Ok(Value::Array(elements));
            }
            elements.push(self.value()?);
            self.skip()?;
            if !self.take(',') && self.peek() != Some(']') {
                return self.fail("expected `,` or `]`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn assert_reads(text: &str, value: &Value) {
        assert_eq!(&parse(text).unwrap().value, value, "{text:?}");
    }

    #[test]
    fn white_space_and_comments_are_those_of_json5() {
        let spaces =
            "\u{feff}\t\u{b}\u{c} \u{a0}\u{1680}\u{2003}\u{202f}\u{3000}\r\n\u{2028}\u{2029}";
        assert_reads(&format!("{spaces}[{spaces}1{spaces},{spaces}]{spaces}"), &json!([1]));
        assert_reads("// a\u{2028}1", &json!(1));
        assert_reads("// a\r1// b", &json!(1));
        assert_reads("/**/1/* * / **/", &json!(1));
        assert_reads("// first part\n\u{feff}{ \"custom\": 1 }", &json!({"custom": 1}));
    }

    #[test]
    fn everything_else_is_refused_with_its_place() {
        for (text, place) in [
            ("", "line 1 column 1"),
            ("{", "line 1 column 2"),
            ("{\n  a: }", "line 2 column 6"),
            ("[,]", "line 1 column 2"),
            ("[1,,]", "line 1 column 4"),
            ("{,}", "line 1 column 2"),
            ("{a 1}", "line 1 column 4"),
            ("{a: 1 b: 2}", "line 1 column 7"),
            ("{a-b: 1}", "line 1 column 3"),
            ("{1: 1}", "line 1 column 2"),
            ("{“a”: 1}", "line 1 column 2"),
            (r"{ \u002da: 1 }", "line 1 column 9"),
            (r"{ a\x41: 1 }", "line 1 column 5"),
            ("01", "line 1 column 2"),
            ("0x", "line 1 column 3"),
            (".", "line 1 column 2"),
            ("1e", "line 1 column 3"),
            ("--1", "line 1 column 2"),
            ("+ 1", "line 1 column 2"),
            ("truex", "line 1 column 5"),
            ("Infinit", "line 1 column 8"),
            ("'a\nb'", "line 1 column 3"),
            ("'a", "line 1 column 3"),
            (r"'\1'", "line 1 column 3"),
            (r"'\01'", "line 1 column 4"),
            (r"'\x4'", "line 1 column 5"),
            ("/* a", "line 1 column 5"),
            ("/ 1", "line 1 column 2"),
            ("1 2", "line 1 column 3"),
            ("\u{85}1", "line 1 column 1"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().ends_with(place), "{text:?}: {error}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&format!("{}{}", "[".repeat(500), "]".repeat(500))).is_ok());
    }

    #[test]
    fn what_the_editor_does_not_know_is_noted() {
        let text = "\u{feff}// a\u{2028}{ \\u0061: '\\ud800', b: Infinity, 'c': 1, d/**/: 1 }";
        let pieces = parse(text).unwrap().pieces;
        let noted = pieces.iter().map(|noted| (&text[noted.range.clone()], noted.plain.as_str()));
        let expected = [
            ("\u{feff}", ""),
            ("\u{2028}", "\n"),
            ("\\u0061", "\"a\""),
            ("'\\ud800'", "\"\u{fffd}\""),
            ("d", "\"d\""),
        ];
        assert_eq!(noted.collect::<Vec<_>>(), expected);
    }
}
