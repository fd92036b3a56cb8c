//! A URL as a QR code of half blocks: a character is one module wide and two high.
//!
//! It is black on white by colours of its own, as every scanner reads it, on dark and light
//! terminals alike. Where no colours may be set, white is what the terminal shows bright:
//! the characters on a dark background, the background on a light one.

use super::QrColour;
use super::sequence::Sequence;
use crate::system::terminal::Size;
use fast_qr::{ECL, QRBuilder};

/// A code and the white margin around it, both in modules.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Qr {
    /// The rows of modules, and whether each is dark.
    modules: Vec<Vec<bool>>,
    margin: usize,
}

/// How it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Drawing {
    /// With colours.
    Coloured(Sequence),
    /// Without.
    Plain(String),
}

/// The margin that the standard wants (ISO/IEC 18004), and one that scanners do with.
const MARGINS: [usize; 2] = [4, 2];

impl Qr {
    /// The code of `text` with the widest margin that fits `room`; without `room`, the
    /// widest. Nothing is damaged on a screen, so the least error correction will do.
    ///
    /// # Errors
    /// The size that it needs; `None` when no code holds so much.
    pub(in crate::cli) fn fitting(text: &str, room: Option<Size>) -> Result<Self, Option<Size>> {
        let code = QRBuilder::new(text).ecl(ECL::L).build().map_err(|_| None)?;
        let row = |row: &[fast_qr::Module]| row.iter().map(|module| module.value()).collect();
        let modules = (0..code.size).map(|at| row(&code[at][..code.size])).collect();
        let mut qr = Self { modules, margin: 0 };
        for margin in MARGINS {
            qr.margin = margin;
            let needed = qr.size();
            let fits = |room: Size| needed.columns <= room.columns && needed.rows <= room.rows;
            if room.is_none_or(fits) {
                return Ok(qr);
            }
        }
        Err(Some(qr.size()))
    }

    /// The characters that it takes.
    pub(in crate::cli) fn size(&self) -> Size {
        let width = self.modules.len() + 2 * self.margin;
        Size { columns: width, rows: width.div_ceil(2) }
    }

    /// The code in `qr_colour`.
    pub(in crate::cli) fn draw(&self, qr_colour: QrColour) -> Drawing {
        match qr_colour {
            QrColour::Coloured => Drawing::Coloured(Sequence::black_on_white(&self.lines(true))),
            QrColour::White => Drawing::Plain(self.lines(false).join(
                "
",
            )),
            QrColour::Black => Drawing::Plain(self.lines(true).join(
                "
",
            )),
        }
    }

    /// The lines, in which the dark modules are characters, or else the light ones.
    fn lines(&self, dark_is_drawn: bool) -> Vec<String> {
        let Size { columns, rows } = self.size();
        let drawn = |column, row| self.is_dark(column, row) == dark_is_drawn;
        let character = |column, row| match (drawn(column, row), drawn(column, row + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        (0..rows)
            .map(|row| (0..columns).map(|column| character(column, 2 * row)).collect())
            .collect()
    }

    fn is_dark(&self, column: usize, row: usize) -> bool {
        let inside = |at: usize| at.checked_sub(self.margin);
        let module = || self.modules.get(inside(row)?)?.get(inside(column)?).copied();
        module().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://as.example.test/device?user_code=WDJB-MJHT";

    /// What a scanner reads off the screen.
    fn scanned(lines: &[String], characters_are_dark: bool) -> Vec<String> {
        const ZOOM: usize = 4;
        let rows: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
        let (width, height) = (rows[0].len() * ZOOM, rows.len() * 2 * ZOOM);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            let (half, character) = ((y / ZOOM) % 2, rows[y / ZOOM / 2][x / ZOOM]);
            let is_drawn = match character {
                '█' => true,
                '▀' => half == 0,
                '▄' => half == 1,
                _ => false,
            };
            if is_drawn == characters_are_dark { 0 } else { 255 }
        });
        image.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
    }

    #[test]
    fn it_can_be_scanned_whatever_it_is_drawn_with() {
        let longer = format!("{URL}{}", "&more=0123456789".repeat(40));
        for url in [URL, &longer, "https://x.test/d"] {
            for room in [None, Some(Size { columns: 1_000, rows: 1_000 })] {
                let qr = Qr::fitting(url, room).unwrap();
                for dark_is_drawn in [true, false] {
                    assert_eq!(scanned(&qr.lines(dark_is_drawn), dark_is_drawn), [url]);
                }
            }
        }
    }

    #[test]
    fn it_takes_less_margin_before_it_does_not_fit() {
        let widest = Qr::fitting(URL, None).unwrap().size();
        assert_eq!(widest, Size { columns: 37, rows: 19 });
        let narrow = Qr::fitting(URL, Some(Size { columns: 36, rows: 24 })).unwrap();
        assert_eq!(narrow.size(), Size { columns: 33, rows: 17 });
        assert_eq!(scanned(&narrow.lines(true), true), [URL]);
        for room in [Size { columns: 32, rows: 24 }, Size { columns: 80, rows: 16 }] {
            assert_eq!(Qr::fitting(URL, Some(room)), Err(Some(narrow.size())));
        }
        assert_eq!(Qr::fitting(&"x".repeat(5_000), None), Err(None), "no code holds that");
    }

    #[test]
    fn its_colours_are_its_own_unless_none_are_wanted() {
        let qr = Qr::fitting(URL, None).unwrap();
        let Drawing::Coloured(drawn) = qr.draw(QrColour::Coloured) else { panic!("no colours") };
        let drawn = String::from_utf8(drawn.as_bytes().to_vec()).unwrap();
        let size = qr.size();
        assert_eq!(drawn.lines().count(), size.rows);
        for line in drawn.lines() {
            let inner = line.strip_prefix("\u{1b}[38;5;16;48;5;231m").unwrap();
            assert!(
                inner
                    .strip_suffix("\u{1b}[0m")
                    .is_some_and(|inner| inner.chars().count() == size.columns)
            );
        }
        assert_eq!(qr.draw(QrColour::White), Drawing::Plain(qr.lines(false).join("\n")));
        assert_eq!(qr.draw(QrColour::Black), Drawing::Plain(qr.lines(true).join("\n")));
    }
}
