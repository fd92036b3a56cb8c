//! Ids on the command line. A blank one is the variable of a script that is not set, not an id
//! that nothing has.

use crate::profile::{ProfileId, ProviderId};

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

fn not_blank(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() {
        return Err("it is blank; is a variable not set?".to_owned());
    }
    Ok(text)
}
