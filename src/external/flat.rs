//! The form that Google's library writes, and others after it: a file that is one login,
//! `{access_token, refresh_token, expiry_date, …}`.

use super::json::{Malformed, label, members, read, time};
use super::login::grant;
use super::{Login, Parsed, Program};
use crate::secret::Secret;
use serde::Deserialize;

/// The entry of the login.
const ENTRY: &str = "login";

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    access_token: Option<Secret>,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    id_token: Option<Secret>,
    #[serde(default)]
    expiry_date: Option<f64>,
    #[serde(default)]
    resource_url: Option<String>,
}

/// The login in `text`.
pub(super) fn parse(program: &Program, text: &str) -> Result<Parsed, Malformed> {
    members(text)?;
    let wire: Wire = read(text)?;
    let expires = time(wire.expiry_date);
    let kind = grant(wire.access_token, wire.refresh_token, wire.id_token, expires)?;
    Ok(Parsed::of(kind.map(|kind| {
        let mut login = Login::new(ENTRY, &program.provider, kind);
        login.name.clone_from(&program.default_profile);
        login.fields.extend(label(wire.resource_url).map(|url| ("resourceUrl", url)));
        login
    })))
}
