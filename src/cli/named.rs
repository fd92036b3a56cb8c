//! Ids on the command line. A blank one is the variable of a script that is not set, not an id
//! that nothing has.

use crate::ops::list::Row;
use crate::profile::{ProfileId, ProviderId};
use crate::provider::{auth_provider_id, providers_called};

/// Reads the id of a provider.
///
/// # Errors
/// It is blank.
pub(super) fn provider(text: &str) -> Result<ProviderId, String> {
    not_blank(text).map(|text| text.to_owned().into())
}

/// Reads the id of a profile.
///
/// # Errors
/// It is blank.
pub(super) fn profile(text: &str) -> Result<ProfileId, String> {
    not_blank(text).map(Into::into)
}

/// Reads what a user calls an account, a profile or a provider.
///
/// # Errors
/// It is blank.
pub(super) fn name(text: &str) -> Result<String, String> {
    not_blank(text).map(str::to_owned)
}

/// Whether a user may call a login so: by its profile id, its e-mail, or `provider`, which is the
/// provider of that name.
pub(super) fn is_called(row: &Row, name: &str, provider: &ProviderId) -> bool {
    row.id.as_str() == name
        || row.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(name.trim()))
        || auth_provider_id(&row.provider) == auth_provider_id(provider)
        || is_name_of(&row.provider, name)
}

/// Whether people call the provider so. A name that is the id of one means that one.
fn is_name_of(provider: &ProviderId, name: &str) -> bool {
    let called = providers_called(name);
    !called.contains(&name) && called.iter().any(|id| auth_provider_id(provider).is_spelt(id))
}

fn not_blank(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() {
        return Err("it is blank; is a variable not set?".to_owned());
    }
    Ok(text)
}
