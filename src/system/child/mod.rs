//! Other programs that we start. There are two ways to follow one: [`Programs::run`] gives it its
//! input at once and waits until it has ended, [`LineProcess`] talks to it line by line.
//!
//! Invariant: a program gets the variables that it asked for: those that its definition names,
//! or all but those that look like secrets. `tests/it/layering.rs` finds no other start.

mod bounded;
mod command;
mod group;
mod line_process;
mod policy;
mod programs;

pub(super) use bounded::run;
pub use bounded::{Ended, Limits};
pub use command::command_with;
pub use line_process::{LineProcess, Output};
pub use policy::command;
pub(super) use policy::withhold_secrets;
pub use programs::{Programs, Replace};
