//! `store convert`

use crate::admin::convert::{Report, convert};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::profile::{AgentId, ProfileId};
use crate::store::{MovedProfile, Outcome, StoreFormat};
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
OpenClaw to 2026.5 stores logins in JSON documents, OpenClaw 2026.8 and later in a SQLite
database. This moves the logins of all agents from one to the other, with order and usage,
and names them in openclaw.json as that OpenClaw does (`openai-codex` is `openai` there).
Stop OpenClaw first: no login is on both sides at any time.

The originals are kept, mode 0600, below openclaw-auth/backups/ in the state directory. A move that was
interrupted is finished by running this again; until then nothing else changes a login.
What the destination has already is not replaced. An agent with logins of its own needs a
database of its own, which OpenClaw alone makes: the hint names its command.

Exit codes: 0 done, or nothing to do; 5 a refresh is under way or OpenClaw's gateway is
running; 6 a store cannot be moved, the message says why and nothing has changed.

  openclaw-auth store convert --to sqlite --dry-run
  openclaw-auth store convert --to sqlite
  openclaw-auth store convert --to json")]
pub(super) struct Args {
    /// Where the logins go
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// A SQLite database: OpenClaw 2026.8 and later
    Sqlite,
    /// JSON documents: OpenClaw to 2026.5
    Json,
}

impl From<Format> for StoreFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Sqlite => Self::Sqlite,
            Format::Json => Self::Json,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConvertReport<'r> {
    schema: u32,
    to: &'static str,
    dry_run: bool,
    /// Whether an interrupted move was finished.
    resumed: bool,
    agents: Vec<AgentReport<'r>>,
    config_changed: bool,
    unclear_models: &'r [String],
    #[serde(flatten)]
    backup: Option<PathMember<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AgentReport<'r> {
    agent_id: &'r AgentId,
    #[serde(flatten)]
    from: PathMember<'r>,
    #[serde(flatten)]
    to: PathMember<'r>,
    profiles: Vec<ProfileReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileReport<'r> {
    id: &'r ProfileId,
    becomes: &'r ProfileId,
    outcome: Outcome,
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let report = convert(app, args.to.into(), args.dry_run)?;
    if args.json { print_json(&report, output) } else { print_text(&report, app, output) }
}

fn print_json(report: &Report, output: &mut Output<'_>) -> Result<(), Failure> {
    let agents = report.moves.agents.iter().map(|agent| AgentReport {
        agent_id: &agent.agent_id,
        from: PathMember::location("from", &agent.from),
        to: PathMember::location("to", &agent.to),
        profiles: agent
            .profiles
            .iter()
            .map(|it| ProfileReport { id: &it.id, becomes: &it.becomes, outcome: it.outcome })
            .collect(),
    });
    let sealed_in = report.moves.sealed_in.as_ref().and_then(|it| it.path());
    output.json(&ConvertReport {
        schema: 1,
        to: report.to.name(),
        dry_run: report.is_planned,
        resumed: report.moves.is_resumed,
        agents: agents.collect(),
        config_changed: report.is_config_changed,
        unclear_models: &report.unclear_models,
        backup: sealed_in.map(|it| PathMember::of("backup", it)),
    })
}

fn print_text(report: &Report, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    if report.moves.is_resumed {
        output.data("An interrupted move is finished.\n")?;
    }
    for agent in &report.moves.agents {
        let (from, to) = (app.shorten(&agent.from), app.shorten(&agent.to));
        output.data(&format!("{}: {from} → {to}\n", agent.agent_id))?;
        for profile in &agent.profiles {
            output.data(&format!("  {}\n", line(profile, report.is_planned)))?;
        }
    }
    if report.is_config_changed {
        let verb = if report.is_planned { "would be" } else { "is" };
        let path = app.paths.shorten(&app.paths.config);
        output.data(&format!("{path} {verb} brought to the new names\n"))?;
    }
    for model in &report.unclear_models {
        output.warn(&format!(
            "the model `{model}` may be meant for a login or for a key, and keeps its name: \
             look at it in {}",
            app.paths.shorten(&app.paths.config)
        ));
    }
    match &report.moves.sealed_in {
        Some(sealed) => output.data(&format!(
            "All logins are in {} now; what was is in {}\n",
            report.to,
            app.shorten(sealed)
        )),
        None if report.is_planned && !report.moves.agents.is_empty() => {
            output.data("Nothing was changed.\n")
        }
        None => output.data(&format!("Nothing to do: the logins are in {}\n", report.to)),
    }
}

fn line(profile: &MovedProfile, is_planned: bool) -> String {
    let MovedProfile { id, becomes, .. } = profile;
    let name = if id == becomes { id.to_string() } else { format!("{id} → {becomes}") };
    let verb = if is_planned { "would be " } else { "" };
    match profile.outcome {
        Outcome::Moved => format!("{name}: {verb}moved"),
        Outcome::Present => format!("{name}: is there already"),
        Outcome::Inherited => format!("{name}: the agent has it from main"),
        Outcome::Superseded => {
            format!("{name}: {verb}only in the backup: another login of this account is there")
        }
    }
}
