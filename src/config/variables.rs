//! Variables that may hold a secret: those of the environment, else those of the `.env`
//! file of the state directory, else those that the configuration sets.
//!
//! A `.env` file of the working directory is not read: whoever can place one there could
//! choose the key.

use super::Paths;
use crate::secret::Secret;
use crate::system::{Environment, file};
use serde_json::Value;
use std::collections::HashMap;

/// The variables that references name.
#[derive(Debug)]
pub struct Variables<'a> {
    environment: &'a Environment,
    /// What the file and the configuration set.
    others: HashMap<String, Secret>,
}

impl<'a> Variables<'a> {
    /// The variables of a run, with those that `config` sets, the value of a configuration.
    pub(super) fn of(environment: &'a Environment, paths: &Paths, config: &Value) -> Self {
        let mut others = HashMap::new();
        let configured = &config["env"];
        let direct = configured.as_object().into_iter().flatten();
        let listed = configured["vars"].as_object().into_iter().flatten();
        for (name, value) in direct.chain(listed) {
            if let Some(value) = value.as_str() {
                others.insert(name.clone(), Secret::new(value));
            }
        }
        // A file that cannot be read sets nothing; the audit reports it.
        let text = file::read(&paths.env_file(environment)).ok().flatten();
        let text = text.map(|(text, _)| text).unwrap_or_default();
        for (name, value) in assignments(&text) {
            others.insert(name.to_owned(), Secret::new(effective(value)));
        }
        Self { environment, others }
    }

    /// The value of a variable, unless it is blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.environment.text(name).or_else(|| {
            let other = self.others.get(name)?;
            (!other.is_blank()).then(|| other.expose())
        })
    }
}

/// The assignments of a `.env` file: names and the text behind the `=`.
pub fn assignments(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = match line.strip_prefix("export") {
            Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
            _ => line,
        };
        let (name, value) = line.split_once('=')?;
        let name = name.trim_end();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then(|| (name, value.trim()))
    })
}

/// `value` without the quotes around it.
pub fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

/// The value that an assignment gives: without quotes, or up to a comment.
fn effective(value: &str) -> &str {
    let inner = unquote(value);
    if inner.len() != value.len() {
        return inner;
    }
    value.split(" #").next().unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_of_a_file_are_read() {
        let text = "export A=\"x y\"\n# B=1\n C = 'c' \nD=\n1E=x\nexported=1\nF=a=b # c\nnothing\n";
        let read: Vec<_> =
            assignments(text).map(|(name, value)| (name, effective(value))).collect();
        assert_eq!(read, [("A", "x y"), ("C", "c"), ("D", ""), ("exported", "1"), ("F", "a=b")]);
    }
}
