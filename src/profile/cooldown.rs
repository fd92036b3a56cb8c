//! How an outcome changes what is remembered about a profile, by the rules of OpenClaw
//! 2026.4.24: what failed once is left alone for a while, longer each time.
//!
//! Billing and lost permissions disable a profile for hours or minutes that double;
//! everything else cools it down for 30 s, 60 s, then 5 min. A window that is open is
//! neither moved nor shortened; one that is over counts for nothing, and the next failure
//! starts anew.

use super::{FailureReason, Millis, UsageStats};

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;

/// The spans of `auth.cooldowns` in the configuration, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How long the first billing failure disables a profile.
    pub billing: Millis,
    /// How long billing failures disable it at most.
    pub billing_max: Millis,
    /// How long the first loss of permission disables a profile.
    pub auth_permanent: Millis,
    /// How long losses of permission disable it at most.
    pub auth_permanent_max: Millis,
    /// How long a failure is remembered for the next one.
    pub failure_window: Millis,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            billing: 5 * HOUR,
            billing_max: 24 * HOUR,
            auth_permanent: 10 * MINUTE,
            auth_permanent_max: HOUR,
            failure_window: 24 * HOUR,
        }
    }
}

/// The spans of the first, the second, and every further failure.
const COOLDOWNS: [Millis; 3] = [30 * SECOND, MINUTE, 5 * MINUTE];

/// Doubling stops here.
const MAX_DOUBLINGS: u32 = 10;

impl UsageStats {
    /// Records a failure at `now`, of `model` where the provider limits each by itself.
    pub fn fail(
        &mut self,
        reason: FailureReason,
        model: Option<&str>,
        backoff: &Backoff,
        now: Millis,
    ) {
        let is_old = self
            .last_failure_at
            .is_some_and(|last| now.saturating_sub(last) > backoff.failure_window);
        let window_over = self.last_window_end().is_some_and(|until| until <= now);
        if is_old || window_over {
            self.error_count = None;
            self.failure_counts = None;
        }
        let failures = self.error_count.unwrap_or(0).saturating_add(1);
        let count =
            self.failure_counts.get_or_insert_default().entry(reason.name().into()).or_default();
        *count = count.saturating_add(1);
        let count = *count;
        self.error_count = Some(failures);
        self.last_failure_at = Some(now);
        match reason {
            FailureReason::Billing => {
                self.disable(reason, doubled(backoff.billing, backoff.billing_max, count), now);
            }
            FailureReason::AuthPermanent => {
                let span = doubled(backoff.auth_permanent, backoff.auth_permanent_max, count);
                self.disable(reason, span, now);
            }
            _ => self.cool_down(reason, model, failures, now),
        }
    }

    /// Records a success at `now`.
    pub fn succeed(&mut self, now: Millis) {
        self.clear();
        self.last_used = Some(now);
    }

    /// Forgets the failures and the windows; when the last failure was stays.
    pub fn clear(&mut self) {
        self.error_count = Some(0);
        self.failure_counts = None;
        self.end_cooldown();
        self.end_disabled();
    }

    fn disable(&mut self, reason: FailureReason, span: Millis, now: Millis) {
        if self.disabled_until.is_none_or(|until| until <= now) {
            self.disabled_until = Some(now.saturating_add(span));
        }
        self.disabled_reason = Some(reason.name().to_owned());
    }

    fn cool_down(
        &mut self,
        reason: FailureReason,
        model: Option<&str>,
        failures: u64,
        now: Millis,
    ) {
        let is_open = self.cooldown_until.is_some_and(|until| until > now);
        if !is_open {
            let step = usize::try_from(failures).unwrap_or(usize::MAX).clamp(1, COOLDOWNS.len());
            self.cooldown_until = Some(now.saturating_add(COOLDOWNS[step - 1]));
        }
        let limited = model.filter(|_| reason == FailureReason::RateLimit);
        let stays = !is_open || self.cooldown_model.as_deref() == limited;
        self.cooldown_model = limited.filter(|_| stays).map(str::to_owned);
        self.cooldown_reason = Some(reason.name().to_owned());
    }

    fn end_cooldown(&mut self) {
        self.cooldown_until = None;
        self.cooldown_reason = None;
        self.cooldown_model = None;
    }

    fn end_disabled(&mut self) {
        self.disabled_until = None;
        self.disabled_reason = None;
    }
}

/// `base`, doubled with every failure after the first, up to `max`. A span under a minute
/// would not keep anybody away.
fn doubled(base: Millis, max: Millis, failures: u64) -> Millis {
    let base = base.max(MINUTE);
    let max = max.max(base);
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    base.saturating_mul(1 << doublings.min(MAX_DOUBLINGS)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_345_000_000;

    fn failed(times: usize, reason: FailureReason) -> UsageStats {
        let mut usage = UsageStats::default();
        for _ in 0..times {
            usage.cooldown_until = None;
            usage.disabled_until = None;
            usage.fail(reason, None, &Backoff::default(), NOW);
        }
        usage
    }

    #[test]
    fn cooldowns_grow_in_three_steps() {
        let span = |times| {
            failed(times, FailureReason::Overloaded).cooldown_until.map(|until| until - NOW)
        };
        let spans = [1, 2, 3, 9].map(span);
        assert_eq!(spans, [30, 60, 300, 300].map(|seconds| Some(seconds * SECOND)));
    }

    #[test]
    fn disabled_windows_double_up_to_their_maximum() {
        let span = |times, reason| failed(times, reason).disabled_until.map(|until| until - NOW);
        let billing = [1, 2, 3, 4, 99].map(|times| span(times, FailureReason::Billing));
        assert_eq!(billing, [5, 10, 20, 24, 24].map(|hours| Some(hours * HOUR)));
        let permanent = [1, 2, 3, 4].map(|times| span(times, FailureReason::AuthPermanent));
        assert_eq!(permanent, [10, 20, 40, 60].map(|minutes| Some(minutes * MINUTE)));
    }

    #[test]
    fn an_open_window_is_neither_moved_nor_shortened() {
        let mut usage = failed(1, FailureReason::Billing);
        let until = usage.disabled_until;
        usage.fail(FailureReason::AuthPermanent, None, &Backoff::default(), NOW + HOUR);
        assert_eq!(usage.disabled_until, until);
        assert_eq!(usage.disabled_reason.as_deref(), Some("auth_permanent"));
    }

    #[test]
    fn a_success_forgets_the_failures_but_not_when_they_were() {
        let mut usage = failed(3, FailureReason::RateLimit);
        usage.succeed(NOW + 1);
        let expected = UsageStats {
            last_used: Some(NOW + 1),
            error_count: Some(0),
            last_failure_at: Some(NOW),
            ..UsageStats::default()
        };
        assert_eq!(usage, expected);
    }
}
