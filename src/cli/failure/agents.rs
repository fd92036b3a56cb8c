//! Failures of the commands about agents.

use super::{Advice, Explain};
use crate::admin::agents::binding::BindingSpecError;
use crate::admin::agents::{
    AddError, BindError, DeleteError, IdentityError, InvalidBinding, InvalidBindings, NotUndone,
    UnknownAgent,
};
use crate::admin::channels::channel::Channel;
use crate::cli::exit::{Command, ExitStatus, Hint};

impl Explain for AddError {
    fn advice(&self) -> Advice {
        let hint = match self {
            AddError::App(error) => return error.advice(),
            AddError::Bindings(error) => return error.advice(),
            AddError::NoName => Some("openclaw-auth agents add <name>".into()),
            AddError::Reserved(_) => {
                Some("choose a name with a letter or digit (a-z, 0-9) in it".into())
            }
            AddError::Exists(_) => Some(list().into()),
            AddError::NotText { .. } => {
                Some("name other directories with --workspace and --agent-dir".into())
            }
            AddError::SharedStore { .. } | AddError::Create { .. } => None,
        };
        (ExitStatus::Failure, hint)
    }
}

impl Explain for BindError {
    fn advice(&self) -> Advice {
        let hint = match self {
            BindError::App(error) => return error.advice(),
            BindError::Agent(error) => return error.advice(),
            BindError::Bindings(error) => return error.advice(),
            BindError::NoName => None,
            BindError::NothingToBind => {
                Some("openclaw-auth agents bind --bind <channel[:account]>".into())
            }
            BindError::NothingToUnbind => {
                Some("openclaw-auth agents unbind --bind <channel[:account]>, or --all".into())
            }
        };
        (ExitStatus::Failure, hint)
    }
}

impl Explain for DeleteError {
    fn advice(&self) -> Advice {
        let hint = match self {
            DeleteError::App(error) => return error.advice(),
            DeleteError::Agent(error) => return error.advice(),
            DeleteError::NotUndone(NotUndone { cause, moved }) => {
                let places = moved.iter().map(|(from, to)| {
                    Hint::from(format!("{} is now {}", from.display(), to.display()))
                });
                let places = Hint::join(places, "; ");
                let hint = places.map(|places| Hint::new("move back by hand: ").with(places));
                return (cause.advice().0, hint);
            }
            DeleteError::NoName => Some(list().into()),
            DeleteError::Main(_) | DeleteError::NotMoved { .. } => None,
        };
        (ExitStatus::Failure, hint)
    }
}

impl Explain for IdentityError {
    fn advice(&self) -> Advice {
        let hint = match self {
            IdentityError::App(error) => return error.advice(),
            IdentityError::Agent(error) => return error.advice(),
            IdentityError::Empty { agent_id, .. } => {
                Hint::new("openclaw-auth agents set-identity --agent ")
                    .word(agent_id.as_str())
                    .then(" --name <name> --emoji <emoji>")
            }
            IdentityError::NobodysWorkspace(_) => {
                Hint::new("name the agent with --agent; ").run(list()).then(" shows all")
            }
            IdentityError::SharedWorkspace { .. } => "name the agent with --agent".into(),
        };
        (ExitStatus::Failure, Some(hint))
    }
}

impl Explain for UnknownAgent {
    fn advice(&self) -> Advice {
        (ExitStatus::Failure, Some(list().into()))
    }
}

impl Explain for InvalidBindings {
    fn advice(&self) -> Advice {
        let is_unknown = |invalid: &InvalidBinding| {
            matches!(invalid, InvalidBinding::Spec(BindingSpecError::UnknownChannel(_)))
        };
        let hint = self.0.iter().any(is_unknown).then(|| {
            let mut known: Vec<_> =
                Channel::all().iter().map(|channel| channel.id.as_str()).collect();
            known.sort_unstable();
            format!("the channels are {}", known.join(", ")).into()
        });
        (ExitStatus::Failure, hint)
    }
}

fn list() -> Command {
    Command::ours("agents list")
}
