//! `models auth login`, at once or in two steps

mod ended;
mod event;
mod finish;
mod list;
mod options;
mod start;

use crate::app::App;
use crate::cli::console::{Console, PresentationOptions};
use crate::cli::duration;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::login::login;
use crate::profile::{ProfileId, ProviderId};
use ended::{set_default, show};
pub(super) use event::Event;
use options::SignIn;
use std::time::Duration;

/// How long a login waits for the user: `--timeout` where it is not given.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(15);

#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
All methods of the provider work at once, and the first that completes ends the login:
the browser's redirect; the redirect's address, or the code in it, pasted at the prompt or sent
as a line on standard input; a code entered on another device. Where no browser of this machine
would reach you (SSH, a container, no display) the code comes first, with a QR code where it fits.

  openclaw-auth login chatgpt
  openclaw-auth login copilot --method device
  echo \"$REDIRECT_URL\" | openclaw-auth login chatgpt --no-browser

In two steps, without a terminal, even minutes apart and in two processes:

  openclaw-auth login start --provider openai-codex --json
  echo \"$REDIRECT_URL\" | openclaw-auth login finish --redirect-url -
  openclaw-auth login list"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    step: Option<Step>,
    /// What to sign in to: chatgpt, codex, claude, copilot, gemini, minimax, openai or any other
    /// provider, or an account that was signed in here; without a name, a list on the terminal
    #[arg(value_name = "NAME", value_parser = named::name, conflicts_with = "provider")]
    name: Option<String>,
    #[command(flatten)]
    sign_in: SignIn,
    #[command(flatten)]
    presentation: PresentationOptions,
    /// Do not start a browser
    #[arg(long)]
    no_browser: bool,
    /// How long to wait for the sign-in
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration::parse)]
    timeout: Duration,
    /// Make the provider's usual model the default model
    #[arg(long)]
    set_default: bool,
    /// Print one line of JSON an event: `url`, `user_code`, `waiting`, `done`, `error`; where a
    /// program serves the provider, `page` and `prompt` as well
    #[arg(long)]
    json: bool,
}

impl Args {
    /// What the user calls what to sign in to.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether neither a name nor an option says what to sign in to, and it is no step of a login
    /// that waits.
    pub(super) const fn is_open(&self) -> bool {
        self.step.is_none() && self.name.is_none() && self.sign_in.provider().is_none()
    }

    /// Names the provider, and a method of it where there is one.
    pub(super) fn set_provider(&mut self, provider: ProviderId, method: Option<String>) {
        self.sign_in.set_provider(provider, method);
    }

    /// The profile id, where an option names it.
    pub(super) const fn profile_id(&self) -> Option<&ProfileId> {
        self.sign_in.profile_id()
    }

    /// Whether events are told.
    pub(super) const fn is_in_json(&self) -> bool {
        self.json
    }

    /// A login at `provider`, by the one `method` where it is named; all else as it is without
    /// options.
    pub(super) fn at(
        provider: ProviderId,
        method: Option<String>,
        profile_id: Option<ProfileId>,
    ) -> Self {
        Self {
            step: None,
            name: None,
            sign_in: SignIn::at(provider, method, profile_id),
            presentation: PresentationOptions::default(),
            no_browser: false,
            timeout: DEFAULT_TIMEOUT,
            set_default: false,
            json: false,
        }
    }
}

#[derive(Debug, clap::Subcommand)]
enum Step {
    /// Show where to sign in, and store what finishing the login needs
    Start(start::Args),
    /// Finish a login that was started, by its redirect or its approved code
    Finish(finish::Args),
    /// List the logins that were started and not finished
    List(list::Args),
    /// Cancel a login that was started
    Cancel(list::CancelArgs),
}

pub(in crate::cli) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match args.step {
        Some(Step::Start(args)) => start::run(args, agent, app, output),
        Some(Step::List(args)) => list::run(&args, app, output),
        Some(Step::Cancel(args)) => list::cancel(&args, app, output),
        Some(Step::Finish(args)) => finish::run(args, agent, app, output),
        None => sign_in(args, agent, app, output),
    }
}

fn sign_in(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = args.sign_in.request(agent, !args.no_browser, args.timeout);
    if !args.json {
        output.speak_up();
    }
    let mut console = Console::new(output, &app.environment).presentation(args.presentation);
    if args.json {
        console.tell_events();
    }
    let report =
        wait(login(app, &request, &mut console)).map_err(|error| failure::login(error, app))?;
    drop(console);
    if args.set_default {
        set_default(&report, app, output)?;
    }
    show(&report, args.json, app, output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn a_login_from_a_menu_is_the_command_with_its_defaults() {
        let line = ["login", "--provider", "p", "--method", "m", "--profile-id", "p:1"];
        let typed = Line::try_parse_from(line).unwrap().args;
        let chosen = Args::at("p".into(), Some("m".to_owned()), Some("p:1".into()));
        assert_eq!(format!("{chosen:?}"), format!("{typed:?}"));
    }
}
