//! The conversation of a login: on a terminal with a prompt, else in plain lines; for a
//! program that drives it, an event a line.

use super::duration;
use super::output::Output;
use crate::ops::Interaction;
use crate::ops::login::{AuthorizationNotice, UserCodeNotice};
use crate::system::browser::Opening;
use crate::system::environment::Remote;
use crate::system::stream;
use serde::Serialize;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// Talks to the user on standard error and reads what is pasted on standard input.
pub(super) struct Console<'o, 's> {
    output: &'o mut Output<'s>,
    /// Whether a prompt stands on the last line.
    prompting: bool,
    /// Whether a program wants events on standard output.
    tells_events: bool,
    /// Whether the program knows that the login waits.
    told_waiting: bool,
    /// While a secret is typed.
    unseen: Option<stream::Unseen>,
}

/// What happens during a login, for a program.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Event<'n> {
    /// Where to sign in.
    Url { schema: u32, provider: &'n str, url: &'n str, redirect_uri: &'n str, listening: bool },
    /// A code to enter on another device.
    UserCode {
        schema: u32,
        provider: &'n str,
        user_code: &'n str,
        verification_uri: &'n str,
        #[serde(skip_serializing_if = "Option::is_none")]
        verification_uri_complete: Option<&'n str>,
        expires_in_seconds: u64,
    },
    /// A page to open.
    Page { schema: u32, provider: &'n str, url: &'n str },
    /// A question: its answer is the next line of standard input.
    Prompt { schema: u32, text: &'n str, secret: bool },
    /// It is up to the user now.
    Waiting { schema: u32, seconds_left: u64 },
}

const PROMPT: &str = "Redirect URL or code (or just wait for the browser): ";

impl<'o, 's> Console<'o, 's> {
    pub(super) fn new(output: &'o mut Output<'s>) -> Self {
        Self { output, prompting: false, tells_events: false, told_waiting: false, unseen: None }
    }

    /// Tells a program, on standard output, what happens.
    pub(super) const fn tell_events(&mut self) {
        self.tells_events = true;
    }

    fn tell(&mut self, event: &Event<'_>) {
        if self.tells_events {
            // A reader that has gone away is noticed at the end.
            let _ = self.output.json_line(event);
        }
    }

    fn prompt(&mut self) {
        let stderr = &mut self.output.streams.stderr;
        let _ = stderr.write_all(PROMPT.as_bytes()).and_then(|()| stderr.flush());
        self.prompting = true;
    }
}

impl Drop for Console<'_, '_> {
    fn drop(&mut self) {
        if self.prompting {
            self.output.say("");
        }
    }
}

impl Interaction for Console<'_, '_> {
    fn note(&mut self, text: &str) {
        self.output.say(&format!("note: {text}"));
    }

    fn warn(&mut self, text: &str) {
        self.output.warn(text);
    }

    fn show_authorization(&mut self, notice: &AuthorizationNotice<'_>) {
        for (port, holder) in &notice.busy_ports {
            let holder = holder.as_deref().unwrap_or("another program");
            self.output.say(&format!("note: port {port} is taken by {holder}"));
        }
        let sign_in = if notice.is_alternative { "Or sign in" } else { "Sign in" };
        self.output.say(&format!(
            "{sign_in} to {} in a browser:\n\n  {}\n",
            notice.provider_label, notice.url
        ));
        if let Some(tunnel) = &notice.tunnel {
            self.output.say(&format!(
                "{} For a browser on your own machine, run this there first:\n\n  {tunnel}\n",
                place(notice.remote)
            ));
        }
        let waits = shown(notice.timeout);
        let how = match (notice.listening, notice.pasting) {
            (true, true) => {
                "When the browser ends on a page that does not load, paste its address here"
            }
            (true, false) => "The browser's redirect ends the login",
            (false, _) => {
                "The browser will end on a page that does not load: paste its address here"
            }
        };
        self.output.say(&format!("{how} (waiting up to {waits})"));
        self.tell(&Event::Url {
            schema: 1,
            provider: notice.provider_label,
            url: notice.url.as_str(),
            redirect_uri: notice.redirect_uri.as_str(),
            listening: notice.listening,
        });
    }

    fn show_user_code(&mut self, notice: &UserCodeNotice<'_>) {
        if self.prompting {
            self.prompting = false;
            self.output.say("");
        }
        let lead = if notice.is_alternative {
            "Or, on any device,".to_owned()
        } else {
            format!("To sign in to {} on any device,", notice.provider_label)
        };
        let why = match notice.remote {
            Some(_) if !notice.is_alternative => format!("{} ", place(notice.remote)),
            _ => String::new(),
        };
        let uri = notice.verification_uri_complete.unwrap_or(notice.verification_uri);
        self.output.say(&format!(
            "{why}{lead} open\n\n  {uri}\n\nand enter the code\n\n  {}\n\n(it is good for {})",
            notice.user_code,
            shown(notice.lifetime)
        ));
        self.tell(&Event::UserCode {
            schema: 1,
            provider: notice.provider_label,
            user_code: notice.user_code,
            verification_uri: notice.verification_uri.as_str(),
            verification_uri_complete: notice.verification_uri_complete.map(url::Url::as_str),
            expires_in_seconds: notice.lifetime.as_secs(),
        });
    }

    fn waiting(&mut self, left: Duration) {
        if !std::mem::replace(&mut self.told_waiting, true) {
            self.tell(&Event::Waiting { schema: 1, seconds_left: left.as_secs() });
        }
    }

    fn show_page(&mut self, provider_label: &str, url: &url::Url) {
        self.output.say(&format!("To sign in to {provider_label}, open\n\n  {url}\n"));
        self.tell(&Event::Page { schema: 1, provider: provider_label, url: url.as_str() });
    }

    fn ask(&mut self, question: &str, is_secret: bool) {
        self.tell(&Event::Prompt { schema: 1, text: question, secret: is_secret });
        let is_terminal = self.output.streams.stdin_is_terminal;
        if is_secret && is_terminal && stream::is_in_foreground() {
            self.unseen = stream::Unseen::begin();
        }
        let end = if is_terminal { "" } else { "\n" };
        let stderr = &mut self.output.streams.stderr;
        let _ =
            stderr.write_all(format!("{question}: {end}").as_bytes()).and_then(|()| stderr.flush());
        self.prompting = is_terminal;
    }

    fn answered(&mut self) {
        self.prompting = false;
        self.unseen = None;
    }

    fn answers(&mut self) -> Option<Receiver<String>> {
        let is_terminal = self.output.streams.stdin_is_terminal;
        let stdin = self.output.streams.stdin.take()?;
        Some(stream::lines(stdin, is_terminal))
    }

    fn show_browser(&mut self, opening: &Opening) {
        match opening {
            Opening::Started => self.output.say("A browser was started"),
            Opening::NotTried => {}
            Opening::Failed(reason) => {
                self.output.warn(&format!("no browser could be started: {reason}"));
            }
        }
    }

    fn pasted_lines(&mut self) -> Option<Receiver<String>> {
        let is_terminal = self.output.streams.stdin_is_terminal;
        let stdin = self.output.streams.stdin.take()?;
        if is_terminal && stream::is_in_foreground() {
            self.prompt();
        }
        Some(stream::lines(stdin, is_terminal))
    }

    fn refuse_paste(&mut self, reason: &str) {
        self.prompting = false;
        self.output.say(&format!("That was not accepted: {reason}"));
        if self.output.streams.stdin_is_terminal {
            self.prompt();
        }
    }
}

/// Why a browser on this machine would not reach the user.
const fn place(remote: Option<Remote>) -> &'static str {
    match remote {
        Some(Remote::Ssh) => "You are connected over SSH.",
        Some(Remote::Container) => "This is a container.",
        _ => "This machine has no display.",
    }
}

fn shown(duration: Duration) -> String {
    duration::show(duration.as_millis().try_into().unwrap_or(i64::MAX))
}
