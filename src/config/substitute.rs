//! `${NAME}` in the strings of a configuration: the value of a variable.
//!
//! `$${NAME}` stands for the text `${NAME}` itself. A variable that is not set stays as it
//! is written and is reported, so that it never passes for a value.

use super::Variables;
use serde_json::Value;

/// A variable that a configuration names and nothing sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Where in the configuration, as `agents.list[0].workspace`.
    pub(super) place: String,
    /// The variable.
    pub(super) name: String,
}

/// Replaces the variables in every string of `value`; returns those that are missing.
pub(super) fn substitute(value: &mut Value, variables: &Variables<'_>) -> Vec<Missing> {
    let mut missing = Vec::new();
    visit(value, "", variables, &mut missing);
    missing
}

fn visit(value: &mut Value, place: &str, variables: &Variables<'_>, missing: &mut Vec<Missing>) {
    match value {
        Value::String(text) if text.contains('$') => {
            *text = replace(text, |name| {
                let value = variables.get(name);
                if value.is_none() {
                    missing.push(Missing { place: place.to_owned(), name: name.to_owned() });
                }
                value.map(str::to_owned)
            });
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                visit(item, &format!("{place}[{index}]"), variables, missing);
            }
        }
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                let dot = if place.is_empty() { "" } else { "." };
                visit(member, &format!("{place}{dot}{key}"), variables, missing);
            }
        }
        _ => {}
    }
}

fn replace(text: &str, mut value_of: impl FnMut(&str) -> Option<String>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, token) = rest.split_at(at);
        replaced.push_str(before);
        if let Some((name, after)) = token.strip_prefix("$${").and_then(variable) {
            replaced.push_str(&as_written(name));
            rest = after;
        } else if let Some((name, after)) = token.strip_prefix("${").and_then(variable) {
            replaced.push_str(&value_of(name).unwrap_or_else(|| as_written(name)));
            rest = after;
        } else {
            replaced.push('$');
            rest = &token[1..];
        }
    }
    replaced.push_str(rest);
    replaced
}

fn as_written(name: &str) -> String {
    format!("${{{name}}}")
}

/// The variable name at the start of `text`, up to its brace, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.split_once('}')?;
    let first = name.chars().next()?;
    let is_name = (first.is_ascii_uppercase() || first == '_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    is_name.then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::super::Paths;
    use super::*;
    use crate::system::Environment;
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn variables_are_replaced_and_missing_ones_reported_with_their_place() {
        let environment = Environment::of([("A", "one"), ("_B2", "two"), ("HOME", "/nowhere")]);
        let paths = Paths::new(&environment, Path::new("/"));
        let variables = Variables::of(&environment, &paths, &Value::Null);
        let mut value =
            json!({"x": ["${A}-${_B2}", "$${A} $A ${a} ${A", {"y": "${NOPE}"}], "n": 1});
        let missing = substitute(&mut value, &variables);
        assert_eq!(value, json!({"x": ["one-two", "${A} $A ${a} ${A", {"y": "${NOPE}"}], "n": 1}));
        assert_eq!(missing, [Missing { place: "x[2].y".into(), name: "NOPE".into() }]);
    }
}
