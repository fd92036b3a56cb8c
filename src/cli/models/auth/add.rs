//! `models auth add`: choose a provider and a way to sign in on a terminal.

use super::{login, paste_api_key, paste_token, setup_token};
use crate::app::App;
use crate::cli::output::Output;
use crate::cli::prompt::{require_terminal, unanswered};
use crate::exit::{ExitStatus, Failure};
use crate::provider::{Definition, Method, MethodKind};
use clap::Parser;
use dialoguer::FuzzySelect;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// What a script types in place of answering questions.
const WITHOUT_QUESTIONS: &str =
    "openclaw-auth models auth login|paste-token|paste-api-key --provider <id>";

pub(super) fn run(
    _: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    require_terminal(output, WITHOUT_QUESTIONS)?;
    let catalog = app.catalog()?;
    let providers: Vec<(&Definition, Vec<&Method>)> = catalog
        .iter()
        .map(|provider| (&provider.definition, offered(&provider.definition)))
        .filter(|(_, methods)| !methods.is_empty())
        .collect();
    let labels: Vec<&str> = providers.iter().map(|(row, _)| row.label.as_str()).collect();
    let Some((definition, methods)) = choose("Provider", &labels)?.map(|at| &providers[at]) else {
        return Err(Failure::interrupted());
    };
    let labels: Vec<&str> = methods.iter().map(|method| method.label.as_str()).collect();
    let method = match methods.as_slice() {
        [only] => only,
        _ => match choose("Sign in with", &labels)? {
            Some(at) => methods[at],
            None => return Err(Failure::interrupted()),
        },
    };
    sign_in(definition, method, agent, app, output)
}

/// The ways that this version can go.
fn offered(definition: &Definition) -> Vec<&Method> {
    let is_offered = |method: &&Method| match method.kind {
        MethodKind::ApiKey | MethodKind::Token => true,
        MethodKind::OAuth => definition.registration.is_some(),
        MethodKind::DeviceCode | MethodKind::Custom => false,
    };
    definition.methods.iter().filter(is_offered).collect()
}

fn choose(prompt: &str, items: &[&str]) -> Result<Option<usize>, Failure> {
    FuzzySelect::new()
        .with_prompt(prompt)
        .items(items)
        .default(0)
        .interact_opt()
        .map_err(unanswered)
}

/// Goes the chosen way, with the arguments that a user would type.
fn sign_in(
    definition: &Definition,
    method: &Method,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut line = vec![method.id.clone(), "--provider".to_owned(), definition.id.clone()];
    match method.kind {
        MethodKind::OAuth => login::run(parsed(&line)?, agent, app, output),
        MethodKind::Token if !method.command.is_empty() => {
            setup_token::run(parsed(&line)?, agent, app, output)
        }
        MethodKind::Token => paste_token::run(parsed(&line)?, agent, app, output),
        MethodKind::ApiKey => {
            line.extend(["--profile-id".to_owned(), format!("{}:default", definition.id)]);
            paste_api_key::run(parsed(&line)?, agent, app, output)
        }
        MethodKind::DeviceCode | MethodKind::Custom => {
            Err(Failure::message(ExitStatus::Failure, "this way to sign in is not offered"))
        }
    }
}

/// `line` as the arguments of a command.
fn parsed<A: clap::Args>(line: &[String]) -> Result<A, Failure> {
    #[derive(Parser)]
    struct Line<A: clap::Args> {
        #[command(flatten)]
        args: A,
    }
    Line::try_parse_from(line)
        .map(|line| line.args)
        .map_err(|error| Failure::new(ExitStatus::Failure, anyhow::Error::new(error)))
}
