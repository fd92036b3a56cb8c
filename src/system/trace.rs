//! What a run tells of itself for a person who looks for a fault: a line for each step.
//!
//! Invariant: a line is built from typed fields alone: methods, schemes, hosts, path templates,
//! statuses, sizes, times, codes of ours, hashes. No text of a file, a header, a body, a query or
//! of another program enters it. Where nobody asked for traces, none is built.

use oauth2::http::{Method, StatusCode};
use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Requests, refreshes, and how the run ended.
    Steps = 1,
    /// What the program is, leases and workers as well.
    All = 2,
}

impl Level {
    /// The level of this number: none for 0, the last for all that are too high.
    pub const fn of(number: u8) -> Option<Self> {
        match number {
            0 => None,
            1 => Some(Self::Steps),
            _ => Some(Self::All),
        }
    }
}

/// Where traces go, if anywhere.
#[derive(Clone, Default)]
pub struct Trace(Option<Arc<To>>);

struct To {
    level: Level,
    began: Instant,
    write: Box<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trace").field(&self.level()).finish()
    }
}

impl Trace {
    /// Traces of `level`, whose lines are given to `write`.
    pub fn new(level: Level, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(To { level, began: Instant::now(), write: Box::new(write) })))
    }

    /// How much is told; `None` where nothing is.
    pub fn level(&self) -> Option<Level> {
        self.0.as_ref().map(|to| to.level)
    }

    /// How long it has been told; no time where nothing is.
    pub fn elapsed(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |to| to.began.elapsed())
    }

    /// Tells a step, which is built only where it is wanted.
    pub fn tell<'e>(&self, event: impl FnOnce() -> Event<'e>) {
        let Some(to) = &self.0 else { return };
        let event = event();
        if event.level() <= to.level {
            (to.write)(&format!("{:>6}ms {event}", to.began.elapsed().as_millis()));
        }
    }

    /// Hands on a line of a worker, which was built as ours are.
    pub fn of_worker(&self, line: &str) {
        if let Some(to) = &self.0 {
            (to.write)(&format!("worker {line}"));
        }
    }
}

/// A step.
#[derive(Debug)]
pub enum Event<'e> {
    /// The run has begun.
    Begun {
        /// The words of the command.
        command: &'e CommandName,
        /// The process.
        pid: u32,
    },
    /// What the program is, and what it finds.
    Program {
        /// Its version.
        version: &'static str,
        /// The commit.
        commit: &'static str,
        /// What it was compiled for.
        target: &'static str,
        /// Whether there is a state directory.
        has_state_dir: bool,
        /// Whether there is a configuration.
        has_config: bool,
    },
    /// A request goes out.
    Request {
        /// The method.
        method: &'e Method,
        /// Where it goes.
        url: &'e Url,
        /// How many bytes its body has.
        size: usize,
    },
    /// An answer has come, or as much of it as came.
    Answer {
        /// The host.
        url: &'e Url,
        /// The status.
        status: StatusCode,
        /// How many bytes of its body came.
        size: usize,
        /// Whether that is all.
        is_whole: bool,
        /// After how long.
        after: Duration,
    },
    /// No answer has come.
    NoAnswer {
        /// The host.
        url: &'e Url,
        /// Why: a word of ours.
        why: &'static str,
        /// After how long.
        after: Duration,
    },
    /// A login is to be refreshed.
    Refreshing {
        /// The profile.
        profile: Hash,
        /// The grant.
        grant: Option<Hash>,
    },
    /// That has ended.
    Refreshed {
        /// The profile.
        profile: Hash,
        /// How: a word of ours.
        outcome: &'static str,
    },
    /// The lease of a login is ours, or another process has stored what it was wanted for.
    Lease {
        /// The profile.
        profile: Hash,
        /// Whether it is ours.
        is_ours: bool,
    },
    /// A worker makes the refresh.
    Worker {
        /// The profile.
        profile: Hash,
    },
    /// The run has ended.
    Ended {
        /// The exit code.
        code: u8,
    },
}

impl Event<'_> {
    const fn level(&self) -> Level {
        match self {
            Self::Program { .. } | Self::Lease { .. } | Self::Worker { .. } => Level::All,
            _ => Level::Steps,
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun { command, pid } => write!(f, "begin command={command} pid={pid}"),
            Self::Program { version, commit, target, has_state_dir, has_config } => write!(
                f,
                "program version={version} commit={commit} target={target} \
                 state-dir={has_state_dir} config={has_config}"
            ),
            Self::Request { method, url, size } => {
                let (method, path) = (Known(method), PathTemplate(url));
                write!(f, "request {method} {}://{}{path} size={size}", url.scheme(), Host(url))
            }
            Self::Answer { url, status, size, is_whole, after } => write!(
                f,
                "answer host={} status={} size={size} whole={is_whole} after={}ms",
                Host(url),
                status.as_u16(),
                after.as_millis()
            ),
            Self::NoAnswer { url, why, after } => {
                let (host, after) = (Host(url), after.as_millis());
                write!(f, "no-answer host={host} why={why} after={after}ms")
            }
            Self::Refreshing { profile, grant: Some(grant) } => {
                write!(f, "refresh profile={profile} grant={grant}")
            }
            Self::Refreshing { profile, grant: None } => write!(f, "refresh profile={profile}"),
            Self::Refreshed { profile, outcome } => {
                write!(f, "refresh-end profile={profile} outcome={outcome}")
            }
            Self::Lease { profile, is_ours } => write!(f, "lease profile={profile} ours={is_ours}"),
            Self::Worker { profile } => write!(f, "worker-start profile={profile}"),
            Self::Ended { code } => write!(f, "end exit={code}"),
        }
    }
}

/// The words of a command, as the program itself has them.
#[derive(Debug)]
pub struct CommandName(String);

impl CommandName {
    /// The words that are names of commands: letters and hyphens.
    pub fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let is_name = |name: &&str| name.bytes().all(|it| it.is_ascii_lowercase() || it == b'-');
        Self(names.filter(is_name).collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { write!(f, "{:?}", self.0) }
    }
}

/// What stands for a name or a secret: the first 12 hexadecimal digits of its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash(String);

impl Hash {
    /// That of `text`.
    pub fn of(text: &str) -> Self {
        let mut hash = format!("{:x}", Sha256::digest(text.as_bytes()));
        hash.truncate(12);
        Self(hash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A method, where it is one of those that everybody knows.
struct Known<'m>(&'m Method);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [Method::GET, Method::POST, Method::HEAD, Method::PUT, Method::DELETE];
        f.write_str(if known.contains(self.0) { self.0.as_str() } else { "OTHER" })
    }
}

/// Host and port of a URL.
struct Host<'u>(&'u Url);

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The segments of a path that say what is asked for and nothing else.
const SEGMENTS: [&str; 34] = [
    ".well-known",
    "access_token",
    "accounts",
    "api",
    "auth",
    "authorize",
    "authorization",
    "backend-api",
    "claude_code",
    "code",
    "codex",
    "connect",
    "copilot_internal",
    "device",
    "deviceauth",
    "device_authorization",
    "idp",
    "login",
    "models",
    "oauth",
    "oauth-authorization-server",
    "oauth2",
    "openid-configuration",
    "quota",
    "revoke",
    "token",
    "tokens",
    "usage",
    "user",
    "usercode",
    "userinfo",
    "v1",
    "v2",
    "wham",
];

/// The path of a URL: of each segment that is not known to be harmless, only that there is one.
struct PathTemplate<'u>(&'u Url);

impl fmt::Display for PathTemplate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in self.0.path_segments().into_iter().flatten() {
            let known = SEGMENTS.iter().find(|it| **it == segment);
            write!(f, "/{}", known.copied().unwrap_or(if segment.is_empty() { "" } else { "*" }))?;
        }
        Ok(())
    }
}

/// Opens a file of ours to append traces to; a new one is 0600. No link is followed.
///
/// # Errors
/// It is a link or no regular file, belongs to somebody else, or cannot be opened.
pub fn open_log(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW;
    let flags = flags | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    let metadata = file.metadata()?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if metadata.is_file() && is_ours { Ok(file) } else { Err(ErrorKind::PermissionDenied.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::Mutex;

    fn lines_at(level: Level, events: impl Fn(&Trace)) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&lines);
        let trace = Trace::new(level, move |line| {
            told.lock().unwrap().push(line.split_once("ms ").unwrap().1.to_owned());
        });
        events(&trace);
        lines.lock().unwrap().clone()
    }

    #[test]
    fn of_a_url_only_scheme_host_and_known_segments_are_told() {
        let url = "https://ada:fake-password@auth.example:8443/oauth/fake-id/token/?code=fake#fake";
        let url = Url::parse(url).unwrap();
        let odd = Method::from_bytes(b"FAKE-SECRET").unwrap();
        let lines = lines_at(Level::Steps, |trace| {
            trace.tell(|| Event::Request { method: &Method::POST, url: &url, size: 7 });
            trace.tell(|| Event::Request { method: &odd, url: &url, size: 0 });
            trace.tell(|| Event::NoAnswer { url: &url, why: "proxy", after: Duration::ZERO });
        });
        assert_eq!(
            lines,
            [
                "request POST https://auth.example:8443/oauth/*/token/ size=7",
                "request OTHER https://auth.example:8443/oauth/*/token/ size=0",
                "no-answer host=auth.example:8443 why=proxy after=0ms",
            ]
        );
    }

    #[test]
    fn a_level_has_its_events_and_none_builds_no_event() {
        let profile = || Hash::of("p:a");
        let events = |trace: &Trace| {
            trace.tell(|| Event::Lease { profile: profile(), is_ours: true });
            trace.tell(|| Event::Ended { code: 3 });
        };
        assert_eq!(lines_at(Level::Steps, events), ["end exit=3"]);
        assert_eq!(lines_at(Level::All, events).len(), 2);
        Trace::default().tell(|| unreachable!("nobody asked"));
        assert_eq!(
            [0, 1, 2, 9].map(Level::of),
            [None, Some(Level::Steps), Some(Level::All), Some(Level::All)]
        );
        let command = CommandName::of(["models", "fake_secret=1", "auth"].into_iter());
        assert_eq!(command.to_string(), "\"models auth\"");
    }

    #[test]
    fn a_log_is_private_and_no_link_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let [log, link, target] = ["log", "link", "target"].map(|it| root.path().join(it));
        open_log(&log).unwrap();
        open_log(&log).unwrap();
        assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        symlink(&target, &link).unwrap();
        assert!(open_log(&link).is_err() && !target.exists());
        assert!(open_log(root.path()).is_err());
        assert!(open_log(Path::new("/dev/null")).is_err());
    }
}
