//! Which logins of a program are wanted, and under which profile id.

use super::error::ImportError;
use super::request::Request;
use crate::external::{self, Login, Tool};
use crate::ops::account;
use crate::ops::record::{check_profile_id, replaceable};
use crate::profile::Kind;
use crate::provider::Catalog;
use crate::store::Store;

/// Leaves the logins that are wanted.
pub(super) fn choose(
    request: &Request,
    contents: &mut external::Contents,
) -> Result<(), ImportError> {
    let tool = request.tool;
    let names = |contents: &external::Contents| {
        contents.logins.iter().map(|login| login.entry.clone()).collect::<Vec<_>>()
    };
    if !request.entries.is_empty() {
        let is_known = |name: &&String| contents.logins.iter().any(|login| login.entry == **name);
        if let Some(unknown) = request.entries.iter().find(|name| !is_known(name)) {
            let (entry, known) = (unknown.clone(), names(contents));
            let skipped = contents.skipped.iter().find(|(name, _)| name == unknown);
            return Err(match skipped {
                Some((_, reason)) => ImportError::UnfitEntry { entry, reason: *reason, known },
                None => ImportError::NoSuchEntry { tool, entry, known },
            });
        }
        contents.logins.retain(|login| request.entries.contains(&login.entry));
        contents.skipped.clear();
        return Ok(());
    }
    if contents.logins.is_empty() && !contents.skipped.is_empty() {
        let skipped = std::mem::take(&mut contents.skipped);
        let paths = std::mem::take(&mut contents.paths);
        return Err(ImportError::NothingFit { tool, paths, skipped });
    }
    if !request.all {
        leave_spare(contents);
    }
    let is_one = contents.logins.windows(2).all(|pair| pair[0].holds_same(&pair[1]));
    if request.all || is_one {
        return Ok(());
    }
    Err(ImportError::SeveralLogins { tool, entries: names(contents) })
}

/// Leaves the logins that the program uses, where there are any.
fn leave_spare(contents: &mut external::Contents) {
    if contents.logins.iter().all(|login| login.is_spare) {
        return;
    }
    let spare = contents.logins.extract_if(.., |login| login.is_spare);
    contents.skipped.extend(spare.map(|login| (login.entry, external::Unfit::Spare)));
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
    store: &Store,
    request: &Request,
    logins: &[Login],
) -> Result<(), ImportError> {
    let (Some(wanted), Some(login)) = (&request.profile_id, logins.first()) else { return Ok(()) };
    check_profile_id(wanted)?;
    if logins.iter().any(|other| !other.holds_same(login)) {
        return Err(ImportError::OneProfile);
    }
    if let Some(tool) = Tool::managing_stored(wanted) {
        return Err(ImportError::StaysThere { profile_id: wanted.clone(), tool });
    }
    let document = store.profiles()?;
    match replaceable(store, &document, wanted, &login.credential.provider)? {
        Some(other)
            if (other.kind() == Kind::OAuth) != (login.credential.kind() == Kind::OAuth) =>
        {
            Err(ImportError::OtherKind { profile_id: wanted.clone(), kind: other.kind() })
        }
        _ => Ok(()),
    }
}
