//! The form that Google's library writes, and others after it: a file that is one login,
//! `{access_token, refresh_token, expiry_date, …}`; versions of some name the time otherwise.

use super::json::{Malformed, members};
use super::login::grant;
use super::{Login, Parsed, Program};

/// The entry of the login.
const ENTRY: &str = "login";

/// The login in `text`.
pub(super) fn parse(program: &Program, text: &str) -> Result<Parsed, Malformed> {
    let file = members(text)?;
    let [access, refresh, id_token] =
        ["access_token", "refresh_token", "id_token"].map(|name| file.secret(name));
    // An odd id token says nothing of the account, and nothing needs it.
    let id_token = id_token.unwrap_or_default();
    let expires = ["expiry_date", "expires_at", "expiry"].iter().find_map(|name| file.time(name));
    let kind = grant(access?, refresh?, id_token, expires);
    Ok(Parsed::of(kind.map(|kind| {
        let mut login = Login::new(ENTRY, &program.provider, kind);
        login.name.clone_from(&program.default_profile);
        login.fields.extend(file.label("resource_url").map(|url| ("resourceUrl", url)));
        login
    })))
}
