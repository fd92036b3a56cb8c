//! Values that are only ever replaced as a whole: what is stored in the end was written by
//! an operation that no later one has followed.

use super::operation::{AGENTS, Done, Kind, ORDERED, PASTED, SLOTS};
use super::world::World;
use serde_json::Value;

/// What is wrong with the pasted tokens and the orders, and how many were looked at.
pub(crate) fn check(world: &World, done: &[Done]) -> (usize, Vec<String>) {
    let mut looked_at = 0;
    let mut wrong = Vec::new();
    for agent in AGENTS {
        let document = world.credentials.profiles(agent);
        let state = world.credentials.state(agent);
        let mut judge = |what: &str, stored: Option<String>, writes: Vec<&Done>| {
            looked_at += 1;
            let is_destroyed = |write: &&Done| world.foreign.has_destroyed(&write.plan.value);
            if !is_last(stored.as_deref(), &writes) && !writes.iter().any(is_destroyed) {
                wrong.push(format!("{agent}: {what} is {stored:?}, which a later run replaced"));
            }
        };
        for (index, id) in PASTED.iter().enumerate() {
            let stored = document["profiles"][id]["token"].as_str().map(str::to_owned);
            let of_id = |done: &&Done| done.plan.number % PASTED.len() == index;
            let writes = writes(done, Kind::Paste, agent).filter(of_id).collect();
            judge(id, stored, writes);
        }
        let stored = state["order"]["openrouter"].as_array().map(|ids| {
            let ids: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
            ids.join(" ")
        });
        judge("the order", stored, writes(done, Kind::Order, agent).collect());
        let keys = ORDERED.iter().all(|id| document["profiles"][id]["key"].is_string());
        judge("a key", (!keys).then(|| "lost".to_owned()), Vec::new());
    }
    (looked_at, wrong)
}

fn writes<'d>(done: &'d [Done], kind: Kind, agent: &str) -> impl Iterator<Item = &'d Done> {
    let is_of = move |done: &&Done| done.plan.kind == kind && SLOTS[done.plan.slot].0 == agent;
    done.iter().filter(is_of)
}

fn is_last(stored: Option<&str>, writes: &[&Done]) -> bool {
    let finished = |write: &&&Done| write.code == Some(0);
    let Some(stored) = stored else { return !writes.iter().any(|write| finished(&write)) };
    // A value may be written more than once; one of its writes has to be a last one.
    writes.iter().filter(|write| write.plan.value == stored).any(|write| {
        !writes
            .iter()
            .filter(finished)
            .any(|later| later.start > write.end && later.plan.value != stored)
    })
}
