//! Secret references: a value that stands elsewhere, in a variable, in a file, or behind
//! a command, as the `secrets` section of `openclaw.json` describes those places.
//!
//! Invariant: nothing is looked up before a value is needed, and a reference that does
//! not resolve is an error. It is never a literal secret.

mod command;
mod entry;
mod error;
mod file;
mod members;
mod provider;
mod resolve;

pub use entry::{Misplaced, Stored, misplaced, stored};
pub use error::{AnswerProblem, CommandProblem, FileProblem, ReferenceError, ReferenceLimit};
pub use provider::{InvalidSecrets, Limits, Problem, Provider, Secrets};
pub use resolve::{Resolver, Wanted};
