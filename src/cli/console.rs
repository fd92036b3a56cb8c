//! The conversation of a login: on a terminal with a prompt, else in plain lines.

use super::duration;
use super::output::Output;
use crate::ops::Interaction;
use crate::ops::login::AuthorizationNotice;
use crate::system::browser::Opening;
use crate::system::environment::Remote;
use crate::system::stream;
use tokio::sync::mpsc::Receiver;

/// Talks to the user on standard error and reads what is pasted on standard input.
pub(super) struct Console<'o, 's> {
    output: &'o mut Output<'s>,
    /// Whether a prompt stands on the last line.
    prompting: bool,
}

const PROMPT: &str = "Redirect URL or code (or just wait for the browser): ";

impl<'o, 's> Console<'o, 's> {
    pub(super) fn new(output: &'o mut Output<'s>) -> Self {
        Self { output, prompting: false }
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
        let say = |this: &mut Self, text: &str| this.output.say(text);
        for (port, holder) in &notice.busy_ports {
            let holder = holder.as_deref().unwrap_or("another program");
            say(self, &format!("note: port {port} is taken by {holder}"));
        }
        say(
            self,
            &format!("Sign in to {} in a browser:\n\n  {}\n", notice.provider_label, notice.url),
        );
        if let Some(tunnel) = &notice.tunnel {
            let place = match notice.remote {
                Some(Remote::Ssh) => "You are connected over SSH.",
                Some(Remote::Container) => "This is a container.",
                _ => "This machine has no display.",
            };
            say(
                self,
                &format!(
                    "{place} For a browser on your own machine, run this there first:\n\n  \
                     {tunnel}\n"
                ),
            );
        }
        let waits = duration::show(notice.timeout.as_millis().try_into().unwrap_or(i64::MAX));
        let how = if notice.listening {
            "When the browser ends on a page that does not load, paste its address here"
        } else {
            "The browser will end on a page that does not load: paste its address here"
        };
        say(self, &format!("{how} (waiting up to {waits})"));
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
