//! Programs that serve a provider of their own: `openclaw-auth-provider-<id>` on `PATH`
//! speaks a small protocol of JSON lines (`docs/providers.md`). A provider that the catalog
//! knows is never served by one.

mod breach;
mod message;

use breach::Breach;
pub use message::{Description, Issued, Message, Operation, Question, UserCode};

use crate::oauth::TokenError;
use crate::profile::{Credential, ProviderId};
use crate::secret::Secret;
use crate::system::child::{self, LineProcess, Output};
use crate::system::trust::{self, Insecure};
use crate::system::{Clock, Environment, Machine};
use crate::text::printable;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the name of such a program begins with.
const PREFIX: &str = "openclaw-auth-provider-";
/// What it may print on each stream in one run.
const MOST_OUTPUT: u64 = 1024 * 1024;
/// How long it may take to say what it is.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may go on after its last word.
const LAST_WORD: Duration = Duration::from_secs(2);

/// A program that serves a provider.
#[derive(Clone, Debug)]
pub struct Program {
    /// The id of the provider.
    pub provider: ProviderId,
    /// Where it was found.
    pub path: PathBuf,
    /// Where that leads.
    file: PathBuf,
}

/// Why a program is not run.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the program {} {insecure}", path.display())]
pub struct InsecureProgram {
    /// Where it was found.
    pub path: PathBuf,
    /// What is wrong with it.
    pub insecure: Insecure,
}

impl Program {
    /// The program that serves `provider`; `None` when there is none on `PATH`.
    ///
    /// # Errors
    /// Somebody else could be behind it.
    pub fn find(
        provider: &ProviderId,
        environment: &Environment,
    ) -> Result<Option<Self>, InsecureProgram> {
        if !is_fit(provider.as_str()) {
            return Ok(None);
        }
        let name = format!("{PREFIX}{}", provider.as_str());
        let mut places = environment.search_path().into_iter().map(|it| it.join(&name));
        let Some(path) = places.find(|path| path.is_file()) else { return Ok(None) };
        match trust::installed_program(&path) {
            Ok(file) => Ok(Some(Self { provider: provider.clone().normalized(), path, file })),
            Err(insecure) => Err(InsecureProgram { path, insecure }),
        }
    }

    /// The ids of the providers that programs on `PATH` serve, in their order.
    pub fn providers(environment: &Environment) -> Vec<ProviderId> {
        let entries = environment.search_path().into_iter().filter_map(|it| it.read_dir().ok());
        let names = entries.flatten().flatten().map(|entry| entry.file_name());
        let mut found: Vec<String> = names
            .filter_map(|name| name.to_str()?.strip_prefix(PREFIX).map(str::to_owned))
            .filter(|provider| is_fit(provider))
            .collect();
        found.sort();
        found.dedup();
        found.into_iter().map(ProviderId::from).collect()
    }

    /// The name of the program.
    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.provider.as_str())
    }

    /// Asks what it is.
    ///
    /// # Errors
    /// It cannot be run, or does not speak the protocol.
    pub async fn describe(
        &self,
        machine: &Machine,
        environment: &Environment,
    ) -> Result<Description, TokenError> {
        let mut conversation = self.begin(machine, environment, Operation::Describe, None)?;
        let described = async {
            loop {
                match conversation.next().await? {
                    Message::Described(description) => return Ok(description),
                    Message::Note(_) | Message::Aside(_) => {}
                    _ => return Err(self.unreadable(Breach::NoDescription)),
                }
            }
        };
        let described = machine.clock.within(DESCRIBE_TIMEOUT, described).await;
        described.unwrap_or_else(|| Err(self.took_too_long(DESCRIBE_TIMEOUT)))
    }

    /// Begins an operation, on `credential` with the text of its entry where it needs one.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn begin(
        &self,
        machine: &Machine,
        environment: &Environment,
        operation: Operation,
        credential: Option<(&Credential, &Secret)>,
    ) -> Result<Conversation, TokenError> {
        let request = message::request(operation, &self.provider, credential);
        let mut command = child::command(&self.file, environment);
        command.current_dir(self.file.parent().unwrap_or(Path::new("/")));
        let process = machine.programs.talk_to(&mut command, MOST_OUTPUT);
        let process = process.map_err(|error| {
            let reason = format!("{} could not be run: {error}", self.path.display());
            TokenError::unavailable(reason, false)
        })?;
        process.send(&request);
        Ok(Conversation { program: self.clone(), process, clock: machine.clock.clone() })
    }

    /// It was given up on. Nobody knows what it has done.
    pub fn took_too_long(&self, limit: Duration) -> TokenError {
        let reason = format!("{} took longer than {} s", self.name(), limit.as_secs());
        TokenError::unavailable(reason, true)
    }

    /// It did something that the protocol does not know.
    pub fn unreadable(&self, what: impl std::fmt::Display) -> TokenError {
        TokenError::Unreadable(format!("{} {what}", self.name()))
    }
}

/// An operation under way. The program is killed when this is dropped.
pub struct Conversation {
    program: Program,
    process: LineProcess,
    clock: Clock,
}

impl Conversation {
    /// The next message. May be given up on and asked for again.
    ///
    /// # Errors
    /// The program refused, or ended or spoke as the protocol does not allow.
    pub async fn next(&mut self) -> Result<Message, TokenError> {
        loop {
            let message = match self.process.next().await {
                Output::Stdout(line) if line.is_blank() => continue,
                Output::Stdout(line) => message::parse(&line, self.clock.now()),
                Output::Stderr(text) => Ok(Some(Message::Aside(printable(text.trim(), 500)))),
                Output::NotUtf8 => Err(Breach::NoText),
                Output::LimitExceeded => Err(Breach::TooMuch { kib: MOST_OUTPUT / 1024 }),
                Output::Ended(status) => Err(Breach::Ended(status)),
            };
            match message.map_err(|breach| self.program.unreadable(breach))? {
                Some(Message::Failed(error)) => return Err(error),
                Some(message) => return Ok(message),
                // What a later version of the protocol may say.
                None => {}
            }
        }
    }

    /// Answers a question.
    pub fn answer(&self, answer: &str) {
        self.process.send(&message::answer(answer));
    }

    /// Lets the program end by itself, for a moment, after its last word; `aside` is told
    /// what it has said on its standard error besides.
    pub async fn finish(mut self, mut aside: impl FnMut(String)) {
        self.process.close_input();
        let ended = async {
            loop {
                match self.process.next().await {
                    Output::Ended(_) => break,
                    Output::Stderr(text) => aside(printable(text.trim(), 500)),
                    _ => {}
                }
            }
        };
        let _ = self.clock.within(LAST_WORD, ended).await;
    }
}

/// Whether the name of a program can end like this.
fn is_fit(provider: &str) -> bool {
    let is_plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    provider.starts_with(|c: char| c.is_ascii_alphanumeric())
        && provider.len() <= 80
        && provider.chars().all(is_plain)
}
