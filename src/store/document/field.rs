//! The field of an entry, whatever stands in it.

use crate::profile::Millis;
use crate::profile::secret_ref::variable;
use crate::secret::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;

/// How the markers begin that OpenClaw 2026.9 puts in the place of tokens while it refreshes
/// them: such a value is no token.
pub(super) const FENCE: &str = "openclaw-oauth-refresh-fence:";

/// The value of a field as far as we look at it.
#[derive(Clone, Debug, Default)]
pub(super) enum Field<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Number(f64),
    Object,
    Other,
}

impl Field<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    pub(super) fn owned(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    /// Whether a token or key is here, and no marker of somebody's refresh.
    pub(super) fn is_secret(&self) -> bool {
        self.text().is_some_and(|text| !text.starts_with(FENCE))
    }

    /// The secret in the field.
    pub(super) fn secret(&self) -> Option<Secret> {
        self.text().filter(|_| self.is_secret()).map(Secret::new)
    }

    /// A time in milliseconds since the epoch; JavaScript's numbers are doubles.
    pub(super) fn time(&self) -> Option<Millis> {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
            Self::Number(number) if number.is_finite() && *number > 0.0 => Some(*number as Millis),
            _ => None,
        }
    }

    /// Whether a secret reference stands here: an object, or `${NAME}`.
    pub(super) fn is_reference(&self) -> bool {
        match self {
            Self::Object => true,
            Self::Text(text) => variable(text).is_some(),
            _ => false,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Field<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
                Ok(Field::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
                Ok(Field::Text(Cow::Owned(text.to_owned())))
            }

            #[expect(clippy::cast_precision_loss, reason = "as precise as JavaScript")]
            fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
                Ok(Field::Number(number as f64))
            }

            #[expect(clippy::cast_precision_loss, reason = "as precise as JavaScript")]
            fn visit_i64<E>(self, number: i64) -> Result<Field<'de>, E> {
                Ok(Field::Number(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Field<'de>, E> {
                Ok(Field::Number(number))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Field<'de>, E> {
                Ok(Field::Other)
            }

            fn visit_unit<E>(self) -> Result<Field<'de>, E> {
                Ok(Field::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Field::Object)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}
