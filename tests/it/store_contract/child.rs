//! Child processes: this test binary once more, in a part that it plays on a world.
//!
//! A child tells how far it is by lines on its standard output, and where it is to be killed
//! it waits for its standard input to end, which it does with the parent at the latest. So a
//! parent knows where a child is, and nothing is left to time.

use super::subject::{World, renewal, set};
use super::{PROVIDER, kill, race};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// Selects the part, with [`ADDRESS`] and [`ARGUMENT`].
const PART: &str = "STORE_CONTRACT_PART";
const ADDRESS: &str = "STORE_CONTRACT_ADDRESS";
const ARGUMENT: &str = "STORE_CONTRACT_ARGUMENT";

/// Begins a line that a child tells.
pub(super) const MARK: &str = "@ ";

/// A child process.
pub(super) struct Player {
    child: Child,
    pub(super) pid: u32,
    told: BufReader<ChildStdout>,
}

/// The command that plays a part.
pub(super) fn command(world: &World, part: &str, argument: &str) -> Command {
    in_front(&[], world, part, argument)
}

/// As [`command`], run by other words.
pub(super) fn in_front(words: &[&str], world: &World, part: &str, argument: &str) -> Command {
    let program = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    let test = concat!(module_path!(), "::child_process").split_once("::").unwrap().1;
    let own = [&program, "--exact", test, "--nocapture", "--test-threads=1"];
    let mut all = words.iter().copied().chain(own);
    let mut command = Command::new(all.next().unwrap());
    command.args(all).env(PART, part).env(ADDRESS, world.address()).env(ARGUMENT, argument);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

impl Player {
    /// Starts a child in a part.
    pub(super) fn start(world: &World, part: &str, argument: &str) -> Self {
        Self::of(command(world, part, argument))
    }

    pub(super) fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let mut player = Self { pid: child.id(), child, told };
        // The child of whom runs in front of it has another id.
        let pid = player.next().unwrap();
        player.pid = pid.strip_prefix("pid ").unwrap().parse().unwrap();
        player
    }

    /// What it tells next; nothing when it has ended.
    pub(super) fn next(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.told.read_line(&mut line).unwrap() > 0 {
            if let Some(told) = line.trim_end().split_once(MARK) {
                return Some(told.1.to_owned());
            }
            line.clear();
        }
        None
    }

    /// Waits until it tells this.
    pub(super) fn wait_for(&mut self, what: &str) {
        while let Some(told) = self.next() {
            if told == what {
                return;
            }
        }
        panic!("the child ended before it told {what:?}");
    }

    /// Ends it where it is (SIGKILL).
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What else it tells before it ends, and how that was.
    pub(super) fn finish(&mut self) -> (Vec<String>, ExitStatus) {
        let told = std::iter::from_fn(|| self.next()).collect();
        (told, self.child.wait().unwrap())
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells the parent something.
pub(super) fn tell(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{MARK}{what}").unwrap();
    out.flush().unwrap();
}

/// Tells the parent something, and waits to be killed.
pub(super) fn tell_and_wait(what: &str) {
    tell(what);
    let _ = std::io::stdin().read(&mut [0]);
}

/// What a child does; in the suite itself there is no part, and nothing to do.
#[test]
fn child_process() {
    let Ok(part) = std::env::var(PART) else { return };
    let [address, argument] = [ADDRESS, ARGUMENT].map(|name| std::env::var(name).unwrap());
    let world = World::at(&address);
    tell(&format!("pid {}", std::process::id()));
    play(&world, &part, &argument);
}

fn play(world: &World, part: &str, argument: &str) {
    let store = world.store("main");
    match part {
        "race" => race::run(world, argument),
        "sequence" => kill::sequence(world, argument),
        // Holds the lease on a profile and a grant.
        "lease" => {
            let (id, grant) = argument.split_once(' ').unwrap();
            let _held = store.lease(id, grant).unwrap();
            tell_and_wait("leased");
        }
        "try-lease" => {
            let (id, grant) = argument.split_once(' ').unwrap();
            match store.try_lease(id, grant).unwrap() {
                Ok(_) => tell("leased"),
                Err(holder) => tell(&format!("held by {holder:?}")),
            }
        }
        // Notes that a grant is spent, or that it is refused.
        "note" => {
            let (id, grant) = argument.split_once(' ').unwrap();
            let held = store.lease(id, grant).unwrap();
            assert_eq!(store.begin(&held).unwrap(), None);
            tell_and_wait("noted");
        }
        "refused" => {
            let (id, grant) = argument.split_once(' ').unwrap();
            let held = store.lease(id, grant).unwrap();
            store.begin(&held).unwrap();
            store.end_refused(&held);
            tell_and_wait("refused");
        }
        // Is in the middle of a change.
        "change" => store
            .update(|document| {
                set(document, "p:child", &super::key("fake"));
                tell_and_wait("changing");
                (true, ())
            })
            .unwrap(),
        "change-state" => store
            .update_state(|state| {
                state.set_order(&PROVIDER.into(), &["p:child".into()]);
                tell_and_wait("changing");
                true
            })
            .unwrap(),
        "save" => {
            assert!(world.spool().save(argument, &renewal("fake-a1", Some("fake-r1"))));
            tell_and_wait("saved");
        }
        // Dies in the middle of a write that is longer than it may be.
        "overlong" => {
            let limit = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
            setrlimit(Resource::Core, limit(0)).unwrap();
            setrlimit(Resource::Fsize, limit(argument.parse().unwrap())).unwrap();
            tell("limited");
            store.put("p:1", &super::key("fake-2")).unwrap();
            tell("written");
        }
        // Counts in an entry, and tells each number that is stored.
        "count" => {
            for number in 1_u64.. {
                store.put("p:count", &super::key(&format!("fake-{number}"))).unwrap();
                tell(&number.to_string());
            }
        }
        _ => panic!("no part {part:?}"),
    }
}
