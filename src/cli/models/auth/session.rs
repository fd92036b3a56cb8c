//! `models auth session show|set|clear`

use crate::admin::session::{Report as Session, Request, clear, set, show};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::profile::{AgentId, ProfileId, ProviderId};
use crate::text::printable;
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
#[command(defer = true)]
enum Command {
    /// Show what a session pins
    Show(Options),
    /// Pin a model, a profile, or both
    Set {
        #[command(flatten)]
        options: Options,
        /// The profile to pin
        #[arg(long, value_name = "ID", value_parser = named::profile)]
        profile: Option<ProfileId>,
        /// The model to pin, as <provider>/<model>[@<profile>]; without a profile, a pinned
        /// one is let go
        #[arg(long, value_name = "MODEL_REF")]
        model: Option<String>,
    },
    /// Pin nothing any more
    Clear(Options),
}

#[derive(Debug, clap::Args)]
struct Options {
    /// The key of the session; what stands before it may be left out: `agent:<id>:`
    #[arg(long, value_name = "KEY")]
    session: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'s> {
    schema: u32,
    agent_id: &'s AgentId,
    session: &'s str,
    exists: bool,
    #[serde(flatten)]
    store_path: PathMember<'s>,
    provider_override: Option<&'s ProviderId>,
    model_override: Option<&'s str>,
    model_override_source: Option<&'s str>,
    auth_profile_override: Option<&'s ProfileId>,
    auth_profile_override_source: Option<&'s str>,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request =
        |options: &Options| Request { key: options.session.clone(), agent: AgentId::named(agent) };
    let (session, json) = match args.command {
        None => return output.help(&["models", "auth", "session"]),
        Some(Command::Show(options)) => (show(app, &request(&options)), options.json),
        Some(Command::Clear(options)) => (clear(app, &request(&options)), options.json),
        Some(Command::Set { options, profile, model }) => {
            let request = request(&options);
            (set(app, &request, profile.as_ref(), model.as_deref()), options.json)
        }
    };
    let session = session.map_err(failure::explain(failure::session, app))?;
    if !json {
        return output.data(&text(&session));
    }
    let pinned = &session.pinned;
    output.json(&Report {
        schema: 1,
        agent_id: &session.agent_id,
        session: &session.key,
        exists: session.exists,
        store_path: PathMember::of("storePath", &session.store_path),
        provider_override: pinned.provider.as_ref(),
        model_override: pinned.model.as_deref(),
        model_override_source: pinned.model_source.as_deref(),
        auth_profile_override: pinned.profile.as_ref(),
        auth_profile_override_source: pinned.effective_profile_source(),
    })
}

fn text(session: &Session) -> String {
    let pinned = &session.pinned;
    let none = || "(none)".to_owned();
    let model = pinned.model.as_ref().map(|model| match &pinned.provider {
        Some(provider) => format!("{provider}/{}", printable(model, 200)),
        None => printable(model, 200),
    });
    let profile = pinned.profile.as_ref().map(|profile| {
        let source = pinned.effective_profile_source().unwrap_or_default();
        format!("{profile} ({})", printable(source, 20))
    });
    let missing = if session.exists { "" } else { " (no such session)" };
    format!(
        "Agent: {}\nSession: {}{missing}\nModel: {}\nProfile: {}\n",
        session.agent_id,
        printable(&session.key, 200),
        model.unwrap_or_else(none),
        profile.unwrap_or_else(none)
    )
}
