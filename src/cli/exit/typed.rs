//! The command line that was typed, for the commands that hints show.
//!
//! Invariant: a command that a hint shows means the state directory and the agent that the
//! command line meant. It is that of this thread: a thread shows the hints of its own run.

use std::cell::RefCell;
use std::ffi::OsString;

/// A command line.
#[derive(Debug)]
pub(in crate::cli) struct Typed {
    /// Its arguments, without the name of the program.
    pub(in crate::cli) args: Vec<OsString>,
    /// The profile of the installation that its root options name.
    pub(in crate::cli) profile: Option<String>,
    /// Whether the option of this name, with its dashes, takes a value.
    pub(in crate::cli) takes_value: fn(&str) -> bool,
}

thread_local! {
    static TYPED: RefCell<Option<Typed>> = const { RefCell::new(None) };
}

/// Shows hints for this command line from now on.
pub(in crate::cli) fn set(typed: Typed) {
    TYPED.with(|it| *it.borrow_mut() = Some(typed));
}

/// The options that name the state directory, and the agent where it is wanted.
pub(super) fn options(with_agent: bool) -> Vec<OsString> {
    TYPED.with(|it| {
        let typed = it.borrow();
        let Some(typed) = typed.as_ref() else { return Vec::new() };
        let mut options: Vec<OsString> = Vec::new();
        if let Some(profile) = &typed.profile {
            options.extend(option("--profile", profile));
        }
        if let Some(agent) = with_agent.then(|| typed.agent()).flatten() {
            options.extend(option("--agent", &agent));
        }
        options
    })
}

fn option(name: &str, value: &str) -> Vec<OsString> {
    if value.starts_with('-') {
        return vec![format!("{name}={value}").into()];
    }
    vec![name.into(), value.into()]
}

/// What stands before and after the name `name`; `None` where it is not there.
pub(super) fn around(name: &str) -> Option<(Vec<OsString>, Vec<OsString>)> {
    TYPED.with(|it| {
        let typed = it.borrow();
        let typed = typed.as_ref()?;
        let at = typed.position_of(name)?;
        let mut before = typed.args[..at].to_vec();
        let after = typed.args[at + 1..].to_vec();
        // `--` comes back where what stands behind it wants it.
        if before.last().is_some_and(|word| word == "--") && !name.starts_with('-') {
            before.pop();
        }
        Some((before, after))
    })
}

/// The command line without what names a credential: the argument at `at`, and its value where
/// that stands behind it.
pub(in crate::cli) fn without(at: usize, has_value_behind: bool) -> Rest {
    TYPED.with(|it| {
        let typed = it.borrow();
        let args = typed.as_ref().map_or(&[][..], |typed| &typed.args);
        let behind = at + 1 + usize::from(has_value_behind);
        Rest {
            before: args.get(..at).unwrap_or_default().to_vec(),
            after: args.get(behind..).unwrap_or_default().to_vec(),
            takes_value: typed.as_ref().map_or(|_| false, |typed| typed.takes_value),
        }
    })
}

/// The arguments before and behind what was taken out of a command line.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Rest {
    /// Those before.
    pub(in crate::cli) before: Vec<OsString>,
    /// Those behind.
    pub(in crate::cli) after: Vec<OsString>,
    takes_value: fn(&str) -> bool,
}

impl Rest {
    /// The same without the options before the first word that name a state directory.
    pub(in crate::cli) fn without_state(mut self) -> Self {
        let mut found = Vec::new();
        let mut before = std::mem::take(&mut self.before).into_iter().peekable();
        while let Some(option) = before.next_if(is_option) {
            let text = option.to_str().unwrap_or_default();
            let value = (self.takes_value)(text).then(|| before.next()).flatten();
            let is_state = text == "--dev" || text.split('=').next() == Some("--profile");
            if !is_state {
                found.extend(std::iter::once(option).chain(value));
            }
        }
        found.extend(before);
        self.before = found;
        self
    }

    /// The same without the words behind the first `depth`, which are the command: names.
    pub(in crate::cli) fn without_names(mut self, depth: usize) -> Self {
        let mut words = 0;
        let mut is_named = |args: &[OsString], at: usize| {
            let is_value = |option: &OsString| {
                is_option(option) && (self.takes_value)(option.to_str().unwrap_or_default())
            };
            if is_option(&args[at]) || at.checked_sub(1).is_some_and(|at| is_value(&args[at])) {
                return false;
            }
            words += 1;
            words > depth
        };
        let mut unnamed = |args: &[OsString]| {
            let left = (0..args.len()).filter(|at| !is_named(args, *at));
            left.map(|at| args[at].clone()).filter(|arg| arg != "--").collect()
        };
        self.before = unnamed(&self.before);
        self.after = unnamed(&self.after);
        self
    }
}

fn is_option(argument: &OsString) -> bool {
    argument.as_encoded_bytes().starts_with(b"-")
}

impl Typed {
    /// The agent that it names: the last one is meant.
    fn agent(&self) -> Option<String> {
        let texts = || self.args.iter().map(|arg| arg.to_str().unwrap_or_default());
        let texts = || texts().take_while(|text| *text != "--");
        let values = texts().zip(texts().skip(1).chain([""]));
        let agents = values.filter_map(|(text, next)| match text.strip_prefix("--agent") {
            Some("") => Some(next),
            Some(value) => value.strip_prefix('='),
            None => None,
        });
        agents.last().filter(|agent| !agent.trim().is_empty()).map(str::to_owned)
    }

    /// Where the name stands that is no value of an option. It follows the command.
    fn position_of(&self, name: &str) -> Option<usize> {
        let is_value = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| self.args[at].to_str());
            before.is_some_and(|text| text.starts_with('-') && (self.takes_value)(text))
        };
        (0..self.args.len()).rev().find(|at| self.args[*at] == *name && !is_value(*at))
    }
}
