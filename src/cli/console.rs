//! The conversation of a login: on a terminal with a prompt, else in plain lines; for a
//! program that drives it, an event a line.

use super::duration;
use super::output::Output;
use super::terminal::Terminal;
use super::terminal::qr::{Drawing, Qr};
use super::terminal::sequence::Sequence;
use crate::ops::Interaction;
use crate::ops::login::{AuthorizationNotice, UserCodeNotice};
use crate::system::browser::Opening;
use crate::system::environment::{Environment, Remote};
use crate::system::terminal::{self, Size};
use crate::system::{stream, typing};
use serde::Serialize;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use url::Url;

/// How a page is handed to the user, beside its URL.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Handing {
    /// Show the page as a QR code [default: for codes and remote terminals, where it fits]
    #[arg(long)]
    qr: bool,
    /// Send the URL to the clipboard, through the terminal (OSC 52)
    #[arg(long)]
    copy: bool,
}

/// Talks to the user on standard error and reads what is pasted on standard input.
pub(super) struct Console<'o, 's> {
    output: &'o mut Output<'s>,
    terminal: Terminal,
    handing: Handing,
    /// Whether the browser's redirect can arrive by itself.
    listens: bool,
    /// Whether there is a code for another device.
    has_code: bool,
    /// Whether a prompt stands on the last line.
    prompting: bool,
    /// Whether what the user types is read.
    reads_terminal: bool,
    /// The QR code of a page that is still to be drawn, and what belongs below it.
    qr: Option<(Qr, Option<String>)>,
    /// How often the status line was drawn.
    turns: usize,
    /// Whether a program wants events on standard output.
    tells_events: bool,
    /// Whether the program knows that the login waits.
    told_waiting: bool,
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
    /// It is up to the user now.
    Waiting { schema: u32, seconds_left: u64 },
}

const PROMPT: &str = "Redirect URL or code";

/// Below a QR code there is room for the code and for the prompt, which may take two lines.
const ROWS_BELOW: usize = 3;
const SPINNER: [char; 4] = ['|', '/', '-', '\\'];

impl<'o, 's> Console<'o, 's> {
    pub(super) fn new(output: &'o mut Output<'s>, environment: &Environment) -> Self {
        let terminal = Terminal::of(environment, output.streams.stderr_is_terminal);
        Self {
            output,
            terminal,
            handing: Handing::default(),
            listens: false,
            has_code: false,
            prompting: false,
            reads_terminal: false,
            qr: None,
            turns: 0,
            tells_events: false,
            told_waiting: false,
        }
    }

    /// The same, with what the user wants beside the URL.
    pub(super) const fn handing(mut self, handing: Handing) -> Self {
        self.handing = handing;
        self
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
        let instead = match (self.listens, self.has_code) {
            (true, _) => " (or just wait for the browser)",
            (false, true) => " (or just approve the code)",
            (false, false) => "",
        };
        self.output.prompt(&format!("{PROMPT}{instead}: "));
        self.prompting = true;
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
        let was_prompting = std::mem::take(&mut self.prompting);
        if was_prompting {
            self.output.say("");
        }
        was_prompting
    }

    /// Shows a URL on lines of its own, whole, as a link where links are known.
    fn show_url(&mut self, url: &Url) {
        match self.terminal.has_links.then(|| Sequence::link(url)).flatten() {
            Some(link) => {
                self.output.prompt("\n  ");
                self.output.send(&link);
                self.output.say("\n");
            }
            None => self.output.say(&format!("\n  {url}\n")),
        }
    }

    /// Sends a URL to the clipboard if the user wants that.
    fn copy(&mut self, url: &Url) {
        if !self.handing.copy {
            return;
        }
        let copy = Sequence::copy(url.as_str(), self.terminal.multiplexer);
        match copy.filter(|_| self.terminal.is_capable) {
            Some(copy) => {
                self.output.send(&copy);
                self.output.say("The URL was sent to the clipboard, if the terminal allows that");
            }
            None => {
                self.output.say("note: nothing was copied: this takes a terminal on standard error")
            }
        }
    }

    /// Makes the QR code of a page, if the user wants one or it is the usual thing and fits.
    fn prepare_qr(&mut self, url: &Url, code: Option<&str>, is_usual: bool) {
        let (is_forced, size) = (self.handing.qr, terminal::size());
        if !is_forced && !(is_usual && self.terminal.is_capable && size.is_some()) {
            return;
        }
        let room = size
            .filter(|_| self.terminal.is_terminal)
            .map(|size| Size { rows: size.rows.saturating_sub(ROWS_BELOW), ..size });
        match Qr::fitting(url.as_str(), room) {
            Ok(qr) => self.qr = Some((qr, code.map(str::to_owned))),
            Err(Some(Size { columns, rows })) if is_forced => self.output.say(&format!(
                "note: the QR code needs a terminal of {columns} columns and {} rows",
                rows + ROWS_BELOW
            )),
            Err(None) if is_forced => {
                self.output.say("note: the URL is too long for a QR code");
            }
            Err(_) => {}
        }
    }

    fn draw_qr(&mut self) {
        let Some((qr, code)) = self.qr.take() else { return };
        match qr.draw(self.terminal) {
            Drawing::Coloured(sequence) => self.output.send(&sequence),
            Drawing::Plain(text) => self.output.say(&text),
        }
        // What was said before it may have left the screen.
        if let Some(code) = code {
            self.output.say(&format!("Code: {code}"));
        }
    }
}

impl Drop for Console<'_, '_> {
    fn drop(&mut self) {
        typing::release();
        self.leave_prompt();
        self.output.clear_status_line();
    }
}

impl Interaction for Console<'_, '_> {
    fn note(&mut self, text: &str) {
        self.say(&format!("note: {text}"));
    }

    fn warn(&mut self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    fn show_authorization(&mut self, notice: &AuthorizationNotice<'_>) {
        for (port, holder) in &notice.busy_ports {
            let holder = holder.as_deref().unwrap_or("another program");
            self.output.say(&format!("note: port {port} is taken by {holder}"));
        }
        self.listens = notice.listening;
        self.has_code = notice.has_code;
        let sign_in = if notice.is_alternative { "Or sign in" } else { "Sign in" };
        self.output.say(&format!("{sign_in} to {} in a browser:", notice.provider_label));
        self.show_url(notice.url);
        if !notice.is_alternative {
            self.copy(notice.url);
        }
        if !notice.has_code {
            self.prepare_qr(notice.url, None, notice.remote.is_some());
        }
        if let Some(tunnel) = &notice.tunnel {
            let place = match notice.is_alternative {
                true => String::new(),
                false => format!("{}. ", place(notice.remote)),
            };
            self.output.say(&format!(
                "{place}For a browser on your own machine, run this there first:\n\n  {tunnel}\n"
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
        self.draw_qr();
        self.tell(&Event::Url {
            schema: 1,
            provider: notice.provider_label,
            url: notice.url.as_str(),
            redirect_uri: notice.redirect_uri.as_str(),
            listening: notice.listening,
        });
    }

    fn show_user_code(&mut self, notice: &UserCodeNotice<'_>) {
        let was_prompting = self.leave_prompt();
        let lead = if notice.is_alternative {
            "Or, on any device,".to_owned()
        } else {
            format!("To sign in to {} on any device,", notice.provider_label)
        };
        if notice.is_followed {
            self.output.say(&format!(
                "{}, so the code comes first: no redirect has to get here",
                place(notice.remote)
            ));
        }
        let uri = notice.verification_uri_complete.unwrap_or(notice.verification_uri);
        self.output.say(&format!("{lead} open"));
        self.show_url(uri);
        self.output.say(&format!(
            "and enter the code\n\n  {}\n\n(it is good for {})",
            notice.user_code,
            shown(notice.lifetime)
        ));
        if !notice.is_alternative {
            self.copy(uri);
        }
        self.prepare_qr(uri, Some(notice.user_code), !notice.is_alternative);
        if !notice.is_followed {
            self.draw_qr();
        }
        if was_prompting {
            self.prompt();
        }
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
        if self.reads_terminal {
            // A job that has come to the foreground.
            if !self.prompting && stream::is_in_foreground() {
                self.prompt();
            }
        } else if self.terminal.is_capable && terminal::is_ours() {
            let spinner = SPINNER[self.turns % SPINNER.len()];
            self.turns += 1;
            let (minutes, seconds) = (left.as_secs() / 60, left.as_secs() % 60);
            let text = format!("{spinner} Waiting for the sign-in, {minutes}:{seconds:02} left");
            let columns = terminal::size().map_or(80, |size| size.columns);
            self.output.draw_status_line(&text, columns);
        }
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
        self.reads_terminal = is_terminal;
        if is_terminal && stream::is_in_foreground() {
            // Where that fails, the terminal reads lines by itself.
            let _ = typing::take_over(|| typing::is_possible());
            self.prompt();
        }
        Some(stream::lines(stdin, is_terminal))
    }

    fn accept_paste(&mut self) {
        // Enter has ended its line.
        self.prompting = false;
        self.reads_terminal = false;
    }

    fn refuse_paste(&mut self, reason: &str) {
        self.prompting = false;
        self.output.say(&format!("That was not accepted: {reason}"));
        self.reads_terminal = self.output.streams.stdin_is_terminal;
        if self.reads_terminal {
            self.prompt();
        }
    }
}

/// What keeps the redirect from getting here, or may.
fn obstacle(notice: &AuthorizationNotice<'_>) -> Option<String> {
    if !notice.listening {
        return None;
    }
    let port = notice.redirect_uri.port().unwrap_or(80);
    if notice.is_wsl {
        return Some(format!(
            "A browser on Windows gets here where localhost:{port} is forwarded to WSL, as is usual"
        ));
    }
    (notice.remote == Some(Remote::Container)).then(|| {
        let place = match notice.is_alternative {
            true => String::new(),
            false => format!("{}. ", place(notice.remote)),
        };
        let otherwise = match (notice.has_code, notice.pasting) {
            (true, true) => ". Else use the code, or paste the address",
            (true, false) => ". Else use the code",
            (false, true) => ". Else paste the address",
            (false, false) => "",
        };
        format!(
            "{place}A browser outside gets to 127.0.0.1:{port} in here by --network host or an \
             editor that forwards ports, not by docker run -p{otherwise}"
        )
    })
}

/// Why a browser on this machine would not reach the user.
const fn place(remote: Option<Remote>) -> &'static str {
    match remote {
        Some(Remote::Ssh) => "You are connected over SSH",
        Some(Remote::Container) => "This is a container",
        _ => "This machine has no display",
    }
}

fn shown(duration: Duration) -> String {
    duration::show(duration.as_millis().try_into().unwrap_or(i64::MAX))
}
