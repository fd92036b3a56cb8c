//! The ways to sign in, and which of them a login goes: all that there are at once, unless
//! the user wants one.

use crate::app::App;
use crate::exit::{Command, Failure, Hint};
use crate::ops::{login_command, of_agent};
use crate::profile::{AgentId, ProviderId};
use crate::provider::{Definition, Method, MethodKind, Program, Registration};
use crate::text::printable;

/// The ways that a login goes. They are raced: the first that completes wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// Wait for the browser's redirect.
    pub(super) browser: bool,
    /// Take the redirect's address from the user.
    pub(super) paste: bool,
    /// Show a code to enter on another device.
    pub(super) device: bool,
    /// The method of the provider, where it has a registration of its own.
    pub(super) method: Option<String>,
}

impl Ways {
    /// The ways for `wanted`: `browser`, `paste`, `device`, the id or choice of one of the
    /// provider's methods, or all of them.
    ///
    /// # Errors
    /// The provider has no such way; the hint says what it has.
    pub(super) fn of(
        definition: &Definition,
        wanted: Option<&str>,
        agent_id: &AgentId,
    ) -> Result<Self, Failure> {
        let all = Self { browser: true, paste: true, device: true, method: None };
        let ways = match wanted {
            None => all.at_first_login(definition),
            Some("browser") => Self { paste: false, device: false, ..all },
            Some("paste") => Self { browser: false, device: false, ..all },
            Some("device") => {
                Self { browser: false, paste: false, ..all }.at_first_login(definition)
            }
            Some(id) => all.of_method(definition, id, agent_id)?,
        };
        let Some(registration) = definition.registration_of(ways.method.as_deref()) else {
            return Err(no_sign_in(definition, agent_id));
        };
        ways.offered_by(registration, definition, agent_id)
    }

    /// Where the provider has no login without a method, that of its first login.
    fn at_first_login(self, definition: &Definition) -> Self {
        let is_login =
            |method: &&Method| matches!(method.kind, MethodKind::OAuth | MethodKind::DeviceCode);
        let first = definition.methods.iter().find(is_login);
        let own = first.filter(|method| method.registration.is_some());
        Self { method: own.map(|method| method.id.clone()), ..self }
    }

    fn of_method(
        self,
        definition: &Definition,
        id: &str,
        agent_id: &AgentId,
    ) -> Result<Self, Failure> {
        let is_named = |method: &&Method| method.id == id || method.choice.as_deref() == Some(id);
        let method = definition.methods.iter().find(is_named).ok_or_else(|| {
            let known: Vec<&str> =
                definition.methods.iter().map(|method| method.id.as_str()).collect();
            let known = ["browser", "paste", "device"].into_iter().chain(known);
            Failure::usage(format!("{} has no method `{}`", definition.label, printable(id, 80)))
                .hint(format!("one of: {}", known.collect::<Vec<_>>().join(", ")))
        })?;
        let own = method.registration.is_some().then(|| method.id.clone());
        match method.kind {
            MethodKind::OAuth => Ok(Self { device: false, method: own, ..self }),
            MethodKind::DeviceCode => {
                Ok(Self { browser: false, paste: false, method: own, ..self })
            }
            MethodKind::ApiKey | MethodKind::Token | MethodKind::Custom => {
                let way = command_of(method, definition);
                Err(Failure::usage(format!("`{id}` is no sign-in at a server")).hint(
                    way.map_or_else(
                        || other_ways(definition, agent_id),
                        |way| of_agent(way, agent_id).into(),
                    ),
                ))
            }
        }
    }

    /// Leaves out what the server has not.
    fn offered_by(
        mut self,
        registration: &Registration,
        definition: &Definition,
        agent_id: &AgentId,
    ) -> Result<Self, Failure> {
        let (browser, device) = (registration.has_browser_login(), registration.has_device_login());
        self.browser &= browser;
        self.paste &= browser;
        self.device &= device;
        if self.browser || self.paste || self.device {
            return Ok(self);
        }
        let known = match (browser, device) {
            (true, _) => "browser, paste",
            (_, true) => "device",
            _ => return Err(no_sign_in(definition, agent_id)),
        };
        Err(Failure::usage(format!("{} cannot be signed in to like that", definition.label))
            .hint(format!("it has: {known}")))
    }
}

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

/// What to say of a provider that has no server to sign in at.
pub(super) fn no_sign_in(definition: &Definition, agent_id: &AgentId) -> Failure {
    Failure::usage(format!("{} has no sign-in", definition.label))
        .hint(other_ways(definition, agent_id))
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
