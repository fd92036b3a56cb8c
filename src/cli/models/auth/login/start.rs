//! `models auth login start`

use super::options::SignIn;
use crate::app::App;
use crate::cli::console::{Console, PresentationOptions};
use crate::cli::duration;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::login::{Started, start};
use crate::profile::{Millis, ProviderId};
use serde::Serialize;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sign_in: SignIn,
    #[command(flatten)]
    presentation: PresentationOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'s> {
    schema: u32,
    login_id: &'s str,
    provider: &'s ProviderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_code: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_uri: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_uri_complete: Option<&'s str>,
    expires_at: Millis,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = args.sign_in.request(agent, false, Duration::ZERO);
    let started = wait(start(app, &request, &mut Console::new(output, &app.environment)))
        .map_err(|error| failure::login(error, app))?;
    if args.json {
        output.json(&Row::of(&started))?;
    } else {
        output.data(&text(&started, app.now()))?;
    }
    output.finish()?;
    let mut console = Console::new(output, &app.environment).presentation(args.presentation);
    match (&started.device, &started.url) {
        (Some(device), _) => {
            let page = device.verification_uri_complete.as_ref();
            let page = page.unwrap_or(&device.verification_uri);
            console.hand_over(page, Some(&device.user_code));
        }
        (None, Some((url, _))) => console.hand_over(url, None),
        (None, None) => {}
    }
    Ok(())
}

impl<'s> Row<'s> {
    fn of(started: &'s Started) -> Self {
        let device = started.device.as_ref();
        Self {
            schema: 1,
            login_id: &started.id,
            provider: &started.provider,
            url: started.url.as_ref().map(|(url, _)| url.as_str()),
            redirect_uri: started.url.as_ref().map(|(_, redirect_uri)| redirect_uri.as_str()),
            user_code: device.map(|device| device.user_code.as_str()),
            verification_uri: device.map(|device| device.verification_uri.as_str()),
            verification_uri_complete: device
                .and_then(|device| Some(device.verification_uri_complete.as_ref()?.as_str())),
            expires_at: started.expires,
        }
    }
}

fn text(started: &Started, now: Millis) -> String {
    let finish = format!("openclaw-auth models auth login finish --login {}", started.id);
    let mut parts = Vec::new();
    if let Some((url, _)) = &started.url {
        let label = &started.provider_label;
        parts.push(format!("Sign in to {label} in a browser:\n\n  {url}\n"));
        parts.push(
            "It ends on a page that does not load. Hand over the address of that page:".into(),
        );
        parts.push(format!("\n  {finish} --redirect-url -\n"));
    }
    if let Some(device) = &started.device {
        let or = if started.url.is_some() { "Or enter" } else { "Enter" };
        let (code, place) = (&device.user_code, &device.verification_uri);
        parts.push(format!("{or} the code {code} at\n\n  {place}\n\nand then run"));
        parts.push(format!("\n  {finish}\n"));
    }
    let left = duration::show(started.expires.saturating_sub(now));
    parts.push(format!("The login can be finished for {left}\n"));
    parts.join("\n")
}
