//! Where everything is: the only path authority.

use crate::profile::AgentId;
use crate::system::Environment;
use crate::text::printable;
use std::path::{Component, Path, PathBuf};

/// The paths of a run.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The user's home directory; `$OPENCLAW_HOME` stands in for it.
    pub home: PathBuf,
    /// The state directory.
    pub state_dir: PathBuf,
    /// The configuration file, whether or not it exists.
    pub config: PathBuf,
    /// Where OpenClaw once kept OAuth credentials.
    oauth_dir: PathBuf,
    /// Where relative paths start from.
    pub current_dir: PathBuf,
    /// The directory of agent `main` that the environment asks for.
    main_agent_dir: Option<PathBuf>,
    /// The workspace of the default agent, where the configuration names none.
    pub default_workspace: PathBuf,
    /// How people write the home directory.
    home_name: &'static str,
}

/// An agent and its directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentDir {
    /// The id; for a directory of the state directory that is not configured, its name.
    pub id: AgentId,
    /// Where its store is.
    pub path: PathBuf,
}

/// The directories of OpenClaw in a home directory, the present name first.
const STATE_DIRS: [&str; 2] = [".openclaw", ".clawdbot"];
/// The names of the configuration file, the present one first.
const CONFIG_FILES: [&str; 2] = ["openclaw.json", "clawdbot.json"];

impl Paths {
    /// The paths that the environment asks for; relative ones start from `current_dir`.
    pub fn new(environment: &Environment, current_dir: &Path) -> Self {
        let expand = |path: PathBuf, home: &Path| {
            let path = match path.strip_prefix("~") {
                Ok(rest) => home.join(rest),
                Err(_) => path,
            };
            normalize(&current_dir.join(path))
        };
        let user_home = environment.home();
        let (home, home_name) = match environment.path("OPENCLAW_HOME") {
            Some(home) => (expand(home, &user_home), "$OPENCLAW_HOME"),
            None => (user_home, "~"),
        };
        let variable = |name| environment.path(name).map(|path| expand(path, &home));
        let explicit_state_dir = variable("OPENCLAW_STATE_DIR");
        let in_home = || STATE_DIRS.map(|name| home.join(name));
        let state_dir = explicit_state_dir.clone().unwrap_or_else(|| {
            // A link that leads nowhere is a directory that is away.
            let is_there = |dir: &PathBuf| dir.is_dir() || dir.is_symlink();
            in_home().into_iter().find(is_there).unwrap_or_else(|| home.join(STATE_DIRS[0]))
        });
        let config = variable("OPENCLAW_CONFIG_PATH").unwrap_or_else(|| {
            let mut directories = vec![state_dir.clone()];
            if explicit_state_dir.is_none() {
                directories.extend(in_home());
            }
            directories
                .iter()
                .flat_map(|directory| CONFIG_FILES.map(|name| directory.join(name)))
                .find(|file| file.is_file() || file.is_symlink())
                .unwrap_or_else(|| state_dir.join(CONFIG_FILES[0]))
        });
        let main_agent_dir =
            variable("OPENCLAW_AGENT_DIR").or_else(|| variable("PI_CODING_AGENT_DIR"));
        let oauth_dir =
            variable("OPENCLAW_OAUTH_DIR").unwrap_or_else(|| state_dir.join("credentials"));
        let current_dir = current_dir.to_owned();
        let default_workspace = match environment.text("OPENCLAW_PROFILE") {
            None | Some("default") => home.join(".openclaw/workspace"),
            Some(profile) => home.join(format!(".openclaw/workspace-{profile}")),
        };
        Self {
            home,
            state_dir,
            config,
            oauth_dir,
            current_dir,
            main_agent_dir,
            default_workspace,
            home_name,
        }
    }

    /// The file that sets variables: `.env` in the state directory that is named, else
    /// beside the configuration that is named, else in `~/.openclaw`.
    pub fn env_file(&self, environment: &Environment) -> PathBuf {
        let directory = if environment.has("OPENCLAW_STATE_DIR") {
            Some(self.state_dir.as_path())
        } else if environment.has("OPENCLAW_CONFIG_PATH") {
            self.config.parent()
        } else {
            None
        };
        directory.map_or_else(|| self.home.join(STATE_DIRS[0]), Path::to_path_buf).join(".env")
    }

    /// The directory of the provider files.
    pub fn providers(&self) -> PathBuf {
        self.state_dir.join("providers")
    }

    /// The legacy file with the OAuth credentials of agent `main`.
    pub fn oauth_file(&self) -> PathBuf {
        self.oauth_dir.join("oauth.json")
    }

    /// The directory of an agent that the configuration gives no other.
    pub fn agent_dir(&self, id: &AgentId) -> PathBuf {
        self.state_dir.join(format!("agents/{}/agent", id.as_str()))
    }

    /// The directory of the sessions of an agent.
    pub fn sessions_dir(&self, id: &AgentId) -> PathBuf {
        self.state_dir.join("agents").join(id.as_str()).join("sessions")
    }

    /// Agent `main` as listings see it: where the environment puts it, else in its default
    /// place, whatever the configuration says.
    pub fn main_without_config(&self) -> AgentDir {
        let default = || AgentDir { id: AgentId::main(), path: self.agent_dir(&AgentId::main()) };
        self.main_agent().unwrap_or_else(default)
    }

    /// Where `$OPENCLAW_AGENT_DIR` puts agent `main`. It counts when no agent is named on
    /// the command line.
    pub fn main_agent(&self) -> Option<AgentDir> {
        let path = self.main_agent_dir.clone()?;
        Some(AgentDir { id: AgentId::main(), path })
    }

    /// `path` in full: `~` is the home directory, a relative one starts from the current
    /// directory.
    pub fn expand(&self, path: &str) -> PathBuf {
        match Path::new(path).strip_prefix("~") {
            Ok(rest) => normalize(&self.home.join(rest)),
            Err(_) => normalize(&self.current_dir.join(path)),
        }
    }

    /// Where replies wait that could not be stored, in the order in which the directories are
    /// tried: the second is for a state directory that is full or read-only.
    pub fn spool(&self) -> [PathBuf; 2] {
        [self.state_dir.join("recovery"), self.home.join(".openclaw-auth-recovery")]
    }

    /// Where tokens are kept that were given for stored ones.
    pub fn exchanged_tokens(&self) -> PathBuf {
        self.state_dir.join("exchanged-tokens")
    }

    /// Where the logins that were begun are kept until they are finished.
    pub fn pending_logins(&self) -> PathBuf {
        self.state_dir.join("pending-logins")
    }

    /// Where logins that listen on a port say so to each other.
    pub fn login_locks(&self) -> PathBuf {
        self.state_dir.join("locks/login")
    }

    /// Where the logins that were moved away are noted.
    pub fn moves(&self) -> PathBuf {
        self.state_dir.join("moves")
    }

    /// Where the directories of deleted agents go.
    pub fn trash(&self) -> PathBuf {
        self.state_dir.join("trash")
    }

    /// `path` as people write it: `~`, or the variable that replaces it, for the home
    /// directory.
    pub fn shorten(&self, path: &Path) -> String {
        let shown = match path.strip_prefix(&self.home) {
            Ok(rest) if !self.home.as_os_str().is_empty() && self.home != Path::new("/") => {
                Path::new(self.home_name).join(rest).display().to_string()
            }
            _ => path.display().to_string(),
        };
        printable(&shown, 4_096)
    }
}

/// `path` without `.` and `..`, by its text alone.
fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::file::{create_private_directory, replace};

    fn paths(variables: &[(&str, &str)]) -> Paths {
        Paths::new(&Environment::of(variables.iter().copied()), Path::new("/cwd"))
    }

    #[test]
    fn the_state_directory_is_in_the_home_directory_unless_named() {
        assert_eq!(paths(&[("HOME", "/h")]).state_dir, Path::new("/h/.openclaw"));
        let both = [("HOME", "/h"), ("OPENCLAW_HOME", "~/oc")];
        assert_eq!(paths(&both).state_dir, Path::new("/h/oc/.openclaw"));
        let named = [("HOME", "/h"), ("OPENCLAW_STATE_DIR", " ~/s ")];
        assert_eq!(paths(&named).state_dir, Path::new("/h/s"));
        assert_eq!(paths(&named).config, Path::new("/h/s/openclaw.json"));
        let relative = [("HOME", "/h"), ("OPENCLAW_STATE_DIR", "../x/./s")];
        assert_eq!(paths(&relative).state_dir, Path::new("/x/s"));
        assert_eq!(
            paths(&[("HOME", "/h"), ("OPENCLAW_STATE_DIR", "  ")]).state_dir,
            Path::new("/h/.openclaw")
        );
    }

    #[test]
    fn the_former_directory_is_used_where_there_is_no_other() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().to_str().unwrap();
        let former = root.path().join(".clawdbot");
        create_private_directory(&former).unwrap();
        replace(&former.join("clawdbot.json"), b"{}").unwrap();
        let found = paths(&[("HOME", home)]);
        assert_eq!(found.state_dir, former);
        assert_eq!(found.config, former.join("clawdbot.json"));
        create_private_directory(&root.path().join(".openclaw")).unwrap();
        let found = paths(&[("HOME", home)]);
        assert_eq!(found.state_dir, root.path().join(".openclaw"));
        assert_eq!(found.config, former.join("clawdbot.json"), "as OpenClaw has it");
        let explicit = paths(&[("HOME", home), ("OPENCLAW_STATE_DIR", "/s")]);
        assert_eq!(explicit.config, Path::new("/s/openclaw.json"));
    }

    #[test]
    fn the_main_agent_can_be_moved_by_the_environment() {
        assert_eq!(paths(&[("HOME", "/h")]).main_agent(), None);
        let moved =
            paths(&[("HOME", "/h"), ("OPENCLAW_AGENT_DIR", "/a"), ("PI_CODING_AGENT_DIR", "/b")]);
        assert_eq!(moved.main_agent().unwrap().path, Path::new("/a"));
        assert_eq!(moved.agent_dir(&AgentId::main()), Path::new("/h/.openclaw/agents/main/agent"));
    }

    #[test]
    fn paths_are_shown_with_a_tilde() {
        let paths = paths(&[("HOME", "/h")]);
        assert_eq!(paths.shorten(Path::new("/h/x")), "~/x");
        assert_eq!(paths.shorten(Path::new("/hx")), "/hx");
    }
}
