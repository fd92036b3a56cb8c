//! The conversation of a login: on a terminal with a prompt, else in plain lines; for a
//! program that drives it, an event a line.

mod event_line;
mod page;
mod remote;

pub(super) use page::PresentationOptions;

use super::duration;
use super::output::Output;
use super::terminal::Terminal;
use crate::ops::login::{AuthorizationNotice, OtherCode, PageNotice, UserCodeNotice};
use crate::ops::{Event, Input, Interaction, Notes};
use crate::system::browser::Opening;
use crate::system::environment::Environment;
use crate::system::{stream, terminal, typing};
use event_line::EventLine;
use page::Pages;
use remote::{obstacle, place, ssh};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use url::Url;

/// Talks to the user on standard error and reads what is pasted on standard input.
pub(super) struct Console<'o, 's> {
    output: &'o mut Output<'s>,
    terminal: Terminal,
    pages: Pages,
    prompt: Prompt,
    /// Whether a code is about to be shown: the prompt comes after it, if it comes soon.
    awaits_code: bool,
    /// What the user may do in place of an answer.
    instead: &'static str,
    /// How often the login was seen to wait.
    turns: usize,
    /// Whether a program wants events on standard output.
    tells_events: bool,
    /// What a program asks, while it stands at the prompt.
    question: Option<String>,
}

/// The prompt of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prompt {
    /// Nothing is read from a terminal.
    Absent,
    /// What is typed is read, though no prompt says so.
    Due,
    /// It stands on the last line.
    Standing,
}

const SPINNER: [char; 4] = ['|', '/', '-', '\\'];

impl<'o, 's> Console<'o, 's> {
    pub(super) fn new(output: &'o mut Output<'s>, environment: &Environment) -> Self {
        let terminal = Terminal::of(environment, output.streams.stderr_is_terminal);
        Self {
            output,
            terminal,
            pages: Pages::new(terminal, PresentationOptions::default()),
            prompt: Prompt::Absent,
            awaits_code: false,
            instead: "",
            turns: 0,
            tells_events: false,
            question: None,
        }
    }

    /// The same, with what the user wants beside the URL.
    pub(super) fn presentation(mut self, presentation: PresentationOptions) -> Self {
        self.pages = Pages::new(self.terminal, presentation);
        self
    }

    /// Hands over a page, and the code that is entered there, as far as the user wants that.
    pub(super) fn hand_over(&mut self, url: &Url, code: Option<&str>) {
        self.pages.copy(self.output, url);
        self.pages.prepare_qr(self.output, url, code, false);
        self.pages.draw_qr(self.output);
    }

    /// Tells a program, on standard output, what happens.
    pub(super) const fn tell_events(&mut self) {
        self.tells_events = true;
    }

    fn tell(&mut self, event: &EventLine<'_>) {
        if self.tells_events {
            // A reader that has gone away is noticed at the end.
            let _ = self.output.json_line(event);
        }
    }

    fn prompt(&mut self) {
        let usual = || format!("Redirect URL or code{}: ", self.instead);
        let prompt = self.question.clone().unwrap_or_else(usual);
        self.output.prompt(&prompt);
        self.prompt = Prompt::Standing;
    }

    /// Says something, below the prompt if one stands there, which then stands below it.
    fn say(&mut self, text: &str) {
        let was_prompting = self.leave_prompt();
        self.output.say(text);
        if was_prompting {
            self.prompt();
        }
    }

    /// Goes to the line after the prompt; whether there was one.
    fn leave_prompt(&mut self) -> bool {
        let was_prompting = self.prompt == Prompt::Standing;
        if was_prompting {
            self.prompt = Prompt::Due;
            self.output.say("");
        }
        was_prompting
    }
}

impl Drop for Console<'_, '_> {
    fn drop(&mut self) {
        typing::hide_input(false);
        typing::restore();
        self.leave_prompt();
        self.output.clear_status_line();
    }
}

impl Notes for Console<'_, '_> {
    fn note(&mut self, text: &str) {
        self.say(&format!("note: {text}"));
    }

    fn warn(&mut self, text: &str) {
        self.say(&format!("warning: {text}"));
    }
}

impl Interaction for Console<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Authorization(notice) => self.show_authorization(&notice),
            Event::UserCode(notice) => self.show_user_code(&notice),
            Event::Page(notice) => self.show_page(&notice),
            Event::Browser(opening) => self.show_browser(&opening),
            Event::Waiting { left } => self.wait(left),
            Event::Question { text, is_secret } => self.ask(text, is_secret),
            Event::Answered => {
                self.prompt = Prompt::Absent;
                self.question = None;
                typing::hide_input(false);
            }
            // Enter has ended its line.
            Event::PasteAccepted => self.prompt = Prompt::Absent,
            Event::PasteRefused { reason } => {
                self.output.say(&format!("That was not accepted: {reason}"));
                if self.output.streams.stdin_is_terminal {
                    self.prompt();
                }
            }
        }
    }

    fn lines(&mut self, input: Input) -> Option<Receiver<String>> {
        let is_terminal = self.output.streams.stdin_is_terminal;
        let stdin = self.output.streams.stdin.take()?;
        if input == Input::Pastes && is_terminal {
            self.prompt = Prompt::Due;
            if terminal::may_read() {
                // Where that fails, the terminal reads lines by itself.
                let _ = typing::set_raw(typing::is_possible);
                if !self.awaits_code {
                    self.prompt();
                }
            }
        }
        Some(stream::lines(stdin, is_terminal))
    }
}

impl Console<'_, '_> {
    fn show_authorization(&mut self, notice: &AuthorizationNotice<'_>) {
        let is_alternative = notice.code == OtherCode::Shown;
        let has_code = notice.code != OtherCode::None;
        for (port, holder) in &notice.busy_ports {
            let holder = holder.as_deref().unwrap_or("another program");
            self.output.say(&format!("note: port {port} is taken by {holder}"));
        }
        self.awaits_code = notice.code == OtherCode::Awaited;
        self.instead = match (notice.listening, has_code) {
            (true, _) => " (or just wait for the browser)",
            (false, true) => " (or just approve the code)",
            (false, false) => "",
        };
        let sign_in = if is_alternative { "Or sign in" } else { "Sign in" };
        self.output.say(&format!("{sign_in} to {} in a browser:", notice.provider_label));
        self.pages.show_url(self.output, notice.url);
        if !is_alternative {
            self.pages.copy(self.output, notice.url);
        }
        if !has_code {
            self.pages.prepare_qr(self.output, notice.url, None, notice.remote.is_some());
        }
        if let Some(tunnel) = &notice.tunnel {
            let place =
                if is_alternative { String::new() } else { format!("{}. ", place(notice.remote)) };
            self.output.say(&format!(
                "{place}For a browser on your own machine, run this there first:\n\n  {}\n",
                ssh(tunnel)
            ));
        }
        if let Some(obstacle) = obstacle(notice) {
            self.output.say(&obstacle);
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
        self.pages.draw_qr(self.output);
        self.tell(&EventLine::Url {
            schema: 1,
            provider: notice.provider,
            url: notice.url.as_str(),
            redirect_uri: notice.redirect_uri.as_str(),
            listening: notice.listening,
        });
    }

    fn show_user_code(&mut self, notice: &UserCodeNotice<'_>) {
        self.awaits_code = false;
        self.leave_prompt();
        let lead = if notice.is_alternative {
            "Or, on any device,".to_owned()
        } else {
            format!("To sign in to {} on any device,", notice.provider_label)
        };
        if notice.is_followed {
            self.output.say(&format!(
                "{}, so the code comes first: it needs no redirect to this machine",
                place(notice.remote)
            ));
        }
        let uri = notice.verification_uri_complete.unwrap_or(notice.verification_uri);
        self.output.say(&format!("{lead} open"));
        self.pages.show_url(self.output, uri);
        self.output.say(&format!(
            "and enter the code\n\n  {}\n\n(it is good for {})",
            notice.user_code,
            shown(notice.lifetime)
        ));
        if !notice.is_alternative {
            self.pages.copy(self.output, uri);
        }
        self.pages.prepare_qr(self.output, uri, Some(notice.user_code), !notice.is_alternative);
        if !notice.is_followed {
            self.pages.draw_qr(self.output);
        }
        if self.prompt == Prompt::Due && terminal::may_read() {
            self.prompt();
        }
        self.tell(&EventLine::UserCode {
            schema: 1,
            provider: notice.provider,
            user_code: notice.user_code,
            verification_uri: notice.verification_uri.as_str(),
            verification_uri_complete: notice.verification_uri_complete.map(url::Url::as_str),
            expires_in_seconds: notice.lifetime.as_secs(),
        });
    }

    fn wait(&mut self, left: Duration) {
        if self.turns == 0 {
            self.tell(&EventLine::Waiting { schema: 1, seconds_left: left.as_secs() });
        }
        let spinner = SPINNER[self.turns % SPINNER.len()];
        self.turns += 1;
        match self.prompt {
            // The code has not come at once, or a job has come to the foreground.
            Prompt::Due if self.turns > 1 && terminal::may_read() => self.prompt(),
            Prompt::Absent if self.terminal.is_capable() && terminal::is_ours() => {
                let (minutes, seconds) = (left.as_secs() / 60, left.as_secs() % 60);
                let text =
                    format!("{spinner} Waiting for the sign-in, {minutes}:{seconds:02} left");
                let columns = terminal::size().map_or(80, |size| size.columns);
                self.output.draw_status_line(&text, columns);
            }
            Prompt::Absent | Prompt::Due | Prompt::Standing => {}
        }
    }

    fn show_page(&mut self, notice: &PageNotice<'_>) {
        let PageNotice { provider, provider_label, url, is_remote } = *notice;
        self.output.say(&format!("To sign in to {provider_label}, open"));
        self.pages.show_url(self.output, url);
        self.pages.copy(self.output, url);
        self.pages.prepare_qr(self.output, url, None, is_remote);
        self.pages.draw_qr(self.output);
        self.tell(&EventLine::Page { schema: 1, provider, url: url.as_str() });
    }

    fn ask(&mut self, question: &str, is_secret: bool) {
        self.tell(&EventLine::Prompt { schema: 1, text: question, secret: is_secret });
        if !self.output.streams.stdin_is_terminal {
            return self.output.say(question);
        }
        typing::hide_input(is_secret);
        if terminal::may_read() {
            // Whoever types at once must not be shown either.
            let _ = typing::set_raw(typing::is_possible);
        }
        self.question = Some(format!("{question}: "));
        self.prompt();
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
}

fn shown(duration: Duration) -> String {
    duration::show(duration.as_millis().try_into().unwrap_or(i64::MAX))
}
