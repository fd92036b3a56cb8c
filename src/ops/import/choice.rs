//! Which logins of a program are wanted, and under which profile id.

use super::Request;
use crate::exit::{ExitStatus, Failure};
use crate::external::{self, Login, Tool};
use crate::ops::account;
use crate::profile::Kind;
use crate::provider::Catalog;
use crate::store::AgentStore;
use crate::text::printable;

/// Leaves the logins that are wanted.
pub(super) fn choose(request: &Request, contents: &mut external::Contents) -> Result<(), Failure> {
    let program = request.tool.program();
    let shown = |names: &mut dyn Iterator<Item = &str>| {
        names.map(|name| printable(name, 80)).collect::<Vec<_>>().join(", ")
    };
    if !request.entries.is_empty() {
        let is_known = |name: &&String| contents.logins.iter().any(|login| login.entry == **name);
        if let Some(unknown) = request.entries.iter().find(|name| !is_known(name)) {
            let reason = contents.skipped.iter().find(|(name, _)| name == unknown);
            let why = reason.map_or_else(
                || format!("{} has no login `{}`", program.label, printable(unknown, 80)),
                |(_, reason)| format!("`{}` cannot be imported: {reason}", printable(unknown, 80)),
            );
            let mut names = contents.logins.iter().map(|login| login.entry.as_str());
            return Err(Failure::usage(why).hint(format!("it has: {}", shown(&mut names))));
        }
        contents.logins.retain(|login| request.entries.contains(&login.entry));
        contents.skipped.clear();
        return Ok(());
    }
    if let Some((entry, reason)) = contents.skipped.first().filter(|_| contents.logins.is_empty()) {
        return Err(Failure::message(
            ExitStatus::Failure,
            format!(
                "nothing of {} can be imported: `{}`: {reason}",
                program.label,
                printable(entry, 80)
            ),
        ));
    }
    let is_one = contents.logins.windows(2).all(|pair| pair[0].holds_same(&pair[1]));
    if request.all || is_one {
        return Ok(());
    }
    let mut names = contents.logins.iter().take(20).map(|login| login.entry.as_str());
    let message =
        format!("{} has {} logins: {}", program.label, contents.logins.len(), shown(&mut names));
    Err(Failure::usage(message).hint("name one with --entry <name>, or take them with --all"))
}

/// What the tokens say of the account.
pub(super) fn complete(catalog: &Catalog, login: &mut Login) {
    let credential = &mut login.credential;
    let claimed =
        account::claimed(credential, account::registration(catalog, &credential.provider));
    // The tokens know best.
    credential.identity = account::completed(claimed, std::mem::take(&mut credential.identity));
}

/// A `--profile-id` must not name a profile of another provider or kind.
pub(super) fn check_wanted_id(
    store: &AgentStore,
    request: &Request,
    logins: &[Login],
) -> Result<(), Failure> {
    let (Some(wanted), Some(login)) = (&request.profile_id, logins.first()) else { return Ok(()) };
    if !wanted.is_valid() {
        return Err(Failure::usage("--profile-id must be a name without outer spaces"));
    }
    if logins.iter().any(|other| !other.holds_same(login)) {
        return Err(Failure::usage("--profile-id is for one login, and these are several")
            .hint("name one with --entry <name>"));
    }
    if let Some(tool) = Tool::managing_stored(wanted) {
        let label = &tool.program().label;
        return Err(Failure::usage(format!("the profile `{wanted}` stays the login of {label}")));
    }
    let document = store.read()?.document;
    let provider = &login.credential.provider;
    match document.credential(wanted.as_str()) {
        Some(other) if other.provider != *provider => {
            let of = &other.provider;
            Err(Failure::usage(format!("the profile `{wanted}` is for {of}, not {provider}")))
        }
        Some(other)
            if (other.kind() == Kind::OAuth) != (login.credential.kind() == Kind::OAuth) =>
        {
            let kind = other.kind().name();
            Err(Failure::usage(format!("the profile `{wanted}` is of the type {kind}")))
        }
        _ => Ok(()),
    }
}
