//! `login NAME`: the sign-in that a name means.

use super::pick::{nothing_chosen, pick_way};
use super::{Choice, ways_of};
use crate::app::App;
use crate::cli::exit::{Command, Failure, Hint};
use crate::cli::failure;
use crate::cli::output::Output;
use crate::ops::name::sign_in;
use crate::profile::{AgentId, ProviderId};
use crate::provider::Catalog;
use crate::text::printable;

/// The way to sign in that `name` means: of an account or a profile that is there, of a
/// provider. Where there are several, the user chooses on the terminal.
///
/// # Errors
/// It means nothing, or several ways, and nobody can choose.
pub(in crate::cli) fn named<'c>(
    name: &str,
    agent: Option<&AgentId>,
    app: &App,
    catalog: &'c Catalog,
    output: &Output<'_>,
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
        _ if output.streams.stdin_is_terminal => pick_way(&ways)?.ok_or_else(nothing_chosen),
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
