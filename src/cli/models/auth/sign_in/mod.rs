//! The ways to sign in, and going one of them.

mod named;
mod pick;

pub(in crate::cli) use named::login as login_by_name;
pub(in crate::cli) use pick::{nothing_chosen, pick};

use super::paste::Shown;
use super::{import, login, paste_api_key, paste_token, setup_token};
use crate::app::App;
use crate::cli::exit::{Command, Failure};
use crate::cli::output::Output;
use crate::external::Tool;
use crate::profile::{ProfileId, ProviderId};
use crate::provider::{
    Catalog, Definition, Method, MethodKind, Program, short_name, subscriptions,
};

/// How to get a login.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Choice<'c> {
    /// The sign-in of a provider, every way of it at once.
    Login(&'c Definition),
    /// A method of a provider.
    Method(&'c Definition, &'c Method),
    /// The provider that a program on `PATH` serves.
    Program(ProviderId),
    /// The logins that another program of the user has.
    Import(Tool),
}

/// Every method of the catalog that this version can go.
fn methods(catalog: &Catalog) -> impl Iterator<Item = (&Definition, &Method)> {
    let definitions = catalog.iter().map(|provider| &provider.definition);
    definitions.flat_map(|definition| {
        let methods = definition.methods.iter();
        methods.filter(|method| is_offered(definition, method)).map(move |it| (definition, it))
    })
}

fn is_offered(definition: &Definition, method: &Method) -> bool {
    match method.kind {
        MethodKind::ApiKey | MethodKind::Token => true,
        MethodKind::OAuth | MethodKind::DeviceCode => {
            definition.registration_of(Some(&method.id)).is_some()
        }
        MethodKind::Custom => false,
    }
}

/// Whether it is a sign-in, and nothing is pasted.
const fn is_login(method: &Method) -> bool {
    matches!(method.kind, MethodKind::OAuth | MethodKind::DeviceCode)
}

/// The ways of one provider: its sign-in, once for each server that it has, then what is pasted.
fn ways_of(definition: &Definition) -> Vec<Choice<'_>> {
    let offered = || definition.methods.iter().filter(|method| is_offered(definition, method));
    let mut ways = Vec::new();
    if definition.has_login() {
        if offered().any(|method| method.registration.is_some()) {
            ways.extend(
                offered().filter(|it| is_login(it)).map(|it| Choice::Method(definition, it)),
            );
        } else {
            ways.push(Choice::Login(definition));
        }
    }
    ways.extend(offered().filter(|it| !is_login(it)).map(|it| Choice::Method(definition, it)));
    ways
}

/// What people call the provider.
fn name_of(definition: &Definition) -> &str {
    let known = subscriptions().iter().find(|(id, _)| definition.id.is_spelt(id));
    known.map_or(definition.label.as_str(), |(_, label)| label)
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
/// There is no such way; the hint lists the closest.
pub(in crate::cli) fn by_choice<'c>(
    app: &App,
    catalog: &'c Catalog,
    id: &str,
) -> Result<Choice<'c>, Failure> {
    let choice = |method: &'c Method| method.choice.as_deref();
    if let Some((definition, method)) = methods(catalog).find(|(_, it)| choice(it) == Some(id)) {
        return Ok(Choice::Method(definition, method));
    }
    let mut known: Vec<String> =
        methods(catalog).filter_map(|(_, it)| choice(it).map(str::to_owned)).collect();
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
            Self::Login(definition) | Self::Method(definition, _) => Some(&definition.id),
            Self::Program(provider) => Some(provider),
            Self::Import(_) => None,
        }
    }

    /// The model that the provider's users usually take.
    pub(in crate::cli) fn default_model(&self) -> Option<&str> {
        match self {
            Self::Login(definition) | Self::Method(definition, _) => {
                definition.default_model.as_deref()
            }
            Self::Program(_) | Self::Import(_) => None,
        }
    }

    /// What it is called in a list of the ways of one or few providers.
    fn label(&self) -> String {
        match self {
            Self::Login(definition) => format!("Sign in to {}", name_of(definition)),
            Self::Method(_, method) => method.label.clone(),
            Self::Program(provider) => format!("{provider} (by a program)"),
            Self::Import(tool) => format!("Use the login of {}", tool.program().label),
        }
    }

    /// The command that goes this way without a question.
    fn command(&self) -> Command {
        let paste = |words: &str, definition: &Definition| {
            Command::ours("models auth").arg(words).option("--provider", &definition.id)
        };
        match self {
            Self::Login(definition) => login_command(&definition.id),
            Self::Method(definition, method) => match method.kind {
                MethodKind::ApiKey => paste("paste-api-key", definition),
                MethodKind::Token if method.command.is_empty() => paste("paste-token", definition),
                MethodKind::Token => paste("setup-token", definition),
                _ => login_command(&definition.id).option("--method", &method.id),
            },
            Self::Program(provider) => login_command(provider),
            Self::Import(tool) => Command::ours("models auth import").arg(&tool.program().name),
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
        self.go_to(None, Shown::Text, agent, app, output)
    }

    /// As [`Self::go`], storing the login as `profile_id` where that is named; a token or key that
    /// is stored is shown so.
    pub(super) fn go_to(
        self,
        profile_id: Option<ProfileId>,
        shown: Shown,
        agent: Option<&str>,
        app: &App,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let (provider, method) = match self {
            Self::Login(definition) => (definition.id.clone(), None),
            Self::Program(provider) => (provider, None),
            Self::Method(definition, method) => (definition.id.clone(), Some(method)),
            Self::Import(tool) => {
                return import::run(import::Args::all_of(tool), agent, app, output);
            }
        };
        match method {
            Some(method) if method.kind == MethodKind::ApiKey => {
                let name = method.profile_name.as_deref().unwrap_or("default");
                let usual = || format!("{}:{name}", provider.as_str()).into();
                let args =
                    paste_api_key::Args::of(provider.clone(), profile_id.unwrap_or_else(usual));
                paste_api_key::store(args, shown, agent, app, output)
            }
            Some(method) if method.kind == MethodKind::Token && method.command.is_empty() => {
                let args = paste_token::Args::of(provider, profile_id);
                paste_token::store(args, shown, agent, app, output)
            }
            Some(method) if method.kind == MethodKind::Token => {
                let args = setup_token::Args::of(provider, profile_id);
                setup_token::store(args, shown, agent, app, output)
            }
            method => {
                let method = method.map(|method| method.id.clone());
                login::run(login::Args::at(provider, method, profile_id), agent, app, output)
            }
        }
    }
}

/// The short command that signs in to a provider.
fn login_command(provider: &ProviderId) -> Command {
    Command::ours("login").arg(short_name(provider.as_str()))
}
