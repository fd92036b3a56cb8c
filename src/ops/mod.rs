//! The use cases of logins: sign in, hand out a token, refresh, sign out, list, import. One
//! file each: typed in, typed out, nothing printed.

mod account;
pub mod check;
mod event;
mod exchange;
pub(crate) mod fence;
pub mod gateway;
pub mod import;
pub(crate) mod issuer;
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
pub mod rename;
pub(crate) mod renewal;
pub(crate) mod selection;
pub(crate) mod stale_order;
mod stored_as;
pub mod token;
mod waiting;

pub use event::{Event, Input, Interaction, Notes};
pub use exchange::NotExchanged;
pub use issuer::IssuerError;
pub use name::{Candidate, NameError};
pub use record::ProfileIdError;
pub use reference::ValueError;
pub use refresh::{LeaseError, NotRefreshable, RefreshError};
pub use renewal::RenewalProblem;
pub use selection::{Login, LookedIn, SelectionError, WrongProvider};
pub use stale_order::StaleOrder;

/// Warns of variables about proxies and certificate authorities that cannot be used.
pub(crate) fn warn_of_route(app: &crate::app::App, interaction: &mut dyn Interaction) {
    for problem in crate::system::route::problems(&app.environment) {
        interaction.warn(&problem);
    }
}
