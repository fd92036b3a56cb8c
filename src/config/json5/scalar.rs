//! Names, strings and numbers of JSON5.

use super::cursor::{Cursor, Problem, is_line_end};
use serde_json::{Number, Value};

impl Cursor<'_> {
    pub(super) fn word(&mut self, word: &'static str, value: Value) -> Result<Value, Problem> {
        for character in word.chars() {
            if !self.take(character) {
                return self.fail("unexpected character");
            }
        }
        Ok(value)
    }

    /// The name of a member: in quotes, or an identifier of ECMAScript 5.1.
    pub(super) fn name(&mut self) -> Result<String, Problem> {
        if let Some('"' | '\'') = self.peek() {
            return self.string();
        }
        let start = self.at();
        let mut name = String::new();
        let mut is_foreign = false;
        loop {
            let is_first = name.is_empty();
            let fits = |c: char| if is_first { begins_name(c) } else { is_in_name(c) };
            match self.peek() {
                Some('\\') => {
                    self.next();
                    if !self.take('u') {
                        return self.fail("expected `u`");
                    }
                    let character = self.code(4)?.filter(|character| fits(*character));
                    let Some(character) = character else {
                        return self.fail("not a valid escape in a name");
                    };
                    name.push(character);
                    is_foreign = true;
                }
                Some(character) if fits(character) => {
                    is_foreign |= !(character.is_alphanumeric() || matches!(character, '$' | '_'));
                    name.push(character);
                    self.next();
                }
                _ if is_first => return self.fail("expected a name"),
                _ => break,
            }
        }
        // To the editor, a comment right behind a name is of the name.
        if is_foreign || self.peek() == Some('/') {
            self.note(start, Value::String(name.clone()).to_string());
        }
        Ok(name)
    }

    /// The character of an escape of so many hexadecimal digits; `None` for half a surrogate
    /// pair.
    fn code(&mut self, digits: usize) -> Result<Option<char>, Problem> {
        let mut code = 0;
        for _ in 0..digits {
            let Some(digit) = self.peek().and_then(|character| character.to_digit(16)) else {
                return self.fail("expected a hexadecimal digit");
            };
            code = code * 16 + digit;
            self.next();
        }
        Ok(match code {
            0xD800..=0xDBFF => self.second_half(code),
            code => char::from_u32(code),
        })
    }

    /// A character beyond the first 65,536 by the escape of its other half, if it is there.
    fn second_half(&mut self, first: u32) -> Option<char> {
        let rest = &self.text[self.at()..];
        let code = u32::from_str_radix(rest.strip_prefix("\\u")?.get(..4)?, 16).ok()?;
        if !(0xDC00..=0xDFFF).contains(&code) {
            return None;
        }
        for _ in 0.."\\u0000".len() {
            self.next();
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (code - 0xDC00))
    }

    pub(super) fn string(&mut self) -> Result<String, Problem> {
        let start = self.at();
        let quote = self.next();
        let mut string = String::new();
        let mut is_foreign = false;
        loop {
            match self.peek() {
                None | Some('\n' | '\r') => return self.fail("a string that does not end"),
                end if end == quote => break,
                Some('\\') => {
                    self.next();
                    is_foreign |= !self.escape(&mut string)?;
                }
                Some(character) => {
                    string.push(character);
                    self.next();
                }
            }
        }
        self.next();
        if is_foreign {
            self.note(start, Value::String(string.clone()).to_string());
        }
        Ok(string)
    }

    /// Adds the character of an escape, if it stands for one; whether the editor knows it.
    fn escape(&mut self, string: &mut String) -> Result<bool, Problem> {
        let character = match self.peek() {
            None | Some('1'..='9') => return self.fail("not a valid escape"),
            Some('x' | 'u') => {
                let digits = if self.next() == Some('x') { 2 } else { 4 };
                let character = self.code(digits)?;
                string.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                return Ok(character.is_some());
            }
            Some('0') => {
                self.next();
                if let Some('0'..='9') = self.peek() {
                    return self.fail("not a valid escape");
                }
                string.push('\0');
                return Ok(true);
            }
            Some(character) => character,
        };
        self.next();
        match character {
            'b' => string.push('\u{8}'),
            'f' => string.push('\u{c}'),
            'n' => string.push('\n'),
            'r' => string.push('\r'),
            't' => string.push('\t'),
            'v' => string.push('\u{b}'),
            '\r' => drop(self.take('\n')),
            end if is_line_end(end) => {}
            other => string.push(other),
        }
        Ok(true)
    }

    pub(super) fn number(&mut self) -> Result<Value, Problem> {
        let is_negative = self.peek() == Some('-');
        if let Some('+' | '-') = self.peek() {
            self.next();
        }
        match self.peek() {
            Some('I') => return self.word("Infinity", Value::Null),
            Some('N') => return self.word("NaN", Value::Null),
            _ => {}
        }
        let start = self.at();
        if self.take('0') {
            if let Some('x' | 'X') = self.peek() {
                self.next();
                return self.hexadecimal(is_negative);
            }
        } else {
            self.digits();
        }
        let is_whole = self.at() > start;
        if self.take('.') {
            let begin = self.at();
            self.digits();
            if !is_whole && self.at() == begin {
                return self.fail("expected a digit");
            }
        } else if !is_whole {
            return self.fail("expected a digit");
        }
        if let Some('e' | 'E') = self.peek() {
            self.next();
            if let Some('+' | '-') = self.peek() {
                self.next();
            }
            let begin = self.at();
            self.digits();
            if self.at() == begin {
                return self.fail("expected a digit");
            }
        }
        let digits = &self.text[start..self.at()];
        Ok(decimal(digits, is_negative))
    }

    fn digits(&mut self) {
        while self.characters.next_if(|(_, next)| next.is_ascii_digit()).is_some() {}
    }

    fn hexadecimal(&mut self, is_negative: bool) -> Result<Value, Problem> {
        let start = self.at();
        while self.characters.next_if(|(_, next)| next.is_ascii_hexdigit()).is_some() {}
        let digits = &self.text[start..self.at()];
        if digits.is_empty() {
            return self.fail("expected a hexadecimal digit");
        }
        if let Ok(whole) = u64::from_str_radix(digits, 16) {
            return Ok(whole_number(whole, is_negative));
        }
        let value = digits.chars().filter_map(|digit| digit.to_digit(16));
        let value = value.fold(0.0, |value, digit| value * 16.0 + f64::from(digit));
        Ok(number(if is_negative { -value } else { value }))
    }
}

fn decimal(digits: &str, is_negative: bool) -> Value {
    if let Ok(whole) = digits.parse() {
        return whole_number(whole, is_negative);
    }
    let value: f64 = digits.parse().unwrap_or(f64::NAN);
    number(if is_negative { -value } else { value })
}

fn whole_number(whole: u64, is_negative: bool) -> Value {
    match i64::try_from(whole) {
        Ok(0) if is_negative => number(-0.0),
        Ok(whole) if is_negative => Value::from(-whole),
        #[expect(clippy::cast_precision_loss, reason = "numbers of JavaScript are that precise")]
        Err(_) if is_negative => number(-(whole as f64)),
        _ => Value::from(whole),
    }
}

/// A number, or null for one that JSON cannot hold.
fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn begins_name(character: char) -> bool {
    character.is_alphabetic() || matches!(character, '$' | '_')
}

/// Whether a name may go on with the character: a letter, a digit, a mark, or a joiner.
fn is_in_name(character: char) -> bool {
    begins_name(character)
        || (character.is_numeric() && character.is_alphanumeric())
        || matches!(
            character,
            '\u{200c}' | '\u{200d}' | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}'
                | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{669}'
                | '\u{93c}' | '\u{94d}' | '\u{9cd}' | '\u{a4d}' | '\u{acd}' | '\u{b4d}'
                | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}' | '\u{dca}' | '\u{e47}'..='\u{e4e}'
                | '\u{1dc0}'..='\u{1dff}' | '\u{203f}' | '\u{2040}' | '\u{20d0}'..='\u{20dc}'
                | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}'
        )
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use serde_json::{Value, json};

    #[track_caller]
    fn assert_reads(text: &str, value: &Value) {
        assert_eq!(&parse(text).unwrap().value, value, "{text:?}");
    }

    #[test]
    fn numbers_are_those_of_javascript() {
        for (text, value) in [
            ("Infinity", json!(null)),
            ("-Infinity", json!(null)),
            ("+Infinity", json!(null)),
            ("NaN", json!(null)),
            ("-NaN", json!(null)),
            ("1e999", json!(null)),
            ("+1", json!(1)),
            ("-1", json!(-1)),
            ("-0", json!(-0.0)),
            ("0x10", json!(16)),
            ("0XfF", json!(255)),
            ("-0xA", json!(-10)),
            ("+0x1", json!(1)),
            ("0x1ffffffffffffffff", json!(36_893_488_147_419_103_231.0)),
            (".5", json!(0.5)),
            ("5.", json!(5.0)),
            ("-.5e-1", json!(-0.05)),
            ("5.e3", json!(5000.0)),
            ("1E+2", json!(100.0)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
            ("-9223372036854775808", json!(-9_223_372_036_854_775_808.0)),
        ] {
            assert_reads(text, &value);
            assert_reads(&format!("[{text},]"), &json!([value]));
        }
    }

    #[test]
    fn names_and_strings_have_their_escapes() {
        for (text, value) in [
            (r"{ \u0061gents: {} }", json!({"agents": {}})),
            (r"{ a\u0067\u0065nts: 1 }", json!({"agents": 1})),
            (
                "{ $_: 1, é: 2, ab\u{200d}c: 3, e\u{301}: 4 }",
                json!({"$_": 1, "é": 2, "ab\u{200d}c": 3, "e\u{301}": 4}),
            ),
            (
                "{ null: 1, true: 2, Infinity: 3, NaN: 4 }",
                json!({"null": 1, "true": 2, "Infinity": 3, "NaN": 4}),
            ),
            ("{ a: 1, a: 2, }", json!({"a": 2})),
            ("{ __proto__: 1 }", json!({"__proto__": 1})),
            (r#"'\'\"\\\b\f\n\r\t\v\0\x41\u00e9\q'"#, json!("'\"\\\u{8}\u{c}\n\r\t\u{b}\0Aéq")),
            ("'a\\\nb\\\r\nc\\\rd\\\u{2028}e'", json!("abcde")),
            ("\"a\tb\u{2028}c\"", json!("a\tb\u{2028}c")),
            (r"'\ud83d\ude00'", json!("😀")),
            (r"'\ud83dx\ude00'", json!("\u{fffd}x\u{fffd}")),
            (r"'\ud83d\u0041'", json!("\u{fffd}A")),
        ] {
            assert_reads(text, &value);
        }
    }
}
