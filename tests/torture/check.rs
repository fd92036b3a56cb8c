//! What must be true after a run.

use super::ledger::{Asked, Exchange};
use super::leftover::{self, files, has_extension};
use super::loss::{Case, Cause};
use super::operation::{AGENTS, Done, Kind, SLOTS};
use super::process::Asker;
use super::register;
use super::world::World;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

/// What was found.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) passed: usize,
    pub(crate) failures: Vec<String>,
    /// Numbers worth reading.
    pub(crate) counts: BTreeMap<String, usize>,
}

impl Verdict {
    /// Notes whether something holds, which is that nothing is wrong.
    fn holds(&mut self, what: &str, wrong: Vec<String>) {
        if wrong.is_empty() {
            self.passed += 1;
        }
        self.failures.extend(wrong.into_iter().map(|wrong| format!("{what}: {wrong}")));
    }

    fn count(&mut self, what: &str, by: usize) {
        *self.counts.entry(what.to_owned()).or_default() += by;
    }
}

/// A final call is not kept waiting by what the dead have left.
const PROMPT: Duration = Duration::from_secs(10);

/// Judges a run that is over.
pub(crate) fn check(world: &World) -> Verdict {
    let mut verdict = Verdict::default();
    let in_order: Vec<Done> = world.done.lock().unwrap().clone();
    let done: HashMap<usize, Done> =
        in_order.iter().map(|done| (done.plan.number, done.clone())).collect();

    verdict.holds("an operation hangs", {
        let hung = world.hung.lock().unwrap();
        hung.iter().map(|number| format!("{:?}", done.get(number).map(|done| &done.plan))).collect()
    });
    verdict.holds(
        "unexpected end",
        in_order.iter().filter_map(|done| unexpected(world, done)).collect(),
    );
    verdict.holds("a worker does not end", leftover::processes(world));
    // Before anything else is run: what the server honours is in a store or a spool.
    judge_losses(world, &done, &mut verdict);

    // The next commands of a user: they may merge, recover or ask for a login.
    let mut wrong = Vec::new();
    for agent in AGENTS {
        let list = ["models", "auth", "list", "--json", "--agent", agent];
        let (code, _, stderr) = world.execute(&list, 0, None, None, None);
        if code != Some(0) {
            wrong.push(format!("list of {agent} exits {code:?}: {stderr}"));
        }
    }
    verdict.holds("the next list", wrong);
    leftover::let_pass(world);
    let wrong = final_tokens(world, false, &mut verdict);
    verdict.holds("the next token", wrong);
    verdict.holds("a document does not parse", unreadable(world));
    let book = world.gate.ledger.book();
    let case = Case { book: &book, done: &done, stored: &stored_in_documents(world), world };
    verdict.holds("a note without a reason", leftover::notes(world, &case));
    let (_, wrong) = register::check(world, &in_order);
    verdict.holds("an update was lost", wrong);

    leftover::let_pass(world);
    let wrong = final_tokens(world, true, &mut verdict);
    verdict.holds("the next forced refresh", wrong);
    judge_reuses(world, &done, &mut verdict);
    verdict.holds("a process is left behind", leftover::processes(world));
    let (locks, wrong) = leftover::locks(world);
    verdict.count("lock files of the dead, which block nobody", locks);
    verdict.holds("a lock of nobody blocks", wrong);
    for (what, extension) in [("temporary files", "tmp"), ("start slots", "start")] {
        let left = files(world, |name| has_extension(name, extension)).len();
        verdict.count(&format!("{what} of the killed"), left);
        // Each of them is of one that was killed.
        let most =
            world.gate.worker_kills() + in_order.iter().filter(|it| it.code.is_none()).count();
        verdict.holds(what, (left > most).then(|| format!("{left}")).into_iter().collect());
    }
    verdict.count("foreign edits", world.foreign.edits());
    verdict.count("foreign edits that overwrote what they had not read", world.foreign.accidents());
    verdict
}

/// Every grant that the server honours is in a store or a spool, or it is known why not.
fn judge_losses(world: &World, done: &HashMap<usize, Done>, verdict: &mut Verdict) {
    let book = world.gate.ledger.book();
    let stored = stored_in_documents(world);
    let spooled = spooled(world);
    let kept = stored.union(&spooled).cloned().collect();
    let case = Case { book: &book, done, stored: &kept, world };
    let mut lost = Vec::new();
    for token in world.server.live_refresh_tokens() {
        if stored.contains(&token) {
            verdict.count("live grants in a store", 1);
        } else if spooled.contains(&token) {
            verdict.count("live grants in a spool", 1);
        } else if let Some(cause) = case.of_missing(&token) {
            verdict.count(&format!("live grants nowhere: {}", cause.text()), 1);
        } else {
            lost.push(case.sequel(&token));
        }
    }
    verdict.holds("a live grant is in no store", lost);
}

/// No spent refresh token was posted, and no refused one again, but where its successor was
/// lost.
fn judge_reuses(world: &World, done: &HashMap<usize, Done>, verdict: &mut Verdict) {
    let book = world.gate.ledger.book();
    let stored = stored_in_documents(world);
    let case = Case { book: &book, done, stored: &stored, world };
    let reuses = case.reuses();
    for cause in Cause::ALL {
        let count = reuses.iter().filter(|(_, found)| *found == Some(cause)).count();
        if count > 0 {
            verdict.count(&format!("logins over by reuse: {}", cause.text()), count);
        }
    }
    let unexplained = reuses.iter().filter(|(_, cause)| cause.is_none());
    let wrong = unexplained.map(|(token, _)| case.story(token)).collect();
    verdict.holds("a spent refresh token was posted", wrong);
    let again = case.refused_and_posted_again();
    let wrong = again.iter().map(|token| case.story(token)).collect();
    verdict.holds("a refused token was posted again", wrong);
    let unknown = book.all.iter().filter(|exchange| exchange.asker.is_none()).count();
    verdict.count("requests of the dead", unknown);
    let by_worker = |exchange: &&Exchange| matches!(exchange.asker, Some(Asker::Worker(..)));
    verdict.count("requests of workers", book.all.iter().filter(by_worker).count());
    let itself = book.all.iter().filter_map(|exchange| match (exchange.asker, &exchange.asked) {
        (Some(Asker::Operation(number)), Asked::Refresh(_)) => done.get(&number),
        _ => None,
    });
    let (without, with): (Vec<_>, Vec<_>) = itself.partition(|done| done.had_no_worker());
    verdict.count("requests of callers who could start no worker", without.len());
    verdict.count("requests of callers whose worker did not begin", with.len());
}

/// An end that nothing explains.
fn unexpected(world: &World, done: &Done) -> Option<String> {
    let code = done.code?;
    if code == 6 && world.foreign.was_long_away(done.start, done.end) {
        return None;
    }
    // A signal that is caught is what it says.
    if done.plan.harm.is_some() && matches!(code, 129 | 130 | 143) {
        return None;
    }
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
    Some(format!("{kind:?} of {slot:?} exits {code}: {}", last_words(&done.stderr)))
}

/// An error with its hint, without what was said before it.
pub(crate) fn last_words(stderr: &str) -> &str {
    let said = stderr.trim();
    said.find("error: ").map_or("", |at| &said[at..])
}

/// Whether a message says that a login is over for good.
fn says_over(stderr: &str) -> bool {
    stderr.contains("is over")
}

/// The last call for each login: it gives a token, or asks for a login; soon.
fn final_tokens(world: &World, force: bool, verdict: &mut Verdict) -> Vec<String> {
    let mut wrong = Vec::new();
    for (agent, account) in SLOTS {
        let id = world.credentials.profile(account);
        let mut args = vec!["models", "auth", "token", "--profile", &id, "--agent", agent];
        if force {
            args.push("--force-refresh");
        }
        let started = Instant::now();
        let (code, _, stderr) = world.execute(&args, 0, None, None, None);
        let took = started.elapsed();
        let refresh = refresh_token(world, agent, &id);
        let is_alive = refresh.as_deref().is_some_and(|token| world.server.is_alive(token));
        let failed = match code {
            // An agent without a profile reads that of `main`.
            Some(0) if force && refresh.is_some() && !is_alive => Some("a dead login gave a token"),
            Some(3) if is_alive && (force || says_over(&stderr)) => {
                Some("a live login is said to be over")
            }
            Some(0 | 3 | 4) if took > PROMPT => Some("it was kept waiting"),
            // Nobody knows what became of the last request: it is asked again later.
            Some(4) if !force => None,
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

fn refresh_token(world: &World, agent: &str, id: &str) -> Option<String> {
    world.credentials.profiles(agent)["profiles"][id]["refresh"].as_str().map(str::to_owned)
}

/// The refresh tokens in the stores.
pub(crate) fn stored_in_documents(world: &World) -> HashSet<String> {
    let documents = AGENTS.map(|agent| world.credentials.profiles(agent));
    let profiles = documents.iter().filter_map(|document| document["profiles"].as_object());
    let entries = profiles.flat_map(|profiles| profiles.values());
    entries.filter_map(|entry| entry["refresh"].as_str().map(str::to_owned)).collect()
}

/// The refresh tokens in the spools.
fn spooled(world: &World) -> HashSet<String> {
    let mut found = HashSet::new();
    let in_states = world.state_dirs.iter().map(|state_dir| state_dir.join("recovery"));
    for spool in in_states.chain([world.home.join(".openclaw-auth-recovery")]) {
        for entry in std::fs::read_dir(spool).into_iter().flatten().flatten() {
            if has_extension(&entry.file_name().to_string_lossy(), "tmp") {
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let reply: Value = serde_json::from_str(&text).unwrap_or_default();
            found.extend(refresh_tokens_in(&reply));
        }
    }
    found
}

/// The texts of the members `refresh`, at any depth.
fn refresh_tokens_in(value: &Value) -> Vec<String> {
    let members = value.as_object().into_iter().flatten();
    let found = members.flat_map(|(name, value)| match value.as_str() {
        Some(text) if name == "refresh" => vec![text.to_owned()],
        _ => refresh_tokens_in(value),
    });
    found.collect()
}

fn unreadable(world: &World) -> Vec<String> {
    let mut wrong = world.credentials.damages();
    for path in files(world, |name| has_extension(name, "json")) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if let Err(error) = serde_json::from_str::<Value>(&text) {
            wrong.push(format!("{}: {error}", path.display()));
        }
    }
    wrong
}
