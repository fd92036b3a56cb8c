//! Why a live grant is in no store, and why a refresh token was posted twice.

use super::ledger::{Answer, Asked, Book, Exchange};
use super::operation::{Done, Kind, share};
use std::collections::{HashMap, HashSet};

/// What explains that a grant is gone, or reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// The process was dead, or died, after the server had answered it.
    Killed,
    /// The answer was dropped on its way.
    Dropped,
    /// The request of a process that was killed arrived before, and was processed after,
    /// that of its successor.
    Late,
    /// The credential is in a store, but the process died before it was in the copies.
    CopyLeftBehind,
    /// A later login took the place of the grant, which the server still honours.
    Replaced,
}

/// The run as it is judged.
pub(crate) struct Case<'r> {
    pub(crate) book: &'r Book,
    pub(crate) done: &'r HashMap<usize, Done>,
    /// The refresh tokens in the stores.
    pub(crate) stored: &'r HashSet<String>,
}

impl Case<'_> {
    fn is_of_the_dead(&self, exchange: &Exchange) -> bool {
        let done = exchange.operation.map(|number| self.done.get(&number));
        done.is_none_or(|done| done.is_some_and(|done| done.code.is_none()))
    }

    /// Why the answer of a request could not arrive.
    fn lost_answer(&self, exchange: &Exchange) -> Option<Cause> {
        if self.is_of_the_dead(exchange) {
            return Some(Cause::Killed);
        }
        (!exchange.sent).then_some(Cause::Dropped)
    }

    /// Why a live refresh token is in no store; `None` when nothing explains it.
    pub(crate) fn of_missing(&self, token: &str) -> Option<Cause> {
        let origin = self.book.origin(token)?;
        self.lost_answer(origin).or_else(|| self.is_replaced(token).then_some(Cause::Replaced))
    }

    /// Whether a login of the same profile that was not over before this one began took its
    /// place.
    fn is_replaced(&self, token: &str) -> bool {
        let Some(root) = self.book.root(token) else { return false };
        let Some(login) = root.operation.and_then(|number| self.done.get(&number)) else {
            return false;
        };
        let logins = self.book.all.iter().filter(|exchange| exchange.asked == Asked::Code);
        logins.filter(|other| other.at != root.at).any(|other| {
            let of_slot =
                other.operation.and_then(|number| self.done.get(&number)).filter(|done| {
                    done.plan.kind == Kind::Login && share(done.plan.slot, login.plan.slot)
                });
            of_slot.is_some_and(|done| done.end > login.start && self.took(other, done))
        })
    }

    /// Whether a login came into its store: it said so, or its grant was used.
    fn took(&self, exchange: &Exchange, done: &Done) -> bool {
        if done.code == Some(0) {
            return true;
        }
        let family = self.book.family(exchange);
        family.iter().any(|token| self.stored.contains(*token) || self.is_posted(token))
    }

    /// Whether the token of an answer was stored after all.
    fn arrived(&self, exchange: &Exchange) -> bool {
        matches!(&exchange.answer, Answer::Issued(token)
            if self.stored.contains(token) || self.is_posted(token))
    }

    fn is_posted(&self, token: &str) -> bool {
        self.book.all.iter().any(|exchange| match &exchange.asked {
            Asked::Refresh(posted) | Asked::Revoke(posted) => posted == token,
            Asked::Code => false,
        })
    }

    /// Every refresh token that was posted after it was spent, with what explains it.
    pub(crate) fn reuses(&self) -> Vec<(String, Option<Cause>)> {
        let mut reuses = Vec::new();
        for (number, exchange) in self.book.all.iter().enumerate() {
            if let (Asked::Refresh(posted), Answer::Refused) = (&exchange.asked, &exchange.answer)
                && let Some((spent, spending)) = self.book.spending(posted)
                && spent < number
            {
                let is_late = || {
                    let overlaps = exchange.received < spending.at;
                    (overlaps && self.is_of_the_dead(exchange)).then_some(Cause::Late)
                };
                let cause = match self.lost_answer(spending).or_else(is_late) {
                    Some(Cause::Killed) if self.arrived(spending) => Some(Cause::CopyLeftBehind),
                    cause => cause,
                };
                reuses.push((posted.clone(), cause));
            }
        }
        reuses
    }

    /// Every request that a token was in or came from, with the runs that made them.
    pub(crate) fn story(&self, token: &str) -> String {
        use std::fmt::Write;
        let mut story = token.to_owned();
        let is_about = |exchange: &&Exchange| match (&exchange.asked, &exchange.answer) {
            (Asked::Refresh(posted) | Asked::Revoke(posted), _) if posted == token => true,
            (_, Answer::Issued(issued)) => issued == token,
            _ => false,
        };
        let Some(begin) = self.done.values().map(|done| done.start).min() else { return story };
        for exchange in self.book.all.iter().filter(is_about) {
            let at = exchange.at.saturating_duration_since(begin).as_millis();
            let (asked, answer) = (&exchange.asked, &exchange.answer);
            let _ = write!(story, "\n  {at} ms: {asked:?} -> {answer:?}, sent {}", exchange.sent);
            if let Some(done) = exchange.operation.and_then(|number| self.done.get(&number)) {
                let from = done.start.duration_since(begin).as_millis();
                let to = done.end.duration_since(begin).as_millis();
                let (kind, slot) = (done.plan.kind, super::operation::SLOTS[done.plan.slot]);
                let _ = write!(story, "; {kind:?} {slot:?} {from}-{to} ms exit {:?}", done.code);
            }
        }
        story
    }

    /// What was done to the login that a token belongs to, from then on.
    pub(crate) fn sequel(&self, token: &str) -> String {
        let mut sequel = format!("{}\n root {:?}", self.story(token), self.book.root(token));
        let Some(root) = self.book.root(token) else { return sequel };
        let Some(login) = root.operation.and_then(|number| self.done.get(&number)) else {
            return sequel;
        };
        for exchange in self.book.all.iter().filter(|exchange| exchange.at >= login.start) {
            let done = exchange.operation.and_then(|number| self.done.get(&number));
            if done.is_some_and(|done| share(done.plan.slot, login.plan.slot)) {
                let token = match (&exchange.asked, &exchange.answer) {
                    (_, Answer::Issued(token))
                    | (Asked::Refresh(token) | Asked::Revoke(token), _) => token,
                    (Asked::Code, _) => continue,
                };
                sequel.push_str("\n then ");
                sequel.push_str(&self.story(token));
            }
        }
        sequel
    }

    /// Refresh tokens that were posted again by a process that began after another had
    /// been told that they are refused.
    pub(crate) fn refused_and_posted_again(&self) -> Vec<String> {
        let mut told: HashMap<&str, &Done> = HashMap::new();
        let mut again = Vec::new();
        for exchange in &self.book.all {
            let (Asked::Refresh(posted), Answer::Refused) = (&exchange.asked, &exchange.answer)
            else {
                continue;
            };
            let Some(done) = exchange.operation.and_then(|number| self.done.get(&number)) else {
                continue;
            };
            match told.get(posted.as_str()) {
                Some(first) if done.start > first.end => again.push(posted.clone()),
                None if exchange.sent && done.code.is_some() => {
                    told.insert(posted, done);
                }
                Some(_) | None => {}
            }
        }
        again
    }
}
