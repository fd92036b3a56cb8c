//! What a name means to the short commands, and the command lines of the hints about it.

use super::{FAR, rig};
use crate::support::rig::{Rig, store};
use serde_json::json;

#[test]
fn a_name_is_an_account_a_profile_or_a_provider() {
    let rig = rig();
    for (name, token) in [
        ("chatgpt", "fake-ada"),
        ("ChatGPT", "fake-ada"),
        ("codex", "fake-ada"),
        ("openai-codex", "fake-ada"),
        ("openai", "fake-ada"),
        ("OpenAI Codex (ChatGPT)", "fake-ada"),
        ("codex-cli", "fake-ada"),
        ("bob@example.test", "fake-bob"),
        ("BOB@example.test", "fake-bob"),
        ("work", "fake-bob"),
        ("openai-codex:work", "fake-bob"),
        ("claude", "fake-claude"),
        ("anthropic", "fake-claude"),
        ("claude-cli", "fake-claude"),
        ("gemini", "fake-gemini"),
        ("Google Gemini", "fake-gemini"),
    ] {
        assert_eq!(rig.run(&["token", name]).success(), token, "{name}");
        assert_eq!(rig.run(&["models", "auth", "token", name]).success(), token, "{name}");
    }
}

#[test]
fn an_ambiguous_name_lists_each_candidate_with_its_command() {
    let rig = rig();
    let stderr = rig.run(&["token", "ada@example.test"]).failure(2);
    for command in [
        "openclaw-auth token openai-codex:ada@example.test",
        "openclaw-auth token anthropic:default",
    ] {
        assert!(stderr.contains(command), "{stderr}");
    }
    let before = rig.tree();
    let stderr = rig.run(&["logout", "chatgpt"]).failure(2);
    assert!(stderr.contains("openclaw-auth logout openai-codex:work"), "{stderr}");
    let stderr = rig.run(&["use", "chatgpt"]).failure(2);
    assert!(stderr.contains("openclaw-auth use openai-codex:work"), "{stderr}");
    // A subscription and a key of one maker.
    rig.edit("main", |document| {
        document["profiles"]["google-gemini-cli:me"] =
            json!({"type": "oauth", "provider": "google-gemini-cli", "access": "fake-cli", "expires": FAR});
    });
    let stderr = rig.run(&["token", "gemini"]).failure(2);
    assert!(
        stderr.contains("google:default") && stderr.contains("google-gemini-cli:me"),
        "{stderr}"
    );
    assert_eq!(rig.run(&["token", "--provider", "google"]).success(), "fake-gemini");
    assert_eq!(before.len(), rig.tree().len());
}

/// The first command of a hint, without the name of the program.
fn first_command(stderr: &str) -> Vec<String> {
    let (_, hint) = stderr.split_once("hint: openclaw-auth ").unwrap();
    let line = hint.lines().next().unwrap();
    let command = line.split(", or: ").next().unwrap();
    command.split(' ').map(str::to_owned).collect()
}

#[test]
fn a_hint_for_another_name_is_the_command_line_with_that_name() {
    let rig = rig();
    rig.write(&store("work"), &rig.document().to_string());
    for (typed, wanted) in [
        ("logout ada@example.test --local --agent work", "logout ID --local --agent work"),
        ("--agent work logout --local ada@example.test", "--agent work logout --local ID"),
        ("--dev logout chatgpt --json", "--dev logout ID --json"),
        ("token ada@example.test --min-ttl 30m --json", "token ID --min-ttl 30m --json"),
        ("use ada@example.test --agent=work", "use ID --agent=work"),
        ("move chatgpt --to-agent work", "move ID --to-agent work"),
        ("move chatgpt --to chatgpt", "move ID --to chatgpt"),
        ("models auth --agent work logout -- chatgpt", "models auth --agent work logout ID"),
    ] {
        let finished = rig.run(&typed.split(' ').collect::<Vec<_>>());
        let (code, stderr) = (finished.code, finished.stderr);
        assert_eq!(code, 2, "{typed}: {stderr}");
        let command = first_command(&stderr).join(" ");
        let ids = ["openai-codex:ada@example.test", "openai-codex:work", "anthropic:default"];
        assert!(ids.iter().any(|id| command == wanted.replace("ID", id)), "{typed}: {command}");
    }
    // What is pasted removes the login that was meant, and no other.
    let before = rig.document();
    let stderr = rig.run(&["logout", "chatgpt", "--local", "--agent", "work"]).failure(2);
    let pasted = first_command(&stderr);
    rig.run(&pasted.iter().map(String::as_str).collect::<Vec<_>>()).success();
    assert_eq!(rig.document(), before);
    let stderr = rig.run(&["token", "chatgtp", "--agent", "work", "--json"]).stderr;
    assert!(stderr.contains("openclaw-auth token chatgpt --agent work --json"), "{stderr}");
}

#[test]
fn a_hint_names_an_id_that_looks_like_an_option_behind_two_dashes() {
    let rig = rig();
    rig.edit("main", |document| {
        for id in ["--all", "-x"] {
            document["profiles"][id] =
                json!({"type": "api_key", "provider": "google", "key": format!("fake{id}")});
        }
        document["profiles"].as_object_mut().unwrap().remove("google:default");
    });
    let before = rig.document();
    let stderr = rig.run(&["logout", "google", "--local"]).failure(2);
    assert!(stderr.contains("openclaw-auth logout --local -- --all"), "{stderr}");
    assert!(stderr.contains("openclaw-auth logout --local -- -x"), "{stderr}");
    let pasted = first_command(&stderr);
    rig.run(&pasted.iter().map(String::as_str).collect::<Vec<_>>()).success();
    let mut wanted = before;
    wanted["profiles"].as_object_mut().unwrap().remove(pasted.last().unwrap());
    assert_eq!(rig.document()["profiles"], wanted["profiles"]);
}

#[test]
fn an_id_that_looks_like_an_option_does_not_come_in() {
    let rig = rig();
    let before = rig.document();
    for id in ["--all", "-x", "-"] {
        let option = format!("--profile-id={id}");
        for command in [
            &["models", "auth", "paste-token", "--provider", "anthropic", &option][..],
            &["models", "auth", "paste-api-key", "--provider", "google", &option],
        ] {
            let stderr = rig.run_with_input(command, "fake-secret\n").failure(2);
            assert!(stderr.contains("--profile-id"), "{stderr}");
        }
        rig.run(&["login", "chatgpt", &option]).failure(2);
        let login = json!({"schema": 1, "kind": "openclaw-auth login", "profileId": id,
            "entry": {"type": "api_key", "provider": "google", "key": "fake-in"}});
        rig.run_with_input(&["import", "-"], &login.to_string()).failure(2);
    }
    assert_eq!(rig.document(), before);
}

#[test]
fn a_hint_means_the_state_directory_and_the_agent_of_the_command_line() {
    let rig = Rig::new();
    rig.write(&store("work"), r#"{"profiles": {}}"#);
    for (typed, wanted) in [
        ("--profile w2 check --all", "openclaw-auth --profile w2 models auth login"),
        ("--dev token", "openclaw-auth --profile dev models auth login"),
        ("--profile w2 token zzz --agent work", "openclaw-auth --profile w2 --agent work list"),
        ("token zzz --agent work", "openclaw-auth --agent work list"),
        ("--agent work token zzz", "openclaw-auth --agent work list"),
        ("login openai --agent=work", "openclaw-auth --agent work login chatgpt"),
        ("--agent work check", "openclaw-auth models auth login --agent work"),
        ("--agent work token zzz --agent main", "openclaw-auth --agent main list"),
    ] {
        let finished = rig.run(&typed.split(' ').collect::<Vec<_>>());
        assert!(finished.stderr.contains(wanted), "{typed}: {finished:?}");
    }
    let document = rig.run(&["--profile", "w2", "token", "zzz", "--json"]).json_failure(3);
    assert_eq!(document["hintCommand"], json!(["openclaw-auth", "--profile", "w2", "list"]));
}

#[test]
fn a_name_of_nothing_proposes_what_looks_like_it() {
    let rig = rig();
    let stderr = rig.run(&["token", "chatgtp"]).failure(3);
    assert!(stderr.contains("openclaw-auth token chatgpt"), "{stderr}");
    let stderr = rig.run(&["token", "adda@example.test"]).failure(3);
    assert!(stderr.contains("openclaw-auth token ada@example.test"), "{stderr}");
    rig.run(&["token", " "]).failure(2);
    let stderr = rig.run(&["login", "clude"]).failure(2);
    assert!(stderr.contains("openclaw-auth login claude"), "{stderr}");
}

#[test]
fn a_name_of_nothing_ends_every_command_with_the_code_of_a_missing_login() {
    let rig = Rig::new();
    for command in ["token NAME", "check NAME", "logout NAME", "use NAME", "move NAME --to -"] {
        for name in ["nope", "chatgpt", "ada@example.test", "openai-codex:x"] {
            let line = command.replace("NAME", name);
            let finished = rig.run(&line.split(' ').collect::<Vec<_>>());
            assert_eq!(finished.code, 3, "{line}: {finished:?}");
            assert!(finished.stderr.contains("hint: openclaw-auth "), "{line}: {finished:?}");
        }
    }
    for (line, sign_in) in
        [("use chatgpt", "login chatgpt"), ("move claude --to -", "login claude")]
    {
        let stderr = rig.run(&line.split(' ').collect::<Vec<_>>()).stderr;
        let expected = format!("hint: openclaw-auth {sign_in}\n");
        assert!(
            stderr.contains("nothing is signed in to") && stderr.ends_with(&expected),
            "{stderr}"
        );
    }
}
