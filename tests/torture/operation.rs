//! What is run: operations drawn from the seed.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::time::{Duration, Instant};

/// The agents, each with a store.
pub(crate) const AGENTS: [&str; 3] = ["main", "work", "ops"];
/// The logins: an agent and an account. The last account is signed in to by all three,
/// so that one profile id means three grants; the one of [`COPIED`] begins as one grant in
/// three stores.
pub(crate) const SLOTS: [(&str, &str); 12] = [
    ("main", "ada"),
    ("main", "bob"),
    ("work", "cleo"),
    ("work", "dan"),
    ("ops", "eve"),
    ("ops", "fay"),
    ("main", "gus"),
    ("work", "gus"),
    ("ops", "gus"),
    ("main", COPIED),
    ("work", COPIED),
    ("ops", COPIED),
];
/// The account whose grant is copied from `main` to the others.
pub(crate) const COPIED: &str = "hal";

/// Whether two slots may hold the same grant.
pub(crate) fn share(one: usize, other: usize) -> bool {
    one == other || (SLOTS[one].1 == COPIED && SLOTS[other].1 == COPIED)
}

/// The profiles that tokens are pasted into, and those that are put in order.
pub(crate) const PASTED: [&str; 2] = ["mistral:t0", "mistral:t1"];
pub(crate) const ORDERED: [&str; 3] = ["openai:k0", "openai:k1", "openai:k2"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Token,
    ForceRefresh,
    Login,
    Paste,
    Order,
    List,
    Logout,
}

impl Kind {
    pub(crate) const ALL: [(Self, &'static str, u32); 7] = [
        (Self::Token, "token", 38),
        (Self::ForceRefresh, "token --force-refresh", 18),
        (Self::Login, "login", 10),
        (Self::Paste, "paste-token", 11),
        (Self::Order, "order set", 8),
        (Self::List, "list", 10),
        (Self::Logout, "logout", 5),
    ];
}

/// When an operation is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kill {
    /// This part of the time that its kind takes.
    At(f64),
    /// So long after the server's answer was sent, or when it has run for long.
    AfterAnswer(Duration),
}

/// One operation that is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    pub(crate) slot: usize,
    pub(crate) kill: Option<Kill>,
    /// What is written, of those that write a value of their own.
    pub(crate) value: String,
}

/// How an operation went.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) plan: Plan,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    /// The exit code; `None` when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) stdout: String,
}

/// Every operation of a run.
pub(crate) fn plan(seed: u64, operations: usize, kills: usize) -> Vec<Plan> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut doomed: Vec<usize> = (0..operations).collect();
    doomed.shuffle(&mut random);
    doomed.truncate(kills);
    doomed.sort_unstable();
    (0..operations)
        .map(|number| {
            let (kind, ..) =
                Kind::ALL.choose_weighted(&mut random, |(.., weight)| *weight).unwrap();
            let slot = random.gen_range(0..SLOTS.len());
            let mut ids = ORDERED;
            ids.shuffle(&mut random);
            let kill = doomed.binary_search(&number).is_ok().then(|| {
                // Half of them aim at the time between the answer and the rename.
                if random.gen_bool(0.5) {
                    Kill::AfterAnswer(Duration::from_micros(random.gen_range(0..6_000)))
                } else {
                    Kill::At(random.gen_range(0.0..1.2))
                }
            });
            let value = match kind {
                Kind::Order => ids.join(" "),
                _ => format!("fake-pasted-{number}"),
            };
            Plan { number, kind: *kind, slot, kill, value }
        })
        .collect()
}
