//! What a refresh that fails says, and what to do about it.

use super::login_command;
use super::selection::Selected;
use crate::app::App;
use crate::exit::{Command, ExitStatus, Failure};
use crate::oauth::TokenError;
use crate::provider::Catalog;
use crate::store::Spent;
use crate::text::printable;

/// The login is over, and why.
pub(super) fn refused(selected: &Selected, reason: &str) -> Failure {
    let id = &selected.id;
    Failure::message(ExitStatus::LoginRequired, format!("the login `{id}` is over: {reason}"))
        .hint(login_command(&selected.credential.provider, &selected.owner.id))
}

/// The server refused for a reason that is not the grant.
pub(super) fn not_refreshed(selected: &Selected, error: &TokenError) -> Failure {
    let id = &selected.id;
    Failure::message(ExitStatus::Failure, format!("could not refresh `{id}`: {error}"))
}

/// The server gave no answer that counts.
pub(super) fn unavailable(selected: &Selected, reason: &str) -> Failure {
    Failure::message(
        ExitStatus::Unavailable,
        format!("could not refresh `{}`: {reason}", selected.id),
    )
    .hint("try again; the stored login is unchanged")
}

/// The profile, or its refresh token, is gone.
pub(super) fn signed_out(selected: &Selected) -> Failure {
    Failure::message(
        ExitStatus::LoginRequired,
        format!("the profile `{}` was signed out meanwhile", selected.id),
    )
    .hint(login_command(&selected.credential.provider, &selected.owner.id))
}

/// The refresh token is spent, and what it brought is in a file.
pub(super) fn spent(selected: &Selected, spent: &Spent) -> Failure {
    let (id, document) = (&selected.id, selected.store.location());
    let message = match spent {
        Spent::Replaced(location) => format!(
            "the login `{id}` was refreshed, and {document} could not be written; the new one is \
             kept in {location}"
        ),
        Spent::Unreadable(location) => format!(
            "the login `{id}` was refreshed, and {location}, which holds the new one, cannot be \
             read"
        ),
    };
    Failure::message(ExitStatus::StoreUnusable, message).hint(Command::ours("doctor"))
}

/// Nothing says how to refresh a login of that provider, or of that method.
pub(super) fn undefined(app: &App, catalog: &Catalog, selected: &Selected) -> Failure {
    let provider = &selected.credential.provider;
    let method = selected.credential.login_method.as_deref();
    let method = method.filter(|_| catalog.find(provider).is_some());
    let method = method
        .map_or_else(String::new, |method| format!(" with the method `{}`", printable(method, 80)));
    Failure::message(
        ExitStatus::Failure,
        format!("there is no definition of the provider `{provider}`{method} to refresh with"),
    )
    .hint(format!(
        "describe it in {}/{provider}.json, or install the program that serves it",
        app.paths.providers().display()
    ))
}
