//! Paths in a JSON tree: patterns with `*` for any key and `list[]` for any index, and
//! the places that they match. Pure.

use super::object::entries;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A pattern of paths.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    AnyKey,
    AnyIndex(String),
}

/// A place that a pattern matches; its last key may be absent.
#[derive(Debug)]
pub(super) struct ConfigPath<'v> {
    /// The keys and indices.
    pub(super) segments: Vec<String>,
    /// What `*` and `[]` stand for here.
    captures: Vec<String>,
    /// What is there.
    pub(super) value: &'v Value,
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let step = |segment: &str| match segment.strip_suffix("[]") {
            Some(list) => Step::AnyIndex(list.to_owned()),
            None if segment == "*" => Step::AnyKey,
            None => Step::Key(segment.to_owned()),
        };
        Ok(Self(text.split('.').map(step).collect()))
    }
}

impl Pattern {
    /// The places of `root` that the pattern matches, in document order.
    pub(super) fn places<'v>(&self, root: &'v Value) -> Vec<ConfigPath<'v>> {
        let mut places =
            vec![ConfigPath { segments: Vec::new(), captures: Vec::new(), value: root }];
        for step in &self.0 {
            places = places.iter().flat_map(|place| place.step(step)).collect();
        }
        places
    }

    /// What is at the place of this pattern that has the captures of `place`.
    pub(super) fn beside<'v>(&self, root: &'v Value, place: &ConfigPath<'_>) -> &'v Value {
        let mut captures = place.captures.iter();
        let mut value = root;
        for step in &self.0 {
            value = match step {
                Step::Key(key) => &value[key.as_str()],
                Step::AnyKey => &value[captures.next().map_or("", String::as_str)],
                Step::AnyIndex(list) => {
                    let index = captures.next().and_then(|index| index.parse::<usize>().ok());
                    &value[list.as_str()][index.unwrap_or(usize::MAX)]
                }
            };
        }
        value
    }
}

impl<'v> ConfigPath<'v> {
    /// The path as text.
    pub(super) fn path(&self) -> String {
        self.segments.join(".")
    }

    fn step(&self, step: &Step) -> Vec<ConfigPath<'v>> {
        let Some(object) = self.value.as_object() else { return Vec::new() };
        let next = |added: &[&str], captured: Option<&str>, value| {
            let mut segments = self.segments.clone();
            segments.extend(added.iter().map(|&segment| segment.to_owned()));
            let mut captures = self.captures.clone();
            captures.extend(captured.map(str::to_owned));
            ConfigPath { segments, captures, value }
        };
        match step {
            Step::Key(key) => vec![next(&[key], None, &self.value[key.as_str()])],
            Step::AnyKey => entries(object)
                .into_iter()
                .map(|(key, value)| next(&[key], Some(key), value))
                .collect(),
            Step::AnyIndex(list) => {
                let items = object.get(list).and_then(Value::as_array);
                let items = items.into_iter().flatten().enumerate();
                items
                    .map(|(index, value)| {
                        let index = index.to_string();
                        next(&[list, &index], Some(&index), value)
                    })
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pattern(text: &str) -> Pattern {
        serde_json::from_value(json!(text)).unwrap()
    }

    #[test]
    fn patterns_match_keys_and_indices() {
        let root = json!({
            "m": {"b": {"k": 1}, "2": {"k": 2}, "no": 3},
            "list": [{"k": {"x": 4}}, 5, {"k": {"x": 6}}],
        });
        let paths = |text: &str| -> Vec<(String, Value)> {
            let places = pattern(text).places(&root);
            places.iter().map(|place| (place.path(), place.value.clone())).collect()
        };
        assert_eq!(
            paths("m.*.k"),
            [("m.2.k".to_owned(), json!(2)), ("m.b.k".to_owned(), json!(1))]
        );
        assert_eq!(
            paths("list[].k.x"),
            [("list.0.k.x".to_owned(), json!(4)), ("list.2.k.x".to_owned(), json!(6))]
        );
        assert!(paths("none.*.k").is_empty());
    }

    #[test]
    fn a_pattern_finds_what_stands_beside_a_place() {
        let root = json!({"a": {"x": {"v": 1, "r": 2}, "y": {"v": 3}}, "l": [{"r": 4}]});
        let places = pattern("a.*.v").places(&root);
        let beside = pattern("a.*.r");
        assert_eq!(beside.beside(&root, &places[0]), &json!(2));
        assert!(beside.beside(&root, &places[1]).is_null());
        let places = pattern("l[].v").places(&root);
        assert_eq!(pattern("l[].r").beside(&root, &places[0]), &json!(4));
    }
}
