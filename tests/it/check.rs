//! `check`, as a monitor and a script use it.

use crate::support::authorization_server::Fault;
use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::{Value, json};
use std::time::Duration;

const FAR: i64 = 4_102_444_800_000;
const HOUR: i64 = 3_600_000;

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

fn refreshes(rig: &Rig) -> usize {
    rig.server.token_requests("refresh_token")
}

/// Makes the last refresh or login of the profile so much older.
fn age(rig: &Rig, by: i64) {
    rig.edit("main", |document| {
        let at = &mut document["profiles"][PROFILE]["accessIssuedAt"];
        *at = (at.as_i64().unwrap() - by).into();
    });
}

#[test]
fn a_monitor_is_quiet_until_a_person_has_to_act() {
    let rig = Rig::signed_in();
    let check = ["check", "--all"];
    assert_eq!(rig.run(&check).code, 0);
    rig.expire(PROFILE);
    let before = rig.tree();
    for args in [&check[..], &["check", "--json"], &["check", PROFILE]] {
        let finished = rig.run(args);
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{finished:?}");
    }
    assert_eq!((rig.tree(), refreshes(&rig)), (before, 0), "it reads, and posts nothing");
    rig.server.revoke_all();
    rig.run(&["models", "auth", "refresh", "--all"]);
    let checked = rig.run(&check);
    assert_eq!(checked.code, 3);
    // The command that is printed is the one that helps.
    let next = "  next: openclaw-auth models auth login --provider openai-codex\n";
    assert!(checked.stdout.contains(next), "{checked:?}");
    let command = report(&rig.run(&["check", "--json"]))["logins"][0]["hintCommand"].clone();
    let words = ["openclaw-auth", "models", "auth", "login", "--provider", "openai-codex"];
    assert_eq!(command, json!(words));
    rig.login(&[]).success();
    assert_eq!(rig.run(&check).code, 0);
}

#[test]
fn the_age_of_the_proof_counts_where_it_is_asked_for() {
    let rig = Rig::signed_in();
    age(&rig, 25 * HOUR);
    assert_eq!(rig.run(&["check"]).code, 0);
    assert_eq!(rig.run(&["check", "--max-age", "26h"]).code, 0);
    let old = rig.run(&["check", "--max-age", "24h"]);
    assert!(old.code == 4 && old.stdout.contains("older than --max-age"), "{old:?}");
    assert!(old.stdout.contains("models auth refresh --profile"), "{old:?}");
    assert_eq!(
        report(&rig.run(&["check", "--max-age", "24h", "--json"]))["needsPerson"],
        "cannot-tell"
    );
    assert_eq!(refreshes(&rig), 0);
    let proven = rig.run(&["check", "--max-age", "24h", "--online"]);
    assert_eq!((proven.code, refreshes(&rig)), (0, 1), "{proven:?}");
    // Nothing is due or old any more.
    assert_eq!(rig.run(&["check", "--max-age", "24h", "--online"]).code, 0);
    assert_eq!(refreshes(&rig), 1);
    // Without a proof, there is none of that age.
    rig.edit("main", |it| {
        it["profiles"][PROFILE].as_object_mut().unwrap().remove("accessIssuedAt");
    });
    let unknown = rig.run(&["check"]);
    assert!(unknown.code == 0 && unknown.stdout.contains("last refresh unknown"), "{unknown:?}");
    assert_eq!(rig.run(&["check", "--max-age", "24h"]).code, 4);
}

#[test]
fn online_refreshes_what_is_due_and_tells_what_it_cannot_know() {
    let rig = Rig::signed_in();
    assert_eq!((rig.run(&["check", "--online"]).code, refreshes(&rig)), (0, 0));
    rig.expire(PROFILE);
    assert_eq!((rig.run(&["check", "--online"]).code, refreshes(&rig)), (0, 1));
    rig.expire(PROFILE);
    let busy = Fault::Status { status: 429, retry_after: Some("3600".into()), body: String::new() };
    rig.server.inject(busy);
    let away = rig.run(&["check", "--online", "--json"]);
    assert_eq!(away.code, 4, "{away:?}");
    let login = report(&away)["logins"][0].clone();
    assert_eq!(
        (&login["state"], &login["needsPerson"]),
        (&"signed-in".into(), &"cannot-tell".into())
    );
    assert!(login["error"].is_string() && login["next"].is_string(), "{login}");
    rig.let_pass(Duration::from_secs(6));
    rig.server.revoke_all();
    let over = rig.run(&["check", "--online", "--json"]);
    assert_eq!((over.code, &report(&over)["logins"][0]["stateReason"]), (3, &"refused".into()));
    // What is over is not posted again.
    let posted = refreshes(&rig);
    assert_eq!((rig.run(&["check", "--online"]).code, refreshes(&rig)), (3, posted));
}

#[test]
fn one_grant_of_two_profiles_is_refreshed_once() {
    let rig = Rig::signed_in();
    rig.edit("main", |it| it["profiles"]["openai-codex:twin"] = it["profiles"][PROFILE].clone());
    rig.edit("main", |document| {
        for id in [PROFILE, "openai-codex:twin"] {
            document["profiles"][id]["accessIssuedAt"] = 1.into();
        }
    });
    let checked = rig.run(&["check", "--online", "--max-age", "1h"]);
    assert_eq!((checked.code, refreshes(&rig)), (0, 1), "{checked:?}");
}

#[test]
fn a_script_names_the_login_that_it_needs() {
    let rig = Rig::new();
    let token = |expires: i64| {
        json!({"type": "token", "provider": "openai-codex",
        "token": "fake-token", "expires": expires, "email": "Bob@example.test"})
    };
    let key = json!({"type": "api_key", "provider": "openai", "key": "fake-key"});
    let profiles = json!({"openai-codex:old": token(1), "openai:k": key});
    rig.write(&store("main"), &json!({"profiles": profiles}).to_string());
    for (name, code) in [
        ("openai-codex:old", 3),
        ("bob@example.test", 3),
        ("openai-codex", 3),
        ("openai:k", 0),
        // As `token` takes it: the ChatGPT login, and the key.
        ("openai", 3),
        ("chatgpt", 3),
    ] {
        let checked = rig.run(&["check", name]);
        assert_eq!(checked.code, code, "{name}: {checked:?}");
        assert_eq!(checked.stdout.matches("next: ").count(), usize::from(code == 3), "{checked:?}");
        assert!(!checked.stdout.contains("fake-"), "{checked:?}");
    }
    assert_eq!(rig.run(&["check"]).code, 3);
    let unknown = rig.run(&["check", "nobody"]);
    assert!(unknown.code == 3 && unknown.stderr.contains("called `nobody`"), "{unknown:?}");
    assert_eq!(rig.run(&["check", " "]).code, 2, "a variable that is not set");
    assert_eq!(rig.run(&["check", "a", "--all"]).code, 2);
}

#[test]
fn no_login_at_all_needs_a_person() {
    let rig = Rig::new();
    let checked = rig.run(&["check"]);
    assert!(checked.code == 3 && checked.stderr.contains("there is no login in"), "{checked:?}");
    assert!(checked.stderr.contains("hint: openclaw-auth models auth login"), "{checked:?}");
    let checked = report(&rig.run(&["check", "--json"]));
    assert_eq!((&checked["logins"], &checked["exitCode"]), (&json!([]), &3.into()));
    assert_eq!(rig.run(&["check", "--agent", "nobody"]).code, 2);
}

#[test]
fn a_pager_is_told_also_where_there_is_no_login_to_check() {
    let rig = Rig::new();
    for (args, code, text) in [
        (&["check"][..], 3, "there is no login in"),
        (&["check", "--all"], 3, "there is no login in"),
        (&["check", "nobody"], 3, "no login called `nobody`"),
        (&["check", "--agent", "nobody"], 2, "nobody"),
    ] {
        let checked = rig.run(args);
        assert_eq!(checked.code, code, "{checked:?}");
        assert!(checked.stdout.contains(text) && checked.stdout.contains("next: "), "{checked:?}");
    }
    rig.write("openclaw.json", "{ broken");
    let checked = rig.run(&["check"]);
    assert!(checked.code == 6 && checked.stdout.contains("openclaw.json"), "{checked:?}");
    let document = rig.run(&["check", "--json"]).json_failure(6);
    assert_eq!(document["code"], "store_unusable");
}

#[test]
fn every_agent_is_asked_and_what_is_worst_counts() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "work"]).success();
    let over = json!({"type": "token", "provider": "q", "token": "fake", "expires": 1});
    let fine = json!({"type": "token", "provider": "q", "token": "fake", "expires": FAR});
    let of_work = |entry: &Value| {
        rig.write(&store("work"), &json!({"profiles": {"q:1": entry}}).to_string());
        rig.run(&["check", "--all"])
    };
    let all = of_work(&fine);
    assert_eq!(
        (all.code, all.stdout.lines().count()),
        (0, 2),
        "inherited ones count once: {all:?}"
    );
    assert_eq!(of_work(&over).code, 3);
    assert_eq!(rig.run(&["check"]).code, 0, "of main alone");
    assert_eq!(rig.run(&["check", "--agent", "work"]).code, 3);
    rig.write(&store("work"), "{");
    let all = rig.run(&["check", "--all"]);
    assert_eq!(all.code, 6, "{all:?}");
    assert!(all.stdout.contains("agent work: ") && all.stdout.contains(PROFILE), "{all:?}");
    assert!(all.stdout.contains("next: "), "{all:?}");
    rig.edit("main", |it| it["profiles"]["q:2"] = over.clone());
    assert_eq!(rig.run(&["check", "--all"]).code, 3, "a person goes before a store");
}

#[test]
fn a_store_that_is_unreadable_or_unsafe_is_no_answer() {
    let rig = Rig::signed_in();
    let path = rig.path(&store("main"));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let open = rig.run(&["check"]);
    assert!(open.code == 6 && open.stdout.contains("next: chmod 600"), "{open:?}");
    for text in ["{", "[]", "{\"profiles\": 5}"] {
        rig.write(&store("main"), text);
        let checked = rig.run(&["check", "--json"]);
        assert_eq!(checked.code, 6, "{text}: {checked:?}");
        assert_eq!(report(&checked)["problems"][0]["agentId"], "main");
    }
    rig.write("openclaw.json", "{");
    let broken = rig.run(&["check"]);
    assert!(broken.code == 6 && broken.stderr.contains("openclaw.json"), "{broken:?}");
}

#[test]
fn what_keeps_a_login_from_being_used_needs_a_person() {
    let rig = Rig::signed_in();
    // The profiles of the configuration would stand in for those that are gone.
    std::fs::remove_file(rig.path("openclaw.json")).unwrap();
    let order = json!({"order": {"openai-codex": ["openai-codex:gone"]}});
    rig.write("agents/main/agent/auth-state.json", &order.to_string());
    let token = rig.run(&["models", "auth", "token", "--provider", "openai-codex"]);
    let checked = rig.run(&["check"]);
    assert_eq!((token.code, checked.code), (3, 3), "{token:?} {checked:?}");
    assert!(checked.stdout.contains("next: openclaw-auth models auth order set"), "{checked:?}");
    assert_eq!(rig.run(&["check", PROFILE]).code, 3);
    rig.write("agents/main/agent/auth-state.json", "{}");
    rig.edit("main", |it| it["profiles"]["q:odd"] = 5.into());
    let odd = rig.run(&["check"]);
    assert!(odd.code == 4 && odd.stdout.contains("next: openclaw-auth doctor"), "{odd:?}");
    assert_eq!(rig.run(&["check", PROFILE]).code, 0, "what is meant is there");
}

#[test]
fn names_from_files_and_servers_are_harmless() {
    let rig = Rig::new();
    let id = "q:a\u{1b}[2J'; touch bad";
    let over = json!({"type": "token", "provider": "q\u{9b}31m", "token": "fake", "expires": 1});
    rig.write(&store("main"), &json!({"profiles": {id: over}}).to_string());
    let checked = rig.run(&["check"]);
    assert_eq!(checked.code, 3);
    assert!(checked.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{checked:?}");
}

/// What `check` and `doctor` say together: their exit codes, and both texts.
fn both(rig: &Rig) -> ((i32, i32), String) {
    let (check, doctor) = (rig.run(&["check"]), rig.run(&["doctor"]));
    ((check.code, doctor.code), format!("{}\n{}", check.stdout, doctor.stdout))
}

#[test]
fn a_login_that_ends_soon_is_judged_the_same_by_check_and_doctor() {
    let rig = Rig::new();
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    for (entry, ends) in [
        (json!({"type": "token", "provider": "anthropic", "token": "fake-t"}), "expires"),
        (json!({"type": "oauth", "provider": "openai-codex", "access": "fake-a"}), "expires"),
    ] {
        for (at, codes) in [(now + 23 * HOUR, (3, 1)), (now + 25 * HOUR, (0, 0))] {
            let mut entry = entry.clone();
            entry[ends] = at.into();
            let document = json!({"version": 1, "profiles": {"x:1": entry}});
            rig.write(&store("main"), &document.to_string());
            let (found, texts) = both(&rig);
            assert_eq!(found, codes, "{texts}");
            assert_eq!(
                texts.matches("expires 20").count(),
                1 + usize::from(codes.1 == 1),
                "{texts}"
            );
        }
    }
}

#[test]
fn provider_files_and_unknown_providers_are_judged_the_same_by_check_and_doctor() {
    let rig = Rig::new();
    let entry = json!({"type": "oauth", "provider": "acme", "access": "fake-a", "expires": FAR,
                       "refresh": "fake-r"});
    let document = json!({"version": 1, "profiles": {"acme:1": entry}});
    rig.write(&store("main"), &document.to_string());
    let (codes, texts) = both(&rig);
    assert_eq!(codes, (3, 1), "{texts}");
    assert_eq!(texts.matches("nothing can refresh `acme:1`").count(), 2, "{texts}");
    assert_eq!(texts.matches("describe it in").count(), 2, "{texts}");
    // A file that cannot be read, of the provider and of another.
    for (file, names) in [("acme", ["acme", "acme:1"]), ("zed", ["zed", "zed"])] {
        std::fs::create_dir_all(rig.path("providers")).unwrap();
        let path = rig.path(&format!("providers/{file}.json"));
        std::fs::write(&path, "{nonsense").unwrap();
        let (codes, texts) = both(&rig);
        assert_eq!(codes, (if file == "acme" { 6 } else { 3 }, 1), "{texts}");
        assert_eq!(texts.matches(&format!("providers/{file}.json is not valid")).count(), 2);
        for name in names {
            let named = rig.run(&["check", name]);
            assert!(named.stdout.contains("is not valid"), "{named:?}");
        }
        std::fs::remove_file(path).unwrap();
    }
}
