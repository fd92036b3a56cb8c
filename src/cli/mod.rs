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
mod doctor_report;
mod duration;
mod exit;
mod failure;
mod help;
mod json_error;
mod login_state;
mod mistyped;
mod models;
mod move_login;
mod named;
mod onboard;
mod openclaw_json;
mod output;
mod path_member;
mod prompt;
mod providers;
mod prune;
mod quota;
mod recovery_hint;
mod rename;
mod root;
mod secrets;
mod short;
#[cfg(feature = "sqlite")]
mod store;
mod table;
mod terminal;
mod trace;
mod usage;
mod use_profile;
mod version;
mod wait;

use crate::app::{App, RefreshesBy};
use crate::ops::gateway;
use crate::ops::refresh::worker;
use crate::profile::AgentId;
use crate::store::Notice;
use crate::system::{Environment, Machine, StopSource, Streams, block_on};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use direct::Direct;
pub use exit::ExitStatus;
use exit::Failure;
use exit::typed::{self, Typed};
use output::Output;
use root::Takes;
use short::Short;
use std::ffi::OsString;
use std::path::Path;

/// Owns the logins of AI subscriptions: sign in by OAuth, keep the tokens in one place,
/// hand out a fresh one
#[derive(Debug, Parser)]
#[command(name = "openclaw-auth", version, disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  openclaw-auth login chatgpt
  openclaw-auth token chatgpt
  openclaw-auth list

Exit codes: 0 success, 1 failure, 2 usage, 3 a new login is needed, 4 server or network
unavailable, 5 lock not obtained in time, 6 store or config unusable, 130 interrupted")]
struct Cli {
    /// Use the state directory ~/.openclaw-<NAME>; before the command alone
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The same as --profile dev
    #[arg(long)]
    dev: bool,
    /// The agent that commands mean when they name none
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Say nothing but errors; before or after the command
    #[arg(long, short)]
    quiet: bool,
    /// Trace requests and refreshes on standard error, without secrets; -vv: everything
    #[arg(long, short, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Sign in and store the login; without a name, choose from a list
    Login(Box<Short<models::auth::login::Args>>),
    /// Revoke a login and remove its profile
    Logout(Short<models::auth::logout::Args>),
    /// Print a usable access token, refreshing it where needed
    Token(Short<models::auth::token::Args>),
    /// List the profiles with their health
    List(Short<models::auth::list::Args>),
    /// Show the models in use and what can be used for them, until when
    Status(models::status::Args),
    /// Use this profile first for its provider
    Use(Short<use_profile::Args>),
    /// Give a profile another id
    Rename(Short<rename::Args>),
    /// Move a login to another machine or agent; there is no way to copy one
    #[command(name = "move")]
    MoveLogin(Short<move_login::Args>),
    /// Take over the login of another program, or one that was moved here
    Import(Box<Short<models::auth::import::Args>>),
    /// Remove the logins that are over: refused, or expired and not renewable
    Prune(Short<prune::Args>),
    /// The providers, what each is called, and the ways to sign in
    Providers(providers::Args),
    /// Print the help of a command
    Help(help::Args),
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
    /// Check whether a login needs attention; sends no request
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
    /// The command that the arguments spell, the name of the program first. Help is wrapped
    /// for these streams.
    fn parse_from(args: &[OsString], streams: &Streams) -> clap::error::Result<Option<Self>> {
        if let Some(direct) = Direct::parse(args) {
            return Ok(Some(Self::Direct(direct)));
        }
        let mut root = root_command(output::columns(streams));
        let mut matches = root.try_get_matches_from_mut(args)?;
        let cli = Cli::from_arg_matches_mut(&mut matches);
        cli.map(|cli| cli.command).map_err(|error| error.format(&mut root))
    }

    fn run(self, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
        match self {
            Self::Login(short) => {
                let Short { args, agent } = *short;
                models::auth::sign_in::login_by_name(args, agent.as_deref(), app, output)
            }
            Self::Logout(Short { args, agent }) => {
                models::auth::logout::run_short(args, agent.as_deref(), app, output)
            }
            Self::Token(Short { args, agent }) => {
                models::auth::token::run(args, agent.as_deref(), app, output)
            }
            Self::List(Short { args, agent }) => {
                models::auth::list::run_short(&args, agent.as_deref(), app, output)
            }
            Self::Status(args) => models::status::run(&args, app, output),
            Self::Use(Short { args, agent }) => {
                use_profile::run(&args, agent.as_deref(), app, output)
            }
            Self::Rename(Short { args, agent }) => rename::run(args, agent.as_deref(), app, output),
            Self::MoveLogin(Short { args, agent }) => {
                move_login::run(args, agent.as_deref(), app, output)
            }
            Self::Import(short) => {
                let Short { args, agent } = *short;
                models::auth::import::run(args, agent.as_deref(), app, output)
            }
            Self::Prune(Short { args, agent }) => prune::run(&args, agent.as_deref(), app, output),
            Self::Providers(args) => providers::run(args, app, output),
            Self::Help(args) => help::run(&args, &command_at(&[] as &[&str]), output),
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
    if let Some(text) = version::asked_for(&args) {
        return usage::print(&text, streams);
    }
    // Before clap: what is wrong with the arguments is told in JSON as well.
    let in_json = json_error::wanted(&args, &environment);
    let typed = args.get(1..).unwrap_or_default().to_vec();
    typed::set(Typed { args: typed.clone(), profile: None, takes_value });
    let (options, args) = match root::take(args, how_taken) {
        Ok(taken) => taken,
        Err(failure) => return json_error::end(&failure, in_json, &mut Output::new(streams)),
    };
    typed::set(Typed { args: typed, profile: options.profile.clone(), takes_value });
    let prints_openclaws_json = openclaw_json::is_wanted(&args);
    let command = match Command::parse_from(&args, streams) {
        Ok(command) => command,
        Err(error) => {
            let root = || command_at(&[] as &[&str]);
            return usage::show(&error, &args, root, in_json, streams);
        }
    };
    let agent = AgentId::named(options.agent.as_deref());
    let app = App::new(options.apply(environment), current_dir).with_agent(agent);
    let mut app = app.with_refreshes_by(refreshes_by).on_machine(machine);
    let mut output = Output::new(streams).with_help(help_of).quiet(options.quiet);
    app.machine.trace = trace::of(&options, &app, &mut output);
    trace::begin(&app, &args, || command_at(&[] as &[&str]));
    crate::system::process::keep_memory_private();
    if options.profile.is_some() && !app.paths.state_dir.exists() {
        let state_dir = app.paths.shorten(&app.paths.state_dir);
        output.say(&format!("note: there is no state directory {state_dir} yet"));
    }
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
    let status = match result {
        Ok(()) => output.status,
        Err(failure) if prints_openclaws_json && openclaw_json::is_right(&app, failure.status) => {
            output.failure(&failure);
            openclaw_json::print(&failure, &mut output)
        }
        Err(failure) => json_error::end(&failure, in_json, &mut output),
    };
    trace::end(&app, status);
    status
}

/// The help of the command at `path`, in so many columns.
fn help_of(path: &[&str], columns: usize) -> String {
    below(root_command(columns), path).render_help().to_string()
}

/// All commands. Their help is wrapped at words, for so many columns.
fn root_command(columns: usize) -> clap::Command {
    const WIDEST: usize = 100;
    Cli::command().term_width(columns.min(WIDEST))
}

/// Every command with its options and help, for manual pages and completions.
pub fn command() -> clap::Command {
    command_at(&[] as &[&str])
}

/// The command that the words of `path` lead to; one that names no subcommand is the value of
/// an option.
fn command_at(path: &[impl AsRef<str>]) -> clap::Command {
    below(Cli::command(), path)
}

fn below(mut command: clap::Command, path: &[impl AsRef<str>]) -> clap::Command {
    command.build();
    for name in path {
        let subcommand = command.find_subcommand(name.as_ref()).cloned();
        command = subcommand.unwrap_or(command);
    }
    command
}

/// How the command that these words begin takes a credential.
fn how_taken(words: &[String]) -> Takes {
    let depth = depth_of(words);
    let direct = Direct::command_of(words);
    let is_direct = direct.is_some();
    let command = direct.unwrap_or_else(|| command_at(words));
    // Words that are no command are a mistake of another kind.
    if !is_direct && command.get_name() == Cli::command().get_name() {
        return Takes::Profile;
    }
    let has = |name: &str| command.get_arguments().any(|it| it.get_long() == Some(name));
    let is_of_agents = words.first().is_some_and(|word| word == "agents");
    let is_word = |argument: &clap::Arg| {
        let names = argument.get_value_names().unwrap_or_default();
        argument.is_positional() && names.iter().any(|name| name == "NAME" || name == "PROFILE")
    };
    if has("profile-id") {
        Takes::ProfileId
    } else if has("profile") {
        Takes::Profile
    } else if !is_of_agents && command.get_arguments().any(is_word) {
        Takes::Word(depth)
    } else {
        Takes::Nothing
    }
}

/// Whether a command has an option of this name, with its dashes, that takes a value.
fn takes_value(name: &str) -> bool {
    fn has(command: &clap::Command, name: &str) -> bool {
        let is_it = |it: &clap::Arg| it.get_long() == Some(name) && it.get_action().takes_values();
        command.get_arguments().any(is_it) || command.get_subcommands().any(|it| has(it, name))
    }
    name.strip_prefix("--").is_some_and(|name| has(&command_at(&[] as &[&str]), name))
}

/// How many of these words are the command.
fn depth_of(words: &[String]) -> usize {
    let mut command = command_at(&[] as &[&str]);
    let is_command = |word: &&String| {
        let next = command.find_subcommand(word).cloned();
        next.map(|next| command = next).is_some()
    };
    words.iter().take_while(is_command).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
