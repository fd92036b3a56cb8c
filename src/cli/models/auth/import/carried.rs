//! `import -`: takes a login that `move` wrote, from standard input.

use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::ops::moving::{ReceiveRequest, receive};
use crate::profile::{AgentId, ProfileId, ProviderId};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    schema: u32,
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    #[serde(rename = "type")]
    kind: &'static str,
    agent_id: &'r AgentId,
    #[serde(flatten)]
    store_path: PathMember<'r>,
    config_changed: bool,
}

pub(super) fn run(
    request: &ReceiveRequest,
    json: bool,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Some(mut input) = output.streams.stdin.take() else {
        return Err(Failure::usage("there is no standard input"));
    };
    let done = receive(app, request, &mut input)?;
    if json {
        return output.json(&Report {
            schema: 1,
            profile_id: &done.profile_id,
            provider: &done.provider,
            kind: done.kind.name(),
            agent_id: &done.agent_id,
            store_path: PathMember::location("storePath", &done.location),
            config_changed: done.config_changed,
        });
    }
    output.data(&format!(
        "{} ({}): imported\n  Store: {}\n",
        done.profile_id,
        done.kind.name(),
        app.shorten(&done.location)
    ))
}
