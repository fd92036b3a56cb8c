//! Orders and outcomes as OpenClaw has answered the same questions, recorded.

use super::*;
use crate::config::Paths;
use crate::profile::{FailureReason, eligibility, unavailable_reason};
use crate::store::Document;
use crate::system::{Environment, file};
use serde_json::{Value, json};

/// What the real program answered to the same questions.
fn vectors(text: &str) -> impl Iterator<Item = (Value, Value)> {
    text.lines().map(|line| {
        let mut vector: Value = serde_json::from_str(line).unwrap();
        (vector["in"].take(), vector["out"].take())
    })
}

struct Given {
    document: Document,
    state: StateDocument,
    config: Config,
    now: Millis,
}

fn given(input: &Value) -> Given {
    let empty = json!({});
    let root = tempfile::tempdir().unwrap();
    let environment = Environment::of([("OPENCLAW_STATE_DIR", root.path().to_str().unwrap())]);
    let paths = Paths::new(&environment, root.path());
    let config = input.get("cfg").unwrap_or(&empty).to_string();
    file::replace(&paths.config, config.as_bytes()).unwrap();
    let store = input["store"].to_string();
    Given {
        document: Document::parse(&store).unwrap(),
        state: StateDocument::parse(&store).unwrap(),
        config: Config::load(&paths, &environment).unwrap(),
        now: input["now"].as_i64().unwrap(),
    }
}

fn entries<'d>(given: &'d Given) -> Vec<Entry<'d>> {
    let entry = |profile: ProfileSummary<'d>| Entry {
        id: profile.id,
        provider: compared(&profile.provider).into(),
        facts: profile.facts,
        usage: given.state.usage(profile.id),
        owner: 0,
    };
    given.document.summaries().map(entry).collect()
}

fn answer(input: &Value) -> Value {
    let given = given(input);
    let Given { state, config, now, .. } = &given;
    let entries = entries(&given);
    let provider = &ProviderId::from(input["provider"].as_str().unwrap_or_default());
    let id = input["profileId"].as_str().unwrap_or_default();
    match input["fn"].as_str().unwrap() {
        "order" => {
            let stored = stored_order(state, provider);
            let first = input["preferred"].as_str().map(ProfileId::from);
            let stored = stored.as_deref();
            let order = resolve(&entries, stored, config, provider, (first.as_ref(), false), *now);
            let ids: Vec<&str> = order.ranked.iter().map(|index| entries[*index].id).collect();
            json!({"order": ids})
        }
        "eligible" => {
            let configured = config.configured_profiles(auth_provider_id);
            let configured = configured.iter().find(|configured| configured.id == id);
            let stored = entries.iter().find(|entry| entry.id == id);
            let stored = stored.map(|entry| (entry.facts, &*entry.provider));
            let checked =
                eligibility(stored, configured, auth_provider_id(provider).as_str(), *now);
            let code = checked.map_or_else(crate::profile::Ineligible::code, |()| "ok");
            json!({"eligible": checked.is_ok(), "reasonCode": code})
        }
        "cooldown" => {
            let window = state.usage(id).window(input["model"].as_str(), *now);
            json!({"inCooldown": window.is_some()})
        }
        "unavailable" => {
            let usages: Vec<_> = entries.iter().map(|entry| &entry.usage).collect();
            let reason = unavailable_reason(usages.iter().copied(), *now);
            json!({"reason": reason.map(FailureReason::name)})
        }
        other => panic!("{other}"),
    }
}

#[test]
fn orders_and_eligibility_are_those_of_openclaw() {
    let mut checked = 0;
    for (input, mut output) in vectors(include_str!("../../../tests/golden/rotation/order.jsonl")) {
        if let Some(object) = output.as_object_mut() {
            object.shift_remove("soonest");
        }
        assert_eq!(answer(&input), output, "{input}");
        checked += 1;
    }
    assert!(checked > 250);
}

#[test]
fn outcomes_are_recorded_as_openclaw_records_them() {
    let mut checked = 0;
    for (input, output) in vectors(include_str!("../../../tests/golden/rotation/outcome.jsonl")) {
        let Given { mut state, config, now, document } = given(&input);
        let id = input["profileId"].as_str().unwrap();
        let provider = document.credential(id).unwrap().provider;
        match input["fn"].as_str().unwrap() {
            "fail" if cools_down(&provider) => {
                let reason = FailureReason::from_name(input["reason"].as_str().unwrap());
                let backoff = config.backoff(&provider);
                state.change_usage(id, |usage| {
                    usage.fail(reason.unwrap(), input["model"].as_str(), &backoff, now);
                });
            }
            "fail" => {}
            "used" => assert!(state.change_usage(id, |usage| usage.succeed(now))),
            "clear" if input["store"]["usageStats"].get(id).is_none() => {}
            "clear" => {
                state.change_usage(id, UsageStats::clear);
            }
            other => panic!("{other}"),
        }
        let after: Value = serde_json::from_str(&state.to_text().unwrap()).unwrap();
        assert_eq!(after["usageStats"], output["usageStats"], "{input}");
        checked += 1;
    }
    assert!(checked > 100);
}
