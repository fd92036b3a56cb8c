//! Words that are no command: what was meant.
//!
//! Invariant: what is proposed is a command that there is.

use crate::cli::exit::{Command, Failure, Hint};
use crate::text::printable;

/// Words that people try for a command of ours.
const OTHER_WORDS: [(&str, &str); 11] = [
    ("signin", "login"),
    ("sign-in", "login"),
    ("signout", "logout"),
    ("sign-out", "logout"),
    ("ls", "list"),
    ("profiles", "list"),
    ("accounts", "list"),
    ("whoami", "status"),
    ("get-token", "token"),
    ("switch", "use"),
    ("default", "use"),
];

/// How alike two words have to be, of 1.
const LIKENESS: f64 = 0.8;

/// How many commands are proposed.
const MOST: usize = 3;

/// The failure where `words` are no command; `None` where they are one.
pub(super) fn unknown(root: &clap::Command, words: &[&str]) -> Option<Failure> {
    let mut command = root.clone();
    for (at, word) in words.iter().enumerate() {
        let Some(next) = command.find_subcommand(word).cloned() else {
            return Some(failure(root, &words[..at], &words[at..]));
        };
        command = next;
    }
    None
}

/// The failure where the first of `words` is no command of `path`.
pub(super) fn failure(root: &clap::Command, path: &[&str], words: &[&str]) -> Failure {
    let word = words.first().copied().unwrap_or_default();
    let whole: Vec<&str> = path.iter().copied().chain([word]).collect();
    let help = || Command::new("openclaw-auth").args(path.iter().copied()).arg("--help").into();
    Failure::usage(format!("there is no command `{}`", shown(&whole)))
        .hint(meant(root, path, words).unwrap_or_else(help))
}

/// What is proposed in the place of `words`, of which the first is no command of `path`.
fn meant(root: &clap::Command, path: &[&str], words: &[&str]) -> Option<Hint> {
    let word = words.first()?;
    let other = OTHER_WORDS.iter().find(|(other, _)| other.eq_ignore_ascii_case(word));
    if let Some((_, ours)) = other.filter(|_| path.is_empty()) {
        return Some(Command::ours(ours).into());
    }
    let mut paths = Vec::new();
    collect(root, &mut Vec::new(), &mut paths);
    // `auth login` is `models auth login`.
    let longest = words.len().min(3);
    let by_end = (1..=longest).rev().find_map(|length| {
        let wanted = owned(&words[..length]);
        let mut found: Vec<&Vec<String>> =
            paths.iter().filter(|path| path.ends_with(&wanted)).collect();
        found.sort_by_key(|path| path.len());
        (!found.is_empty()).then(|| found.into_iter().take(MOST).cloned().collect::<Vec<_>>())
    });
    let found = by_end.unwrap_or_else(|| near(&paths, path, word));
    let commands = found.iter().map(|path| Hint::from(Command::ours(&path.join(" "))));
    Hint::join(commands, ", or: ")
}

/// The commands whose last word looks like `word`: those of `path` first, the most alike first.
fn near(paths: &[Vec<String>], path: &[&str], word: &str) -> Vec<Vec<String>> {
    let word = word.to_lowercase();
    let is_below = |it: &Vec<String>| it.len() == path.len() + 1 && it.starts_with(&owned(path));
    let mut found: Vec<(bool, f64, &Vec<String>)> = paths
        .iter()
        .filter_map(|it| {
            let likeness = strsim::jaro_winkler(it.last()?, &word);
            (likeness > LIKENESS).then_some((is_below(it), likeness, it))
        })
        .collect();
    found.sort_by(|a, b| (b.0, b.1).partial_cmp(&(a.0, a.1)).unwrap_or(std::cmp::Ordering::Equal));
    found.into_iter().take(MOST).map(|(_, _, path)| path.clone()).collect()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn shown(words: &[&str]) -> String {
    printable(&words.join(" "), 80)
}

/// The paths of all commands below `command`.
fn collect(command: &clap::Command, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        path.push(below.get_name().to_owned());
        paths.push(path.clone());
        collect(below, path, paths);
        path.pop();
    }
}
