//! What is remembered about the use of one profile, and whether it is in a cooldown.
//!
//! Invariant: a window counts only while it lies in the future; nothing here reads a clock.

use super::Millis;
use indexmap::IndexMap;

/// What the state file remembers about the use of one profile (milliseconds since the
/// epoch).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageStats {
    /// When the profile was last used with success.
    pub last_used: Option<Millis>,
    /// How many failures in a row, of every reason.
    pub error_count: Option<u64>,
    /// How many failures of each reason.
    pub failure_counts: Option<IndexMap<String, u64>>,
    /// When the last failure was.
    pub last_failure_at: Option<Millis>,
    /// Not before this time, because of a rate limit or an outage.
    pub cooldown_until: Option<Millis>,
    /// Why.
    pub cooldown_reason: Option<String>,
    /// The one model that a rate limit is about.
    pub cooldown_model: Option<String>,
    /// Not before this time, because of billing or a revoked permission.
    pub disabled_until: Option<Millis>,
    /// Why.
    pub disabled_reason: Option<String>,
}

/// A window in which a profile should not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whether the profile is disabled rather than in a cooldown.
    pub disabled: bool,
    /// When both windows are over.
    pub until: Millis,
    /// Why, where that is recorded.
    pub reason: Option<String>,
}

impl UsageStats {
    /// The time until which the profile should not be used, if that is in the future.
    pub fn unusable_until(&self, now: Millis) -> Option<Millis> {
        self.last_window_end().filter(|until| *until > now)
    }

    /// Whether the profile is disabled rather than in a cooldown.
    pub fn is_disabled(&self, now: Millis) -> bool {
        self.disabled_until.is_some_and(|until| until > now)
    }

    /// When the later of both windows ends or ended; a time before the epoch is none.
    pub(super) fn last_window_end(&self) -> Option<Millis> {
        self.cooldown_until.max(self.disabled_until).filter(|until| *until > 0)
    }

    /// The window in which the profile is at `now`. A rate limit of one model leaves the
    /// others free, unless the profile is disabled as well.
    pub fn window(&self, model: Option<&str>, now: Millis) -> Option<Window> {
        let until = self.unusable_until(now)?;
        let disabled = self.is_disabled(now);
        let of_another_model = || {
            let limited = self.cooldown_model.as_deref();
            self.cooldown_reason.as_deref() == Some(FailureReason::RateLimit.name())
                && matches!((model, limited), (Some(wanted), Some(limited)) if wanted != limited)
        };
        if !disabled && of_another_model() {
            return None;
        }
        let reason = if disabled { &self.disabled_reason } else { &self.cooldown_reason };
        Some(Window { disabled, until, reason: reason.clone() })
    }
}

/// Why a use of a profile failed. The order is that in which reasons are named when
/// several are equally frequent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureReason {
    /// The account may not use the service any more.
    AuthPermanent,
    /// The credential was refused.
    Auth,
    /// Payment, credit or subscription.
    Billing,
    /// The provider did not understand the request.
    Format,
    /// The model does not exist, or not for this account.
    ModelNotFound,
    /// The provider is overloaded.
    Overloaded,
    /// There was no answer in time.
    Timeout,
    /// Too many requests, or a quota is used up.
    RateLimit,
    /// Anything else.
    Unknown,
}

impl FailureReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::AuthPermanent,
        Self::Auth,
        Self::Billing,
        Self::Format,
        Self::ModelNotFound,
        Self::Overloaded,
        Self::Timeout,
        Self::RateLimit,
        Self::Unknown,
    ];

    /// The name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthPermanent => "auth_permanent",
            Self::Auth => "auth",
            Self::Billing => "billing",
            Self::Format => "format",
            Self::ModelNotFound => "model_not_found",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::RateLimit => "rate_limit",
            Self::Unknown => "unknown",
        }
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What an active disabled window weighs beside counted failures.
const DISABLED_WEIGHT: u64 = 1_000;

/// The main reason why none of several profiles is available: that of a disabled window
/// before what failed most often during the active cooldowns. `None` when none of them is
/// in a window.
pub fn unavailable_reason<'u>(
    usages: impl IntoIterator<Item = &'u UsageStats>,
    now: Millis,
) -> Option<FailureReason> {
    let mut weights = [0_u64; FailureReason::ALL.len()];
    let mut add = |name: &str, weight: u64| {
        if let Some(reason) = FailureReason::from_name(name) {
            weights[reason as usize] += weight;
        }
    };
    for usage in usages {
        if usage.unusable_until(now).is_none() {
            continue;
        }
        let disabled = usage.disabled_until.is_some_and(|until| until > now);
        if disabled && let Some(reason) = &usage.disabled_reason {
            add(reason, DISABLED_WEIGHT);
            continue;
        }
        if usage.cooldown_until.is_none_or(|until| until <= now) {
            continue;
        }
        let counted = usage.failure_counts.iter().flatten().filter(|(_, count)| **count > 0);
        let mut any = false;
        for (reason, count) in counted {
            any = true;
            add(reason, *count);
        }
        if !any {
            add(FailureReason::Unknown.name(), 1);
        }
    }
    let heaviest = *weights.iter().max()?;
    let first = |reason: &FailureReason| weights[*reason as usize] == heaviest;
    FailureReason::ALL.into_iter().find(first).filter(|_| heaviest > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_of_one_model_leaves_the_others_free() {
        let mut usage = UsageStats {
            cooldown_until: Some(20),
            cooldown_reason: Some("rate_limit".into()),
            cooldown_model: Some("m".into()),
            ..UsageStats::default()
        };
        assert!(usage.window(None, 10).is_some());
        assert!(usage.window(Some("m"), 10).is_some());
        assert!(usage.window(Some("other"), 10).is_none());
        usage.disabled_until = Some(11);
        usage.disabled_reason = Some("billing".into());
        let window = usage.window(Some("other"), 10).unwrap();
        assert_eq!(window, Window { disabled: true, until: 20, reason: Some("billing".into()) });
        assert!(usage.window(None, 20).is_none());
    }

    #[test]
    fn every_reason_is_found_by_its_name() {
        for reason in FailureReason::ALL {
            assert_eq!(FailureReason::from_name(reason.name()), Some(reason));
        }
    }
}
