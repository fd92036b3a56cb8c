//! Reading a text from left to right, and what the editor does not know of it.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// A piece of a text that the editor does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Json5Piece {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// What says the same, as the editor knows it.
    pub(super) plain: String,
}

/// A reason and its place.
pub(super) type Problem = (&'static str, usize);

/// A text that is read from left to right.
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) characters: Peekable<CharIndices<'t>>,
    pub(super) pieces: Vec<Json5Piece>,
    pub(super) depth: usize,
}

impl Cursor<'_> {
    pub(super) fn peek(&mut self) -> Option<char> {
        self.characters.peek().map(|(_, character)| *character)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        self.characters.next().map(|(_, character)| character)
    }

    /// Takes `character` if it is the next one.
    pub(super) fn take(&mut self, character: char) -> bool {
        self.characters.next_if(|(_, next)| *next == character).is_some()
    }

    /// Where the next character stands.
    pub(super) fn at(&mut self) -> usize {
        self.characters.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    pub(super) fn fail<T>(&mut self, reason: &'static str) -> Result<T, Problem> {
        let at = self.at();
        Err((if at == self.text.len() { "unexpected end" } else { reason }, at))
    }

    pub(super) fn note(&mut self, start: usize, plain: String) {
        let range = start..self.at();
        self.pieces.push(Json5Piece { range, plain });
    }
}

pub(super) const fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_space(character: char) -> bool {
    // U+0085 is white space elsewhere.
    character.is_whitespace() && character != '\u{85}'
}
