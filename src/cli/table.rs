//! Tables that fit the terminal.
//!
//! Invariant: a cell is broken between words, and no word is, as long as the longest word of each
//! column has its place. Where no terminal shows it, a row is a line.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

/// A table whose cells are broken where it is wider than `columns`.
pub(super) struct Fitting {
    table: Table,
    columns: Option<usize>,
    /// The longest word of each column.
    longest: Vec<usize>,
}

impl Fitting {
    /// The table, empty, for so many columns.
    pub(super) const fn new(table: Table, columns: Option<usize>) -> Self {
        Self { table, columns, longest: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        for (at, cell) in cells.iter().enumerate() {
            let longest = cell.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
            match self.longest.get_mut(at) {
                Some(known) => *known = longest.max(*known),
                None => self.longest.push(longest),
            }
        }
        self.table.add_row(cells);
    }

    /// The lines, each with its end.
    pub(super) fn text(mut self) -> String {
        if let Some(columns) = self.columns.and_then(|columns| u16::try_from(columns).ok()) {
            self.table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
            for (column, longest) in self.table.column_iter_mut().zip(&self.longest) {
                let width = u16::try_from(*longest).unwrap_or(u16::MAX);
                let width = width.saturating_add(column.padding_width());
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
            }
        }
        // What a broken cell leaves for the next line begins under its column.
        let line = |line: &str| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
        self.table.lines().map(|it| line(&it) + "\n").collect()
    }
}
