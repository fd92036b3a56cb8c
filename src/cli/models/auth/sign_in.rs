//! Choosing a provider and a way to sign in, and going it.

use super::{login, paste_api_key, paste_token, setup_token};
use crate::app::App;
use crate::cli::output::Output;
use crate::cli::prompt::unanswered;
use crate::exit::{ExitStatus, Failure};
use crate::provider::{Catalog, Definition, Method, MethodKind};
use clap::Parser;
use dialoguer::FuzzySelect;

/// A way to sign in at a provider.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Way<'c> {
    /// The provider.
    pub(in crate::cli) definition: &'c Definition,
    /// The way.
    method: &'c Method,
}

/// Every way that this version can go.
fn ways(catalog: &Catalog) -> impl Iterator<Item = Way<'_>> {
    let definitions = catalog.iter().map(|provider| &provider.definition);
    definitions.flat_map(|definition| {
        let is_offered = |method: &&Method| match method.kind {
            MethodKind::ApiKey | MethodKind::Token => true,
            MethodKind::OAuth | MethodKind::DeviceCode => {
                definition.registration_of(Some(&method.id)).is_some()
            }
            MethodKind::Custom => false,
        };
        let methods = definition.methods.iter().filter(is_offered);
        methods.map(move |method| Way { definition, method })
    })
}

/// Lets the user choose on the terminal.
///
/// # Errors
/// The user went away.
pub(in crate::cli) fn choose(catalog: &Catalog) -> Result<Way<'_>, Failure> {
    let ways: Vec<Way<'_>> = ways(catalog).collect();
    let mut labels: Vec<&str> = ways.iter().map(|way| way.definition.label.as_str()).collect();
    labels.dedup();
    let chosen = labels[choose_one("Provider", &labels)?];
    let of_provider: Vec<Way<'_>> =
        ways.into_iter().filter(|way| way.definition.label == chosen).collect();
    let labels: Vec<&str> = of_provider.iter().map(|way| way.method.label.as_str()).collect();
    let at = if labels.len() == 1 { 0 } else { choose_one("Sign in with", &labels)? };
    Ok(of_provider[at])
}

/// The way that an id names, as `onboard --auth-choice` gives it.
///
/// # Errors
/// There is no such way; the hint lists them.
pub(in crate::cli) fn by_choice<'c>(catalog: &'c Catalog, id: &str) -> Result<Way<'c>, Failure> {
    let choice = |way: &Way<'c>| way.method.choice.as_deref();
    ways(catalog).find(|way| choice(way) == Some(id)).ok_or_else(|| {
        let known: Vec<&str> = ways(catalog).filter_map(|way| choice(&way)).collect();
        Failure::usage(format!("there is no --auth-choice `{id}`"))
            .hint(format!("one of: {}", known.join(", ")))
    })
}

/// Lets the user choose one of several things on the terminal.
///
/// # Errors
/// The user went away.
pub(in crate::cli) fn choose_one(prompt: &str, items: &[&str]) -> Result<usize, Failure> {
    let choice = FuzzySelect::new().with_prompt(prompt).items(items).default(0).interact_opt();
    choice.map_err(unanswered)?.ok_or_else(Failure::interrupted)
}

impl Way<'_> {
    /// Goes this way, with the arguments that a user would type.
    ///
    /// # Errors
    /// Those of the command.
    pub(in crate::cli) fn go(
        self,
        agent: Option<&str>,
        app: &App,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let Self { definition, method } = self;
        let mut line = vec![method.id.clone(), "--provider".to_owned(), definition.id.clone()];
        match method.kind {
            MethodKind::OAuth | MethodKind::DeviceCode => {
                line.extend(["--method".to_owned(), method.id.clone()]);
                login::run(parsed(&line)?, agent, app, output)
            }
            MethodKind::Token if !method.command.is_empty() => {
                setup_token::run(parsed(&line)?, agent, app, output)
            }
            MethodKind::Token => paste_token::run(parsed(&line)?, agent, app, output),
            MethodKind::ApiKey => {
                let name = method.profile_name.as_deref().unwrap_or("default");
                line.extend(["--profile-id".to_owned(), format!("{}:{name}", definition.id)]);
                paste_api_key::run(parsed(&line)?, agent, app, output)
            }
            MethodKind::Custom => {
                Err(Failure::message(ExitStatus::Failure, "this way to sign in is not offered"))
            }
        }
    }
}

/// `line` as the arguments of a command.
pub(super) fn parsed<A: clap::Args>(line: &[String]) -> Result<A, Failure> {
    #[derive(Parser)]
    struct Line<A: clap::Args> {
        #[command(flatten)]
        args: A,
    }
    Line::try_parse_from(line)
        .map(|line| line.args)
        .map_err(|error| Failure::new(ExitStatus::Failure, anyhow::Error::new(error)))
}
