//! The use cases of logins: sign in, hand out a token, refresh, sign out, list, import. One
//! file each: typed in, typed out, nothing printed.

mod account;
pub mod check;
mod exchange;
pub(crate) mod fence;
pub mod gateway;
pub mod import;
pub(crate) mod issuer;
mod kept_as;
pub mod list;
pub mod login;
pub(crate) mod login_state;
pub mod logout;
pub(crate) mod managed;
pub mod moving;
pub(crate) mod name;
pub mod paste;
pub(crate) mod pool;
pub(crate) mod record;
pub(crate) mod reference;
pub mod refresh;
pub(crate) mod selection;
pub(crate) mod stale_order;
pub mod token;
mod waiting;

use crate::profile::ProviderId;

pub use exchange::NotExchanged;
pub use issuer::IssuerError;
pub use name::{Candidate, NameError};
pub use record::ProfileIdError;
pub use reference::ValueError;
pub use refresh::{LeaseError, NotRefreshable, RefreshError};
pub use selection::{Login, LookedIn, SelectionError, WrongProvider};
pub use stale_order::StaleOrder;

/// What a use case has to say that asks for nothing.
pub trait Notes {
    /// Something worth knowing that changes nothing.
    fn note(&mut self, text: &str);
    /// Something that went less well than it could.
    fn warn(&mut self, text: &str);
}

/// What a use case says to the user on its way; `cli` implements it.
pub trait Interaction: Notes {
    /// The authorization request is ready and something listens: show the URL.
    fn show_authorization(&mut self, notice: &login::AuthorizationNotice<'_>);
    /// There is a code to enter on another device: show it.
    fn show_user_code(&mut self, notice: &login::UserCodeNotice<'_>);
    /// The login still waits for the user, for so long at most. Called about once a second.
    fn waiting(&mut self, left: std::time::Duration);
    /// A page to open, where something else than us waits for what the user does there.
    fn show_page(
        &mut self,
        provider: &ProviderId,
        provider_label: &str,
        url: &url::Url,
        is_remote: bool,
    );
    /// A question; the answer is the next of [`Self::answers`].
    fn ask(&mut self, question: &str, is_secret: bool);
    /// The question is answered.
    fn answered(&mut self);
    /// The lines that the user answers with, or `None` when there is nobody to answer.
    fn answers(&mut self) -> Option<tokio::sync::mpsc::Receiver<String>>;
    /// What came of opening a browser.
    fn show_browser(&mut self, opening: &crate::system::browser::Opening);
    /// The lines that the user pastes, or `None` when there is nowhere to paste.
    fn pasted_lines(&mut self) -> Option<tokio::sync::mpsc::Receiver<String>>;
    /// A pasted line was accepted: the prompt is answered.
    fn accept_paste(&mut self);
    /// A pasted line was not accepted; ask again.
    fn refuse_paste(&mut self, reason: &str);
}

/// Warns of variables about proxies and certificate authorities that cannot be used.
pub(crate) fn warn_of_route(app: &crate::app::App, interaction: &mut dyn Interaction) {
    for problem in crate::system::route::problems(&app.environment) {
        interaction.warn(&problem);
    }
}
