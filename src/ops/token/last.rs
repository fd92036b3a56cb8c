//! The last token of a login that is over: it is handed out for as long as it lives, and said to
//! be the last.

use crate::ops::Interaction;
use crate::ops::selection::Selected;
use crate::text::date;

/// Warns where the login of the token that is handed out is over: the server has refused it, and
/// the token still lives.
pub(super) fn warn_of_last_token(selected: &Selected, interaction: &mut dyn Interaction) {
    if !selected.refused {
        return;
    }
    let until = selected.credential.expires().map(|at| format!(", valid until {}", date(at)));
    interaction.warn(&format!(
        "the server has refused the login `{}`, and this is its last token{}: sign in again",
        selected.id,
        until.unwrap_or_default()
    ));
}
