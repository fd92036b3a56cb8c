//! `models auth import`

mod carried;

use crate::app::App;
use crate::cli::duration;
use crate::cli::exit::{Command, Failure};
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::cli::prompt::choose_one;
use crate::external::{Program, Tool};
use crate::ops::import::{Mode, Outcome, Ready, Report, Request, Row, prepare};
use crate::ops::moving::ReceiveRequest;
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use crate::text::{self, printable, shell_word};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tools: codex, claude, minimax, gemini, qwen, opencode, pi, copilot

A login with a refresh token has one owner: whoever refreshes it logs the others out.
So one of --move and --copy has to be named, or chosen on the terminal. API keys and
GitHub tokens are copied without being asked.

  openclaw-auth models auth import codex --move
  ssh laptop openclaw-auth move chatgpt --to - | openclaw-auth import -
  openclaw-auth models auth import opencode --all --copy --json")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(in crate::cli) struct Args {
    /// The program that has the login, or - for a login that `move` wrote: on standard input
    #[arg(value_name = "TOOL", value_parser = source)]
    source: Source,
    /// Take the login over: the other program is logged out, and can use it through this one
    #[arg(long = "move", conflicts_with = "copy")]
    moves: bool,
    /// Leave the login there as well
    #[arg(long)]
    copy: bool,
    /// Store the login under this profile id [default: <provider>:<email>]
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile_id: Option<ProfileId>,
    /// Only this entry, where the program has several logins; may be repeated
    #[arg(long, value_name = "NAME")]
    entry: Vec<String>,
    /// All logins of the program
    #[arg(long, conflicts_with = "entry")]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// All logins of `tool`; all else as it is without options.
    pub(super) fn all_of(tool: Tool) -> Self {
        Self {
            source: Source::Tool(tool),
            moves: false,
            copy: false,
            profile_id: None,
            entry: Vec::new(),
            all: true,
            json: false,
        }
    }
}

/// Where a login comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// Another program of the user.
    Tool(Tool),
    /// Another store: standard input holds what it wrote.
    Input,
}

fn source(name: &str) -> Result<Source, String> {
    if name == "-" {
        return Ok(Source::Input);
    }
    Tool::from_name(name).map(Source::Tool).ok_or_else(|| {
        let names: Vec<&str> =
            Tool::ALL.into_iter().map(|tool| tool.program().name.as_str()).collect();
        format!("one of: {}", names.join(", "))
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done<'r> {
    schema: u32,
    tool: &'r str,
    mode: &'static str,
    #[serde(flatten)]
    paths: PathMember<'r>,
    agent_id: &'r AgentId,
    #[serde(flatten)]
    store_path: PathMember<'r>,
    profiles: Vec<ProfileReport<'r>>,
    skipped: Vec<SkippedReport<'r>>,
    logged_out: bool,
    #[serde(flatten)]
    backups: PathMember<'r>,
    config_changed: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileReport<'r> {
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    #[serde(rename = "type")]
    kind: &'static str,
    entry: &'r str,
    outcome: &'static str,
    agent_id: &'r AgentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    /// How the other program, which is logged out, can use the profile.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<Vec<String>>,
}

#[derive(Serialize)]
struct SkippedReport<'r> {
    entry: &'r str,
    reason: String,
}

impl<'r> ProfileReport<'r> {
    fn of(row: &'r Row, report: &Report) -> Self {
        Self {
            usage: report.logged_out.then(|| usage(report.tool.program(), row)),
            profile_id: &row.profile_id,
            provider: &row.provider,
            kind: row.kind.name(),
            entry: &row.entry,
            outcome: outcome(row),
            agent_id: &row.agent_id,
            email: row.identity.email.as_deref(),
            account_id: row.identity.account_id.as_deref(),
            expires_at: row.expires,
        }
    }
}

const fn outcome(row: &Row) -> &'static str {
    match row.outcome {
        Outcome::Imported => "imported",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
    }
}

pub(in crate::cli) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let tool = match args.source {
        Source::Tool(tool) => tool,
        Source::Input => {
            if args.moves || args.copy || args.all || !args.entry.is_empty() {
                let message = "import - takes no --move, --copy, --all and --entry";
                return Err(Failure::usage(message));
            }
            let agent = AgentId::named(agent);
            let request = ReceiveRequest { agent, profile_id: args.profile_id };
            return carried::run(&request, args.json, app, output);
        }
    };
    let flag = match (args.moves, args.copy) {
        (true, _) => Some(Mode::Move),
        (_, true) => Some(Mode::Copy),
        _ => None,
    };
    let request = Request {
        tool,
        agent: AgentId::named(agent),
        profile_id: args.profile_id,
        entries: args.entry,
        all: args.all,
    };
    let ready = prepare(app, request)?;
    output.warn_of_exposures(&ready.exposures);
    let mode = match flag {
        Some(mode) => mode,
        None => decide(&ready, output)?,
    };
    let report = ready.run(app, mode)?;
    let program = report.tool.program();
    for (entry, reason) in &report.skipped {
        output.warn(&format!("`{}` was not imported: {reason}", printable(entry, 80)));
    }
    for row in &report.rows {
        if let Some(taken) = &row.taken_id {
            output.say(&format!(
                "note: `{taken}` belongs to another account, so this login is `{}`",
                row.profile_id
            ));
        }
    }
    if report.is_shared {
        output.warn(&format!(
            "{} and this program now own one login: the first that refreshes it logs the other \
             out; `openclaw-auth models auth import {} --move` leaves it to this one",
            program.label, program.name
        ));
    }
    if args.json {
        let skipped = report
            .skipped
            .iter()
            .map(|(entry, reason)| SkippedReport { entry, reason: reason.to_string() });
        return output.json(&Done {
            schema: 1,
            tool: &program.name,
            mode: if mode == Mode::Move { "move" } else { "copy" },
            paths: PathMember::list("paths", &report.paths),
            agent_id: &report.agent_id,
            store_path: PathMember::location("storePath", &report.location),
            profiles: report.rows.iter().map(|row| ProfileReport::of(row, &report)).collect(),
            skipped: skipped.collect(),
            logged_out: report.logged_out,
            backups: PathMember::list("backups", &report.backups),
            config_changed: report.config_changed,
        });
    }
    output.data(&text(&report, app))?;
    output.finish()?;
    if report.logged_out {
        tell_usage(&report, output);
    }
    Ok(())
}

/// Asks what is to become of the login there, where that matters.
fn decide(ready: &Ready, output: &Output<'_>) -> Result<Mode, Failure> {
    if !ready.needs_decision() {
        return Ok(Mode::Copy);
    }
    let program = ready.tool().program();
    if !output.streams.stdin_is_terminal {
        return Err(Failure::usage(format!(
            "the login of {} has one owner: say whether it moves here (--move) or is copied \
             (--copy)",
            program.label
        ))
        .hint(Command::ours("models auth import").arg(&program.name).arg("--move")));
    }
    let label = &program.label;
    let ways = [
        format!("move it here: {label} is logged out, and can use it through this program"),
        format!("copy it: the first that refreshes it logs {label}, or this program, out"),
    ];
    let chosen = choose_one("The login has one owner", &ways.each_ref().map(String::as_str))?;
    Ok(if chosen == 0 { Mode::Move } else { Mode::Copy })
}

fn text(report: &Report, app: &App) -> String {
    let mut lines: Vec<String> =
        report.rows.iter().map(|row| line(row, report, app.now())).collect();
    lines.push(format!("  From:  {}", shown(&report.paths, app)));
    lines.push(format!("  Store: {}", app.shorten(&report.location)));
    if report.logged_out {
        let label = &report.tool.program().label;
        let kept = shown(&report.backups, app);
        lines.push(format!("  {label} is logged out of it; what its file held is in {kept}"));
    }
    lines.join("\n") + "\n"
}

fn line(row: &Row, report: &Report, now: Millis) -> String {
    let who = match &row.identity.email {
        Some(email) => format!(" as {}", printable(email, 200)),
        None => String::new(),
    };
    let valid = match row.expires.map(|at| at.saturating_sub(now)) {
        Some(left) if left > 0 => format!(", valid for {}", duration::show(left)),
        Some(_) => ", expired".to_owned(),
        None => String::new(),
    };
    let what = match row.outcome {
        Outcome::Unchanged => "was here already",
        _ => outcome(row),
    };
    let agent = if row.agent_id == report.agent_id {
        String::new()
    } else {
        format!(", of agent {}", row.agent_id)
    };
    let id = &row.profile_id;
    format!("{id} ({}{who}{valid}): {what}{agent}", row.kind.name())
}

/// How the other program, which is logged out, can use the profile, line by line.
fn usage(program: &Program, row: &Row) -> Vec<String> {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let word = |text: &str| shell_word(text.as_ref());
    let id_word = word(row.profile_id.as_str());
    let id_word_in_json = json(&id_word);
    let id_word_in_json = id_word_in_json.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let account = json(row.identity.account_id.as_deref().unwrap_or("<account id>"));
    let entry = json(&row.entry);
    let values = [
        ("{id}", json(row.profile_id.as_str())),
        ("{id word in json}", id_word_in_json.unwrap_or_default().to_owned()),
        ("{id word}", id_word),
        ("{entry word}", word(&entry)),
        ("{entry}", entry),
        ("{account word}", word(&account)),
        ("{account}", account),
    ];
    let lines = program.usage(&row.entry, row.kind).iter();
    lines.map(|line| text::filled(line, &values)).collect()
}

/// Says how the other program can use each of the profiles.
fn tell_usage(report: &Report, output: &mut Output<'_>) {
    let label = &report.tool.program().label;
    for row in &report.rows {
        let which = match &report.rows[..] {
            [_] => "this login".to_owned(),
            _ => format!("`{}`", row.profile_id),
        };
        let lines = usage(report.tool.program(), row);
        if lines.is_empty() {
            output.say(&format!("No way is known to let {label} use {which} from here."));
            continue;
        }
        output.say(&format!("To let {label} use {which}:"));
        for line in lines {
            output.say(&format!("  {line}"));
        }
    }
}

fn shown(paths: &[PathBuf], app: &App) -> String {
    paths.iter().map(|path| app.paths.shorten(path)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Identity, Kind};

    fn row(entry: &str, kind: Kind, id: &str, account: &str) -> Row {
        Row {
            entry: entry.to_owned(),
            profile_id: id.into(),
            agent_id: AgentId::main(),
            provider: "p".into(),
            kind,
            identity: Identity { account_id: Some(account.to_owned()), ..Identity::default() },
            expires: None,
            outcome: Outcome::Imported,
            taken_id: None,
        }
    }

    /// Every way that the table has, with what it is for.
    fn ways() -> Vec<(Tool, &'static str, Kind)> {
        let of = |tool: Tool| {
            let entries = tool.program().providers.keys().map(String::as_str).chain(["other"]);
            let kinds = [Kind::ApiKey, Kind::Token];
            entries.flat_map(move |entry| kinds.map(|kind| (tool, entry, kind)))
        };
        let has_lines = |(tool, entry, kind): &(Tool, &str, Kind)| {
            !tool.program().usage(entry, *kind).is_empty()
        };
        Tool::ALL.into_iter().flat_map(of).filter(has_lines).collect()
    }

    #[test]
    fn what_stands_for_the_profile_is_filled_in_and_quoted() {
        for (tool, entry, kind) in ways() {
            let odd = row(entry, kind, "p:$(a)'{account}\"", "$(b)'\"{id}");
            let lines = usage(tool.program(), &odd);
            let empty = row(entry, kind, "p:a", "1");
            assert_eq!(lines.len(), usage(tool.program(), &empty).len());
            let text = lines.join("\n");
            assert!(!text.contains("{id word") && !text.contains("{entry"), "{text}");
            assert!(!text.contains("--profile p:$(a)"), "{text}");
        }
    }

    /// EVERYDAY, kind 10: a line that is not tried with its program does not ship.
    #[test]
    fn every_line_is_in_the_documentation_and_has_a_journey() {
        let documentation = include_str!("../../../../docs/import.md");
        let journeys = include_str!("../../../../tests/interop/journey/hints.mjs");
        for (tool, entry, kind) in ways() {
            // One key stands for all.
            let entry = match kind {
                Kind::ApiKey if tool == Tool::Pi => "anthropic",
                Kind::ApiKey => "openai",
                _ => entry,
            };
            let name = &tool.program().name;
            let has_journey = journeys.split("tool: ").any(|journey| {
                let is_tools = journey.starts_with(&format!("'{name}'"));
                is_tools && (entry == "other" || kind == Kind::ApiKey || journey.contains(entry))
            });
            assert!(has_journey, "{tool:?} {entry}");
            for line in usage(tool.program(), &row(entry, kind, "PROFILE", "ACCOUNT")) {
                assert!(documentation.contains(&line), "{tool:?} {entry}: {line}");
            }
        }
    }
}
