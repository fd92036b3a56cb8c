//! Model references: `provider/model`, with `@profile` behind it when one is pinned.
//!
//! An `@` also stands inside model names: in front of a path segment (`@cf/…`), before a
//! release date of eight digits, and before a quantisation (`@q8_0`, `@4bit`). A suffix
//! that names a profile which exists is always that profile.

use super::ProfileId;

/// A model reference in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRef {
    /// The model with its provider, as far as it was given.
    pub model: String,
    /// The pinned profile.
    pub profile: Option<ProfileId>,
}

impl ModelRef {
    /// Reads a reference as OpenClaw 2026.4.24 does, by its text alone.
    pub fn by_text(text: &str) -> Self {
        let text = text.trim();
        let segment = text.rfind('/').map_or(0, |slash| slash + 1);
        let whole = || Self { model: text.to_owned(), profile: None };
        let Some(mut at) = next_at(text, segment) else { return whole() };
        for is_part_of_name in [is_release_date, is_quantisation] {
            let rest = &text[at + 1..];
            let part = rest.split('@').next().unwrap_or_default();
            if is_part_of_name(part) {
                match next_at(text, at + 1) {
                    Some(next) => at = next,
                    None => return whole(),
                }
            }
        }
        Self::split(text, at).unwrap_or_else(whole)
    }

    /// Reads a reference: by its text, unless only another way to read it names a profile
    /// that `exists`. So ids with `/`, and ids that look like a release date, can be given.
    pub fn parse(text: &str, exists: impl Fn(&ProfileId) -> bool) -> Self {
        let text = text.trim();
        let by_text = Self::by_text(text);
        if by_text.profile.as_ref().is_some_and(&exists) {
            return by_text;
        }
        text.match_indices('@')
            .filter_map(|(at, _)| Self::split(text, at))
            .find(|read| read.profile.as_ref().is_some_and(&exists))
            .unwrap_or(by_text)
    }

    /// The provider and the model within it; `None` when no provider is given.
    pub fn provider_and_model(&self) -> Option<(&str, &str)> {
        let (provider, model) = self.model.split_once('/')?;
        let (provider, model) = (provider.trim(), model.trim());
        (!provider.is_empty() && !model.is_empty()).then_some((provider, model))
    }

    fn split(text: &str, at: usize) -> Option<Self> {
        let (model, profile) = (text[..at].trim(), text[at + 1..].trim());
        let both = !model.is_empty() && !profile.is_empty();
        both.then(|| Self { model: model.to_owned(), profile: Some(profile.into()) })
    }
}

/// The next `@` from `start` on that is not the first character of all.
fn next_at(text: &str, start: usize) -> Option<usize> {
    text[start..].find('@').map(|at| start + at).filter(|at| *at > 0)
}

fn is_release_date(part: &str) -> bool {
    part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// `q8`, `q4_K_M`, `8bit`.
fn is_quantisation(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if part.strip_suffix("bit").is_some_and(is_number) {
        return true;
    }
    let Some(rest) = part.strip_prefix('q') else { return false };
    let mut pieces = rest.split('_');
    let is_word =
        |piece: &str| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_alphanumeric());
    pieces.next().is_some_and(is_number) && pieces.all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn references_are_read_by_text_as_openclaw_does() {
        let vectors = include_str!("../../tests/golden/rotation/model_refs.jsonl");
        for line in vectors.lines() {
            let vector: Value = serde_json::from_str(line).unwrap();
            let read = ModelRef::by_text(vector["in"].as_str().unwrap());
            assert_eq!(read.model, vector["out"]["model"].as_str().unwrap(), "{line}");
            assert_eq!(
                read.profile.as_ref().map(ProfileId::as_str),
                vector["out"]["profile"].as_str(),
                "{line}"
            );
        }
        assert!(vectors.lines().count() > 40);
    }

    #[test]
    fn a_profile_is_no_part_of_the_model() {
        for (name, model) in [
            ("p/m", "p/m"),
            ("p/m@work", "p/m"),
            ("p/m@me@x.test", "p/m"),
            ("p/m@20260401", "p/m@20260401"),
            ("p/m@20260401@work", "p/m@20260401"),
            ("p/m@q4_k_m", "p/m@q4_k_m"),
            ("p/m@8bit@work", "p/m@8bit"),
            ("@cf/x/m", "@cf/x/m"),
            ("p/m@", "p/m@"),
        ] {
            assert_eq!(ModelRef::by_text(name).model, model, "{name}");
        }
    }

    #[test]
    fn a_profile_that_exists_is_addressable_whatever_its_id() {
        for (text, model, profile) in [
            ("p/m@team/a+b@x.test", "p/m", "team/a+b@x.test"),
            ("p/m@20251001", "p/m", "20251001"),
            ("p/m@20251001@20251002", "p/m@20251001", "20251002"),
            ("p/m@q8_0", "p/m", "q8_0"),
            ("p/@cf/m@a/b", "p/@cf/m", "a/b"),
            ("p/m@p:me+tag@x.test", "p/m", "p:me+tag@x.test"),
        ] {
            let read = ModelRef::parse(text, |id| *id == profile);
            assert_eq!(
                (read.model.as_str(), read.profile.as_ref().map(ProfileId::as_str)),
                (model, Some(profile))
            );
        }
        assert_eq!(ModelRef::parse("p/m@20251001", |_| false).profile, None);
        assert_eq!(ModelRef::parse("@cf/x/y", |_| true).model, "@cf/x/y");
    }

    #[test]
    fn the_provider_is_what_stands_before_the_first_slash() {
        let read = ModelRef::by_text("cloud/@cf/x/y@p");
        assert_eq!(read.provider_and_model(), Some(("cloud", "@cf/x/y")));
        assert_eq!(ModelRef::by_text("m").provider_and_model(), None);
        assert_eq!(ModelRef::by_text("/m").provider_and_model(), None);
    }
}
