//! The command line: arguments in, text and exit status out.
//!
//! The path of a command is the path of its file. This is the only layer that prints;
//! data goes to standard output, everything else to standard error.

mod agents;
mod channels;
mod check;
mod configure;
mod console;
mod direct;
mod doctor;
mod duration;
mod exit;
mod failure;
mod login_state;
mod models;
mod named;
mod onboard;
mod output;
mod path_member;
mod prompt;
mod quota;
mod root;
mod secrets;
#[cfg(feature = "sqlite")]
mod store;
mod terminal;
mod wait;

use crate::app::{App, Machine, RefreshesBy};
use crate::ops::gateway;
use crate::ops::refresh::worker;
use crate::profile::AgentId;
use crate::store::Notice;
use crate::system::{Environment, StopSource, Streams, block_on};
use clap::{CommandFactory, Parser, Subcommand};
use direct::Direct;
pub use exit::ExitStatus;
use exit::Failure;
use output::Output;
use std::ffi::OsString;
use std::path::Path;

/// Owns the logins of AI subscriptions: sign in by OAuth, keep the tokens in one place,
/// hand out a fresh one
#[derive(Debug, Parser)]
#[command(name = "openclaw-auth", version, disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  openclaw-auth models auth login --provider openai-codex
  openclaw-auth models auth token --provider openai-codex
  openclaw-auth models auth list

Exit codes: 0 success, 1 failure, 2 usage, 3 a new login is needed, 4 server or network
unavailable, 5 lock not obtained in time, 6 store or config unusable, 130 interrupted")]
struct Cli {
    /// Use the state directory ~/.openclaw-<NAME>; before or after the command
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The same as --profile dev
    #[arg(long)]
    dev: bool,
    /// The agent that commands mean when they name none
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Logins and tokens of model providers
    Models(models::Args),
    /// Channels and logins, as OpenClaw lists them
    Channels(channels::Args),
    /// Agents, each with a store of its own
    Agents(agents::Args),
    /// Set up a first login, with questions or without
    Onboard(onboard::Args),
    /// Set up logins, the default model and agents, on a terminal
    Configure(configure::Args),
    /// Does a person have to act? Look at the logins, and send nothing
    Check(check::Args),
    /// Find problems in the stores, and restore what a change replaced
    Doctor(doctor::Args),
    /// Find secrets in plain text and references that do not resolve
    Secrets(secrets::Args),
    /// Where logins are stored: move them between JSON documents and a SQLite database
    #[cfg(feature = "sqlite")]
    Store(store::Args),
    #[command(skip)]
    Direct(Direct),
}

impl Command {
    /// The command that the arguments spell, the name of the program first.
    fn parse_from(args: Vec<OsString>) -> clap::error::Result<Option<Self>> {
        match Direct::parse(&args) {
            Some(direct) => Ok(Some(Self::Direct(direct))),
            None => Cli::try_parse_from(args).map(|cli| cli.command),
        }
    }

    fn run(self, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
        match self {
            Self::Models(args) => models::run(args, app, output),
            Self::Channels(args) => channels::run(args, app, output),
            Self::Onboard(args) => onboard::run(&args, app, output),
            Self::Configure(args) => configure::run(&args, app, output),
            Self::Agents(args) => agents::run(args, app, output),
            Self::Check(args) => check::run(&args, app, output),
            Self::Doctor(args) => doctor::run(&args, app, output),
            Self::Secrets(args) => secrets::run(args, app, output),
            #[cfg(feature = "sqlite")]
            Self::Store(args) => store::run(args, app, output),
            Self::Direct(direct) => direct.run(app, output),
        }
    }
}

/// Runs the program as the process that it is: a refresh is made by a worker, which this
/// process can be as well.
pub fn main(
    args: Vec<OsString>,
    environment: Environment,
    streams: &mut Streams,
    current_dir: &Path,
) -> ExitStatus {
    if args.get(1).is_some_and(|command| command == worker::COMMAND) {
        return work();
    }
    let by = (of_process(), RefreshesBy::process());
    start(args, environment, streams, current_dir, by)
}

/// Does the job of a worker. One that was started by hand has none.
fn work() -> ExitStatus {
    let begun = crate::system::worker::begin().ok().flatten();
    let Some(begun) = begun else { return ExitStatus::Usage };
    match block_on(worker::work(begun, failure::noticed)) {
        Ok(Some(())) => ExitStatus::Success,
        Ok(None) => ExitStatus::Usage,
        // Without a runtime nothing is begun.
        Err(_) => {
            worker::not_begun();
            ExitStatus::Success
        }
    }
}

/// Runs the program within this process and says how it ended.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    environment: Environment,
    streams: &mut Streams,
    current_dir: &Path,
) -> ExitStatus {
    run_on(of_process(), RefreshesBy::Caller, args, environment, streams, current_dir)
}

/// As [`run`], on this machine, with token requests made so.
pub fn run_on(
    machine: Machine,
    refreshes_by: RefreshesBy,
    args: impl IntoIterator<Item = OsString>,
    environment: Environment,
    streams: &mut Streams,
    current_dir: &Path,
) -> ExitStatus {
    let args = args.into_iter().collect();
    start(args, environment, streams, current_dir, (machine, refreshes_by))
}

/// The machine of a command: signals ask it to stop.
fn of_process() -> Machine {
    Machine { stop: StopSource::Signals, ..Machine::default() }
}

fn start(
    args: Vec<OsString>,
    environment: Environment,
    streams: &mut Streams,
    current_dir: &Path,
    (machine, refreshes_by): (Machine, RefreshesBy),
) -> ExitStatus {
    let (options, args) = match root::take(args, has_profile) {
        Ok(taken) => taken,
        Err(failure) => {
            Output::new(streams).failure(&failure);
            return failure.status;
        }
    };
    let command = match Command::parse_from(args) {
        Ok(command) => command,
        Err(error) => return print_clap(&error, streams),
    };
    let agent = AgentId::named(options.agent.as_deref());
    let app = App::new(options.apply(environment), current_dir).with_agent(agent);
    let app = app.with_refreshes_by(refreshes_by).on_machine(machine);
    let mut output = Output::new(streams).with_help(help_of);
    crate::system::process::keep_memory_private();
    let result = match command {
        Some(command) => command.run(&app, &mut output),
        None => output.help(&[]),
    };
    let result = result.and_then(|()| output.finish());
    for notice in app.notices.take() {
        if let Notice::GatewayRuns(news) = &notice
            && gateway::tell(&app, news)
        {
            continue;
        }
        output.warn(&failure::noticed(&notice));
    }
    match result {
        Ok(()) => output.status,
        Err(failure) => {
            output.failure(&failure);
            failure.status
        }
    }
}

/// The help of the command at `path`.
fn help_of(path: &[&str]) -> String {
    command_at(path).render_help().to_string()
}

/// The command that the words of `path` lead to; one that names no subcommand is the value of
/// an option.
fn command_at(path: &[impl AsRef<str>]) -> clap::Command {
    let mut command = Cli::command();
    command.build();
    for name in path {
        let subcommand = command.find_subcommand(name.as_ref()).cloned();
        command = subcommand.unwrap_or(command);
    }
    command
}

/// Whether the command that these words begin has a `--profile` of its own.
fn has_profile(words: &[String]) -> bool {
    let is_profile = |argument: &clap::Arg| argument.get_long() == Some("profile");
    let command = || Direct::command_of(words).unwrap_or_else(|| command_at(words));
    !words.is_empty() && command().get_arguments().any(is_profile)
}

/// What clap has to say: help and version are data, the rest is a usage error.
fn print_clap(error: &clap::Error, streams: &mut Streams) -> ExitStatus {
    let text = error.render().to_string();
    // A reader that has gone away does not need the text.
    if error.use_stderr() {
        Output::new(streams).say(text.trim_end());
        return ExitStatus::Usage;
    }
    let _ = streams.stdout.write_all(text.as_bytes()).and_then(|()| streams.stdout.flush());
    ExitStatus::Success
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
