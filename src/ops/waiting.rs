//! What earlier commands could not store: it is stored before anything else is done.

use super::Notes;
use super::login::store_kept;
use super::refresh::store_spooled;
use crate::app::App;
use crate::config::Config;

/// Stores the replies and logins that wait in the spool, as far as that is possible now. Where
/// there is no spool, as mostly, it costs two looks.
pub(super) fn store_waiting(app: &App, config: &Config, interaction: &mut dyn Notes) {
    let spool = app.spool();
    if spool.is_absent() {
        return;
    }
    let stored = store_spooled((app, config), &spool);
    for location in stored.into_iter().chain(store_kept(app)) {
        interaction.note(&format!(
            "stored a login that an earlier command could not save, from {location}"
        ));
    }
}
