//! The one place where a command that we start is made.

use std::ffi::OsStr;
use std::process::Command;

/// A program that gets these variables and no others.
pub fn command_with<N: AsRef<OsStr>, V: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    variables: impl IntoIterator<Item = (N, V)>,
) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(variables);
    command
}
