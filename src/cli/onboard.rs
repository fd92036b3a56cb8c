//! `onboard`: from nothing to a first login, on a terminal or by options alone.

use super::models::auth::sign_in::{Choice, by_choice, nothing_chosen, pick};
use super::output::Output;
use super::prompt::{ask, choose_one, require_terminal};
use crate::admin::{agents, default_model};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::profile::AgentId;
use crate::text::shell_word;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without questions:

  openclaw-auth onboard --non-interactive --auth-choice openai-codex
  printf '%s\\n' \"$KEY\" | openclaw-auth onboard --non-interactive --auth-choice openai-api-key

A token or key is read from standard input, never from an argument.")]
pub(super) struct Args {
    /// Ask nothing; needs --auth-choice
    #[arg(long)]
    non_interactive: bool,
    /// The way to sign in, such as openai-codex, setup-token or openai-api-key, or a provider that
    /// a program serves; `skip` for none
    #[arg(long, value_name = "ID")]
    auth_choice: Option<String>,
    /// Work in this state directory in place of ~/.openclaw; without a value, it is asked for
    #[arg(long, value_name = "DIRECTORY", num_args = 0..=1, default_missing_value = ASKED, conflicts_with = "non_interactive")]
    state_dir: Option<String>,
    /// The agent to sign in for [default: the default agent]
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The default model, as provider/model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
}

/// The state directory is asked for: no directory has this name.
const ASKED: &str = "?";

/// The choice that signs in nowhere.
const SKIP: &str = "skip";

/// What a script types in place of answering questions.
const WITHOUT_QUESTIONS: &str =
    "openclaw-auth onboard --non-interactive --auth-choice <id> [--agent <id>] [--model <model>]";

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    if args.non_interactive {
        return without_questions(args, app, output);
    }
    require_terminal(output, WITHOUT_QUESTIONS)?;
    let default = app.paths.shorten(&app.paths.state_dir);
    let state_dir = match &args.state_dir {
        Some(state_dir) if state_dir != ASKED => state_dir.clone(),
        Some(_) => ask(output, "State directory", Some(&default))?,
        None => default.clone(),
    };
    if state_dir == default {
        return with_questions(args, app, output);
    }
    let environment = app.environment.clone().with("OPENCLAW_STATE_DIR", &state_dir);
    let app = app.in_environment(environment);
    with_questions(args, &app, output)?;
    output.say(&format!(
        "From now on, name the state directory: export OPENCLAW_STATE_DIR={}",
        shell_word(app.paths.state_dir.as_os_str())
    ));
    Ok(())
}

fn without_questions(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let Some(choice) = args.auth_choice.as_deref() else {
        return Err(Failure::usage("--non-interactive needs --auth-choice").hint(WITHOUT_QUESTIONS));
    };
    let catalog = app.catalog()?;
    // What is wrong with the model is found out before the user signs in.
    let way = match choice {
        SKIP => None,
        choice => Some(by_choice(app, &catalog, choice)?),
    };
    finish(way, args.agent.as_deref(), args.model.as_deref(), app, output)
}

fn with_questions(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let catalog = app.catalog()?;
    let way = match args.auth_choice.as_deref() {
        Some(SKIP) => None,
        Some(choice) => Some(by_choice(app, &catalog, choice)?),
        None => Some(pick(app, &catalog)?.ok_or_else(nothing_chosen)?),
    };
    let agent = match &args.agent {
        Some(agent) => Some(agent.clone()),
        None => match app.named_agent(None) {
            Some(agent) => Some(agent.as_str().to_owned()),
            None => choose_agent(app)?,
        },
    };
    let model = match &args.model {
        Some(model) => Some(model.clone()),
        None => choose_model(way.as_ref(), output)?,
    };
    finish(way, agent.as_deref(), model.as_deref(), app, output)
}

/// The agent, where there is a choice.
fn choose_agent(app: &App) -> Result<Option<String>, Failure> {
    let agents = agents::list(app)?;
    let ids: Vec<&str> = agents.iter().map(|agent| agent.id.as_str()).collect();
    match ids.as_slice() {
        [] | [_] => Ok(None),
        several => Ok(Some(several[choose_one("Agent", several)?].to_owned())),
    }
}

fn choose_model(
    way: Option<&Choice<'_>>,
    output: &mut Output<'_>,
) -> Result<Option<String>, Failure> {
    let offered = way.and_then(Choice::default_model);
    let question = "Default model (provider/model, `-` to leave it as it is)";
    let model = ask(output, question, Some(offered.unwrap_or("-")))?;
    Ok((model != "-").then_some(model))
}

/// Signs in, then sets the model, and says what comes next.
fn finish(
    way: Option<Choice<'_>>,
    agent: Option<&str>,
    model: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if let Some(model) = model {
        default_model::check(model)?;
    }
    let agent = agent.or_else(|| app.named_agent(None).map(AgentId::as_str));
    let of = way.as_ref().and_then(|way| Some(format!(" --provider {}", way.provider()?)));
    if let Some(way) = way {
        way.go(agent, app, output)?;
    }
    if let Some(model) = model {
        default_model::set(app, model)?;
        output.data(&format!("Default model: {model}\n"))?;
    }
    output.say(&format!(
        "Next: openclaw-auth models status, openclaw-auth models auth token{}",
        of.unwrap_or_default()
            + &agent.map(|agent| format!(" --agent {agent}")).unwrap_or_default()
    ));
    Ok(())
}
