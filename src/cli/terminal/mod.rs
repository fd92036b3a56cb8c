//! What the terminal on standard error can show, by its own word: the environment.

pub(super) mod qr;
pub(super) mod sequence;

use crate::system::Environment;

/// What standard error is, and what can be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terminal {
    pub(super) kind: Kind,
    pub(super) qr_colour: QrColour,
    /// Whether a link shows as a link (OSC 8). Others show its text, but not all.
    pub(super) has_links: bool,
    /// What stands between us and the terminal.
    pub(super) multiplexer: Option<Multiplexer>,
}

/// What standard error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A pipe or a file.
    Pipe,
    /// A terminal that knows no sequences (`TERM=dumb`).
    Dumb,
    /// A terminal whose lines can be redrawn.
    Capable,
}

/// How black and white are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QrColour {
    /// By colours of our own.
    Coloured,
    /// Characters are white, on a dark background; what a terminal usually is.
    White,
    /// Characters are black, on a light background (`COLORFGBG`).
    Black,
}

/// A program that passes a sequence to its terminal only when it is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Multiplexer {
    Tmux,
    Screen,
}

/// Values of `TERM_PROGRAM` whose terminals know links.
const LINKING_PROGRAMS: [&str; 8] =
    ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "WarpTerminal"];
/// Parts of `TERM` whose terminals know links.
const LINKING_TERMS: [&str; 6] = ["kitty", "alacritty", "foot", "ghostty", "wezterm", "contour"];

impl Terminal {
    /// What the environment says of it.
    pub(super) fn of(environment: &Environment, is_terminal: bool) -> Self {
        let term = environment.text("TERM").unwrap_or_default();
        let kind = match term {
            _ if !is_terminal => Kind::Pipe,
            "" | "dumb" => Kind::Dumb,
            _ => Kind::Capable,
        };
        // rxvt and others: foreground;background, 7 and 15 being white.
        let colours = environment.text("COLORFGBG").and_then(|colours| colours.rsplit(';').next());
        let qr_colour = match colours {
            _ if kind == Kind::Capable && !environment.has("NO_COLOR") => QrColour::Coloured,
            Some("7" | "15") => QrColour::Black,
            _ => QrColour::White,
        };
        let multiplexer = if environment.has("TMUX") {
            Some(Multiplexer::Tmux)
        } else {
            environment.has("STY").then_some(Multiplexer::Screen)
        };
        let has_links = kind == Kind::Capable && knows_links(environment, term, multiplexer);
        Self { kind, qr_colour, has_links, multiplexer }
    }

    /// Whether lines can be redrawn, and sequences are understood.
    pub(super) fn is_capable(self) -> bool {
        self.kind == Kind::Capable
    }
}

fn knows_links(environment: &Environment, term: &str, multiplexer: Option<Multiplexer>) -> bool {
    if let Some(forced) = environment.text("FORCE_HYPERLINK") {
        return forced != "0";
    }
    let program = environment.text("TERM_PROGRAM").unwrap_or_default();
    match multiplexer {
        Some(Multiplexer::Screen) => return false,
        // From 3.4 on.
        Some(Multiplexer::Tmux) => {
            let version = environment.text("TERM_PROGRAM_VERSION").unwrap_or_default();
            let digits = version.trim_end_matches(|c: char| c.is_ascii_lowercase());
            return program == "tmux" && digits.parse::<f32>().is_ok_and(|version| version >= 3.4);
        }
        None => {}
    }
    let vte = environment.text("VTE_VERSION").and_then(|version| version.parse::<u32>().ok());
    vte.is_some_and(|version| version >= 5_000)
        || ["WT_SESSION", "KONSOLE_VERSION", "DOMTERM"].iter().any(|name| environment.has(name))
        || LINKING_PROGRAMS.contains(&program)
        || LINKING_TERMS.iter().any(|part| term.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(variables: &[(&str, &str)]) -> Terminal {
        Terminal::of(&Environment::of(variables.iter().copied()), true)
    }

    #[test]
    fn a_pipe_and_a_dumb_terminal_get_no_sequences() {
        let variables = [("TERM", "xterm-kitty"), ("FORCE_HYPERLINK", "1")];
        let pipe = Terminal::of(&Environment::of(variables), false);
        assert_eq!(
            (pipe.kind, pipe.qr_colour, pipe.has_links),
            (Kind::Pipe, QrColour::White, false)
        );
        for term in ["dumb", ""] {
            let dumb = terminal(&[("TERM", term), ("FORCE_HYPERLINK", "1")]);
            assert_eq!(
                (dumb.kind, dumb.qr_colour, dumb.has_links),
                (Kind::Dumb, QrColour::White, false)
            );
        }
    }

    #[test]
    fn no_color_turns_off_colours_and_nothing_else() {
        let plain = terminal(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1"), ("COLORFGBG", "0;15")]);
        assert_eq!(
            (plain.kind, plain.qr_colour, plain.has_links),
            (Kind::Capable, QrColour::Black, true)
        );
        let blank = terminal(&[("TERM", "xterm"), ("NO_COLOR", "")]);
        assert_eq!(blank.qr_colour, QrColour::Coloured, "blank is unset");
    }

    #[test]
    fn links_are_for_terminals_that_know_them() {
        for variables in [
            &[("TERM", "xterm-256color"), ("VTE_VERSION", "7200")][..],
            &[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")],
            &[("TERM", "foot")],
            &[("TERM", "xterm"), ("WT_SESSION", "fake")],
            &[
                ("TERM", "tmux"),
                ("TMUX", "x"),
                ("TERM_PROGRAM", "tmux"),
                ("TERM_PROGRAM_VERSION", "3.4a"),
            ],
            &[("TERM", "xterm"), ("FORCE_HYPERLINK", "1")],
        ] {
            assert!(terminal(variables).has_links, "{variables:?}");
        }
        for variables in [
            &[("TERM", "xterm-256color")][..],
            &[("TERM", "xterm"), ("VTE_VERSION", "4000")],
            &[("TERM", "foot"), ("FORCE_HYPERLINK", "0")],
            &[("TERM", "screen"), ("STY", "1.x"), ("VTE_VERSION", "7200")],
            &[
                ("TERM", "tmux"),
                ("TMUX", "x"),
                ("TERM_PROGRAM", "tmux"),
                ("TERM_PROGRAM_VERSION", "3.3a"),
            ],
        ] {
            assert!(!terminal(variables).has_links, "{variables:?}");
        }
    }
}
