//! How each profile stands with its expiry, in the words of `models status --json`.
//!
//! Invariant: the statuses of OpenClaw 2026.4.24, with one more reason: OAuth does not
//! support secret references, so a profile that has one is `missing`.

use super::view::Entry;
use crate::profile::{Kind, Millis};
use serde_json::Value;

/// A login that ends within this span is expiring.
pub const WARN_AFTER: Millis = 86_400_000;

/// How a profile stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expiry {
    /// It does not expire.
    Static,
    /// It is valid.
    Valid,
    /// It expires soon.
    Expiring,
    /// It is expired.
    Expired,
    /// There is no credential, or its expiry is not a time.
    Missing,
}

impl Expiry {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Valid => "ok",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Missing => "missing",
        }
    }

    /// Whether a user has to do something.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Expired | Self::Missing)
    }
}

/// How one profile stands, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The status.
    pub expiry: Expiry,
    /// Why it is not usable, as a code.
    pub reason: Option<&'static str>,
    /// The expiry as the entry has it.
    pub expires_at: Option<Value>,
    /// How long it is still valid, in milliseconds.
    pub remaining: Option<serde_json::Number>,
}

impl Standing {
    fn without_expiry(expiry: Expiry, reason: Option<&'static str>) -> Self {
        Self { expiry, reason, expires_at: None, remaining: None }
    }

    /// How `entry` stands at `now`; `oauth_configured` says that the configuration calls
    /// it an OAuth profile; `in_database`, that the rules are those of OpenClaw 2026.9.6.
    pub(super) fn of(
        entry: &Entry<'_>,
        oauth_configured: bool,
        in_database: bool,
        now: Millis,
    ) -> Self {
        let inspection = &entry.inspection;
        let has_tokens = inspection.facts.has_bearer || inspection.facts.has_refresh;
        let has_reference = !inspection.oauth_references.is_empty()
            || (oauth_configured && inspection.reference.is_some());
        if has_reference {
            return Self::without_expiry(Expiry::Missing, Some("unsupported_secret_ref"));
        }
        let expires = inspection.expires.as_ref();
        let time = expires.and_then(Value::as_f64).filter(|at| at.is_finite() && *at > 0.0);
        match inspection.facts.kind {
            Kind::ApiKey => Self::without_expiry(Expiry::Static, None),
            Kind::Token => {
                if inspection.value.is_none() && inspection.reference.is_none() {
                    return Self::without_expiry(Expiry::Missing, Some("missing_credential"));
                }
                match (expires, time) {
                    (None, _) => Self::without_expiry(Expiry::Static, None),
                    (Some(_), None) => {
                        Self::without_expiry(Expiry::Missing, Some("invalid_expires"))
                    }
                    (Some(_), Some(at)) if until(at, now) <= 0.0 => {
                        Self::without_expiry(Expiry::Expired, Some("expired"))
                    }
                    (Some(_), Some(at)) => Self::timed(expires, at, now),
                }
            }
            Kind::OAuth if in_database && inspection.fence.is_some() => {
                Self::without_expiry(Expiry::Expired, Some("expired"))
            }
            Kind::OAuth if in_database && !has_tokens => {
                let reason =
                    if entry.is_reference { "unresolved_ref" } else { "missing_credential" };
                Self::without_expiry(Expiry::Missing, Some(reason))
            }
            Kind::OAuth => match time {
                Some(at) => Self::timed(expires, at, now),
                None => Self {
                    expires_at: expires.map(number_as_javascript),
                    ..Self::without_expiry(Expiry::Missing, None)
                },
            },
        }
    }

    fn timed(expires: Option<&Value>, at: f64, now: Millis) -> Self {
        let remaining = until(at, now);
        #[expect(clippy::cast_precision_loss, reason = "a day is exact")]
        let expiry = match remaining {
            ..=0.0 => Expiry::Expired,
            _ if remaining <= WARN_AFTER as f64 => Expiry::Expiring,
            _ => Expiry::Valid,
        };
        Self {
            expiry,
            reason: None,
            expires_at: expires.map(number_as_javascript),
            remaining: number(remaining),
        }
    }
}

/// How the profiles of one provider stand together: the status, the first expiry, and the
/// time until then.
pub(super) fn together<'s>(
    standings: impl Iterator<Item = (Kind, &'s Standing)>,
    now: Millis,
) -> (Expiry, Option<Value>, Option<serde_json::Number>) {
    let mut worst = Expiry::Static;
    let mut first: Option<f64> = None;
    for (_, standing) in standings.filter(|(kind, _)| *kind != Kind::ApiKey) {
        let expiry = match standing.expiry {
            Expiry::Static => Expiry::Valid,
            Expiry::Missing => Expiry::Expired,
            other => other,
        };
        worst = worst.max(expiry);
        if let Some(at) = standing.expires_at.as_ref().and_then(Value::as_f64) {
            first = Some(first.map_or(at, |first| first.min(at)));
        }
    }
    let remaining = first.and_then(|at| number(until(at, now)));
    (worst, first.and_then(number).map(Value::Number), remaining)
}

/// As [`together`], by the rules of OpenClaw 2026.9.6: a key alone does not expire, and a missing
/// credential is no expired one.
pub(super) fn together_in_database<'s>(
    standings: impl Iterator<Item = (Kind, &'s Standing)> + Clone,
    now: Millis,
) -> (Expiry, Option<Value>, Option<serde_json::Number>) {
    let (_, first, remaining) = together(standings.clone(), now);
    (worst(standings), first, remaining)
}

/// How those stand together that OpenClaw 2026.9.6 takes.
fn worst<'s>(standings: impl Iterator<Item = (Kind, &'s Standing)>) -> Expiry {
    let rank = |expiry: Expiry| match expiry {
        Expiry::Static | Expiry::Valid => 0,
        Expiry::Expiring => 1,
        Expiry::Missing => 2,
        Expiry::Expired => 3,
    };
    let (mut worst, mut has_key) = (None, false);
    for (kind, standing) in standings {
        if kind == Kind::ApiKey {
            has_key = true;
        } else if worst.is_none_or(|worst| rank(standing.expiry) > rank(worst)) {
            let is_static = standing.expiry == Expiry::Static;
            worst = Some(if is_static { Expiry::Valid } else { standing.expiry });
        }
    }
    worst.unwrap_or(if has_key { Expiry::Static } else { Expiry::Missing })
}

#[expect(clippy::cast_precision_loss, reason = "as precise as JavaScript")]
fn until(at: f64, now: Millis) -> f64 {
    at - now as f64
}

/// A number as JavaScript writes it: whole ones without a fraction.
fn number(value: f64) -> Option<serde_json::Number> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Some((value as i64).into());
    }
    serde_json::Number::from_f64(value)
}

fn number_as_javascript(value: &Value) -> Value {
    let as_written = || value.clone();
    value.as_f64().and_then(number).map_or_else(as_written, Value::Number)
}
