//! Choosing a provider and a way to sign in, and going it.

use super::{import, login, paste_api_key, paste_token, setup_token};
use crate::app::App;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::output::Output;
use crate::cli::prompt::choose_one;
use crate::external::{self, Tool};
use crate::profile::ProviderId;
use crate::provider::{Catalog, Definition, Method, MethodKind, Program};

/// A way to sign in at a provider.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct SignInMethod<'c> {
    definition: &'c Definition,
    /// The way.
    method: &'c Method,
}

/// How to get a first login.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Choice<'c> {
    /// A way of a provider of the catalog.
    Method(SignInMethod<'c>),
    /// The provider that a program on `PATH` serves.
    Program(ProviderId),
    /// The logins that another program of the user has.
    Import(Tool),
}

/// Every way that this version can go.
fn ways(catalog: &Catalog) -> impl Iterator<Item = SignInMethod<'_>> {
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
        methods.map(move |method| SignInMethod { definition, method })
    })
}

/// Lets the user choose on the terminal: a login that is there already, or a provider and a
/// way to sign in.
///
/// # Errors
/// The user went away.
pub(in crate::cli) fn choose<'c>(app: &App, catalog: &'c Catalog) -> Result<Choice<'c>, Failure> {
    let has_login = |tool: &Tool| external::read_files(*tool, &app.environment).is_ok();
    let tools = Tool::ALL
        .into_iter()
        .filter(has_login)
        .map(|tool| (format!("Bring the login of {}", tool.program().label), Choice::Import(tool)));
    let programs = served(app, catalog)
        .map(|provider| (format!("{provider} (by a program)"), Choice::Program(provider)));
    let ways: Vec<SignInMethod<'_>> = ways(catalog).collect();
    let mut labels: Vec<String> = ways.iter().map(|way| way.definition.label.clone()).collect();
    labels.dedup();
    let mut choices: Vec<(String, Choice<'c>)> = tools.chain(programs).collect();
    let beside: Vec<String> = choices.iter().map(|(label, _)| label.clone()).collect();
    let all: Vec<&str> = beside.iter().chain(&labels).map(String::as_str).collect();
    let at = choose_one("Provider", &all)?;
    if at < choices.len() {
        return Ok(choices.swap_remove(at).1);
    }
    let of_provider: Vec<SignInMethod<'_>> =
        ways.into_iter().filter(|way| way.definition.label == all[at]).collect();
    let labels: Vec<&str> = of_provider.iter().map(|way| way.method.label.as_str()).collect();
    let at = if labels.len() == 1 { 0 } else { choose_one("Sign in with", &labels)? };
    Ok(Choice::Method(of_provider[at]))
}

/// The providers that programs on `PATH` serve.
fn served(app: &App, catalog: &Catalog) -> impl Iterator<Item = ProviderId> {
    let providers = Program::providers(&app.environment).into_iter();
    providers.filter(|provider| catalog.find(provider).is_none())
}

/// The way that an id names, as `onboard --auth-choice` gives it: the choice of a method, or
/// a provider that a program serves.
///
/// # Errors
/// There is no such way; the hint lists them.
pub(in crate::cli) fn by_choice<'c>(
    app: &App,
    catalog: &'c Catalog,
    id: &str,
) -> Result<Choice<'c>, Failure> {
    let choice = |way: &SignInMethod<'c>| way.method.choice.as_deref();
    if let Some(way) = ways(catalog).find(|way| choice(way) == Some(id)) {
        return Ok(Choice::Method(way));
    }
    let mut known: Vec<String> =
        ways(catalog).filter_map(|way| choice(&way).map(str::to_owned)).collect();
    known.extend(served(app, catalog).map(|provider| provider.to_string()));
    if served(app, catalog).any(|provider| provider.spelling() == id) {
        return Ok(Choice::Program(id.into()));
    }
    Err(Failure::usage(format!("there is no --auth-choice `{id}`"))
        .hint(format!("one of: {}", known.join(", "))))
}

impl Choice<'_> {
    /// The provider, where there is one.
    pub(in crate::cli) fn provider(&self) -> Option<&ProviderId> {
        match self {
            Self::Method(way) => Some(&way.definition.id),
            Self::Program(provider) => Some(provider),
            Self::Import(_) => None,
        }
    }

    /// The model that the provider's users usually take.
    pub(in crate::cli) fn default_model(&self) -> Option<&str> {
        match self {
            Self::Method(way) => way.definition.default_model.as_deref(),
            Self::Program(_) | Self::Import(_) => None,
        }
    }

    /// Signs in this way, as the command of that name does without further options.
    ///
    /// # Errors
    /// Those of the command.
    pub(in crate::cli) fn go(
        self,
        agent: Option<&str>,
        app: &App,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Method(way) => way.go(agent, app, output),
            Self::Program(provider) => {
                login::run(login::Args::at(provider, None, None), agent, app, output)
            }
            Self::Import(tool) => import::run(import::Args::all_of(tool), agent, app, output),
        }
    }
}

impl SignInMethod<'_> {
    fn go(self, agent: Option<&str>, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
        let Self { definition, method } = self;
        let provider = definition.id.clone();
        match method.kind {
            MethodKind::OAuth | MethodKind::DeviceCode => {
                let args = login::Args::at(provider, Some(method.id.clone()), None);
                login::run(args, agent, app, output)
            }
            MethodKind::Token if !method.command.is_empty() => {
                setup_token::run(setup_token::Args::of(provider), agent, app, output)
            }
            MethodKind::Token => {
                paste_token::run(paste_token::Args::of(provider), agent, app, output)
            }
            MethodKind::ApiKey => {
                let name = method.profile_name.as_deref().unwrap_or("default");
                let profile_id = format!("{}:{name}", provider.as_str()).into();
                let args = paste_api_key::Args::of(provider, profile_id);
                paste_api_key::run(args, agent, app, output)
            }
            MethodKind::Custom => {
                Err(Failure::message(ExitStatus::Failure, "this sign-in method is not available"))
            }
        }
    }
}
