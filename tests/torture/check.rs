//! What must be true after a run.

use super::loss::{Case, Cause};
use super::operation::{AGENTS, Done, Kind, SLOTS};
use super::register;
use super::world::{World, profile};
use openclaw_auth::system::lock::{Attempt, try_acquire};
use openclaw_auth::system::now;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What was found.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) passed: usize,
    pub(crate) failures: Vec<String>,
    /// Numbers worth reading.
    pub(crate) counts: BTreeMap<&'static str, usize>,
}

impl Verdict {
    /// Notes whether something holds, which is that nothing is wrong.
    fn holds(&mut self, what: &str, wrong: Vec<String>) {
        if wrong.is_empty() {
            self.passed += 1;
        }
        self.failures.extend(wrong.into_iter().map(|wrong| format!("{what}: {wrong}")));
    }

    fn count(&mut self, what: &'static str, by: usize) {
        *self.counts.entry(what).or_default() += by;
    }
}

/// A final call is not kept waiting by what the dead have left.
const PROMPT: Duration = Duration::from_secs(10);

/// Judges a run that is over.
pub(crate) fn check(world: &World) -> Verdict {
    let mut verdict = Verdict::default();
    let done: HashMap<usize, Done> =
        world.done.lock().unwrap().iter().map(|done| (done.plan.number, done.clone())).collect();
    let in_order: Vec<Done> = world.done.lock().unwrap().clone();

    verdict.holds("an operation hangs", {
        let hung = world.hung.lock().unwrap();
        hung.iter().map(|number| format!("{:?}", done.get(number).map(|done| &done.plan))).collect()
    });
    verdict.holds("unexpected end", in_order.iter().filter_map(unexpected).collect());

    // The next commands of a user: they may merge, recover or ask for a login.
    let mut wrong = Vec::new();
    for agent in AGENTS {
        let (code, _, stderr) = world.execute(
            &["models", "auth", "list", "--json", "--agent", agent],
            None,
            None,
            None,
        );
        if code != Some(0) {
            wrong.push(format!("list of {agent} exits {code:?}: {stderr}"));
        }
    }
    verdict.holds("the next list", wrong);
    let_pass(world);
    let wrong = final_tokens(world, false, &mut verdict);
    verdict.holds("the next token", wrong);
    verdict.holds("a document does not parse", unreadable(&world.state_dir));

    let book = world.gate.ledger.book();
    let stored = stored(&world.state_dir);
    let case = Case { book: &book, done: &done, stored: &stored };
    let mut lost = Vec::new();
    for token in world.server.live_refresh_tokens() {
        if stored.contains(&token) {
            verdict.count("live grants in a store", 1);
            continue;
        }
        match case.of_missing(&token) {
            Some(Cause::Killed) => verdict.count("lost: killed between answer and rename", 1),
            Some(Cause::Dropped) => verdict.count("lost: the answer was dropped", 1),
            Some(Cause::Replaced) => verdict.count("replaced by a later login", 1),
            Some(Cause::Late | Cause::CopyLeftBehind) => {}
            None => lost.push(case.sequel(&token)),
        }
    }
    verdict.holds("a live grant is in no store", lost);

    let reuses = case.reuses();
    let by = |wanted| reuses.iter().filter(|(_, cause)| *cause == Some(wanted)).count();
    verdict.count("reuse: the first answer was lost", by(Cause::Killed) + by(Cause::Dropped));
    verdict.count("reuse: the request of a killed process came late", by(Cause::Late));
    verdict.count("reuse: a killed process left a copy behind", by(Cause::CopyLeftBehind));
    let unexplained = reuses.iter().filter(|(_, cause)| cause.is_none());
    let wrong = unexplained.map(|(token, _)| case.story(token)).collect();
    verdict.holds("a spent refresh token was posted", wrong);
    let again = case.refused_and_posted_again();
    let wrong = again.iter().map(|token| case.story(token)).collect();
    verdict.holds("a refused token was posted again", wrong);
    let (_, wrong) = register::check(&world.state_dir, &in_order);
    verdict.holds("an update was lost", wrong);

    let wrong = final_tokens(world, true, &mut verdict);
    verdict.holds("the next forced refresh", wrong);
    let (locks, wrong) = locks(&world.state_dir);
    verdict.count("lock files of the dead, which block nobody", locks);
    verdict.holds("a lock of nobody blocks", wrong);
    let temporary = files(&world.state_dir, &|name| has_extension(name, "tmp")).len();
    verdict.count("temporary files of the killed", temporary);
    let foreign = world.gate.ledger.book();
    let unknown = foreign.all.iter().filter(|exchange| exchange.operation.is_none()).count();
    verdict.count("requests of the dead", unknown);
    verdict
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// An end that nothing explains.
fn unexpected(done: &Done) -> Option<String> {
    let code = done.code?;
    let expected: &[i32] = match done.plan.kind {
        Kind::Token | Kind::ForceRefresh => &[0, 3, 4],
        // A code whose answer was dropped is spent.
        Kind::Login | Kind::Logout => &[0, 1, 3, 4],
        Kind::Paste | Kind::Order | Kind::List => &[0],
    };
    let is_clear = code == 0 || done.stderr.contains("error: ");
    let is_quiet = !done.stderr.contains("panicked") && (code == 0 || done.stdout.is_empty());
    if expected.contains(&code) && is_clear && is_quiet {
        return None;
    }
    let (kind, slot) = (done.plan.kind, SLOTS[done.plan.slot]);
    Some(format!("{kind:?} of {slot:?} exits {code}: {}", done.stderr.trim()))
}

/// As if enough time had passed for the next try of every refresh that failed.
fn let_pass(world: &World) {
    for note in files(&world.state_dir, &|name| has_extension(name, "outcome")) {
        let Ok(text) = std::fs::read(&note) else { continue };
        let Ok(mut outcome) = serde_json::from_slice::<Value>(&text) else { continue };
        outcome["at"] = 1.into();
        std::fs::write(&note, outcome.to_string()).unwrap();
    }
}

/// The last call for each login: it gives a token, or asks for a login; soon.
fn final_tokens(world: &World, force: bool, verdict: &mut Verdict) -> Vec<String> {
    let mut wrong = Vec::new();
    for (agent, account) in SLOTS {
        let id = profile(account);
        let mut args = vec!["models", "auth", "token", "--profile", &id, "--agent", agent];
        if force {
            args.push("--force-refresh");
        }
        let started = Instant::now();
        let (code, _, stderr) = world.execute(&args, None, None, None);
        let took = started.elapsed();
        let refresh = refresh_token(&world.state_dir, agent, &id);
        let is_alive = refresh.as_deref().is_some_and(|token| world.server.is_alive(token));
        let failed = match code {
            // An agent without a profile reads that of `main`.
            Some(0) if force && refresh.is_some() && !is_alive => Some("a dead login gave a token"),
            Some(3) if is_alive => Some("a live login is said to be over"),
            Some(0 | 3) if took > PROMPT => Some("it was kept waiting"),
            Some(0 | 3) => None,
            _ => Some("it fails"),
        };
        if force {
            let usable = code == Some(0);
            verdict.count(if usable { "logins that work" } else { "logins that are over" }, 1);
        }
        if let Some(failed) = failed {
            wrong.push(format!("{agent} {account}: {failed} ({code:?}, {took:?}): {stderr}"));
        }
    }
    wrong
}

fn document(state_dir: &Path, agent: &str) -> Value {
    let path = state_dir.join("agents").join(agent).join("agent/auth-profiles.json");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn refresh_token(state_dir: &Path, agent: &str, id: &str) -> Option<String> {
    document(state_dir, agent)["profiles"][id]["refresh"].as_str().map(str::to_owned)
}

/// The refresh tokens in the stores.
fn stored(state_dir: &Path) -> HashSet<String> {
    let documents = AGENTS.map(|agent| document(state_dir, agent));
    let profiles = documents.iter().filter_map(|document| document["profiles"].as_object());
    let entries = profiles.flat_map(|profiles| profiles.values());
    entries.filter_map(|entry| entry["refresh"].as_str().map(str::to_owned)).collect()
}

fn unreadable(state_dir: &Path) -> Vec<String> {
    let paths = files(state_dir, &|name| has_extension(name, "json"));
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if let Err(error) = serde_json::from_str::<Value>(&text) {
            wrong.push(format!("{}: {error}", path.display()));
        }
    }
    wrong
}

/// How many lock files are left, and those that somebody would wait for.
fn locks(state_dir: &Path) -> (usize, Vec<String>) {
    let left = files(state_dir, &|name| has_extension(name, "lock"));
    let mut wrong = Vec::new();
    for path in &left {
        match try_acquire(path, now()) {
            Ok(Attempt::Acquired(_)) => {}
            Ok(Attempt::Held(holder)) => wrong.push(format!("{} of {holder}", path.display())),
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    (left.len(), wrong)
}

/// The files below a directory whose names are of a kind.
fn files(directory: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path(), is_wanted));
        } else if is_wanted(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
    found
}
