//! Files of users and of other programs, and the answers of their commands.

use openclaw_auth::config::{Config, Paths, record_profile, remove_profile};
use openclaw_auth::profile::Kind;
use openclaw_auth::profile::secret_ref::{SecretRef, Source};
use openclaw_auth::provider::Catalog;
use openclaw_auth::reference::{Resolver, Secrets};
use openclaw_auth::system::child::Programs;
use openclaw_auth::system::lock::{Attempt, StaleRule, try_acquire};
use openclaw_auth::system::{Clients, Environment, now};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static ROOT: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fn at(name: &str) -> PathBuf {
    ROOT.path().join(name)
}

/// An environment whose configuration is at `path`, with its paths.
fn surroundings(path: &Path) -> (Environment, Paths) {
    let environment = Environment::default()
        .with("HOME", ROOT.path())
        .with("OPENCLAW_STATE_DIR", ROOT.path())
        .with("OPENCLAW_CONFIG_PATH", path);
    let paths = Paths::new(&environment, ROOT.path());
    (environment, paths)
}

/// A configuration that loads still does after an edit, which says what was recorded; one
/// that cannot be edited is left as it is.
pub(crate) fn config(input: &[u8]) {
    let path = at("openclaw.json");
    std::fs::write(&path, input).unwrap();
    let (environment, paths) = surroundings(&path);
    let loaded = Config::load(&paths, &environment);
    if let Ok(config) = &loaded {
        for agent in config.agents() {
            let _ = (agent.id(), agent.text("name"));
        }
        let _ = (config.default_agent(), config.auth_order(&"openai".into()));
    }
    let before = std::fs::read(&path).unwrap();
    match record_profile(&path, &"fuzz:a'\"b".into(), &"openai".into(), Kind::Token) {
        Err(error) => {
            let _ = error.to_string();
            assert_eq!(std::fs::read(&path).unwrap(), before, "a failed edit changes nothing");
        }
        Ok(_) if loaded.is_ok() => {
            let config = Config::load(&paths, &environment).expect("an edited file still loads");
            assert_eq!(config.auth_profiles().unwrap()["fuzz:a'\"b"]["mode"], "token");
            remove_profile(&path, &"fuzz:a'\"b".into()).unwrap();
            Config::load(&paths, &environment).expect("and once more");
        }
        Ok(_) => {}
    }
}

/// A lock file is held or abandoned; what is taken is released.
pub(crate) fn lock(input: &[u8]) {
    let path = at("x.lock");
    for rule in [StaleRule::ByAge, StaleRule::ByProcess] {
        std::fs::write(&path, input).unwrap();
        match try_acquire(&path, rule, now()).unwrap() {
            Attempt::Acquired(lock) => {
                drop(lock);
                assert!(!path.exists(), "release leaves nothing behind");
            }
            Attempt::Held(holder) => assert!(!holder.to_string().contains(char::is_control)),
        }
    }
    let _ = std::fs::remove_file(&path);
}

/// A provider file is a definition or a problem that names the file.
pub(crate) fn provider(input: &[u8]) {
    let directory = at("providers");
    std::fs::create_dir_all(&directory).unwrap();
    for name in ["openai-codex.json", "fuzz.json"] {
        std::fs::write(directory.join(name), input).unwrap();
    }
    let Ok(catalog) = Catalog::load(&directory) else { return };
    for id in ["openai-codex", "fuzz"] {
        if let Some(problem) = catalog.problem(&id.into()) {
            assert!(problem.to_string().contains(id), "{problem}");
        }
        let found =
            catalog.find(&id.into()).and_then(|provider| provider.definition.registration.as_ref());
        if let Some(registration) = found {
            let _ = registration.client(&Clients::default(), None);
        }
    }
}

/// The reply of a command, and a file with secrets, resolve or do not; an error quotes no
/// control character.
pub(crate) fn secrets(input: &[u8]) {
    let (reply, path) = (at("reply"), at("secrets.json"));
    openclaw_auth::system::file::replace(&reply, input).unwrap();
    let providers = json!({"secrets": {"providers": {
        "command": {"source": "exec", "command": "/usr/bin/cat", "args": [reply.to_str()]},
        "loose": {"source": "exec", "command": "/usr/bin/cat", "args": [reply.to_str()],
                  "jsonOnly": false},
        "file": {"source": "file", "path": reply.to_str()},
    }}});
    std::fs::write(&path, providers.to_string()).unwrap();
    let (environment, paths) = surroundings(&path);
    let config = Config::load(&paths, &environment).unwrap();
    let secrets = Secrets::of(&config, &path).unwrap();
    let variables = config.variables(&environment, &paths);
    let programs = Programs::default();
    let resolver =
        Resolver { secrets: &secrets, variables: &variables, paths: &paths, programs: &programs };
    for (source, provider, id) in [
        (Source::Exec, "command", "a/b"),
        (Source::Exec, "loose", "a/b"),
        (Source::File, "file", "/a/b"),
    ] {
        let reference = SecretRef { source, provider: provider.to_owned(), id: id.to_owned() };
        let secret = resolver.secret(&reference);
        let is_right = input == include_bytes!("corpus/secrets-reply/values.json");
        assert!(!is_right || secret.is_ok(), "{secret:?}");
        if let Err(error) = secret {
            let text = error.to_string();
            assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
            assert!(!text.contains("fake-secret"), "it quotes a secret: {text:?}");
        }
    }
}
