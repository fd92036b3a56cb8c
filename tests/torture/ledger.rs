//! What was asked of the server, by which process, and whether the answer left.

use super::process::Asker;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

/// What a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A grant for an authorization code.
    Code,
    /// A refresh, with the token that was posted.
    Refresh(String),
    /// A revocation, with the token.
    Revoke(String),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The refresh token that the server issued.
    Issued(String),
    /// The server refused.
    Refused,
    /// It was processed without a token in the answer.
    Done,
    /// It never reached the server.
    Fault(&'static str),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// When the request had arrived.
    pub(crate) received: Instant,
    /// When the server processed it.
    pub(crate) at: Instant,
    /// The process that asked; `None` when it was dead before it could be looked up.
    pub(crate) asker: Option<Asker>,
    pub(crate) asked: Asked,
    pub(crate) answer: Answer,
    /// Whether the answer was sent.
    pub(crate) sent: bool,
    /// What was odd about the answer, if anything.
    pub(crate) oddity: Option<&'static str>,
    /// Whether the gate dropped it in place of that.
    pub(crate) dropped: bool,
}

impl Exchange {
    /// The operation that the request was made for, as far as that is known.
    pub(crate) fn operation(&self) -> Option<usize> {
        match self.asker? {
            Asker::Operation(number) => Some(number),
            Asker::Worker(_, number) => number,
        }
    }
}

/// Every request in the order in which the server processed them.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Vec<Exchange>>);

impl Ledger {
    /// Notes a request; its number, for [`Self::sent`].
    pub(crate) fn note(&self, exchange: Exchange) -> usize {
        let mut all = self.0.lock().unwrap();
        all.push(exchange);
        all.len() - 1
    }

    pub(crate) fn sent(&self, number: usize) {
        self.0.lock().unwrap()[number].sent = true;
    }

    pub(crate) fn odd(&self, number: usize, oddity: &'static str) {
        self.0.lock().unwrap()[number].oddity = Some(oddity);
    }

    pub(crate) fn book(&self) -> Book {
        let all = self.0.lock().unwrap().clone();
        let mut issued = HashMap::new();
        let mut spent = HashMap::new();
        for (number, exchange) in all.iter().enumerate() {
            if let Answer::Issued(token) = &exchange.answer {
                issued.insert(token.clone(), number);
                if let Asked::Refresh(posted) = &exchange.asked {
                    spent.insert(posted.clone(), number);
                }
            }
        }
        Book { all, issued, spent }
    }
}

/// The ledger at its end, with its indexes.
pub(crate) struct Book {
    pub(crate) all: Vec<Exchange>,
    issued: HashMap<String, usize>,
    spent: HashMap<String, usize>,
}

impl Book {
    /// The request that brought a refresh token.
    pub(crate) fn origin(&self, token: &str) -> Option<&Exchange> {
        self.issued.get(token).map(|number| &self.all[*number])
    }

    /// The request that spent a refresh token, and its number.
    pub(crate) fn spending(&self, token: &str) -> Option<(usize, &Exchange)> {
        self.spent.get(token).map(|number| (*number, &self.all[*number]))
    }

    /// The code exchange that a refresh token descends from.
    pub(crate) fn root(&self, token: &str) -> Option<&Exchange> {
        let mut exchange = self.origin(token)?;
        while let Asked::Refresh(posted) = &exchange.asked {
            exchange = self.origin(posted)?;
        }
        Some(exchange)
    }

    /// Every refresh token that descends from a code exchange, itself included.
    pub(crate) fn family<'b>(&'b self, root: &'b Exchange) -> Vec<&'b str> {
        let Answer::Issued(first) = &root.answer else { return Vec::new() };
        let mut family = vec![first.as_str()];
        while let Some((_, exchange)) = self.spending(family[family.len() - 1]) {
            let Answer::Issued(next) = &exchange.answer else { break };
            family.push(next);
        }
        family
    }
}
