//! The state of a login: the one vocabulary of listings, status, check, doctor and JSON.
//!
//! Invariant: every command that says how a login is doing asks [`login_state`]. A refusal goes
//! before the lifetime of a token, and what is over for good before what passes by itself.
//! Nothing here reads a clock or a file.

use super::{CredentialSummary, Kind, Millis, Window};

/// How a login is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginState {
    /// It renews itself, or does not expire.
    SignedIn,
    /// It cannot be renewed, and expires then.
    Expires(Millis),
    /// It is over: a person has to sign in.
    SignInAgain {
        /// Why.
        why: Over,
        /// Since when, where that is known.
        since: Option<Millis>,
    },
    /// The server refused it and did not say whether it is over.
    Refused(LastRequest),
    /// Nobody knows what became of the last refresh.
    OutcomeUnknown(LastRequest),
    /// It is left alone for a while.
    CoolingDown {
        /// Until when.
        until: Millis,
        /// The kind of failure, where that is known.
        reason: Option<String>,
    },
    /// Another program owns it and refreshes it.
    Held {
        /// The program, for people.
        by: String,
        /// When its access token expires.
        expires: Option<Millis>,
        /// Whether that has happened.
        is_expired: bool,
    },
}

/// Why a login is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// The server refused its refresh token for good: the error code.
    Refused(String),
    /// A logout revoked it at the server.
    Revoked,
    /// It has expired and cannot be renewed.
    Expired,
    /// Its access token was rejected and cannot be renewed.
    Rejected,
    /// Its refresh token was replaced: an older file was put back.
    Replaced,
    /// It was moved away, and an older file was put back.
    Moved,
    /// A move of it was interrupted, and only a person can tell who has it.
    MoveInterrupted,
    /// A refresh by another program took its tokens away: how.
    Lost(String),
    /// There is no credential.
    Empty,
    /// It cannot be used as it is written: why.
    Unusable(String),
}

/// A refresh that brought nothing: what came of it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRequest {
    /// The status or error code, else a few words.
    pub reason: String,
    /// When it ended, in milliseconds since the epoch.
    pub at: Millis,
}

/// A move of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// When, in milliseconds since the epoch.
    pub at: Millis,
    /// Whether the login has arrived for certain.
    pub is_certain: bool,
}

/// A refusal for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The server's error code, or [`Refusal::REVOKED`].
    pub code: String,
    /// When, in milliseconds since the epoch, where that is known.
    pub at: Option<Millis>,
}

impl Refusal {
    /// What stands for the code where a logout revoked the login.
    pub const REVOKED: &'static str = "revoked";

    /// Whether a logout revoked the login.
    pub fn is_revocation(&self) -> bool {
        self.code == Self::REVOKED
    }
}

/// What is known of a login, wherever it was found.
#[derive(Clone, Debug)]
pub struct LoginFacts {
    /// What is there of the credential.
    pub summary: CredentialSummary,
    /// Why it cannot be used as it is written.
    pub unusable: Option<String>,
    /// How another program has lost its tokens.
    pub lost: Option<String>,
    /// That it was refused for good.
    pub refusal: Option<Refusal>,
    /// Whether its refresh token was replaced.
    pub is_replaced: bool,
    /// That it was moved away.
    pub moved: Option<Moved>,
    /// When its access token was reported as rejected.
    pub rejected: Option<Millis>,
    /// The last refresh, where the server refused and did not say why.
    pub refused: Option<LastRequest>,
    /// The last refresh, where its outcome is not known.
    pub unknown: Option<LastRequest>,
    /// The window in which it should not be used.
    pub cooldown: Option<Window>,
    /// The program that is refreshing it now, and holds its tokens meanwhile.
    pub refreshing_by: Option<&'static str>,
    /// The program that owns it, for people.
    pub held_by: Option<String>,
}

impl LoginFacts {
    /// A credential of which nothing else is known.
    pub const fn of(summary: CredentialSummary) -> Self {
        Self {
            summary,
            unusable: None,
            lost: None,
            refusal: None,
            is_replaced: false,
            moved: None,
            rejected: None,
            refused: None,
            unknown: None,
            cooldown: None,
            refreshing_by: None,
            held_by: None,
        }
    }
}

/// The state of a login at `now`, in milliseconds since the epoch.
pub fn login_state(facts: LoginFacts, now: Millis) -> LoginState {
    let summary = facts.summary;
    if let Some(by) = facts.held_by {
        let expires = summary.expiry();
        let is_expired = !summary.is_usable_until(now);
        return LoginState::Held { by, expires, is_expired };
    }
    if let Some(by) = facts.refreshing_by {
        return LoginState::Held { by: by.to_owned(), expires: None, is_expired: false };
    }
    if let Some((why, since)) = over(&facts, now) {
        return LoginState::SignInAgain { why, since };
    }
    if let Some(refused) = facts.refused {
        return LoginState::Refused(refused);
    }
    if let Some(unknown) = facts.unknown {
        return LoginState::OutcomeUnknown(unknown);
    }
    if let Some(Window { until, reason, .. }) = facts.cooldown {
        return LoginState::CoolingDown { until, reason };
    }
    summary.end().map_or(LoginState::SignedIn, LoginState::Expires)
}

/// Why a login is over, and since when.
fn over(facts: &LoginFacts, now: Millis) -> Option<(Over, Option<Millis>)> {
    if let Some(reason) = &facts.unusable {
        return Some((Over::Unusable(reason.clone()), None));
    }
    if let Some(how) = &facts.lost {
        return Some((Over::Lost(how.clone()), None));
    }
    if let Some(refusal) = &facts.refusal {
        let code = refusal.code.clone();
        let why = if refusal.is_revocation() { Over::Revoked } else { Over::Refused(code) };
        return Some((why, refusal.at));
    }
    if let Some(Moved { at, is_certain }) = facts.moved {
        let why = if is_certain { Over::Moved } else { Over::MoveInterrupted };
        return Some((why, Some(at).filter(|at| *at > 0)));
    }
    if facts.is_replaced {
        return Some((Over::Replaced, None));
    }
    let summary = &facts.summary;
    if summary.has_refresh {
        return None;
    }
    if !summary.has_bearer && !summary.is_reference {
        return Some((Over::Empty, None));
    }
    if let Some(at) = facts.rejected {
        return Some((Over::Rejected, Some(at)));
    }
    match summary.expires {
        _ if summary.kind == Kind::ApiKey => None,
        // A value that is no time is one that has passed.
        Some(Err(())) => Some((Over::Expired, None)),
        Some(Ok(at)) if at <= now => Some((Over::Expired, Some(at).filter(|at| *at > 0))),
        _ => None,
    }
}

/// How soon a login ends that needs a person now, in milliseconds.
pub const SOON: Millis = 24 * 60 * 60 * 1000;

/// Whether a person has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeedsPerson {
    /// No.
    No,
    /// That is not known.
    CannotTell,
    /// Yes.
    Yes,
}

impl NeedsPerson {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::CannotTell => "cannot-tell",
            Self::Yes => "yes",
        }
    }
}

impl LoginState {
    /// The name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::Expires(_) => "expires",
            Self::SignInAgain { .. } => "sign-in-again",
            Self::Refused(_) => "refused",
            Self::OutcomeUnknown(_) => "outcome-unknown",
            Self::CoolingDown { .. } => "cooling-down",
            Self::Held { .. } => "held",
        }
    }

    /// Why, as JSON has it; `None` where there is no more to say.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::SignInAgain { why, .. } => Some(why.name()),
            Self::Refused(last) | Self::OutcomeUnknown(last) => Some(&last.reason),
            Self::CoolingDown { reason, .. } => reason.as_deref(),
            Self::Held { is_expired: true, .. } => Some(Over::Expired.name()),
            Self::SignedIn | Self::Expires(_) | Self::Held { .. } => None,
        }
    }

    /// Since when it is so, in milliseconds since the epoch, where that is known.
    pub fn since(&self) -> Option<Millis> {
        match self {
            Self::SignInAgain { since, .. } => *since,
            Self::Refused(last) | Self::OutcomeUnknown(last) => Some(last.at),
            Self::Held { expires, is_expired: true, .. } => *expires,
            Self::SignedIn | Self::Expires(_) | Self::CoolingDown { .. } | Self::Held { .. } => {
                None
            }
        }
    }

    /// Whether nothing but another login helps. One whose move was interrupted may be the only
    /// one that is left of it.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::SignInAgain { why, .. } if !matches!(why, Over::MoveInterrupted))
    }

    /// Whether a person has to act by `until`, in milliseconds since the epoch. `ends` is when the
    /// login ends by itself because it cannot be renewed.
    pub fn needs_person_until(&self, ends: Option<Millis>, until: Millis) -> NeedsPerson {
        if ends.is_some_and(|at| at <= until) { NeedsPerson::Yes } else { self.needs_person() }
    }

    /// Whether a person has to act now.
    pub const fn needs_person(&self) -> NeedsPerson {
        match self {
            Self::SignInAgain { .. } | Self::Held { is_expired: true, .. } => NeedsPerson::Yes,
            Self::SignedIn | Self::Expires(_) | Self::CoolingDown { .. } | Self::Held { .. } => {
                NeedsPerson::No
            }
            Self::Refused(_) | Self::OutcomeUnknown(_) => NeedsPerson::CannotTell,
        }
    }
}

impl Over {
    /// The name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Replaced => "replaced",
            Self::Moved => "moved",
            Self::MoveInterrupted => "move-interrupted",
            Self::Lost(_) => "lost",
            Self::Empty => "empty",
            Self::Unusable(_) => "unusable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_000_000;

    fn summary(has_refresh: bool, expires: Option<Result<Millis, ()>>) -> CredentialSummary {
        let kind = Kind::OAuth;
        CredentialSummary { kind, has_bearer: true, has_refresh, is_reference: false, expires }
    }

    fn state(facts: LoginFacts) -> LoginState {
        login_state(facts, NOW)
    }

    fn again(why: Over, since: Option<Millis>) -> LoginState {
        LoginState::SignInAgain { why, since }
    }

    #[test]
    fn what_renews_itself_is_signed_in_whatever_its_token_says() {
        for expires in [None, Some(Err(())), Some(Ok(1)), Some(Ok(NOW + 1))] {
            let facts = LoginFacts::of(summary(true, expires));
            assert_eq!(state(facts), LoginState::SignedIn, "{expires:?}");
        }
    }

    #[test]
    fn what_cannot_be_renewed_ends_when_it_expires() {
        let of = |expires| state(LoginFacts::of(summary(false, expires)));
        assert_eq!(of(Some(Ok(NOW + 1))), LoginState::Expires(NOW + 1));
        assert_eq!(of(Some(Ok(NOW))), again(Over::Expired, Some(NOW)));
        assert_eq!(of(Some(Err(()))), again(Over::Expired, None));
        assert_eq!(of(None), LoginState::SignedIn);
        for kind in [Kind::OAuth, Kind::Token, Kind::ApiKey] {
            let empty = CredentialSummary { kind, has_bearer: false, ..summary(false, None) };
            assert_eq!(state(LoginFacts::of(empty)), again(Over::Empty, None));
            let reference = CredentialSummary { is_reference: true, ..empty };
            assert_eq!(state(LoginFacts::of(reference)), LoginState::SignedIn);
        }
        let key = CredentialSummary { kind: Kind::ApiKey, ..summary(false, Some(Ok(1))) };
        assert_eq!(state(LoginFacts::of(key)), LoginState::SignedIn);
    }

    #[test]
    fn a_refusal_goes_before_a_lifetime_and_what_is_over_before_what_passes() {
        let last = LastRequest { reason: "401".into(), at: 5 };
        let window = Window { disabled: false, until: NOW + 9, reason: Some("timeout".into()) };
        let all = LoginFacts {
            unusable: Some("odd".into()),
            lost: Some("lost".into()),
            refusal: Some(Refusal { code: "invalid_grant".into(), at: Some(7) }),
            is_replaced: true,
            moved: Some(Moved { at: 8, is_certain: true }),
            rejected: Some(3),
            refused: Some(last.clone()),
            unknown: Some(last.clone()),
            cooldown: Some(window),
            ..LoginFacts::of(summary(true, Some(Ok(NOW + 1))))
        };
        let mut facts = all;
        assert_eq!(state(facts.clone()), again(Over::Unusable("odd".into()), None));
        facts.unusable = None;
        assert_eq!(state(facts.clone()), again(Over::Lost("lost".into()), None));
        facts.lost = None;
        assert_eq!(state(facts.clone()), again(Over::Refused("invalid_grant".into()), Some(7)));
        facts.refusal = Some(Refusal { code: Refusal::REVOKED.into(), at: None });
        assert_eq!(state(facts.clone()), again(Over::Revoked, None));
        facts.refusal = None;
        assert_eq!(state(facts.clone()), again(Over::Moved, Some(8)));
        facts.moved = Some(Moved { at: 8, is_certain: false });
        assert_eq!(state(facts.clone()), again(Over::MoveInterrupted, Some(8)));
        facts.moved = None;
        assert_eq!(state(facts.clone()), again(Over::Replaced, None));
        facts.is_replaced = false;
        assert_eq!(state(facts.clone()), LoginState::Refused(last.clone()));
        facts.refused = None;
        assert_eq!(state(facts.clone()), LoginState::OutcomeUnknown(last));
        facts.unknown = None;
        let cooling = LoginState::CoolingDown { until: NOW + 9, reason: Some("timeout".into()) };
        assert_eq!(state(facts.clone()), cooling);
        facts.cooldown = None;
        assert_eq!(state(facts), LoginState::SignedIn, "a rejected token is replaced on use");
    }

    #[test]
    fn what_another_program_holds_is_that_programs_business() {
        let held = |expires| {
            let summary = summary(false, Some(Ok(expires)));
            state(LoginFacts { held_by: Some("P".into()), ..LoginFacts::of(summary) })
        };
        let by = || "P".to_owned();
        let expected = LoginState::Held { by: by(), expires: Some(NOW), is_expired: true };
        assert_eq!((held(NOW), expected.needs_person()), (expected.clone(), NeedsPerson::Yes));
        assert_eq!((expected.reason(), expected.since()), (Some("expired"), Some(NOW)));
        let refreshing = LoginFacts {
            refreshing_by: Some("P"),
            ..LoginFacts::of(CredentialSummary { has_bearer: false, ..summary(false, None) })
        };
        let expected = LoginState::Held { by: by(), expires: None, is_expired: false };
        assert_eq!(state(refreshing), expected);
        let expected = LoginState::Held { by: by(), expires: Some(NOW + 1), is_expired: false };
        assert_eq!((held(NOW + 1), expected.needs_person()), (expected.clone(), NeedsPerson::No));
    }

    #[test]
    fn yes_goes_before_cannot_tell_and_that_before_no() {
        assert!(NeedsPerson::Yes > NeedsPerson::CannotTell);
        assert!(NeedsPerson::CannotTell > NeedsPerson::No);
    }
}
