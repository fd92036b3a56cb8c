//! The ways to sign in, and which of them a login goes: all that there are at once, unless
//! the user wants one.

use crate::app::App;
use crate::exit::Failure;
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
                        |way| way + &of_agent(agent_id),
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
pub(crate) fn sign_in_command(app: &App, provider: &ProviderId, agent_id: &AgentId) -> String {
    let catalog = app.catalog().ok();
    let known = catalog.as_ref().and_then(|catalog| catalog.find(provider));
    let definition = known.map(|provider| &provider.definition);
    match definition {
        Some(definition) if !definition.has_login() => other_ways(definition, agent_id),
        None if catalog.is_some() && is_served_by_none(app, provider) => format!(
            "no provider `{provider}` is known; to store a key for it: openclaw-auth models auth \
             paste-api-key --provider {provider}{}",
            of_agent(agent_id)
        ),
        _ => login_command(provider, agent_id),
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
fn other_ways(definition: &Definition, agent_id: &AgentId) -> String {
    let commands = definition.methods.iter().filter_map(|method| command_of(method, definition));
    let of_agent = of_agent(agent_id);
    let mut commands: Vec<String> = commands.map(|it| format!("{it}{of_agent}")).collect();
    commands.dedup();
    if !commands.is_empty() {
        return commands.join(", or ");
    }
    let id = &definition.id;
    if definition.env.is_empty() {
        return "nothing is stored for it: it is set up in openclaw.json".to_owned();
    }
    format!(
        "where it wants a key: openclaw-auth models auth paste-api-key --provider {id}{of_agent}"
    )
}

/// The command that goes a way without a sign-in at a server.
fn command_of(method: &Method, definition: &Definition) -> Option<String> {
    let command = match (method.kind, &method.import) {
        (_, Some(program)) => return Some(format!("openclaw-auth models auth import {program}")),
        (MethodKind::ApiKey, _) => "paste-api-key",
        (MethodKind::Token, _) if !method.command.is_empty() => "setup-token",
        (MethodKind::Token, _) => "paste-token",
        _ => return None,
    };
    Some(format!("openclaw-auth models auth {command} --provider {}", definition.id))
}
