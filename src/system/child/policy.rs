//! What a program that we start is given of the environment, where it does not say itself what it
//! needs.

use super::command::command_with;
use crate::system::Environment;
use std::ffi::OsStr;
use std::process::Command;

/// A program that gets the environment without the variables that look like secrets, which it
/// did not ask for.
pub fn command(program: impl AsRef<OsStr>, environment: &Environment) -> Command {
    command_with(program, environment.without_secrets())
}

/// Makes a command that somebody else has put together one of [`command`]; the variables that
/// were set for it stay.
pub(in crate::system) fn withhold_secrets(command: &mut Command, environment: &Environment) {
    let own: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command.env_clear().envs(environment.without_secrets()).envs(own);
}
