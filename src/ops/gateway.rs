//! Telling OpenClaw's gateway that logins have changed: it answers from what it has read before.
//!
//! Invariant: it is called after the change is stored, never after a refresh, and at most once
//! a command. The program is the user's own, it gets no more of the environment than it needs,
//! and it is not waited for long.

use crate::app::App;
use crate::store::GatewayNews;
use crate::system::child::{self, Ended, Limits};
use crate::system::trust;
use serde::Deserialize;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

const PROGRAM: &str = "openclaw";
const TIME: Duration = Duration::from_secs(10);
const LIMITS: Limits = Limits { time: TIME, silence: TIME, output_bytes: 1024 * 1024 };

/// What OpenClaw needs of the environment, and nothing else. Its own directories are given to
/// it as they are.
const PASSED_ON: [&str; 16] = [
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "OPENCLAW_HOME",
    "OPENCLAW_PROFILE",
    "OPENCLAW_AGENT_DIR",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_GATEWAY_TOKEN",
    "OPENCLAW_GATEWAY_PASSWORD",
];

/// What the gateway answers, as far as we look at it.
#[derive(Deserialize)]
struct Answer {
    #[serde(default = "yes")]
    ok: bool,
    #[serde(default = "yes")]
    refreshed: bool,
}

const fn yes() -> bool {
    true
}

/// Tells a gateway that runs of a change; whether it has looked again.
pub fn tell(app: &App, news: &GatewayNews) -> bool {
    if news.done.is_none() {
        return false;
    }
    let Some(program) = program(app) else { return false };
    let mut command = child::command_with(program, app.environment.only(&PASSED_ON));
    command.args([
        "gateway",
        "call",
        GatewayNews::METHOD,
        "--params",
        &news.parameters(),
        "--json",
    ]);
    if let Some(path) = app.environment.absolute_search_path() {
        command.env("PATH", path);
    }
    command.env("OPENCLAW_STATE_DIR", &app.paths.state_dir);
    command.env("OPENCLAW_CONFIG_PATH", &app.paths.config);
    command.current_dir(&app.paths.state_dir);
    let ended = app.machine.programs.run(&mut command, Vec::new(), LIMITS);
    let Ok(Ended::Exited(status, output)) = ended else { return false };
    let answer = serde_json::from_slice::<Answer>(&output);
    status.success() && answer.is_ok_and(|answer| answer.ok && answer.refreshed)
}

/// OpenClaw's program: the first on `PATH`, where it is this user's own and nobody else can
/// change it.
fn program(app: &App) -> Option<PathBuf> {
    let places = app.environment.search_path().into_iter().map(|it| it.join(PROGRAM));
    let path = places.into_iter().find(|path| path.is_file())?;
    let program = trust::installed_program(&path).ok()?;
    let owner = program.metadata().ok()?.uid();
    (owner == rustix::process::geteuid().as_raw()).then_some(program)
}
