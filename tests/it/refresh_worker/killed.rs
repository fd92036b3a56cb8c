//! Callers that end in each state of a refresh, while another program waits for its lock: the
//! token is posted once, and the login lives.

use super::other_program::{follow, hold_the_store};
use super::{PATIENCE, TOKEN, locks, posted, wait_until};
use crate::support::authorization_server::TokenResponseHold;
use crate::support::pseudo_terminal::PseudoTerminal;
use crate::support::rig::{PROFILE, Rig, store};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// Where a refresh is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has the lease, and nothing is noted.
    BeforeJournal,
    /// The journal has its note, and nothing is sent.
    BeforeRequest,
    DuringRequest,
    /// What the server gave is not stored yet.
    BeforeCommit,
    /// The store of the caller has the new token; that of the other agent, which has the same
    /// login, does not.
    BeforePropagation,
}

/// An agent that has a copy of the login.
const OTHER: &str = "other";

/// How a caller ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// All of its process group get a signal, again and again until it has ended.
    Group(Signal),
    /// It gets TERM, and so does the worker, as of a unit without `KillMode`.
    Everybody,
    /// Its terminal is closed.
    Terminal,
}

const ENDS: [End; 6] = [
    End::Group(Signal::KILL),
    End::Group(Signal::TERM),
    End::Group(Signal::QUIT),
    End::Group(Signal::HUP),
    End::Everybody,
    End::Terminal,
];

/// What keeps a refresh where it is, as long as it exists.
struct Stopped {
    hold: TokenResponseHold,
    store: Option<PathBuf>,
}

impl Stopped {
    fn go_on(self) {
        if let Some(lock) = self.store {
            std::fs::remove_file(lock).unwrap();
        }
        self.hold.release();
    }
}

/// A caller that has started a refresh.
enum Caller {
    Process(Child),
    OnTerminal(Box<PseudoTerminal>),
}

impl Caller {
    fn start(rig: &Rig, end: End) -> Self {
        let mut command = rig.command(&TOKEN);
        if matches!(end, End::Terminal) {
            return Self::OnTerminal(Box::new(PseudoTerminal::start(&command, 80, 24)));
        }
        command.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped());
        Self::Process(command.spawn().unwrap())
    }

    /// Waits until it says `text`.
    fn wait_for(&mut self, text: &str) {
        match self {
            Self::OnTerminal(terminal) => terminal.wait_for(text),
            Self::Process(child) => {
                let said = BufReader::new(child.stderr.as_mut().unwrap());
                assert!(said.lines().any(|line| line.unwrap().contains(text)), "{text}");
            }
        }
    }

    fn end(self, end: End, worker: Pid) {
        let mut child = match self {
            Self::OnTerminal(terminal) => return terminal.close(),
            Self::Process(child) => child,
        };
        let pid = Pid::from_child(&child);
        wait_until("the caller has ended", || {
            match end {
                End::Group(signal) => kill_process_group(pid, signal).unwrap(),
                End::Everybody => {
                    kill_process(worker, Signal::TERM).unwrap();
                    kill_process(pid, Signal::TERM).unwrap();
                }
                End::Terminal => {}
            }
            child.try_wait().unwrap().is_some()
        });
    }
}

/// Leaves the note of an earlier refresh that was cut off: whoever finds it waits before the
/// request.
fn note_an_earlier_one(rig: &Rig) {
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let name = format!("grant-sha256-{:x}.intent", Sha256::digest(refresh));
    rig.write(&format!("locks/oauth-refresh/{name}"), r#"{"pid":4194304,"at":1}"#);
}

/// A refresh whose caller is `end`ed in `state`, and what it leads to.
fn journey(state: State, end: End) {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let mut stopped = Stopped { hold: rig.server.hold_token_responses(), store: None };
    match state {
        State::BeforeJournal => stopped.store = Some(hold_the_store(&rig, "main")),
        State::BeforeRequest => note_an_earlier_one(&rig),
        State::BeforePropagation => {
            rig.write(&store(OTHER), &rig.document().to_string());
            stopped.store = Some(hold_the_store(&rig, OTHER));
        }
        State::DuringRequest | State::BeforeCommit => {}
    }
    let spent = rig.document()["profiles"][PROFILE]["refresh"].clone();
    let mut caller = Caller::start(&rig, end);
    match state {
        State::BeforeJournal => {
            let is_leased = |path: PathBuf| {
                path.parent().is_some_and(|parent| parent.ends_with("locks/oauth-refresh"))
                    && path.extension().is_some_and(|extension| extension == "lock")
            };
            wait_until("the lease is taken", || locks(&rig).into_iter().any(is_leased));
        }
        State::BeforeRequest => caller.wait_for("trying once more"),
        State::DuringRequest => assert!(stopped.hold.wait_until_held(1, PATIENCE)),
        State::BeforeCommit => {
            assert!(stopped.hold.wait_until_held(1, PATIENCE));
            let lock = hold_the_store(&rig, "main");
            stopped.hold.release();
            let spool = rig.path("recovery");
            wait_until("the reply is spooled", || {
                spool.read_dir().is_ok_and(|mut entries| entries.next().is_some())
            });
            stopped = Stopped { hold: rig.server.hold_token_responses(), store: Some(lock) };
        }
        State::BeforePropagation => {
            assert!(stopped.hold.wait_until_held(1, PATIENCE));
            stopped.hold.release();
            wait_until("the new token is stored", || {
                rig.document()["profiles"][PROFILE]["refresh"] != spent
            });
            stopped.hold = rig.server.hold_token_responses();
        }
    }
    let worker = Pid::from_raw(i32::try_from(rig.worker()).unwrap()).unwrap();
    caller.end(end, worker);
    let others = follow(&rig);
    stopped.go_on();
    for other in others {
        assert!(!other.join().unwrap(), "{state:?} {end:?}: the other program would have posted");
    }
    let printed = rig.run_process(&TOKEN).success();
    assert_eq!(posted(&rig), (1, 0), "{state:?} {end:?}");
    let profile = &rig.document()["profiles"][PROFILE];
    assert_eq!(profile["access"], printed.as_str());
    assert!(rig.server.is_alive(profile["refresh"].as_str().unwrap()), "{state:?} {end:?}");
    if state == State::BeforePropagation {
        let copy = &rig.document_of(OTHER)["profiles"][PROFILE];
        assert_eq!(copy["refresh"], profile["refresh"], "{end:?}");
    }
}

fn all_ends(state: State) {
    for end in ENDS {
        journey(state, end);
    }
}

#[test]
fn a_caller_that_ends_before_the_note_loses_no_login() {
    all_ends(State::BeforeJournal);
}

#[test]
fn a_caller_that_ends_between_the_note_and_the_request_loses_no_login() {
    all_ends(State::BeforeRequest);
}

#[test]
fn a_caller_that_ends_during_the_request_loses_no_login() {
    all_ends(State::DuringRequest);
}

#[test]
fn a_caller_that_ends_before_the_reply_is_stored_loses_no_login() {
    all_ends(State::BeforeCommit);
}

#[test]
fn a_caller_that_ends_before_the_copies_are_renewed_leaves_no_spent_copy() {
    all_ends(State::BeforePropagation);
}
