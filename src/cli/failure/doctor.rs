//! What is to be done about what `doctor` finds.

use super::command::{login_template, of_agent, sign_in_command};
use super::login_state::{LoginAt, state_remedy};
use super::selection::order_command;
use super::{Explain, move_away, remedy, to_databases};
use crate::admin::doctor::Misshapen;
use crate::admin::doctor::What;
use crate::app::App;
use crate::cli::exit::{Command, Hint};
use crate::external::Tool;
use crate::profile::Kind;
use crate::store::{EntryFault, Leftover, Location, Misshape};
use crate::system::lock::Holder;

/// The next step.
pub(in crate::cli) fn next_step(what: &What, app: &App) -> Hint {
    match what {
        What::Exposed(exposure) => remedy(exposure),
        What::Failed(error) => or_message(error),
        What::Renewal(problem) => or_message(problem),
        What::Restorable { location, agent_id, .. } => {
            let restore = of_agent(Command::ours("doctor --restore latest"), agent_id);
            match location.path() {
                Some(path) => Hint::from(move_away(path)).then(" && ").run(restore),
                None => restore.into(),
            }
        }
        What::Blocking { .. } => to_databases().into(),
        What::Misshapen(misshapen) => correction(misshapen, app),
        What::StaleOrder { order, agent_id } if order.hidden.is_empty() => {
            let clear =
                Command::ours("models auth order clear").option("--provider", &order.provider);
            let text = format!("take them out of {}; the others are used", order.location);
            match order.member {
                "order" => Hint::new(text).then(", or: ").run(of_agent(clear, agent_id)),
                _ => text.into(),
            }
        }
        What::StaleOrder { order, agent_id } => order_command(order, agent_id).into(),
        What::Login { profile_id, agent_id, provider, state } => {
            let login = LoginAt { profile_id, provider, agent_id };
            state_remedy(app, &login, state)
        }
        What::HeldTwice(_) => {
            "sign in for each of them, or leave one: a refresh by OpenClaw spends the others".into()
        }
        What::HeldByProgram { tool, .. } | What::SpentInProgram { tool, .. } => {
            Command::ours("models auth import").arg(&tool.program().name).arg("--move").into()
        }
        What::UnreadableProgram { tool, .. } => {
            let program = tool.program();
            format!("nothing here; sign in to {} again: {}", program.label, program.sign_in).into()
        }
        What::Unstored { profile_id, agent_id, .. } => Command::ours("models auth token")
            .option("--profile", profile_id)
            .option("--agent", agent_id)
            .into(),
        What::UnstoredLogin { of: Some((agent_id, provider)), .. } => {
            of_agent(Command::ours("models auth token").option("--provider", provider), agent_id)
                .into()
        }
        What::UnstoredLogin { location, of: None } => removal(location),
        What::Unread(location) => {
            Hint::new("look for a refresh token in it, or sign in again; then: ")
                .with(removal(location))
        }
        What::KeptElsewhere { note, .. } => {
            Hint::new("run a command with that home directory, or sign in again and then: ")
                .with(removal(note))
        }
        What::UnstoredOfUnreadable(_) => "correct that store".into(),
        What::UnstoredOfNobody(location) | What::Left(Leftover::Temporary(location)) => {
            removal(location)
        }
        // Nobody can say whether that one works still.
        What::Left(Leftover::Lock {
            location,
            holder: Holder { pid: None, .. },
            is_held: true,
        }) => Hint::new("nothing, while somebody works; else: ").with(removal(location)),
        What::Left(Leftover::Lock { is_held: true, .. }) => "nothing, while it works".into(),
        What::Left(Leftover::Lock { is_held: false, .. }) => {
            "nothing: the next command that needs it takes it".into()
        }
        What::UnusedProgram(_) => "nothing, or name it otherwise".into(),
        What::BrokenProgram { .. } => {
            "correct the program; docs/providers.md describes the protocol".into()
        }
        What::Network(_) => "correct the variable, or unset it".into(),
        What::SharedFileSystem { .. } => "let one host alone refresh, or keep the state \
                                          directory on a disk of this host: \
                                          OPENCLAW_STATE_DIR=<dir> openclaw-auth …"
            .into(),
    }
}

/// How what is in a document is put where it is read, or stored anew.
fn correction(misshapen: &Misshapen, app: &App) -> Hint {
    let location = &misshapen.location;
    let correct = match &misshapen.shape {
        Misshape::Beside { .. } => format!("move it into `profiles` in {location}"),
        Misshape::OtherFile { of, .. }
            if let Some(tool) = Tool::ALL.into_iter().find(|it| it.program().label == *of) =>
        {
            let program = tool.program();
            let sign_in = sign_in_command(app, &program.provider, &misshapen.agent_id);
            let import = Command::ours("models auth import").arg(&program.name);
            let import = Hint::from(of_agent(import, &misshapen.agent_id));
            // The import is the way to sign in at some.
            if sign_in.to_string().starts_with(&import.to_string()) {
                return sign_in;
            }
            return import.then(", or: ").with(sign_in);
        }
        Misshape::OtherFile { .. } | Misshape::Nested { .. } => {
            let hint = format!("put its profiles into `profiles` in {location}, or sign in: ");
            return Hint::new(hint).with(login_template(&misshapen.agent_id));
        }
        Misshape::Entry { fault: EntryFault::Repeats, .. } => {
            return format!("leave one of the two in {location}; OpenClaw takes the last").into();
        }
        Misshape::Entry { .. } => return format!("correct it in {location}, or leave it").into(),
        Misshape::Misnamed { written, read, .. } => {
            format!("rename `{written}` to `{read}` in {location}")
        }
        Misshape::Expiry { .. } => format!("give it in milliseconds since 1970 in {location}"),
        Misshape::OtherType { field, .. } => {
            let kind = if *field == "token" { Kind::Token } else { Kind::ApiKey };
            return format!("set its `type` to `{}` in {location}", kind.name()).into();
        }
        Misshape::Empty { .. } | Misshape::Masked { .. } | Misshape::OddCharacters { .. } => {
            String::new()
        }
    };
    let anew = misshapen.profile.as_ref().map(|(id, kind, provider)| {
        let command = match kind {
            Kind::OAuth => return sign_in_command(app, provider, &misshapen.agent_id),
            Kind::Token => Command::ours("models auth paste-token"),
            Kind::ApiKey => Command::ours("models auth paste-api-key"),
        };
        let command = command.option("--provider", provider).option("--profile-id", id);
        of_agent(command, &misshapen.agent_id).into()
    });
    match (correct.is_empty(), anew) {
        (true, Some(anew)) => anew,
        (true, None) => format!("correct it in {location}").into(),
        (false, Some(anew)) => Hint::new(correct).then(", or store it again: ").with(anew),
        (false, None) => correct.into(),
    }
}

fn or_message(error: &impl Explain) -> Hint {
    error.advice().1.unwrap_or_else(|| "see the message".into())
}

/// The command that removes what is at a location.
fn removal(location: &Location) -> Hint {
    match location.path() {
        Some(path) if path.is_dir() => Command::new("rmdir").arg(path).into(),
        Some(path) => Command::new("rm").arg(path).into(),
        None => format!("remove {location}").into(),
    }
}
