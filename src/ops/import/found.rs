//! What other programs of this machine are signed in to, for a list to choose from.

use super::choice::complete;
use crate::app::App;
use crate::external::{self, Tool};
use crate::provider::Catalog;

/// A program that has a login.
#[derive(Clone, Debug)]
pub struct Found {
    /// The program.
    pub tool: Tool,
    /// Whose login it is, where the program or the token says so.
    pub account: Option<String>,
}

/// The programs that have a login in their files. No keychain is opened for it.
pub fn found(app: &App, catalog: &Catalog) -> Vec<Found> {
    let of = |tool: Tool| {
        let mut contents = external::read_files(tool, &app.environment).ok()?;
        contents.logins.iter_mut().for_each(|login| complete(catalog, login));
        let mut logins = contents.logins.into_iter();
        let account = logins.find_map(|login| login.credential.identity.email);
        Some(Found { tool, account })
    };
    Tool::ALL.into_iter().filter_map(of).collect()
}
