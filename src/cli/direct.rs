//! The commands that scripts run most, parsed without the others.
//!
//! To build the whole command line takes longer than what such a command does. Invariant:
//! what is parsed here is parsed as the whole command line would; whatever is not, help and
//! mistakes among it, is left to it.

use super::output::Output;
use super::{channels, check, models};
use crate::app::App;
use crate::cli::exit::Failure;
use clap::{CommandFactory, Parser};
use std::ffi::OsString;

/// One of these commands with its arguments.
#[derive(Debug)]
pub(super) enum Direct {
    Token(Command<models::auth::token::Args>),
    List(Command<models::auth::list::Args>),
    ShortList(Command<models::auth::list::Args>),
    Status(models::status::Args),
    Channels(channels::list::Args),
    Check(check::Args),
}

/// A subcommand of `models auth` by itself.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
pub(super) struct Command<A: clap::Args> {
    #[command(flatten)]
    args: A,
    #[arg(long)]
    agent: Option<String>,
}

/// A command without the options of a parent.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Alone<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

impl Direct {
    /// The command that these arguments, the name of the program first, spell without a
    /// mistake.
    pub(super) fn parse(args: &[OsString]) -> Option<Self> {
        let words: Vec<&str> = args.iter().skip(1).take(3).map_while(|arg| arg.to_str()).collect();
        match words[..] {
            ["token", ..] => parsed(&args[2..]).map(Self::Token),
            ["list", ..] => parsed(&args[2..]).map(Self::ShortList),
            ["status", ..] => alone(&args[2..]).map(Self::Status),
            ["models", "auth", "token"] => parsed(&args[4..]).map(Self::Token),
            ["models", "auth", "list"] => parsed(&args[4..]).map(Self::List),
            ["models", "status", ..] => alone(&args[3..]).map(Self::Status),
            ["channels", "list", ..] => alone(&args[3..]).map(Self::Channels),
            ["check", ..] => alone(&args[2..]).map(Self::Check),
            _ => None,
        }
    }

    /// The definition of the command that these words begin, where it is one of these.
    pub(super) fn command_of(words: &[String]) -> Option<clap::Command> {
        let words: Vec<&str> = words.iter().take(3).map(String::as_str).collect();
        Some(match words[..] {
            ["token", ..] | ["models", "auth", "token"] => {
                Command::<models::auth::token::Args>::command()
            }
            ["list", ..] | ["models", "auth", "list"] => {
                Command::<models::auth::list::Args>::command()
            }
            _ => return None,
        })
    }

    /// Runs it.
    pub(super) fn run(self, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
        match self {
            Self::Token(Command { args, agent }) => {
                models::auth::token::run(args, agent.as_deref(), app, output)
            }
            Self::List(Command { args, agent }) => {
                models::auth::list::run(&args, agent.as_deref(), app, output)
            }
            Self::ShortList(Command { args, agent }) => {
                models::auth::list::run_short(&args, agent.as_deref(), app, output)
            }
            Self::Status(args) => models::status::run(&args, app, output),
            Self::Channels(args) => channels::list::run(&args, app, output),
            Self::Check(args) => check::run(&args, app, output),
        }
    }
}

fn parsed<P: Parser>(args: &[OsString]) -> Option<P> {
    P::try_parse_from(args).ok()
}

fn alone<A: clap::Args>(args: &[OsString]) -> Option<A> {
    parsed(args).map(|alone: Alone<A>| alone.args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    fn args(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    /// The arguments of the command itself, and the agent where a parent takes it.
    fn shown(direct: &Direct) -> (String, String) {
        let alone = |args: &dyn std::fmt::Debug| (format!("{args:?}"), String::new());
        match direct {
            Direct::Token(Command { args, agent }) => {
                (format!("{args:?}"), format!("agent: {agent:?}"))
            }
            Direct::List(Command { args, agent }) | Direct::ShortList(Command { args, agent }) => {
                (format!("{args:?}"), format!("agent: {agent:?}"))
            }
            Direct::Status(args) => alone(args),
            Direct::Channels(args) => alone(args),
            Direct::Check(args) => alone(args),
        }
    }

    #[test]
    fn a_command_alone_means_what_it_means_among_the_others() {
        for line in [
            "x models auth token",
            "x models auth token --agent a --provider p --min-ttl 10m --json",
            "x models auth token --profile=p:1 --force-refresh --stored --lock-timeout 1s",
            "x token",
            "x token chatgpt --agent a --min-ttl 10m --json",
            "x token --profile p:1",
            "x models auth token ada@example.test --stored",
            "x list --json --agent=a",
            "x status --json --agent a",
            "x models auth list --json --provider p --agent=a",
            "x models auth list",
            "x models status --check --json --agent a --usage",
            "x models status --plain",
            "x channels list --json --no-usage",
            "x channels list",
            "x check",
            "x check ada@example.com --agent a --within 2d --json",
            "x check --all --online --max-age=1h",
        ] {
            let whole = format!("{:?}", Cli::try_parse_from(args(line)).unwrap().command);
            let (command, agent) = shown(&Direct::parse(&args(line)).unwrap());
            assert!(whole.contains(&command) && whole.contains(&agent), "{line}: {whole}");
        }
    }

    #[test]
    fn help_mistakes_and_other_commands_are_left_to_the_whole_command_line() {
        for line in [
            "x",
            "x models",
            "x models auth",
            "x models auth token --help",
            "x models auth list -h",
            "x models status --plain --json",
            "x models auth token --min-ttl soon",
            "x models auth --agent a token",
            "x token chatgpt --provider p",
            "x token -h",
            "x login",
            "x models auth logout",
            "x channels list --odd",
            "x check --help",
            "x check --all --agent a",
            "x channels status",
        ] {
            assert!(Direct::parse(&args(line)).is_none(), "{line}");
        }
    }
}
