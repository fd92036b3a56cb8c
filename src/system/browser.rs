//! Opening a URL in the user's browser (the external user-agent of RFC 8252).

use super::{Environment, child};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What came of the wish to open a URL.
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    /// A browser command was started.
    Started,
    /// Nothing was tried, because the browser would not reach the user.
    NotTried,
    /// No command could be started; the last error.
    Failed(String),
}

/// Who opens a URL for the user.
#[derive(Clone, Default)]
pub enum Browser {
    /// The browser of the user.
    #[default]
    System,
    /// What a test puts in its place: it gets the URL, and says what came of it.
    Instead(Arc<Open>),
}

/// What opens a URL.
pub type Open = dyn Fn(&Url) -> Opening + Send + Sync;

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Instead(_) => "Instead",
        })
    }
}

impl Browser {
    /// Opens `url`, with `$BROWSER` or, unless the environment is remote, with the system's
    /// opener.
    pub fn open(&self, environment: &Environment, url: &Url) -> Opening {
        if environment.text("BROWSER").is_none() && environment.remote().is_some() {
            return Opening::NotTried;
        }
        match self {
            Self::System => open(environment, url),
            Self::Instead(open) => open(url),
        }
    }
}

/// Opens `url` with `$BROWSER`, else with the system's opener. The command gets no terminal and
/// is not waited for.
fn open(environment: &Environment, url: &Url) -> Opening {
    if let Some(browser) = environment.text("BROWSER") {
        return start(browser_commands(browser, url.as_str()), environment);
    }
    let mut commands = open::commands(url.as_str());
    if environment.is_wsl() {
        let starts_windows = |command: &Command| command.get_program() == "powershell.exe";
        let first = usize::from(commands.first().is_some_and(starts_windows));
        commands.splice(first..first, windows_commands(url.as_str()));
    }
    start(commands, environment)
}

/// The ways to the browser of Windows beside the one that `open` knows: PowerShell, which
/// need not be on the path of WSL. They come before a browser of Linux. None of them reads
/// the URL as a command line, as `cmd.exe` would.
fn windows_commands(url: &str) -> Vec<Command> {
    let with = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments);
        command
    };
    let handler = ["url.dll,FileProtocolHandler", url];
    vec![
        with("wslview", &[url]),
        with("rundll32.exe", &handler),
        with("/mnt/c/Windows/System32/rundll32.exe", &handler),
    ]
}

fn start(commands: Vec<Command>, environment: &Environment) -> Opening {
    let mut failure = "no browser command was found".to_owned();
    for mut command in commands {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        child::withhold_secrets(&mut command, environment);
        // Its own process group: a Ctrl-C for us is not one for the browser.
        let outcome = command.process_group(0).spawn().and_then(|mut child| fails_soon(&mut child));
        let program = command.get_program().to_string_lossy().into_owned();
        match outcome {
            Ok(None) => return Opening::Started,
            Ok(Some(status)) => failure = format!("{program}: {status}"),
            Err(error) => failure = format!("{program}: {error}"),
        }
    }
    Opening::Failed(failure)
}

/// How a command failed that ends at once, as one does that finds no browser.
fn fails_soon(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    const LOOK: Duration = Duration::from_millis(10);
    for _ in 0..20 {
        if let Some(status) = child.try_wait()? {
            return Ok((!status.success()).then_some(status));
        }
        std::thread::sleep(LOOK);
    }
    Ok(None)
}

/// `$BROWSER`: commands separated by `:`, `%s` standing for the URL, which is appended
/// where it is missing. A path with a space in it may be given whole.
fn browser_commands(browser: &str, url: &str) -> Vec<Command> {
    let commands = browser.split(':').map(str::trim).filter(|command| !command.is_empty());
    commands
        .filter_map(|command| {
            if Path::new(command).is_file() {
                let mut whole = Command::new(command);
                whole.arg(url);
                return Some(whole);
            }
            let mut words = command.split_whitespace();
            let mut started = Command::new(words.next()?);
            started.args(words.map(|word| word.replace("%s", url)));
            if !command.contains("%s") {
                started.arg(url);
            }
            Some(started)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_variable_is_a_list_of_commands() {
        let commands: Vec<String> = browser_commands("one --new %s:two: ", "http://x/?a=b")
            .iter()
            .map(|command| format!("{command:?}"))
            .collect();
        assert_eq!(commands, [r#""one" "--new" "http://x/?a=b""#, r#""two" "http://x/?a=b""#]);
    }

    #[test]
    fn the_browser_of_windows_gets_the_url_as_one_argument() {
        let url = "https://as.example.test/a?b=c&d=%25e|f^g";
        let commands = windows_commands(url);
        let programs: Vec<_> = commands.iter().map(Command::get_program).collect();
        assert_eq!(programs, ["wslview", "rundll32.exe", "/mnt/c/Windows/System32/rundll32.exe"]);
        assert!(commands.iter().all(|command| command.get_args().last() == Some(url.as_ref())));
    }

    #[test]
    fn a_remote_environment_opens_nothing_by_itself() {
        let url = Url::parse("http://127.0.0.1/").unwrap();
        let open = |environment: &Environment| Browser::System.open(environment, &url);
        assert_eq!(open(&Environment::of([("SSH_TTY", "x")])), Opening::NotTried);
        let broken = Environment::of([("BROWSER", "/nonexistent/browser")]);
        assert!(matches!(open(&broken), Opening::Failed(_)));
        let failing = Environment::of([("BROWSER", "/bin/false:/bin/true")]);
        assert_eq!(open(&failing), Opening::Started);
        let failing = Environment::of([("BROWSER", "/bin/false")]);
        assert!(matches!(open(&failing), Opening::Failed(_)));
    }
}
