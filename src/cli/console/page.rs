//! How the page to sign in at gets to the user, beside the text of its URL: as a link, as a
//! QR code, by the clipboard.

use crate::cli::output::Output;
use crate::cli::terminal::qr::{Drawing, Qr};
use crate::cli::terminal::sequence::Sequence;
use crate::cli::terminal::{Kind, Terminal};
use crate::system::terminal::{self, Size};
use url::Url;

// How a page is handed to the user, beside its URL. (No doc comment: clap would make it the
// description of the command.)
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(in crate::cli) struct PresentationOptions {
    /// Show the page as a QR code [default: for codes and remote terminals, where it fits]
    #[arg(long)]
    qr: bool,
    /// Send the URL to the clipboard, through the terminal (OSC 52)
    #[arg(long)]
    copy: bool,
}

/// Below a QR code there is room for the code and for the prompt, which may take two lines.
const ROWS_BELOW: usize = 3;
/// Above a QR code that nobody asked for, the URL and how to go on stay on the screen, unless
/// a code says it all.
const ROWS_ABOVE: usize = 12;

/// Hands pages over.
pub(super) struct Pages {
    terminal: Terminal,
    presentation: PresentationOptions,
    /// The QR code of a page that is still to be drawn, and the code to show below it.
    qr: Option<(Qr, Option<String>)>,
}

impl Pages {
    pub(super) const fn new(terminal: Terminal, presentation: PresentationOptions) -> Self {
        Self { terminal, presentation, qr: None }
    }

    /// Shows a URL on lines of its own, whole, as a link where links are known.
    pub(super) fn show_url(&self, output: &mut Output<'_>, url: &Url) {
        match self.terminal.has_links.then(|| Sequence::link(url)).flatten() {
            Some(link) => {
                output.prompt("\n  ");
                output.send(&link);
                output.say("\n");
            }
            None => output.say(&format!("\n  {url}\n")),
        }
    }

    /// Sends a URL to the clipboard if the user wants that.
    pub(super) fn copy(&self, output: &mut Output<'_>, url: &Url) {
        if !self.presentation.copy {
            return;
        }
        if !self.terminal.is_capable() {
            output.say("note: nothing was copied: this takes a terminal on standard error");
            return;
        }
        match Sequence::copy(url.as_str(), self.terminal.multiplexer) {
            Some(copy) => {
                output.send(&copy);
                output.say("The URL was sent to the clipboard, if the terminal allows that");
            }
            None => output.say("note: nothing was copied: the URL is too long for a terminal"),
        }
    }

    /// Makes the QR code of a page, if the user wants one or it is the usual thing and fits.
    /// `code` will stand below it.
    pub(super) fn prepare_qr(
        &mut self,
        output: &mut Output<'_>,
        url: &Url,
        code: Option<&str>,
        is_usual: bool,
    ) {
        let is_wanted = self.presentation.qr;
        // Where the size is not known, what is not asked for might not fit.
        let size = terminal::size().filter(|_| self.terminal.kind != Kind::Pipe);
        let may_fit = self.terminal.is_capable() && size.is_some();
        if !(is_wanted || is_usual && may_fit) {
            return;
        }
        let above = if is_wanted || code.is_some() { 0 } else { ROWS_ABOVE };
        let taken = ROWS_BELOW + above;
        let room = size.map(|size| Size { rows: size.rows.saturating_sub(taken), ..size });
        match Qr::fitting(url.as_str(), room) {
            Ok(qr) => self.qr = Some((qr, code.map(str::to_owned))),
            Err(Some(Size { columns, rows })) if is_wanted => output.say(&format!(
                "note: the QR code needs a terminal of {columns} columns and {} rows",
                rows + ROWS_BELOW
            )),
            Err(None) if is_wanted => output.say("note: the URL is too long for a QR code"),
            Err(_) => {}
        }
    }

    /// Draws the QR code that is due, if one is.
    pub(super) fn draw_qr(&mut self, output: &mut Output<'_>) {
        let Some((qr, code)) = self.qr.take() else { return };
        match qr.draw(self.terminal.qr_colour) {
            Drawing::Coloured(sequence) => output.send(&sequence),
            Drawing::Plain(text) => output.say(&text),
        }
        // What was said before it may have left the screen.
        if let Some(code) = code {
            output.say(&format!("Code: {code}"));
        }
    }
}
