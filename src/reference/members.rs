//! Reading the members of a configuration object: each with its type and its limits, and
//! every mistake with the path of its key.

use crate::secret::Secret;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// A mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, as a path from the root.
    pub path: String,
    /// What is wrong with its value.
    pub reason: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// An object that is being read.
pub(super) struct Members<'v, 'p> {
    path: String,
    object: Option<&'v Map<String, Value>>,
    known: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

impl<'v, 'p> Members<'v, 'p> {
    /// The members of `value`, which may be absent.
    pub(super) fn of(
        value: Option<&'v Value>,
        path: String,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        if let Some(value) = value
            && !value.is_object()
        {
            problems.push(Problem { path: path.clone(), reason: "it is not an object".to_owned() });
        }
        Self { path, object: value.and_then(Value::as_object), known: Vec::new(), problems }
    }

    /// Notes a mistake in the value of a key.
    pub(super) fn refuse(&mut self, key: &str, reason: impl Into<String>) {
        self.problems.push(Problem { path: format!("{}.{key}", self.path), reason: reason.into() });
    }

    /// The value of a key, if it is there.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'v Value> {
        self.known.push(key);
        self.object?.get(key)
    }

    /// Every member, for an object whose keys are names.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
        self.object.into_iter().flatten()
    }

    /// A text that `check` accepts; blank texts are never accepted.
    pub(super) fn text(
        &mut self,
        key: &'static str,
        check: impl Fn(&str) -> Result<(), &'static str>,
    ) -> Option<&'v str> {
        let value = self.value(key)?;
        let result = match value.as_str() {
            None => Err("it is not a text"),
            Some(text) if text.trim().is_empty() => Err("it is empty"),
            Some(text) => check(text).map(|()| text),
        };
        result.map_err(|reason| self.refuse(key, reason)).ok()
    }

    /// A text that has to be there.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        check: impl Fn(&str) -> Result<(), &'static str>,
    ) -> &'v str {
        if self.object.is_some_and(|members| !members.contains_key(key)) {
            self.refuse(key, "it is missing");
        }
        self.text(key, check).unwrap_or_default()
    }

    /// A whole number within `limits`.
    pub(super) fn number(&mut self, key: &'static str, limits: RangeInclusive<u64>) -> Option<u64> {
        let value = self.value(key)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be whole and within the limits, which are small"
        )]
        let whole = value.as_u64().or_else(|| {
            let number = value.as_f64()?;
            (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64)
        });
        let number = whole.filter(|number| limits.contains(number));
        if number.is_none() {
            let (least, most) = limits.into_inner();
            self.refuse(key, format!("it is not a whole number from {least} to {most}"));
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.value(key) else { return default };
        if value.as_bool().is_none() {
            self.refuse(key, "it is neither true nor false");
        }
        value.as_bool().unwrap_or(default)
    }

    /// A list of texts, each accepted by `check`.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
        limit: usize,
        check: impl Fn(&str) -> Result<(), &'static str>,
    ) -> Option<Vec<String>> {
        let value = self.value(key)?;
        let Some(list) = value.as_array() else {
            self.refuse(key, "it is not a list");
            return None;
        };
        if list.len() > limit {
            self.refuse(key, format!("it has more than {limit} entries"));
        }
        let mut texts = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            match entry
                .as_str()
                .ok_or("it is not a text")
                .and_then(|text| check(text).map(|()| text))
            {
                Ok(text) => texts.push(text.to_owned()),
                Err(reason) => self.refuse(&format!("{key}.{index}"), reason),
            }
        }
        Some(texts)
    }

    /// Names with their texts.
    pub(super) fn named_texts(&mut self, key: &'static str) -> Vec<(String, Secret)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(members) = value.as_object() else {
            self.refuse(key, "it is not an object");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (name, value) in members {
            match value.as_str() {
                Some(text) => texts.push((name.clone(), Secret::new(text))),
                None => self.refuse(&format!("{key}.{name}"), "it is not a text"),
            }
        }
        texts
    }

    /// Ends the reading: every key that nobody asked for is a mistake.
    pub(super) fn finish(mut self) {
        for (key, _) in self.all() {
            if !self.known.contains(&key.as_str()) {
                let known = self.known.join(", ");
                self.refuse(key, format!("there is no such key; the keys are {known}"));
            }
        }
    }
}
