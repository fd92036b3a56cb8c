//! The list to choose a login from on a terminal: subscriptions, then what other programs of
//! this machine are signed in to, then keys.
//!
//! Invariant: each line shows the label, the names and the maker of its provider, so that typing
//! any of them finds it. Esc in the list of the ways of one provider goes back to this list.

use super::{Choice, name_of, served, ways_of};
use crate::app::App;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::prompt::choose_or_back;
use crate::ops::import::{Found, found};
use crate::provider::{Catalog, Definition, names_of, subscriptions};
use crate::text::printable;

/// One line of the list, and the ways that it leads to.
struct Line<'c> {
    text: String,
    ways: Vec<Choice<'c>>,
}

/// Lets the user choose on the terminal; `None` after Esc.
///
/// # Errors
/// The user went away.
pub(in crate::cli) fn pick<'c>(
    app: &App,
    catalog: &'c Catalog,
) -> Result<Option<Choice<'c>>, Failure> {
    let mut lines = lines(app, catalog);
    let texts: Vec<String> = lines.iter().map(|line| line.text.clone()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    loop {
        let prompt = "Provider (type to search, Enter chooses, Esc goes back)";
        let Some(at) = choose_or_back(prompt, &texts)? else { return Ok(None) };
        let ways = &mut lines[at].ways;
        if ways.len() == 1 {
            return Ok(ways.pop());
        }
        if let Some(way) = pick_way(ways)? {
            return Ok(Some(way));
        }
    }
}

/// Lets the user choose one of these ways; `None` after Esc.
///
/// # Errors
/// The user went away.
pub(super) fn pick_way<'c>(ways: &[Choice<'c>]) -> Result<Option<Choice<'c>>, Failure> {
    let labels: Vec<String> = ways.iter().map(Choice::label).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let at = choose_or_back("Sign in with (Esc to go back)", &labels)?;
    Ok(at.map(|at| ways[at].clone()))
}

/// The user chose nothing, and there is nothing to go back to.
pub(in crate::cli) fn nothing_chosen() -> Failure {
    Failure::message(ExitStatus::Interrupted, "nothing was chosen; nothing was changed")
}

fn lines<'c>(app: &App, catalog: &'c Catalog) -> Vec<Line<'c>> {
    let rank = |definition: &Definition| {
        subscriptions().iter().position(|(id, _)| definition.id.is_spelt(id))
    };
    let definitions = catalog.iter().map(|provider| &provider.definition);
    let with_ways = definitions.map(|it| (it, ways_of(it))).filter(|(_, ways)| !ways.is_empty());
    let (mut first, keys): (Vec<_>, Vec<_>) =
        with_ways.partition(|(it, _)| rank(it).is_some() || it.has_login());
    first.sort_by_key(|(it, _)| rank(it).unwrap_or(usize::MAX));
    let line = |(definition, ways): (&'c Definition, Vec<Choice<'c>>)| Line {
        text: text_of(definition),
        ways,
    };
    let programs = served(app, catalog).map(|provider| Line {
        text: format!("{provider} (by a program)"),
        ways: vec![Choice::Program(provider)],
    });
    let mut lines: Vec<Line<'c>> = first.into_iter().map(line).chain(programs).collect();
    lines.extend(
        found(app, catalog)
            .into_iter()
            .map(|found| Line { text: found_text(&found), ways: vec![Choice::Import(found.tool)] }),
    );
    lines.extend(keys.into_iter().map(|(definition, ways)| {
        let Line { text, ways } = line((definition, ways));
        Line { text: format!("{text}: API key"), ways }
    }));
    lines
}

/// The label of a provider with whatever else people call it.
fn text_of(definition: &Definition) -> String {
    let label = name_of(definition);
    let shown = label.to_lowercase();
    let id = definition.id.as_str();
    let aliases = definition.aliases.iter().map(String::as_str);
    let mut others: Vec<&str> = Vec::new();
    for other in names_of(id).chain([id]).chain(aliases) {
        let is_shown = shown.split(|c: char| !c.is_alphanumeric()).any(|word| word == other);
        if !is_shown && shown != other.replace('-', " ") && !others.contains(&other) {
            others.push(other);
        }
    }
    match others.as_slice() {
        [] => label.to_owned(),
        others => format!("{label} – {}", printable(&others.join(", "), 40)),
    }
}

fn found_text(found: &Found) -> String {
    let label = &found.tool.program().label;
    match &found.account {
        Some(account) => format!("{label} is signed in as {}: use it", printable(account, 60)),
        None => format!("{label} is signed in: use it"),
    }
}
