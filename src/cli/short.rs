//! The short commands: those of `models auth` at the top level.
//!
//! Invariant: they are the long ones by another name. The arguments and the code are the same.

// A command of `models auth` by itself, with the agent that its parent takes. (A doc comment
// would become the description of each.)
#[derive(Debug, clap::Args)]
pub(super) struct Short<A: clap::Args> {
    #[command(flatten)]
    pub(super) args: A,
    /// The agent [default: the default agent]
    #[arg(long, value_name = "ID", global = true)]
    pub(super) agent: Option<String>,
}
