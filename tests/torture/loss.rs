//! Why a live grant is in no store, and why a refresh token was posted twice.

use super::check::last_words;
use super::ledger::{Answer, Asked, Book, Exchange};
use super::operation::{Done, Kind, share};
use super::process::Asker;
use super::world::World;
use std::collections::{HashMap, HashSet};

/// What explains that a grant is gone, or reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// The worker was killed after its request had come: the only way in which a refresh
    /// may lose a login.
    WorkerKilled,
    /// A caller that could start no worker, and said so, was killed.
    CallerWithoutWorkerKilled,
    /// A login was killed after the server had given it a grant.
    LoginKilled,
    /// The gate dropped the answer on its way.
    Dropped,
    /// The request of a process that was killed arrived before, and was processed after,
    /// that of its successor.
    Late,
    /// The credential is in a store, but the process died before it was in the copies.
    CopyLeftBehind,
    /// A later login took the place of the grant, which the server still honours.
    Replaced,
    /// A foreign writer replaced a document that it had not read.
    Overwritten,
    /// The server refused to revoke the grant, and the logout removed it and said so.
    NotRevoked,
}

impl Cause {
    pub(crate) const ALL: [Self; 9] = [
        Self::WorkerKilled,
        Self::CallerWithoutWorkerKilled,
        Self::LoginKilled,
        Self::Dropped,
        Self::Late,
        Self::CopyLeftBehind,
        Self::Replaced,
        Self::Overwritten,
        Self::NotRevoked,
    ];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::WorkerKilled => "the worker was killed between the rotation and the save",
            Self::CallerWithoutWorkerKilled => "a caller that could start no worker was killed",
            Self::LoginKilled => "the login was killed before its save",
            Self::Dropped => "the network dropped the answer",
            Self::Late => "the request of a killed process came late",
            Self::CopyLeftBehind => "a killed process left a copy behind",
            Self::Replaced => "a later login took its place",
            Self::Overwritten => "a foreign writer overwrote what it had not read",
            Self::NotRevoked => "the server refused to revoke it",
        }
    }
}

/// The run as it is judged.
pub(crate) struct Case<'r> {
    pub(crate) book: &'r Book,
    pub(crate) done: &'r HashMap<usize, Done>,
    /// The refresh tokens in the stores and spools.
    pub(crate) stored: &'r HashSet<String>,
    pub(crate) world: &'r World,
}

impl Case<'_> {
    /// Why the process behind a request could not use the answer.
    fn killed(&self, exchange: &Exchange) -> Option<Cause> {
        let is_code = exchange.asked == Asked::Code;
        match exchange.asker {
            Some(Asker::Worker(pid, _)) => {
                let killed = self.world.gate.processes.killed_worker(pid)?;
                (killed >= exchange.received).then_some(Cause::WorkerKilled)
            }
            // Who cannot be found was dead before it was looked up.
            None if is_code => Some(Cause::LoginKilled),
            None => {
                let killed = self.world.gate.processes.killed_workers_at(exchange.received);
                // One that has asked for something else was found.
                let has_asked = |pid: u32| {
                    let of = |asker| matches!(asker, Some(Asker::Worker(it, _)) if it == pid);
                    let mut others = self.book.all.iter().filter(|it| it.asked != exchange.asked);
                    others.any(|exchange| of(exchange.asker))
                };
                let is_found = killed.into_iter().any(|pid| !has_asked(pid));
                is_found.then_some(Cause::WorkerKilled)
            }
            Some(Asker::Operation(number)) => match self.done.get(&number)? {
                Done { code: None, .. } if is_code => Some(Cause::LoginKilled),
                done @ Done { code: None, .. } if done.had_no_worker() => {
                    Some(Cause::CallerWithoutWorkerKilled)
                }
                _ => None,
            },
        }
    }

    /// Whether whoever made a request knows what became of it.
    pub(crate) fn is_known(&self, exchange: &Exchange) -> bool {
        let is_answer = match exchange.answer {
            Answer::Issued(_) | Answer::Done | Answer::Refused => exchange.sent,
            Answer::Fault(kind) => kind.starts_with('4'),
        };
        is_answer && exchange.asker.is_some() && self.killed(exchange).is_none()
    }

    /// Why the answer of a request could not arrive.
    fn lost_answer(&self, exchange: &Exchange) -> Option<Cause> {
        self.killed(exchange).or_else(|| exchange.dropped.then_some(Cause::Dropped))
    }

    /// Why a live refresh token is in no store; `None` when nothing explains it.
    pub(crate) fn of_missing(&self, token: &str) -> Option<Cause> {
        let origin = self.book.origin(token)?;
        self.lost_answer(origin)
            .or_else(|| self.is_replaced(token).then_some(Cause::Replaced))
            .or_else(|| self.world.foreign.has_destroyed(token).then_some(Cause::Overwritten))
            .or_else(|| self.is_not_revoked(token).then_some(Cause::NotRevoked))
    }

    /// Whether a logout that could not revoke the grant told its user that it lives on.
    fn is_not_revoked(&self, token: &str) -> bool {
        self.book.all.iter().any(|exchange| {
            let is_asked = matches!(&exchange.asked, Asked::Revoke(asked) if asked == token);
            let is_refused = matches!(exchange.answer, Answer::Fault("401" | "403"));
            let logout = exchange.operation().and_then(|number| self.done.get(&number));
            let is_told = logout.is_some_and(|done| {
                done.code == Some(0) && done.stderr.contains("the login could not be revoked")
            });
            is_asked && is_refused && is_told
        })
    }

    /// Whether a login of the same profile that was not over before this one began took its
    /// place.
    fn is_replaced(&self, token: &str) -> bool {
        let Some(root) = self.book.root(token) else { return false };
        let Some(login) = root.operation().and_then(|number| self.done.get(&number)) else {
            return false;
        };
        let logins = self.book.all.iter().filter(|exchange| exchange.asked == Asked::Code);
        logins.filter(|other| other.at != root.at).any(|other| {
            let of_slot =
                other.operation().and_then(|number| self.done.get(&number)).filter(|done| {
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
                    // Who could not be found was dead.
                    let is_dead = exchange.asker.is_none() || self.killed(exchange).is_some();
                    (overlaps && is_dead).then_some(Cause::Late)
                };
                let destroyed = || {
                    let Answer::Issued(token) = &spending.answer else { return None };
                    self.world.foreign.has_destroyed(token).then_some(Cause::Overwritten)
                };
                let cause = self.lost_answer(spending).or_else(is_late).or_else(destroyed);
                let cause = match cause {
                    Some(Cause::WorkerKilled) if self.arrived(spending) => {
                        Some(Cause::CopyLeftBehind)
                    }
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
            let [received, at] = [exchange.received, exchange.at]
                .map(|time| time.saturating_duration_since(begin).as_millis());
            let Exchange { asker: by, asked, answer, sent, oddity, .. } = exchange;
            let _ = write!(
                story,
                "\n  {received}-{at} ms: {by:?} {asked:?} -> {answer:?}, sent {sent}"
            );
            let _ = write!(story, ", {}", oddity.unwrap_or("plain"));
            if let Some(Asker::Worker(pid, _)) = by {
                let signals = self.world.gate.processes.signals_of(*pid);
                let _ = write!(story, "; the worker got {signals:?}");
            }
            if let Some(done) = exchange.operation().and_then(|number| self.done.get(&number)) {
                let from = done.start.duration_since(begin).as_millis();
                let to = done.end.duration_since(begin).as_millis();
                let (kind, slot) = (done.plan.kind, super::operation::SLOTS[done.plan.slot]);
                let (code, door) = (done.code, done.plan.door);
                let said = last_words(&done.stderr);
                let _ = write!(story, "; {kind:?} {slot:?} by door {door}, {from}-{to} ms");
                let _ = write!(story, ", exit {code:?} {said}");
            }
        }
        story
    }

    /// What was done to the login that a token belongs to, from then on.
    pub(crate) fn sequel(&self, token: &str) -> String {
        let mut sequel = format!("{}\n root {:?}", self.story(token), self.book.root(token));
        let Some(root) = self.book.root(token) else { return sequel };
        let Some(login) = root.operation().and_then(|number| self.done.get(&number)) else {
            return sequel;
        };
        for exchange in self.book.all.iter().filter(|exchange| exchange.at >= login.start) {
            let done = exchange.operation().and_then(|number| self.done.get(&number));
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

    /// Refresh tokens that were posted again by a process that began after another of the same
    /// state directory had been told that they are refused.
    pub(crate) fn refused_and_posted_again(&self) -> Vec<String> {
        let mut told: HashMap<(&str, usize), &Done> = HashMap::new();
        let mut again = Vec::new();
        for exchange in &self.book.all {
            let (Asked::Refresh(posted), Answer::Refused) = (&exchange.asked, &exchange.answer)
            else {
                continue;
            };
            let Some(done) = exchange.operation().and_then(|number| self.done.get(&number)) else {
                continue;
            };
            let key = (posted.as_str(), done.plan.door);
            match told.get(&key) {
                Some(first) if done.start > first.end => again.push(posted.clone()),
                None if self.is_known(exchange) && done.code.is_some() => {
                    told.insert(key, done);
                }
                Some(_) | None => {}
            }
        }
        again
    }
}
