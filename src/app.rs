//! The composition root: what the machine offers and where everything is.

use crate::config::{AgentDir, Config, ConfigError, InstalledOpenClaw, Paths};
use crate::profile::{AgentId, Millis, ProviderId};
use crate::provider::{Catalog, CatalogError};
use crate::store::{
    BackupPolicy, DEFAULT_BACKUPS, Location, Moves, Notice, Notices, Spool, Store, StoreError,
};
use crate::system::file;
use crate::system::permissions::{Exposure, Kind, Permissions};
use crate::system::worker::{Life, Threads};
use crate::system::{Clients, Environment, Machine};
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Why a use case cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A provider file cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else could read or change secrets.
    #[error("insecure permissions: {}", all(.0))]
    Insecure(Vec<Exposure>),
    /// There is no agent of this id.
    #[error("there is no agent `{0}`")]
    NoSuchAgent(AgentId),
    /// Nothing can be run that waits.
    #[error("could not start the runtime")]
    Runtime(#[source] std::io::Error),
}

fn all(exposures: &[Exposure]) -> String {
    let shown: Vec<_> = exposures.iter().map(ToString::to_string).collect();
    shown.join("; ")
}

/// What every use case works with.
pub struct App {
    /// The machine.
    pub machine: Machine,
    /// The environment variables.
    pub environment: Environment,
    /// The paths.
    pub paths: Paths,
    /// What went less well than it could, for the end of the run.
    pub notices: Notices,
    /// Who makes a token request.
    pub refreshes_by: RefreshesBy,
    /// The OpenClaw that is installed.
    installed: InstalledOpenClaw,
    /// The agent that commands mean when they name none.
    agent: Option<AgentId>,
    clients: OnceLock<Clients>,
}

/// Who makes a token request.
#[derive(Clone, Debug)]
pub enum RefreshesBy {
    /// A process of its own, which outlives its caller: a worker. Whether one could not be
    /// started: then none is tried any more.
    Process(Arc<AtomicBool>),
    /// A worker that is a thread of this process, for one that lives on.
    Thread(Arc<Threads>),
    /// Whoever asks for it.
    Caller,
    /// This is a worker, which no signal stops.
    Worker(Life),
}

impl RefreshesBy {
    /// A process of its own.
    pub fn process() -> Self {
        Self::Process(Arc::default())
    }

    /// Whether a refresh is made by a worker.
    pub fn has_workers(&self) -> bool {
        match self {
            Self::Process(is_given_up) => !is_given_up.load(Ordering::Relaxed),
            Self::Thread(_) => true,
            Self::Caller | Self::Worker(_) => false,
        }
    }

    /// Tries no worker that is a process any more, because none can be started. Whether that
    /// is news.
    pub fn give_up_workers(&self) -> bool {
        match self {
            Self::Process(is_given_up) => !is_given_up.swap(true, Ordering::Relaxed),
            Self::Thread(_) | Self::Caller | Self::Worker(_) => true,
        }
    }

    /// The time of the worker that this is.
    pub fn life(&self) -> Life {
        match self {
            Self::Worker(life) => *life,
            Self::Process(_) | Self::Thread(_) | Self::Caller => Life::default(),
        }
    }
}

impl App {
    /// The program in an environment; relative paths start from `current_dir`.
    pub fn new(environment: Environment, current_dir: &Path) -> Self {
        let paths = Paths::new(&environment, current_dir);
        let refreshes_by = RefreshesBy::Caller;
        let installed = InstalledOpenClaw::of(&environment);
        Self {
            machine: Machine::default(),
            environment,
            paths,
            notices: Notices::default(),
            refreshes_by,
            installed,
            agent: None,
            clients: OnceLock::new(),
        }
    }

    /// The same program in another environment: it means the same agent, and its notices are
    /// told at the end of this run.
    #[must_use]
    pub fn in_environment(&self, environment: Environment) -> Self {
        Self {
            machine: self.machine.clone(),
            paths: Paths::new(&environment, &self.paths.current_dir),
            installed: InstalledOpenClaw::of(&environment),
            environment,
            notices: self.notices.clone(),
            refreshes_by: self.refreshes_by.clone(),
            agent: self.agent.clone(),
            clients: OnceLock::new(),
        }
    }

    /// The same program on another machine.
    #[must_use]
    pub fn on_machine(mut self, machine: Machine) -> Self {
        self.machine = machine;
        self
    }

    /// The HTTP clients of this program, which go by its environment.
    pub fn clients(&self) -> &Clients {
        self.clients
            .get_or_init(|| Clients::traced(self.environment.clone(), self.machine.trace.clone()))
    }

    /// The time of day by the clock of the machine, in milliseconds since the epoch.
    pub fn now(&self) -> Millis {
        self.machine.clock.now()
    }

    /// The same program, whose token requests are made so.
    #[must_use]
    pub fn with_refreshes_by(mut self, refreshes_by: RefreshesBy) -> Self {
        self.refreshes_by = refreshes_by;
        self
    }

    /// The same program, meaning `agent` where a command names none.
    #[must_use]
    pub fn with_agent(mut self, agent: Option<AgentId>) -> Self {
        self.agent = agent;
        self
    }

    /// The agent that is named, else the one that commands mean without a name.
    pub fn named_agent<'n>(&'n self, named: Option<&'n AgentId>) -> Option<&'n AgentId> {
        named.or(self.agent.as_ref())
    }

    /// The configuration as it is now.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::load(&self.paths, &self.environment)
    }

    /// The configuration, in order to change it.
    ///
    /// # Errors
    /// It cannot be read, or the state directory is that of a later OpenClaw.
    pub fn config_to_change(&self) -> Result<Config, AppError> {
        let config = self.config()?;
        self.store(&self.main_agent(&config)).check_generation()?;
        Ok(config)
    }

    /// The providers.
    ///
    /// # Errors
    /// A provider file cannot be used.
    pub fn catalog(&self) -> Result<Catalog, CatalogError> {
        Catalog::load(&self.paths.providers())
    }

    /// The store of an agent.
    pub fn store(&self, agent: &AgentDir) -> Store {
        let oauth_file = agent.id.is_main().then(|| self.paths.oauth_file());
        let backups = BackupPolicy { count: self.backups(), notices: self.notices.clone() };
        Store::new(agent.id.clone(), self.paths.state_dir.clone(), agent.path.clone(), oauth_file)
            .with_backups(backups)
            .with_installed(self.installed.clone())
    }

    fn backups(&self) -> usize {
        let wanted = self.environment.text("OPENCLAW_AUTH_BACKUPS");
        wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or(DEFAULT_BACKUPS)
    }

    /// Whether the state directory is one of an OpenClaw that keeps credentials in databases.
    pub fn is_of_databases(&self) -> bool {
        self.store(&self.paths.main_without_config()).is_in_database()
    }

    /// What somebody else could read or change: of the stores that `agent` uses, of the
    /// renewals for them, and of the settings that say where secrets go.
    pub fn exposures(&self, config: &Config, agent: &AgentDir) -> Vec<Exposure> {
        let mut stores = vec![self.store(agent)];
        stores.extend(self.fallback(config, agent).map(|(_, store)| store));
        self.exposures_of(&stores)
    }

    /// As [`Self::exposures`], of these stores.
    pub fn exposures_of(&self, stores: &[Store]) -> Vec<Exposure> {
        let permissions = Permissions::of(&self.paths.state_dir);
        let of_stores = stores.iter().flat_map(|store| store.exposures(&permissions));
        let mut found: Vec<_> = of_stores.chain(self.exposed_beside_stores(&permissions)).collect();
        if found.len() > 1 {
            let mut seen = HashSet::new();
            found.retain(|exposure| seen.insert(exposure.path.clone()));
        }
        found
    }

    /// Keeps exposures to warn of at the end of the run.
    pub fn warn_of(&self, exposures: &[Exposure]) {
        for exposure in exposures {
            self.notices.add(Notice::Exposed(exposure.clone()));
        }
    }

    /// As [`Self::exposures`], of what is no store: the configuration, the provider files,
    /// the renewals that wait to be stored, the logins that wait to be finished.
    fn exposed_beside_stores(&self, permissions: &Permissions) -> Vec<Exposure> {
        let mut found: Vec<_> =
            permissions.exposure(&self.paths.config, Kind::Settings).into_iter().collect();
        found.extend(permissions.exposures_in(&self.paths.providers(), Kind::Settings));
        found.extend(self.spool().exposures(permissions));
        found.extend(permissions.exposures_in(&self.paths.pending_logins(), Kind::Secrets));
        found.extend(permissions.exposures_in(&self.paths.exchanged_tokens(), Kind::Secrets));
        found
    }

    /// Refuses to touch secrets that are not in this user's hands alone.
    ///
    /// # Errors
    /// [`AppError::Insecure`], with all that is exposed.
    pub fn require_private(&self, config: &Config, agent: &AgentDir) -> Result<(), AppError> {
        let exposures = self.exposures(config, agent);
        if exposures.is_empty() { Ok(()) } else { Err(AppError::Insecure(exposures)) }
    }

    /// As [`Self::require_private`], for these stores.
    ///
    /// # Errors
    /// [`AppError::Insecure`], with all that is exposed.
    pub fn require_private_of(&self, stores: &[Store]) -> Result<(), AppError> {
        let exposures = self.exposures_of(stores);
        if exposures.is_empty() { Ok(()) } else { Err(AppError::Insecure(exposures)) }
    }

    /// The agent that a command is about: the one named, else the default one.
    ///
    /// # Errors
    /// There is no agent of that name.
    pub fn agent(&self, config: &Config, named: Option<&AgentId>) -> Result<AgentDir, AppError> {
        let Some(id) = self.named_agent(named) else {
            let id = config.default_agent();
            return Ok(if id.is_main() {
                self.main_agent(config)
            } else {
                config.agent_dir(&self.paths, &id)
            });
        };
        let agent = config.agent_dir(&self.paths, id);
        let is_known =
            id.is_main() || config.agents().any(|listed| listed.id() == *id) || agent.path.is_dir();
        if is_known { Ok(agent) } else { Err(AppError::NoSuchAgent(id.clone())) }
    }

    /// Agent `main`: where the environment puts it, else where the configuration does.
    pub fn main_agent(&self, config: &Config) -> AgentDir {
        self.paths.main_agent().unwrap_or_else(|| config.agent_dir(&self.paths, &AgentId::main()))
    }

    /// The logins that were moved away.
    pub fn moves(&self) -> Moves {
        Moves::new(self.paths.moves())
    }

    /// Where replies wait that could not be stored yet.
    pub fn spool(&self) -> Spool {
        Spool::new(self.paths.spool())
    }

    /// All agents with their stores, and what every agent has where profiles of `main`'s own may hide it
    /// from `main`: whatever holds a login.
    pub fn holders(&self, config: &Config) -> Vec<(AgentDir, Store)> {
        let with_store = |agent| {
            let store = self.store(&agent);
            (agent, store)
        };
        let agents = self.agents_with_directories(config).into_iter();
        let mut holders: Vec<_> = agents.map(with_store).collect();
        let (main, store) = with_store(self.main_agent(config));
        let of_all = store.of_all_agents();
        holders.extend(of_all.is_of_all_agents().then_some((main, of_all)));
        holders
    }

    /// The stores of [`Self::holders`].
    pub fn holding_stores(&self, config: &Config) -> Vec<Store> {
        self.holders(config).into_iter().map(|(_, store)| store).collect()
    }

    /// The stores of all agents: those that are configured, and those in the state
    /// directory, each once.
    pub fn stores(&self, config: &Config) -> Vec<Store> {
        self.agents_with_directories(config).iter().map(|agent| self.store(agent)).collect()
    }

    /// All agents whose directory exists, or is away behind a symbolic link that leads nowhere,
    /// and `main` where the databases have its logins:
    /// those that are configured, and those in the state directory, each once; `main` first.
    pub fn agents_with_directories(&self, config: &Config) -> Vec<AgentDir> {
        let mut agents = vec![self.main_agent(config)];
        agents.extend(config.agent_dirs(&self.paths));
        let present = self.paths.state_dir.join("agents").read_dir().into_iter().flatten();
        agents.extend(present.flatten().map(|entry| AgentDir {
            id: AgentId::of_directory(&entry.file_name().to_string_lossy()),
            path: entry.path().join("agent"),
        }));
        let (mut seen, mut away) = (HashSet::new(), HashSet::new());
        let mut is_first = true;
        agents.retain(|agent| {
            let is_main = std::mem::take(&mut is_first);
            match agent.path.metadata() {
                Ok(found) => found.is_dir() && seen.insert((found.dev(), found.ino())),
                Err(_) if is_main && self.store(agent).is_in_database() => true,
                Err(_) => file::dead_link(&agent.path).is_some() && away.insert(agent.path.clone()),
            }
        });
        agents
    }

    /// A location as people write it: `~` for the home directory.
    pub fn shorten(&self, location: &Location) -> String {
        match location.path() {
            Some(path) => self.paths.shorten(path),
            None => location.to_string(),
        }
    }

    /// The normalised id of the provider that a user names by id or alias.
    ///
    /// # Errors
    /// A provider file cannot be used.
    pub fn provider_id(&self, named: &ProviderId) -> Result<ProviderId, CatalogError> {
        let catalog = self.catalog()?;
        let known = catalog.names_of(named).map(|known| known.id().into());
        Ok(known.unwrap_or_else(|| named.clone().normalized()))
    }

    /// The agent whose profiles `agent` reads through to, and what it sees of its store; `None`
    /// for that agent itself.
    pub fn fallback(&self, config: &Config, agent: &AgentDir) -> Option<(AgentDir, Store)> {
        (!agent.id.is_main()).then(|| {
            let main = self.main_agent(config);
            let store = self.store(&main).of_all_agents();
            (main, store)
        })
    }

    /// The stores that `agent` reads: its own, then that of [`Self::fallback`].
    pub fn readable(&self, config: &Config, agent: &AgentDir) -> Vec<(AgentDir, Store)> {
        let own = (agent.clone(), self.store(agent));
        std::iter::once(own).chain(self.fallback(config, agent)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<App>();
        shared::<Config>();
        shared::<Store>();
    }
}
