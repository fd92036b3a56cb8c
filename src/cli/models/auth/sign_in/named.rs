//! `login NAME`: the sign-in that a name means.

use super::pick::{nothing_chosen, pick, pick_way};
use super::{Choice, is_login, ways_of};
use crate::app::App;
use crate::cli::exit::{Command, Failure, Hint};
use crate::cli::failure;
use crate::cli::models::auth::login::{self, Args};
use crate::cli::models::auth::paste::Shown;
use crate::cli::output::Output;
use crate::ops::name::sign_in;
use crate::profile::{AgentId, ProviderId};
use crate::provider::Catalog;
use crate::text::printable;

/// Signs in: what a name means, or what the user chooses on the terminal.
///
/// # Errors
/// Those of the command; or nothing is chosen.
pub(in crate::cli) fn login(
    mut args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let in_json = args.is_in_json();
    // A program asks for events, and chooses nothing from a list.
    let may_choose = output.streams.stdin_is_terminal && !in_json;
    let is_picked = args.is_open() && may_choose;
    if args.name().is_none() && !is_picked {
        return login::run(args, agent, app, output);
    }
    let catalog = app.catalog()?;
    let choice = match args.name() {
        Some(name) => named(name, AgentId::named(agent).as_ref(), app, &catalog, may_choose)?,
        None => pick(app, &catalog)?.ok_or_else(nothing_chosen)?,
    };
    match choice {
        Choice::Login(definition) => args.set_provider(definition.id.clone(), None),
        Choice::Program(provider) => args.set_provider(provider, None),
        Choice::Method(definition, method) if is_login(method) => {
            args.set_provider(definition.id.clone(), Some(method.id.clone()));
        }
        other => {
            let shown = if in_json { Shown::Event } else { Shown::Text };
            return other.go_to(args.profile_id().cloned(), shown, agent, app, output);
        }
    }
    login::run(args, agent, app, output)
}

/// The way to sign in that `name` means: of an account or a profile that is there, of a
/// provider. Where there are several, the user chooses on the terminal.
///
/// # Errors
/// It means nothing, or several ways, and nobody can choose.
fn named<'c>(
    name: &str,
    agent: Option<&AgentId>,
    app: &App,
    catalog: &'c Catalog,
    may_choose: bool,
) -> Result<Choice<'c>, Failure> {
    let providers = sign_in(app, catalog, agent, name)
        .map_err(|error| failure::named(error, &Command::ours("login")))?;
    let mut ways = match &providers[..] {
        [only] => ways_of_one(catalog, only),
        several => {
            let known = several.iter().filter_map(|id| catalog.find(id));
            known.flat_map(|it| ways_of(&it.definition)).collect()
        }
    };
    match ways.len() {
        0 => Err(no_way(name)),
        1 => Ok(ways.remove(0)),
        _ if !may_choose && is_one_command(&ways) => Ok(ways.remove(0)),
        _ if may_choose => pick_way(&ways)?.ok_or_else(nothing_chosen),
        _ => Err(several_ways(name, &ways)),
    }
}

/// The sign-in of a provider, else whatever it has in place of one.
fn ways_of_one<'c>(catalog: &'c Catalog, provider: &ProviderId) -> Vec<Choice<'c>> {
    match catalog.find(provider) {
        Some(found) if found.definition.has_login() => vec![Choice::Login(&found.definition)],
        Some(found) => ways_of(&found.definition),
        None => vec![Choice::Program(provider.clone())],
    }
}

/// Whether each of these ways is the same command, so that there is nothing to choose.
fn is_one_command(ways: &[Choice<'_>]) -> bool {
    ways.windows(2).all(|two| two[0].command() == two[1].command())
}

fn no_way(name: &str) -> Failure {
    Failure::usage(format!("`{}` has no sign-in and no key to store", printable(name, 80)))
        .hint(Command::ours("providers list"))
}

fn several_ways(name: &str, ways: &[Choice<'_>]) -> Failure {
    let mut commands: Vec<Command> = ways.iter().map(Choice::command).collect();
    commands.dedup();
    let commands = Hint::join(commands.into_iter().map(Hint::from), ", or: ");
    let name = printable(name, 80);
    let failure = Failure::usage(format!("there are several ways to sign in to `{name}`"));
    match commands {
        Some(commands) => failure.hint(commands),
        None => failure,
    }
}
