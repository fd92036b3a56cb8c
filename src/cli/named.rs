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
        || providers_called(name).iter().any(|id| auth_provider_id(&row.provider).is_spelt(id))
}

fn not_blank(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() {
        return Err("it is blank; is a variable not set?".to_owned());
    }
    Ok(text)
}
