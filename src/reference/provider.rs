//! The `secrets` section of the configuration: providers, defaults and limits, with
//! OpenClaw 2026.4.24's key names, default values and bounds.

use super::members::Members;
pub use super::members::Problem;
use crate::config::Config;
use crate::profile::secret_ref::{Defaults, Source, is_alias, is_variable};
use crate::secret::Secret;
use indexmap::IndexMap;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The `secrets` section.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The provider that a reference means when it names none.
    pub defaults: Defaults,
    /// How much may be asked for at once.
    pub limits: Limits,
    providers: IndexMap<String, Provider>,
}

/// How much may be asked for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many providers are asked at the same time.
    pub concurrency: usize,
    /// How many references a provider is asked for.
    pub references: usize,
    /// The longest request to a command, in bytes.
    pub request_bytes: usize,
}

/// A place where secrets stand.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Environment variables.
    Env {
        /// The variables that may be read; all when there is no list.
        allowlist: Option<Vec<String>>,
    },
    /// A file.
    File(FileProvider),
    /// A command.
    Exec(ExecProvider),
}

/// A file with secrets.
#[derive(Clone, Debug)]
pub struct FileProvider {
    /// Where it is; may begin with `~`.
    pub path: String,
    /// Whether the file is one secret; else it is JSON.
    pub single_value: bool,
    /// How long reading it may take.
    pub timeout: Duration,
    /// How long it may be.
    pub max_bytes: u64,
    /// Whether its owner and permissions do not matter.
    pub allow_insecure_path: bool,
}

/// A command that answers for secrets.
#[derive(Clone, Debug)]
pub struct ExecProvider {
    /// The program.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// How long it may be silent.
    pub no_output_timeout: Duration,
    /// How much it may print.
    pub max_output_bytes: u64,
    /// Whether its answer has to be JSON.
    pub json_only: bool,
    /// Variables with their values.
    pub env: Vec<(String, Secret)>,
    /// Variables that are passed on.
    pub pass_env: Vec<String>,
    /// Where the program may be; anywhere when empty.
    pub trusted_dirs: Vec<PathBuf>,
    /// Whether its owner and permissions do not matter.
    pub allow_insecure_path: bool,
    /// Whether it may be a symbolic link.
    pub allow_symlink_command: bool,
}

/// The `secrets` section cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{} is not a valid configuration: {}", path.display(), shown(problems))]
pub struct InvalidSecrets {
    /// The configuration file.
    pub path: PathBuf,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

fn shown(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

const LONGEST_TIMEOUT: u64 = 120_000;
const DEFAULT_TIMEOUT: u64 = 5_000;
const MOST_BYTES: u64 = 20 * 1024 * 1024;
const DEFAULT_BYTES: u64 = 1024 * 1024;

impl Secrets {
    /// The section of the configuration at `path`.
    ///
    /// # Errors
    /// A key is wrong; all of them are named.
    pub fn of(config: &Config, path: &Path) -> Result<Self, InvalidSecrets> {
        let section = config.value().get("secrets");
        let mut problems = Vec::new();
        let secrets = read(section, &mut problems);
        if problems.is_empty() {
            return Ok(secrets);
        }
        Err(InvalidSecrets { path: path.to_owned(), problems })
    }

    /// The provider of this alias, as far as it is configured.
    pub fn provider(&self, alias: &str) -> Option<&Provider> {
        self.providers.get(alias)
    }
}

impl Provider {
    /// The source that it serves.
    pub const fn source(&self) -> Source {
        match self {
            Self::Env { .. } => Source::Env,
            Self::File(_) => Source::File,
            Self::Exec(_) => Source::Exec,
        }
    }
}

fn read(section: Option<&Value>, problems: &mut Vec<Problem>) -> Secrets {
    let mut members = Members::of(section, "secrets".to_owned(), problems);
    let providers = members.value("providers");
    let defaults = members.value("defaults");
    let resolution = members.value("resolution");
    members.finish();

    let mut members = Members::of(defaults, "secrets.defaults".to_owned(), problems);
    for source in Source::ALL {
        members.text(source.name(), |alias| {
            if is_alias(alias) { Ok(()) } else { Err("it is not a provider alias") }
        });
    }
    members.finish();

    let mut members = Members::of(resolution, "secrets.resolution".to_owned(), problems);
    let mut limit = |key, default, most| {
        let number = members.number(key, 1..=most).unwrap_or(default);
        usize::try_from(number).unwrap_or(usize::MAX)
    };
    let limits = Limits {
        concurrency: limit("maxProviderConcurrency", 4, 16),
        references: limit("maxRefsPerProvider", 512, 4_096),
        request_bytes: limit("maxBatchBytes", 256 * 1024, 5 * 1024 * 1024),
    };
    members.finish();

    let entries = Members::of(providers, "secrets.providers".to_owned(), problems).all();
    let providers = entries
        .filter_map(|(alias, value)| Some((alias.clone(), provider(alias, value, problems)?)))
        .collect();
    let defaults = section.map_or_else(Defaults::default, Defaults::of);
    Secrets { defaults, limits, providers }
}

fn provider(alias: &str, value: &Value, problems: &mut Vec<Problem>) -> Option<Provider> {
    let mut members = Members::of(Some(value), format!("secrets.providers.{alias}"), problems);
    let source = members.required("source", |name| {
        if Source::from_name(name).is_some() { Ok(()) } else { Err("it is not env, file or exec") }
    });
    let provider = match Source::from_name(source)? {
        Source::Env => Provider::Env { allowlist: members.texts("allowlist", 256, variable) },
        Source::File => Provider::File(file(&mut members)),
        Source::Exec => Provider::Exec(exec(&mut members)),
    };
    members.finish();
    Some(provider)
}

fn file(members: &mut Members<'_, '_>) -> FileProvider {
    let mode = members.text("mode", |mode| {
        if matches!(mode, "json" | "singleValue") {
            Ok(())
        } else {
            Err("it is not json or singleValue")
        }
    });
    FileProvider {
        path: members.required("path", |_| Ok(())).to_owned(),
        single_value: mode == Some("singleValue"),
        timeout: timeout(members, "timeoutMs").unwrap_or(Duration::from_millis(DEFAULT_TIMEOUT)),
        max_bytes: members.number("maxBytes", 1..=MOST_BYTES).unwrap_or(DEFAULT_BYTES),
        allow_insecure_path: members.flag("allowInsecurePath", false),
    }
}

fn exec(members: &mut Members<'_, '_>) -> ExecProvider {
    let allowed_timeout =
        timeout(members, "timeoutMs").unwrap_or(Duration::from_millis(DEFAULT_TIMEOUT));
    let argument = |text: &str| {
        if text.len() <= 1024 { Ok(()) } else { Err("it has more than 1024 bytes") }
    };
    ExecProvider {
        command: PathBuf::from(members.required("command", absolute)),
        args: members.texts("args", 128, argument).unwrap_or_default(),
        timeout: allowed_timeout,
        no_output_timeout: timeout(members, "noOutputTimeoutMs").unwrap_or(allowed_timeout),
        max_output_bytes: members.number("maxOutputBytes", 1..=MOST_BYTES).unwrap_or(DEFAULT_BYTES),
        json_only: members.flag("jsonOnly", true),
        env: members.named_texts("env"),
        pass_env: members.texts("passEnv", 128, variable).unwrap_or_default(),
        trusted_dirs: members
            .texts("trustedDirs", 64, absolute)
            .unwrap_or_default()
            .into_iter()
            .map(PathBuf::from)
            .collect(),
        allow_insecure_path: members.flag("allowInsecurePath", false),
        allow_symlink_command: members.flag("allowSymlinkCommand", false),
    }
}

fn timeout(members: &mut Members<'_, '_>, key: &'static str) -> Option<Duration> {
    members.number(key, 1..=LONGEST_TIMEOUT).map(Duration::from_millis)
}

fn variable(name: &str) -> Result<(), &'static str> {
    if is_variable(name) { Ok(()) } else { Err("it is not a name of capitals, digits and `_`") }
}

fn absolute(path: &str) -> Result<(), &'static str> {
    if path.contains(['\0', '\n', '\r']) {
        return Err("it has characters that no path has");
    }
    if Path::new(path).is_absolute() { Ok(()) } else { Err("it is not an absolute path") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(section: &Value) -> (Secrets, Vec<String>) {
        let mut problems = Vec::new();
        let secrets = read(Some(section), &mut problems);
        (secrets, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_left_out_has_openclaws_value() {
        let (secrets, problems) = of(&json!({"providers": {
            "f": {"source": "file", "path": "~/x"},
            "x": {"source": "exec", "command": "/x", "timeoutMs": 7000.0},
            "e": {"source": "env"},
        }}));
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            secrets.limits,
            Limits { concurrency: 4, references: 512, request_bytes: 262_144 }
        );
        let Some(Provider::File(file)) = secrets.provider("f") else { panic!() };
        assert_eq!((file.timeout.as_millis(), file.max_bytes), (5_000, 1_048_576));
        assert!(!file.single_value && !file.allow_insecure_path);
        let Some(Provider::Exec(exec)) = secrets.provider("x") else { panic!() };
        assert_eq!(exec.timeout.as_millis(), 7_000);
        assert_eq!(exec.no_output_timeout, exec.timeout);
        assert!(exec.json_only && !exec.allow_symlink_command && exec.trusted_dirs.is_empty());
        assert!(matches!(secrets.provider("e"), Some(Provider::Env { allowlist: None })));
        assert!(secrets.provider("default").is_none());
    }

    #[test]
    fn every_wrong_key_is_named_with_its_path() {
        let (_, problems) = of(&json!({
            "providers": {
                "f": {"source": "file", "path": "", "bogus": 1},
                "e": {"source": "exec", "command": "rel", "trustedDirs": ["/ok", "rel"]},
                "g": {"source": "nope"},
                "h": {"source": "exec", "command": "/x", "timeoutMs": 0, "args": "a", "passEnv": ["lower"], "env": {"A": 1}},
                "i": 5,
                "j": {"source": "file", "mode": "text"},
                "k": {"source": "env", "allowlist": [1]},
            },
            "defaults": {"env": "BAD"},
            "resolution": {"maxBatchBytes": 0, "maxProviderConcurrency": 17},
            "zzz": 1,
        }));
        for path in [
            "secrets.providers.f.path: ",
            "secrets.providers.f.bogus: ",
            "secrets.providers.e.command: ",
            "secrets.providers.e.trustedDirs.1: ",
            "secrets.providers.g.source: it is not env, file or exec",
            "secrets.providers.h.timeoutMs: it is not a whole number from 1 to 120000",
            "secrets.providers.h.args: it is not a list",
            "secrets.providers.h.passEnv.0: ",
            "secrets.providers.h.env.A: ",
            "secrets.providers.i: it is not an object",
            "secrets.providers.j.path: it is missing",
            "secrets.providers.j.mode: ",
            "secrets.providers.k.allowlist.0: ",
            "secrets.defaults.env: ",
            "secrets.resolution.maxBatchBytes: ",
            "secrets.resolution.maxProviderConcurrency: ",
            "secrets.zzz: ",
        ] {
            let named = problems.iter().filter(|problem| problem.starts_with(path)).count();
            assert_eq!(named, 1, "{path} in {problems:#?}");
        }
        assert_eq!(problems.len(), 17, "{problems:#?}");
    }
}
