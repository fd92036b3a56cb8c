//! What is run: operations drawn from the seed, and what is done to some of them.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// The agents, each with a store that two state directories share.
pub(crate) const AGENTS: [&str; 3] = ["main", "work", "ops"];
/// The logins: an agent and an account. The last account but one is signed in to by all
/// three, so that one profile id means three grants; the one of [`COPIED`] begins as one
/// grant in three stores.
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

/// The account whose login has the name that OpenClaw refreshes without a lock, in databases.
pub(crate) const UNLOCKED: &str = "gus";

/// Whether two slots may hold the same grant.
pub(crate) fn share(one: usize, other: usize) -> bool {
    one == other || (SLOTS[one].1 == COPIED && SLOTS[other].1 == COPIED)
}

/// The profiles that tokens are pasted into, and those that are put in order.
pub(crate) const PASTED: [&str; 2] = ["mistral:t0", "mistral:t1"];
pub(crate) const ORDERED: [&str; 3] = ["openrouter:k0", "openrouter:k1", "openrouter:k2"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// The signals that a caller gets: all that can be caught and whose default is to end the
/// process, but for those that say that the program is broken (SIGSEGV and its like).
pub(crate) const CATCHABLE: [Signal; 14] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::ALARM,
    Signal::USR1,
    Signal::USR2,
    Signal::PIPE,
    Signal::XCPU,
    Signal::XFSZ,
    Signal::VTALARM,
    Signal::PROF,
    Signal::IO,
    Signal::POWER,
];

/// What is done to a process that an operation is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Harm {
    pub(crate) signal: Signal,
    /// Its whole process group gets the signal.
    pub(crate) group: bool,
    pub(crate) when: When,
}

impl Harm {
    /// Whether the signal cannot be caught.
    pub(crate) fn is_kill(self) -> bool {
        self.signal == Signal::KILL
    }

    fn draw(random: &mut StdRng, signal: Signal) -> Self {
        // A third of them aim at the time between the answer and the rename, and a third
        // leaves while the server works, as a tool does whose patience is over.
        let when = match random.gen_range(0..3) {
            0 => When::Answered(Duration::from_micros(random.gen_range(0..6_000))),
            1 => When::Asked(Duration::from_micros(random.gen_range(0..20_000))),
            _ => When::Part(random.gen_range(0.0..1.2)),
        };
        Self { signal, group: random.gen_bool(0.5), when }
    }
}

/// The moment of a signal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// This part of the time that the kind of operation takes.
    Part(f64),
    /// So long after its request has come to the server.
    Asked(Duration),
    /// So long after the server's answer to it was sent.
    Answered(Duration),
}

/// One operation that is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    pub(crate) slot: usize,
    /// Which state directory it comes through.
    pub(crate) door: usize,
    pub(crate) harm: Option<Harm>,
    /// What is written, of those that write a value of their own.
    pub(crate) value: String,
}

/// How an operation went.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) plan: Plan,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) stdout: String,
}

impl Done {
    /// Whether it made its refresh itself, because no worker could be started, and said so.
    pub(crate) fn had_no_worker(&self) -> bool {
        self.stderr.contains("no process could be started for the refresh")
    }
}

/// Every operation of a run.
pub(crate) fn plan(seed: u64, operations: usize, kills: usize, signals: usize) -> Vec<Plan> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..operations).collect();
    order.shuffle(&mut random);
    let mut rank = vec![0; operations];
    order.iter().enumerate().for_each(|(place, number)| rank[*number] = place);
    (0..operations)
        .map(|number| {
            let (kind, ..) =
                Kind::ALL.choose_weighted(&mut random, |(.., weight)| *weight).unwrap();
            let slot = random.gen_range(0..SLOTS.len());
            // Copies of a grant in different documents are known to be one by the lock of the
            // state directory: they are all come to through the first one.
            let door = if SLOTS[slot].1 == COPIED { 0 } else { random.gen_range(0..3) / 2 };
            let mut ids = ORDERED;
            ids.shuffle(&mut random);
            let harm = if rank[number] < kills {
                Some(Harm::draw(&mut random, Signal::KILL))
            } else if rank[number] < kills + signals {
                let signal = *CATCHABLE.choose(&mut random).unwrap();
                Some(Harm::draw(&mut random, signal))
            } else {
                None
            };
            let value = match kind {
                Kind::Order => ids.join(" "),
                _ => format!("fake-pasted-{number}"),
            };
            Plan { number, kind: *kind, slot, door, harm, value }
        })
        .collect()
}
