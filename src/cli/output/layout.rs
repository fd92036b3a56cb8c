//! How JSON is laid out: two spaces a level, as `JSON.stringify` does with an indentation.
//!
//! A report of thousands of profiles has hundreds of thousands of members, each on a line of
//! its own: what stands before one is written at once.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use std::io::{self, BufWriter, Write};

/// So much is collected before it is handed on.
const BUFFER: usize = 64 * 1024;

/// Writes `value` to `writer`, without a final newline.
///
/// # Errors
/// `writer` fails.
pub(super) fn write<W: Write, T: Serialize>(writer: W, value: &T) -> io::Result<()> {
    let mut buffered = BufWriter::with_capacity(BUFFER, writer);
    value.serialize(&mut Serializer::with_formatter(&mut buffered, Lines::default()))?;
    buffered.flush()
}

/// Each member on a line, set in by its depth.
#[derive(Default)]
struct Lines {
    depth: usize,
    /// Whether something stands in the array or object that was written last.
    has_member: bool,
}

/// What stands before a member: the comma after the one before it, the end of the line, and
/// spaces for as many levels as one write does.
const BEFORE: &[u8] = b",\n                                ";
const LEVELS: usize = (BEFORE.len() - 2) / 2;

impl Lines {
    /// Begins a line; `start` is 0 with a comma before it, else 1.
    fn line<W: Write + ?Sized>(&self, writer: &mut W, start: usize) -> io::Result<()> {
        writer.write_all(&BEFORE[start..2 + 2 * self.depth.min(LEVELS)])?;
        (LEVELS..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }

    fn open<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_member = false;
        writer.write_all(bracket)
    }

    fn close<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_member {
            self.line(writer, 1)?;
        }
        writer.write_all(bracket)
    }
}

impl Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.line(w, usize::from(first))
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_member = true;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.line(w, usize::from(first))
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_member = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::write;
    use serde_json::{Value, json};

    #[test]
    fn the_layout_is_that_of_json_stringify() {
        let mut deep = json!([1, {}]);
        for level in 0..40 {
            deep =
                if level % 2 == 0 { json!({"a": deep, "b": [[], {}]}) } else { json!([deep, 0]) };
        }
        for value in [
            json!({"a": [], "b": {}, "c": [1, {"d": "x, \"y\": {"}], "e": null}),
            json!([]),
            json!([[[]], [{}]]),
            Value::from("text"),
            deep,
        ] {
            let mut written = Vec::new();
            write(&mut written, &value).unwrap();
            let expected = serde_json::to_string_pretty(&value).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }
}
