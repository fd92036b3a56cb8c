//! The environment, read once, and the table of the variables that mean something here.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// A variable that changes what the program does.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, as `docs/environment.md` says it.
    pub meaning: &'static str,
}

/// The switch that leaves OpenClaw's bundled plugins out.
pub const WITHOUT_PLUGINS: &str = "OPENCLAW_DISABLE_BUNDLED_PLUGINS";

/// Every variable that the program reads. `docs/environment.md` holds the same table; a
/// test compares the two.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "OPENCLAW_STATE_DIR", meaning: "the state directory; default `~/.openclaw`" },
    Variable {
        name: "OPENCLAW_HOME",
        meaning: "replaces the home directory in the default state directory and in `~`",
    },
    Variable {
        name: "OPENCLAW_CONFIG_PATH",
        meaning: "the configuration file; default `openclaw.json` in the state directory",
    },
    Variable {
        name: "OPENCLAW_AGENT_DIR",
        meaning: "the directory of agent `main`, when no `--agent` is given",
    },
    Variable { name: "PI_CODING_AGENT_DIR", meaning: "the same, when the former is not set" },
    Variable {
        name: "OPENCLAW_PROFILE",
        meaning: "names the default workspace `~/.openclaw/workspace-<name>`; `--profile` before the command sets it",
    },
    Variable {
        name: "OPENCLAW_OAUTH_DIR",
        meaning: "where the legacy `oauth.json` is; default `credentials` in the state directory",
    },
    Variable {
        name: WITHOUT_PLUGINS,
        meaning: "`1`: no channels, and only the providers, variables and fields that OpenClaw \
                  knows without plugins",
    },
    Variable {
        name: "OPENCLAW_AUTH_BACKUPS",
        meaning: "how many earlier versions of an agent's credentials are kept, and as many from before renewals; default `5`, `0` for none",
    },
    Variable {
        name: "OPENCLAW_AUTH_LOG",
        meaning: "traces: `1` as `-v`, `2` as `-vv`, a path: all of them, appended to that file (0600)",
    },
    Variable {
        name: "OPENCLAW_LOAD_SHELL_ENV",
        meaning: "`1`: shown by `models status` as `shellEnvFallback`; no shell is started",
    },
    Variable {
        name: "BROWSER",
        meaning: "the command that opens a URL, `%s` standing for it; a `:`-separated list",
    },
    Variable {
        name: "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
        meaning: "the [proxy](#proxies) for requests, and the hosts that need none; in capitals or not",
    },
    Variable {
        name: "SSL_CERT_FILE, SSL_CERT_DIR",
        meaning: "certificate authorities in place of the system's",
    },
    Variable {
        name: "NODE_EXTRA_CA_CERTS",
        meaning: "not used; named where a certificate is not trusted",
    },
    Variable {
        name: "SSH_CONNECTION, SSH_CLIENT, SSH_TTY, CODESPACES, REMOTE_CONTAINERS, container, \
               DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME",
        meaning: "tell whether a browser on this machine would reach the user",
    },
    Variable {
        name: "SYSTEMD_EXEC_PID",
        meaning: "the main process of a unit: it does not end before a refresh that it has begun",
    },
    Variable {
        name: "CODEX_HOME, CLAUDE_CONFIG_DIR, GEMINI_CLI_HOME, XDG_DATA_HOME, XDG_CONFIG_HOME",
        meaning: "where other programs keep the logins that `models auth import` reads",
    },
    Variable {
        name: "GEMINI_FORCE_ENCRYPTED_FILE_STORAGE",
        meaning: "`true`: the login of Gemini CLI is encrypted, and not read",
    },
    Variable {
        name: "TERM, NO_COLOR, COLORFGBG, TMUX, STY",
        meaning: "what the terminal can show: a status line, a QR code and its colours, a copy",
    },
    Variable {
        name: "FORCE_HYPERLINK, TERM_PROGRAM, TERM_PROGRAM_VERSION, VTE_VERSION, WT_SESSION, \
               KONSOLE_VERSION, DOMTERM",
        meaning: "tell whether the terminal shows links; `FORCE_HYPERLINK` is `1` or `0`",
    },
    Variable { name: "HOME, USERPROFILE, USER, LOGNAME", meaning: "who and where the user is" },
];

/// The names of those of [`VARIABLES`] that are set.
pub fn set_variables(environment: &Environment) -> Vec<&'static str> {
    let names = VARIABLES.iter().flat_map(|variable| variable.name.split(", "));
    names.map(str::trim).filter(|name| environment.has(name)).collect()
}

/// The environment variables of a run.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Environment(BTreeMap<String, OsString>);

/// The values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// How the names of variables end that hold secrets.
const SECRET_ENDINGS: [&str; 7] =
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIALS", "TOKENS"];

impl Environment {
    /// The variables of this process, as they are now.
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .collect(),
        )
    }

    /// The variables given, and no others.
    pub fn of<N: Into<String>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The same variables with `name` set to `value`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The trimmed value of a variable; `None` when it is unset, blank or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The variables with their values.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&String, &OsString)> {
        self.0.iter()
    }

    /// The variables that do not look like secrets, with their values.
    pub(super) fn without_secrets(&self) -> impl Iterator<Item = (&String, &OsString)> {
        let is_secret = |name: &str| {
            let name = name.to_ascii_uppercase();
            SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
        };
        self.pairs().filter(move |(name, _)| !is_secret(name))
    }

    /// As [`Self::without_secrets`], to keep.
    #[cfg(static_glibc)]
    pub(super) fn kept_without_secrets(&self) -> Vec<(String, OsString)> {
        let shown = self.without_secrets();
        shown.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The variables of these names that are there, with their values.
    pub fn only<'e>(&'e self, names: &[&str]) -> impl Iterator<Item = (&'e String, &'e OsString)> {
        self.0.iter().filter(move |(name, _)| names.contains(&name.as_str()))
    }

    /// The directories of `PATH`. What it says of the working directory does not count.
    pub fn search_path(&self) -> Vec<PathBuf> {
        let Some(path) = self.path("PATH") else { return Vec::new() };
        std::env::split_paths(&path).filter(|directory| directory.is_absolute()).collect()
    }

    /// `PATH` without what it says of the working directory.
    pub fn absolute_search_path(&self) -> Option<OsString> {
        std::env::join_paths(self.search_path()).ok()
    }

    /// The names of all variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a variable is there, blank or not.
    pub(super) fn is_there(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a variable is set to something.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_empty())
    }

    /// Whether a switch is on: `1`, `true`, `yes` or `on`.
    pub fn is_on(&self, name: &str) -> bool {
        let value = self.text(name).unwrap_or_default().to_lowercase();
        matches!(value.as_str(), "1" | "true" | "yes" | "on")
    }

    /// Whether OpenClaw's bundled plugins count.
    pub fn has_bundled_plugins(&self) -> bool {
        !self.is_on(WITHOUT_PLUGINS)
    }

    /// The value of a variable as a path, bytes as they are.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.0.get(name)?;
        match value.to_str().map(str::trim) {
            Some("") => None,
            Some(text) => Some(PathBuf::from(text)),
            None => Some(PathBuf::from(value)),
        }
    }

    /// The value of a variable as a path: `~` at its start, which no shell has
    /// expanded, is the user's home directory.
    pub fn expanded(&self, name: &str) -> Option<PathBuf> {
        let path = self.path(name)?;
        Some(match path.strip_prefix("~") {
            Ok(rest) if rest.as_os_str().is_empty() => self.home(),
            Ok(rest) => self.home().join(rest),
            Err(_) => path,
        })
    }

    /// The user's home directory.
    pub fn home(&self) -> PathBuf {
        ["HOME", "USERPROFILE"]
            .iter()
            .find_map(|name| self.path(name))
            .or_else(|| self.home_of_account())
            .unwrap_or_else(|| PathBuf::from("/"))
    }

    /// The home directory by the system's list of accounts.
    #[cfg_attr(not(static_glibc), expect(clippy::unused_self, reason = "getent needs it"))]
    fn home_of_account(&self) -> Option<PathBuf> {
        #[cfg(static_glibc)]
        return super::getent::home_of(
            rustix::process::getuid().as_raw(),
            &self.kept_without_secrets(),
        );
        #[cfg(not(static_glibc))]
        directories::BaseDirs::new().map(|base| base.home_dir().to_owned())
    }

    /// Why a browser on this machine would not reach the user, if it would not.
    pub fn remote(&self) -> Option<Remote> {
        if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| self.has(name)) {
            return Some(Remote::Ssh);
        }
        let in_container =
            ["REMOTE_CONTAINERS", "CODESPACES", "container"].iter().any(|name| self.has(name))
                || Path::new("/.dockerenv").exists()
                || Path::new("/run/.containerenv").exists();
        if in_container {
            return Some(Remote::Container);
        }
        let has_display = self.has("DISPLAY") || self.has("WAYLAND_DISPLAY");
        if cfg!(target_os = "linux") && !has_display && !self.is_wsl() {
            return Some(Remote::NoDisplay);
        }
        None
    }

    /// Whether this is Linux inside Windows, whose browser is that of Windows. `sudo` takes
    /// the variable away; the kernel says it as well.
    pub fn is_wsl(&self) -> bool {
        let kernel = || std::fs::read_to_string("/proc/version").unwrap_or_default();
        self.has("WSL_DISTRO_NAME") || kernel().to_lowercase().contains("microsoft")
    }
}

/// Why a browser on this machine would not reach the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// The session came over SSH.
    Ssh,
    /// The process runs in a container.
    Container,
    /// Linux without a display.
    NoDisplay,
}

impl Remote {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Container => "container",
            Self::NoDisplay => "no-display",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_directory() {
        for (value, expected) in [
            ("~", Some("/h")),
            ("~/.codex", Some("/h/.codex")),
            ("~/", Some("/h")),
            ("~other/x", Some("~other/x")),
            ("/a/~/b", Some("/a/~/b")),
            ("", None),
        ] {
            let environment = Environment::of([("HOME", "/h"), ("X", value)]);
            let path = environment.expanded("X");
            assert_eq!(path.as_deref(), expected.map(Path::new), "{value}");
        }
    }

    #[test]
    fn the_documented_variables_are_these_variables() {
        let documented = include_str!("../../docs/environment.md");
        for Variable { name, meaning } in VARIABLES {
            let names: Vec<_> = name.split(", ").map(|name| format!("`{name}`")).collect();
            let row = format!("| {} | {meaning} |", names.join(", "));
            assert!(documented.contains(&row), "docs/environment.md lacks the row {row}");
        }
    }

    #[test]
    fn a_tilde_that_no_shell_has_expanded_is_the_home_directory() {
        use std::os::unix::ffi::OsStrExt;
        let of = |value: &[u8]| {
            let value = OsString::from(std::ffi::OsStr::from_bytes(value));
            Environment::of([("HOME", "/h")]).with("D", value).expanded("D")
        };
        for (value, path) in [
            (&b"~"[..], "/h"),
            (b"~/", "/h"),
            (b"~/.codex", "/h/.codex"),
            (b" ~//a/ ", "/h/a"),
            (b"/x/~/y", "/x/~/y"),
            (b"~ada/x", "~ada/x"),
            (b"x", "x"),
        ] {
            assert_eq!(of(value).as_deref(), Some(Path::new(path)));
        }
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"/h/\xff"));
        assert_eq!(of(b"~/\xff").as_deref(), Some(odd));
        assert_eq!(of(b" "), None);
    }

    #[test]
    fn an_ssh_session_is_remote() {
        assert_eq!(Environment::of([("SSH_TTY", "/dev/pts/0")]).remote(), Some(Remote::Ssh));
    }
}
