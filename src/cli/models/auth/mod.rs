//! `models auth`

mod add;
pub(in crate::cli) mod import;
pub(in crate::cli) mod list;
pub(in crate::cli) mod login;
mod login_github_copilot;
pub(in crate::cli) mod logout;
mod openclaw_list;
mod order;
mod paste;
mod paste_api_key;
mod paste_token;
mod refresh;
mod report;
mod resolve;
mod session;
mod setup_token;
pub(in crate::cli) mod sign_in;
pub(in crate::cli) mod token;

use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The agent [default: the default agent]
    #[arg(long, value_name = "ID", global = true)]
    agent: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
#[command(defer = true)]
enum Command {
    /// Sign in and store the login
    Login(login::Args),
    /// Sign in at GitHub Copilot with a code, and store the login
    LoginGithubCopilot(login_github_copilot::Args),
    /// Print a usable access token, refreshing it where needed
    Token(token::Args),
    /// Refresh the logins that expire soon, each grant once: for a timer
    Refresh(refresh::Args),
    /// Choose a provider and how to sign in, or a login to import, on a terminal
    Add(add::Args),
    /// Store a token that is typed or piped in
    PasteToken(paste_token::Args),
    /// Store an API key that is typed or piped in
    PasteApiKey(paste_api_key::Args),
    /// Make a setup token of a subscription, and store it
    SetupToken(setup_token::Args),
    /// Move or copy the login of another program to this one
    Import(import::Args),
    /// List the profiles with their health
    List(list::Args),
    /// Revoke a login and remove its profile
    Logout(logout::Args),
    /// Show or change the order in which a provider's profiles are tried
    Order(order::Args),
    /// Record whether a request with a profile succeeded or failed
    Report(report::Args),
    /// Show which profile a model reference uses, and why
    Resolve(resolve::Args),
    /// Show or change the model and profile that a session pins
    Session(session::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let agent = args.agent.as_deref();
    match args.command {
        Some(Command::Login(args)) => sign_in::login_by_name(args, agent, app, output),
        Some(Command::LoginGithubCopilot(args)) => {
            login_github_copilot::run(args, agent, app, output)
        }
        Some(Command::Token(args)) => token::run(args, agent, app, output),
        Some(Command::Refresh(args)) => refresh::run(args, agent, app, output),
        Some(Command::Import(args)) => import::run(args, agent, app, output),
        Some(Command::List(args)) => list::run(&args, agent, app, output),
        Some(Command::Logout(args)) => logout::run(args, agent, app, output),
        Some(Command::Order(args)) => order::run(args, agent, app, output),
        Some(Command::Report(args)) => report::run(args, agent, app, output),
        Some(Command::Resolve(args)) => resolve::run(&args, agent, app, output),
        Some(Command::Session(args)) => session::run(args, agent, app, output),
        Some(Command::Add(args)) => add::run(args, agent, app, output),
        Some(Command::PasteToken(args)) => paste_token::run(args, agent, app, output),
        Some(Command::PasteApiKey(args)) => paste_api_key::run(args, agent, app, output),
        Some(Command::SetupToken(args)) => setup_token::run(args, agent, app, output),
        None => output.help(&["models", "auth"]),
    }
}
