//! The next step after a failure: prose, and commands that can be pasted or run.
//!
//! Invariant: a POSIX shell reads what is shown of a [`Command`] as exactly its program and
//! arguments, whatever is in them, also after `text::printable`. The one exception is an
//! argument that no command line can hold; it is shown as text that no shell accepts.

use super::typed;
use crate::text::shell_word;
use serde::{Serialize, Serializer};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fmt::Write as _;

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Command {
    words: Vec<OsString>,
    /// What follows `--`: names that look like options, and the names behind them.
    operands: Vec<OsString>,
    /// What of the command line that was typed belongs to it as well.
    inherits: Inherits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inherits {
    /// Another program, or a whole command line.
    Nothing,
    /// The state directory; it means the agent `main` whatever was typed.
    StateDirectory,
    /// The state directory, and the agent unless it names one.
    StateDirectoryAndAgent,
}

impl Command {
    /// The command that runs `program` without arguments.
    pub(in crate::cli) fn new(program: &str) -> Self {
        Self { words: vec![program.into()], operands: Vec::new(), inherits: Inherits::Nothing }
    }

    /// A command of this program; `words` are its subcommands and options, with one space
    /// between two of them. What comes from outside is added by [`Self::arg`].
    ///
    /// It is shown with the state directory and the agent that the command line named.
    pub(in crate::cli) fn ours(words: &str) -> Self {
        let command = Self::new(OURS).args(words.split(' '));
        Self { inherits: Inherits::StateDirectoryAndAgent, ..command }
    }

    /// The command line that was typed with `other` in place of `name`; `None` where it has no
    /// such name.
    pub(in crate::cli) fn again(name: &str, other: &str) -> Option<Self> {
        let (mut before, after) = typed::around(name)?;
        if !other.starts_with('-') || before.iter().any(|word| word == "--") {
            before.push(other.into());
            return Some(Self::new(OURS).args(before).args(after));
        }
        let command = Self::new(OURS).args(before).operand(other);
        let (options, operands) = match after.iter().position(|word| word == "--") {
            Some(at) => (after[..at].to_vec(), after[at + 1..].to_vec()),
            None => (after, Vec::new()),
        };
        Some(operands.into_iter().fold(command.args(options), Self::operand))
    }

    /// The same command, which means the agent `main` although it does not name it.
    #[must_use]
    pub(in crate::cli) fn of_main(mut self) -> Self {
        if self.inherits == Inherits::StateDirectoryAndAgent {
            self.inherits = Inherits::StateDirectory;
        }
        self
    }

    /// The same command with a name or an id, which may look like an option.
    #[must_use]
    pub(in crate::cli) fn operand(mut self, text: impl Into<OsString>) -> Self {
        let text = text.into();
        let is_behind = !self.operands.is_empty() || text.as_encoded_bytes().starts_with(b"-");
        let place = if is_behind { &mut self.operands } else { &mut self.words };
        place.push(text);
        self
    }

    /// Every word of it, as it is shown.
    fn shown(&self) -> Vec<OsString> {
        let (program, rest) = self.words.split_at(1);
        let mut shown = program.to_vec();
        if self.inherits != Inherits::Nothing {
            let takes_agent = self.inherits == Inherits::StateDirectoryAndAgent
                && rest.first().is_some_and(|group| !NO_AGENT.iter().any(|it| group == it))
                && !rest.iter().any(|word| is_agent(word));
            shown.extend(typed::options(takes_agent));
        }
        shown.extend_from_slice(rest);
        if !self.operands.is_empty() {
            shown.push("--".into());
            shown.extend_from_slice(&self.operands);
        }
        shown
    }

    /// The same command with one more argument.
    #[must_use]
    pub(in crate::cli) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.words.push(argument.into());
        self
    }

    /// The same command with more arguments.
    #[must_use]
    pub(in crate::cli) fn args<A: Into<OsString>>(
        self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// The same command with the option `name` (`--agent`) and its value. A value that looks
    /// like an option is attached by `=`.
    #[must_use]
    pub(in crate::cli) fn option(self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        if value.starts_with('-') {
            return self.arg(format!("{name}={value}"));
        }
        self.arg(name).arg(value)
    }

    /// The program and its arguments; `None` where one is not UTF-8 or has a NUL, so that
    /// JSON cannot hold it or nothing can run it.
    pub(in crate::cli) fn argv(&self) -> Option<Vec<String>> {
        let words = self.shown().into_iter();
        words.map(|word| word.into_string().ok().filter(|word| !word.contains('\0'))).collect()
    }
}

/// The name of this program.
const OURS: &str = "openclaw-auth";

/// The groups of commands that mean no agent, or name it themselves.
const NO_AGENT: [&str; 4] = ["agents", "providers", "secrets", "store"];

fn is_agent(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| word == "--agent" || word.starts_with("--agent="))
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.shown().iter().enumerate() {
            if at > 0 {
                f.write_char(' ')?;
            }
            f.write_str(&shell_word(word))?;
        }
        Ok(())
    }
}

/// An array of the program and its arguments.
impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.argv().serialize(serializer)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Prose(String),
    /// One quoted word, in prose that is no command by itself.
    Word(OsString),
    Command(Command),
}

/// The next step for the user, without the `hint:` prefix: prose and commands in turn. A
/// template (`openclaw-auth agents add <name>`) is prose: nobody can run it as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Hint(Vec<Part>);

impl Hint {
    /// A hint that is, or begins with, prose.
    pub(in crate::cli) fn new(prose: impl Into<String>) -> Self {
        Self(vec![Part::Prose(prose.into())])
    }

    /// The same hint and then prose, which brings its own spaces.
    #[must_use]
    pub(in crate::cli) fn then(mut self, prose: impl Into<String>) -> Self {
        self.0.push(Part::Prose(prose.into()));
        self
    }

    /// The same hint and then a command.
    #[must_use]
    pub(in crate::cli) fn run(mut self, command: Command) -> Self {
        self.0.push(Part::Command(command));
        self
    }

    /// The same hint and then `text`, quoted where a shell would not read it as one word.
    #[must_use]
    pub(in crate::cli) fn word(mut self, text: impl Into<OsString>) -> Self {
        self.0.push(Part::Word(text.into()));
        self
    }

    /// The same hint and then the whole of `other`.
    #[must_use]
    pub(in crate::cli) fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The hints with `between` between two of them; `None` where there is none.
    pub(in crate::cli) fn join(
        hints: impl IntoIterator<Item = Self>,
        between: &str,
    ) -> Option<Self> {
        hints.into_iter().reduce(|all, next| all.then(between).with(next))
    }

    /// The first command of the hint that can be run as it stands.
    pub(in crate::cli) fn command(&self) -> Option<&Command> {
        self.0.iter().find_map(|part| match part {
            Part::Command(command) => command.argv().map(|_| command),
            Part::Prose(_) | Part::Word(_) => None,
        })
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Prose(text) => f.write_str(text),
            Part::Word(text) => f.write_str(&shell_word(text)),
            Part::Command(command) => command.fmt(f),
        })
    }
}

impl From<&str> for Hint {
    fn from(prose: &str) -> Self {
        Self::new(prose)
    }
}

impl From<String> for Hint {
    fn from(prose: String) -> Self {
        Self::new(prose)
    }
}

impl From<Command> for Hint {
    fn from(command: Command) -> Self {
        Self(vec![Part::Command(command)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::printable;
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStringExt;
    use std::process::Command as Process;

    /// What `sh` makes of a command line whose program prints its arguments.
    fn argv_of(line: &str) -> Vec<Vec<u8>> {
        let ran = Process::new("sh").args(["-c", line]).output().unwrap();
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        let mut words: Vec<_> = ran.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        assert_eq!(words.pop(), Some(Vec::new()), "{line}");
        words
    }

    fn assert_read_back(arguments: &[OsString]) {
        let hint = Hint::new("").run(Command::new("printf").arg(r"%s\0").args(arguments));
        let shown = printable(&hint.to_string(), 100_000);
        assert_eq!(shown, hint.to_string(), "nothing of it is taken out");
        let wanted: Vec<_> = arguments.iter().map(|it| it.clone().into_vec()).collect();
        assert_eq!(argv_of(&shown), wanted, "{shown}");
    }

    #[test]
    fn a_shell_gives_hostile_arguments_back() {
        let hostile = [
            "",
            "$(touch x)",
            "`id`",
            "a b",
            "it's",
            "\"",
            "a\nb",
            "\n\r",
            "-n",
            "--",
            "~",
            "~root",
            "*",
            "#",
            "a;b",
            "x&",
            "!",
            "\\",
            "\\n",
            "%s",
            "=ls",
            "{a,b}",
            "<id>",
            "\u{1b}[31m",
            "\u{202e}",
            "\u{200b}",
            "é",
            "-\u{7f}%\\'",
        ];
        assert_read_back(&hostile.map(OsString::from));
        assert_read_back(&[OsString::from_vec(vec![b'-', 0xff, b'%'])]);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 64, failure_persistence: None, ..ProptestConfig::default()
        })]
        #[test]
        fn a_shell_gives_every_argument_back(
            texts in prop::collection::vec("(\\PC|[\\x01-\\x7f]|[$`'\"~ \\\\\n\u{200b}-]){0,12}", 1..4),
            bytes in prop::collection::vec(1_u8.., 0..12),
        ) {
            let bytes = OsString::from_vec(bytes);
            let all: Vec<OsString> =
                texts.into_iter().map(OsString::from).chain([bytes]).collect();
            let all: Vec<_> =
                all.into_iter().filter(|it| !it.as_encoded_bytes().ends_with(b"\n")).collect();
            prop_assume!(!all.is_empty());
            assert_read_back(&all);
        }
    }

    #[test]
    fn what_no_command_line_can_hold_is_refused_by_the_shell() {
        for text in ["a\n", "a\0b"] {
            let line = Command::new("printf").arg("x").arg(text).to_string();
            let ran = Process::new("sh").args(["-c", &line]).output().unwrap();
            assert!(!ran.status.success() && ran.stdout.is_empty(), "{line}");
        }
        assert_eq!(Command::new("x").arg("a\0b").argv(), None);
    }

    #[test]
    fn prose_and_usual_arguments_are_shown_as_they_are() {
        let add = Command::ours("agents add").arg("x");
        let hint = Hint::from(Command::ours("agents list")).then(", or: ").run(add);
        assert_eq!(hint.to_string(), "openclaw-auth agents list, or: openclaw-auth agents add x");
        assert_eq!(hint.command().unwrap().argv().unwrap(), ["openclaw-auth", "agents", "list"]);
        let template = Hint::from("openclaw-auth agents add <name>");
        assert_eq!(template.to_string(), "openclaw-auth agents add <name>");
        assert_eq!(template.command(), None);
    }

    #[test]
    fn a_name_that_looks_like_an_option_stands_behind_two_dashes() {
        let command = Command::ours("order").operand("a").operand("-x").operand("b").arg("--yes");
        assert_eq!(command.to_string(), "openclaw-auth order a --yes -- -x b");
    }

    #[test]
    fn a_value_that_looks_like_an_option_is_attached() {
        let command = Command::ours("x").option("--profile", "-a").option("--agent", "b");
        assert_eq!(command.to_string(), "openclaw-auth x --profile=-a --agent b");
    }
}
