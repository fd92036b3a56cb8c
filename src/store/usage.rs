//! The usage statistics of every profile in one pass, as a listing needs them.

use super::StateDocument;
use crate::profile::Millis;
use crate::secret::Secret;
use indexmap::IndexMap;
use serde_json::Value;

/// What is remembered about the use of one profile.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Not before this time, because of a rate limit or an outage.
    pub cooldown_until: Option<Millis>,
    /// Not before this time, because of billing or authentication.
    pub disabled_until: Option<Millis>,
    /// Why it is disabled.
    pub disabled_reason: Option<String>,
    /// The hash of the refresh token that the server has refused, and its error code.
    refused_grant: Option<(String, String)>,
}

impl Usage {
    fn of(entry: &Value) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
        let time = |field: &str| {
            let number = entry.get(field)?.as_f64()?;
            (number.is_finite() && number > 0.0).then_some(number as Millis)
        };
        let text = |value: Option<&Value>| value?.as_str().map(str::to_owned);
        let refused = entry.get("refusedGrant");
        Self {
            cooldown_until: time("cooldownUntil"),
            disabled_until: time("disabledUntil"),
            disabled_reason: text(entry.get("disabledReason")),
            refused_grant: text(refused.and_then(|refused| refused.get("hash")))
                .zip(text(refused.and_then(|refused| refused.get("reason")))),
        }
    }

    /// Until when the profile should not be used, if that is in the future.
    pub fn unusable_until(&self, now: Millis) -> Option<Millis> {
        self.cooldown_until.max(self.disabled_until).filter(|until| *until > now)
    }

    /// Whether it is disabled rather than cooling down.
    pub fn is_disabled(&self, now: Millis) -> bool {
        self.disabled_until.is_some_and(|until| until > now)
    }

    /// Why the server refused this refresh token, if it did: the error code.
    pub fn refusal(&self, refresh_token: &Secret) -> Option<&str> {
        let (hash, reason) = self.refused_grant.as_ref()?;
        (*hash == refresh_token.fingerprint()).then_some(reason)
    }
}

impl StateDocument {
    /// The statistics of every profile, in document order.
    pub fn usages(&self) -> IndexMap<String, Usage> {
        let entries = self.object("usageStats").into_iter();
        entries
            .filter_map(|(id, entry)| {
                Some((id, Usage::of(&serde_json::from_str(entry.get()).ok()?)))
            })
            .collect()
    }
}
