//! The commands that hints name, for the use cases whose failures still have hints of their
//! own; `cli/failure/command.rs` replaces it, and it goes with the last of them.

use crate::app::App;
use crate::exit::{Command, Hint};
use crate::profile::{AgentId, ProviderId};
use crate::provider::{Definition, Method, MethodKind, Program};

/// The command that gives agent `agent_id` a credential of `provider`: its sign-in, or what
/// it has in place of one.
pub(crate) fn sign_in_command(app: &App, provider: &ProviderId, agent_id: &AgentId) -> Hint {
    let catalog = app.catalog().ok();
    let known = catalog.as_ref().and_then(|catalog| catalog.find(provider));
    let definition = known.map(|provider| &provider.definition);
    match definition {
        Some(definition) if !definition.has_login() => other_ways(definition, agent_id),
        None if catalog.is_some() && is_served_by_none(app, provider) => {
            Hint::new(format!("no provider `{provider}` is known; to store a key for it: "))
                .run(of_agent(paste_key(provider), agent_id))
        }
        _ => login_command(provider, agent_id).into(),
    }
}

fn is_served_by_none(app: &App, provider: &ProviderId) -> bool {
    matches!(Program::find(provider, &app.environment), Ok(None))
}

/// The commands that store a credential of a provider without a sign-in.
fn other_ways(definition: &Definition, agent_id: &AgentId) -> Hint {
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

/// The command that refreshes the logins of `provider` that are due.
pub(crate) fn refresh_command(provider: &ProviderId, agent_id: &AgentId) -> Command {
    of_agent(Command::ours("models auth refresh").option("--provider", provider), agent_id)
}

/// The command that signs in to `provider` again.
pub(crate) fn login_command(provider: &ProviderId, agent_id: &AgentId) -> Command {
    of_agent(Command::ours("models auth login").option("--provider", provider), agent_id)
}

/// How to sign in to a provider that the user chooses.
pub(crate) fn login_template(agent_id: &AgentId) -> Hint {
    let template = Hint::new("openclaw-auth models auth login --provider <id>");
    if agent_id.is_main() { template } else { template.then(" --agent ").word(agent_id.as_str()) }
}

/// The same command for that agent; `main` needs no mention.
pub(crate) fn of_agent(command: Command, agent_id: &AgentId) -> Command {
    if agent_id.is_main() { command } else { command.option("--agent", agent_id) }
}
