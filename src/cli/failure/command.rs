//! The commands of ours that a hint tells a user to run next.

use crate::app::App;
use crate::cli::exit::{Command, Hint};
use crate::profile::{AgentId, ProviderId};
use crate::provider::{Definition, Method, MethodKind, Program};

/// The command that refreshes the logins of `provider` that are due.
pub(in crate::cli) fn refresh_command(provider: &ProviderId, agent_id: &AgentId) -> Command {
    of_agent(Command::ours("models auth refresh").option("--provider", provider), agent_id)
}

/// The command that signs in to `provider` again.
pub(in crate::cli) fn login_command(provider: &ProviderId, agent_id: &AgentId) -> Command {
    of_agent(Command::ours("models auth login").option("--provider", provider), agent_id)
}

/// How to sign in to a provider that the user chooses.
pub(in crate::cli) fn login_template(agent_id: &AgentId) -> Hint {
    of_agent(Command::ours("models auth login"), agent_id).into()
}

/// The same command for that agent; `main` needs no mention.
pub(in crate::cli) fn of_agent(command: Command, agent_id: &AgentId) -> Command {
    if agent_id.is_main() { command.of_main() } else { command.option("--agent", agent_id) }
}

/// The command that gives agent `agent_id` a credential of `provider`: its sign-in, or what
/// it has in place of one.
pub(in crate::cli) fn sign_in_command(
    app: &App,
    provider: &ProviderId,
    agent_id: &AgentId,
) -> Hint {
    let catalog = app.catalog().ok();
    let known = catalog.as_ref().and_then(|catalog| catalog.find(provider));
    let definition = known.map(|provider| &provider.definition);
    match definition {
        Some(definition) if !definition.has_login() => ways_of(definition, agent_id),
        None if catalog.is_some() && is_served_by_none(app, provider) => {
            Hint::new(format!("no provider `{provider}` is known; to store a key for it: "))
                .run(of_agent(paste_key(provider), agent_id))
        }
        _ => login_command(provider, agent_id).into(),
    }
}

/// The command that signs in to a login of `provider` again.
pub(in crate::cli) fn sign_in_again(app: &App, provider: &ProviderId, agent_id: &AgentId) -> Hint {
    let catalog = app.catalog().ok();
    let known = catalog.as_ref().and_then(|catalog| catalog.find_login(provider));
    if known.is_some_and(|known| known.definition.has_login()) {
        return login_command(provider, agent_id).into();
    }
    sign_in_command(app, provider, agent_id)
}

fn is_served_by_none(app: &App, provider: &ProviderId) -> bool {
    matches!(Program::find(provider, &app.environment), Ok(None))
}

/// The commands that store a credential of a provider without a sign-in; `None` where the
/// catalog does not know it.
pub(in crate::cli) fn other_ways(
    app: &App,
    provider: &ProviderId,
    agent_id: &AgentId,
) -> Option<Hint> {
    let catalog = app.catalog().ok()?;
    Some(ways_of(&catalog.find(provider)?.definition, agent_id))
}

/// The command that goes the way of the method `method`, which is no sign-in at a server,
/// else the other ways of the provider.
pub(in crate::cli) fn way_command(
    app: &App,
    provider: &ProviderId,
    method: &str,
    agent_id: &AgentId,
) -> Option<Hint> {
    let catalog = app.catalog().ok()?;
    let definition = &catalog.find(provider)?.definition;
    let command = definition.method(method).and_then(|method| command_of(method, definition));
    Some(match command {
        Some(command) => of_agent(command, agent_id).into(),
        None => ways_of(definition, agent_id),
    })
}

fn ways_of(definition: &Definition, agent_id: &AgentId) -> Hint {
    let commands = definition.methods.iter().filter_map(|method| command_of(method, definition));
    let mut commands: Vec<_> = commands.map(|command| of_agent(command, agent_id)).collect();
    commands.dedup();
    if let Some(commands) = Hint::join(commands.into_iter().map(Hint::from), ", or ") {
        return commands;
    }
    if definition.env.is_empty() {
        return "nothing is stored for it: it is set up in openclaw.json".into();
    }
    Hint::new("where it wants a key: ").run(of_agent(paste_key(&definition.id), agent_id))
}

fn paste_key(provider: &ProviderId) -> Command {
    Command::ours("models auth paste-api-key").option("--provider", provider)
}

/// The command that goes a way without a sign-in at a server.
fn command_of(method: &Method, definition: &Definition) -> Option<Command> {
    let command = match (method.kind, &method.import) {
        (_, Some(program)) => return Some(Command::ours("models auth import").arg(program)),
        (MethodKind::ApiKey, _) => "paste-api-key",
        (MethodKind::Token, _) if !method.command.is_empty() => "setup-token",
        (MethodKind::Token, _) => "paste-token",
        _ => return None,
    };
    Some(Command::ours("models auth").arg(command).option("--provider", &definition.id))
}
