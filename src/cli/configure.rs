//! `configure`: a menu over what can be set up, on a terminal.

use super::models::auth::sign_in::pick;
use super::output::Output;
use super::prompt::{ask, choose_one, require_terminal};
use crate::admin::default_model;
use crate::app::App;
use crate::cli::exit::Failure;
use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Go to one part and end with it
    #[arg(long, value_name = "PART")]
    section: Option<Section>,
}

/// A part of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Sign in at a provider
    Auth,
    /// Choose the default model
    Model,
    /// Add an agent
    Agents,
    /// See how each login is doing
    Status,
}

/// The menu, in its order; the last line ends it.
const MENU: [(&str, Option<Section>); 5] = [
    ("Sign in at a provider", Some(Section::Auth)),
    ("Choose the default model", Some(Section::Model)),
    ("Add an agent", Some(Section::Agents)),
    ("See how each login is doing", Some(Section::Status)),
    ("Done", None),
];

/// What a script types in place of answering questions.
const WITHOUT_QUESTIONS: &str = "openclaw-auth onboard --non-interactive --auth-choice <id>";

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    require_terminal(output, WITHOUT_QUESTIONS)?;
    if let Some(section) = args.section {
        return configure(section, app, output);
    }
    loop {
        let labels = MENU.map(|(label, _)| label);
        let Some(section) = MENU[choose_one("Configure", &labels)?].1 else { return Ok(()) };
        if let Err(failure) = configure(section, app, output) {
            // One part that fails does not end the others.
            output.failure(&failure);
        }
        output.finish()?;
    }
}

fn configure(section: Section, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match section {
        Section::Auth => {
            let catalog = app.catalog()?;
            // Esc goes back to the menu.
            pick(app, &catalog)?.map_or(Ok(()), |choice| choice.go(None, app, output))
        }
        Section::Model => {
            let present = app.config()?;
            let default = present.default_model(&present.default_agent());
            let model = ask(output, "Default model (provider/model)", default)?;
            default_model::set(app, &model)?;
            output.data(&format!("Default model: {model}\n"))
        }
        Section::Agents => super::agents::add_on_terminal(app, output),
        Section::Status => super::models::show_status(app, output),
    }
}
