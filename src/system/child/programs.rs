//! Who starts the programs of others for us: the system, or what a test puts in its place.
//!
//! Invariant: above `system`, a program is started by the [`Programs`] that its caller was
//! given and by nothing else.

use super::bounded::{Ended, Limits, run};
use super::line_process::LineProcess;
use super::policy::command;
use crate::system::Environment;
use std::io;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Who starts programs.
#[derive(Clone, Default)]
pub enum Programs {
    /// The system.
    #[default]
    System,
    /// The system, but what this makes of a command: it sees which program was to be started
    /// with which arguments and variables, and says which one is started in its place, or why
    /// none is.
    Instead(Arc<Replace>),
}

/// What makes another command of the one that was to be started.
pub type Replace = dyn Fn(&Command) -> io::Result<Command> + Send + Sync;

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Instead(_) => "Instead",
        })
    }
}

impl Programs {
    /// Runs `command` with `input` on its standard input, to its end or beyond a limit.
    ///
    /// # Errors
    /// The process cannot be started or waited for.
    pub fn run(&self, command: &mut Command, input: Vec<u8>, limits: Limits) -> io::Result<Ended> {
        self.with(command, |command| run(command, input, limits))
    }

    /// Starts `command`, to talk to it line by line. On each of its streams it may print
    /// `output_bytes`.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn talk_to(&self, command: &mut Command, output_bytes: u64) -> io::Result<LineProcess> {
        self.with(command, |command| LineProcess::start(command, output_bytes))
    }

    /// Whether a program of this name can be started.
    pub fn is_installed(&self, program: &str, environment: &Environment) -> bool {
        let mut command = command(program, environment);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.with(&mut command, Command::status).is_ok()
    }

    /// Runs a program on the user's terminal to its end; whether it succeeded.
    pub fn run_on_terminal(
        &self,
        program: &str,
        arguments: &[String],
        environment: &Environment,
    ) -> bool {
        let status = self.with(command(program, environment).args(arguments), Command::status);
        status.is_ok_and(|status| status.success())
    }

    fn with<T>(
        &self,
        command: &mut Command,
        start: impl FnOnce(&mut Command) -> io::Result<T>,
    ) -> io::Result<T> {
        match self {
            Self::System => start(command),
            Self::Instead(replace) => start(&mut replace(command)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_put_in_the_place_of_a_program_sees_its_command() {
        let programs = Programs::Instead(Arc::new(|command: &Command| {
            if command.get_program() != "teller" {
                return Err(io::ErrorKind::NotFound.into());
            }
            let mut other = Command::new("/bin/echo");
            other.args(command.get_args());
            Ok(other)
        }));
        let minute = Duration::from_mins(1);
        let limits = Limits { time: minute, silence: minute, output_bytes: 100 };
        let ended = programs.run(Command::new("teller").arg("one"), Vec::new(), limits);
        assert!(matches!(ended, Ok(Ended::Exited(_, output)) if output == b"one\n"));
        assert!(programs.run(&mut Command::new("other"), Vec::new(), limits).is_err());
        let environment = Environment::of([("HOME", "/nonexistent")]);
        assert!(!programs.is_installed("other", &environment));
        assert!(!Programs::System.is_installed("/nonexistent/other", &environment));
        assert!(programs.is_installed("teller", &environment));
    }
}
