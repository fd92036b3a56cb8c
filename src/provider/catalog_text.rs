//! The text of the built-in catalog, and where its rows are.

use serde::Deserialize;

pub(super) const BUILT_IN: &str = include_str!("catalog.json");

/// A built-in row that nobody has read yet.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// The provider id.
    pub(super) id: &'static str,
    /// The row as it is in the file.
    pub(super) text: &'static str,
}

/// The built-in rows. Reading all of them as JSON would take longer than the rest of a
/// refresh, so the compiler finds them by the layout of our own file: a test reads it as
/// JSON, too.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    const PLACES: [(usize, usize); count_rows()] = find_rows();
    PLACES.iter().filter_map(|(start, end)| {
        let text = BUILT_IN.get(*start..*end)?;
        Some(Row { id: text.split('"').nth(3)?, text })
    })
}

/// Whether a row ends before the byte at `at`: with a brace below the first level.
const fn ends_row(text: &[u8], at: usize) -> bool {
    at >= 4 && matches!(text.split_at(at).0, [.., b'\n', b' ', b' ', b'}'])
}

const fn count_rows() -> usize {
    let text = BUILT_IN.as_bytes();
    let (mut at, mut count) = (0, 0);
    while at < text.len() {
        at += 1;
        count += ends_row(text, at) as usize;
    }
    count
}

const fn find_rows<const N: usize>() -> [(usize, usize); N] {
    let text = BUILT_IN.as_bytes();
    let mut places = [(0, 0); N];
    let (mut at, mut found, mut start) = (0, 0, None);
    while at < text.len() {
        if text[at] == b'{' && start.is_none() {
            start = Some(at);
        }
        at += 1;
        if ends_row(text, at) {
            if let Some(start) = start {
                places[found] = (start, at);
            }
            (found, start) = (found + 1, None);
        }
    }
    places
}

/// The key variables of a built-in row.
pub(super) fn variables(text: &'static str) -> Vec<&'static str> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(borrow, default)]
        env: Vec<&'static str>,
    }
    serde_json::from_str(text).map_or_else(|_| Vec::new(), |named: Named| named.env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_those_of_the_document() {
        let document: Vec<serde_json::Value> = serde_json::from_str(BUILT_IN).unwrap();
        assert_eq!(rows().count(), document.len());
        for (row, expected) in rows().zip(document) {
            let value: serde_json::Value = serde_json::from_str(row.text).unwrap();
            assert_eq!(value, expected);
            assert_eq!(expected["id"], row.id);
        }
    }
}
