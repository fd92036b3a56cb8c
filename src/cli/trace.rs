//! Where the traces of a run go: standard error, or the file that `OPENCLAW_AUTH_LOG` names.

use super::output::Output;
use super::root::RootOptions;
use crate::app::App;
use crate::cli::exit::ExitStatus;
use crate::system::trace::{CommandName, Event, Level, Trace, open_log};
use std::ffi::OsString;
use std::io::Write;

/// The variable.
pub(super) const VARIABLE: &str = "OPENCLAW_AUTH_LOG";

/// What asks for traces.
#[derive(Debug, PartialEq, Eq)]
enum Wanted<'w> {
    Nothing,
    OnStderr(Level),
    InFile(&'w str),
}

fn wanted(verbose: u8, variable: Option<&str>) -> Wanted<'_> {
    match (Level::of(verbose), variable) {
        (Some(level), _) => Wanted::OnStderr(level),
        (None, None | Some("0")) => Wanted::Nothing,
        (None, Some("1")) => Wanted::OnStderr(Level::Steps),
        (None, Some("2")) => Wanted::OnStderr(Level::All),
        (None, Some(path)) => Wanted::InFile(path),
    }
}

/// The traces that the options and the environment of `app` ask for. A file that cannot be
/// written is told, and costs the command nothing else.
pub(super) fn of(options: &RootOptions, app: &App, output: &mut Output<'_>) -> Trace {
    match wanted(options.verbose, app.environment.text(VARIABLE)) {
        Wanted::Nothing => app.machine.trace.clone(),
        Wanted::OnStderr(level) => Trace::new(level, |line| {
            let _ = writeln!(std::io::stderr(), "trace: {line}");
        }),
        Wanted::InFile(path) => {
            let path = app.paths.expand(path);
            match open_log(&path) {
                Ok(file) => {
                    let pid = std::process::id();
                    Trace::new(Level::All, move |line| {
                        // One write a line: other processes append as well.
                        let _ = (&file).write_all(format!("{pid} {line}\n").as_bytes());
                    })
                }
                Err(error) => {
                    let path = app.paths.shorten(&path);
                    output.warn(&format!("no traces are written: {VARIABLE} is {path}: {error}"));
                    Trace::default()
                }
            }
        }
    }
}

/// Tells that the run has begun. `args` is the command line, the name of the program first;
/// `root` is the command of all commands, which takes a while to make.
pub(super) fn begin(app: &App, args: &[OsString], root: impl FnOnce() -> clap::Command) {
    let trace = &app.machine.trace;
    if trace.level().is_none() {
        return;
    }
    let command = command_name(args, root());
    trace.tell(|| Event::Begun { command: &command, pid: std::process::id() });
    trace.tell(|| Event::Program {
        version: env!("CARGO_PKG_VERSION"),
        commit: super::version::COMMIT,
        target: super::version::TARGET,
        has_state_dir: app.paths.state_dir.exists(),
        has_config: app.paths.config.exists(),
    });
}

/// Tells how the run has ended.
pub(super) fn end(app: &App, status: ExitStatus) {
    app.machine.trace.tell(|| Event::Ended { code: status.code() });
}

/// The command that the arguments spell, in its own words.
fn command_name(args: &[OsString], mut command: clap::Command) -> CommandName {
    let words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    let mut words = words.filter(|word| !word.starts_with('-'));
    let mut names = Vec::new();
    while let Some(next) = words.next().and_then(|word| command.find_subcommand(word).cloned()) {
        names.push(next.get_name().to_owned());
        command = next;
    }
    CommandName::of(names.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_before_the_variable() {
        assert_eq!(wanted(0, None), Wanted::Nothing);
        assert_eq!(wanted(0, Some("0")), Wanted::Nothing);
        assert_eq!(wanted(0, Some("1")), Wanted::OnStderr(Level::Steps));
        assert_eq!(wanted(0, Some("2")), Wanted::OnStderr(Level::All));
        assert_eq!(wanted(0, Some("~/x.log")), Wanted::InFile("~/x.log"));
        assert_eq!(wanted(1, Some("~/x.log")), Wanted::OnStderr(Level::Steps));
        assert_eq!(wanted(3, None), Wanted::OnStderr(Level::All));
    }

    #[test]
    fn a_command_is_named_by_its_own_words_alone() {
        let login = clap::Command::new("login");
        let auth = clap::Command::new("auth").subcommand(login);
        let models = clap::Command::new("models").subcommand(auth);
        let token = clap::Command::new("token");
        let root = clap::Command::new("x").subcommands([models, token]);
        for (line, name) in [
            ("x token ada@example.test --json", "\"token\""),
            ("x models auth login --provider fake-secret", "\"models auth login\""),
            ("x --agent fake-secret models status", "none"),
            ("x fake-secret", "none"),
            ("x", "none"),
        ] {
            let args: Vec<_> = line.split(' ').map(OsString::from).collect();
            assert_eq!(command_name(&args, root.clone()).to_string(), name, "{line}");
        }
    }
}
