//! The authorization response in one address, or in what stands for one: `code#state`, or the
//! parameters alone.

use super::bare_code::SHORTENED;
use super::pasted_text::addresses;
use super::response::{AuthorizationCode, AuthorizationError, ExpectedResponse, Parameters};

use AuthorizationError::Unreadable;

const NO_STATE: AuthorizationError = Unreadable("it has no `state`; paste the whole address");
pub(super) const START: AuthorizationError = Unreadable(
    "this is the address that starts the login; paste the one that the browser was sent to at \
     the end",
);
pub(super) const SUCCESS: AuthorizationError = Unreadable(
    "this is the last page of another program's login (Codex CLI's, perhaps), and holds no \
     code. End that program, sign in again, and paste the address that has `code=` in it",
);

/// What an address says.
pub(super) type Found = Result<AuthorizationCode, AuthorizationError>;

/// Keeps what says more: a code, else the more telling reason; of equals the earlier.
pub(super) fn keep_better(best: &mut Option<Found>, found: Option<Found>) {
    let weight = |found: &Found| match found {
        Ok(_) => 9,
        Err(AuthorizationError::Refused { .. }) => 8,
        Err(AuthorizationError::WrongIssuer | AuthorizationError::MissingIssuer) => 7,
        Err(error) if *error == START => 6,
        Err(error) if *error == SUCCESS => 5,
        Err(error) if *error == NO_STATE => 2,
        Err(AuthorizationError::WrongState) => 3,
        Err(Unreadable(_)) => 4,
    };
    if found.as_ref().map(weight) > best.as_ref().map(weight) {
        *best = found;
    }
}

/// Whether the state of this login was not found.
pub(super) fn is_of_another_login(found: &Found) -> bool {
    match found {
        Ok(_) => false,
        Err(AuthorizationError::WrongState) => true,
        Err(error) => [NO_STATE, START, SUCCESS].contains(error),
    }
}

/// What the addresses in a text without spaces say; `None` when it is none, and has nothing
/// of one.
pub(super) fn in_address(text: &str, expectation: &ExpectedResponse) -> Option<Found> {
    let mut best = None;
    for (address, is_shortened) in addresses(text) {
        keep_better(&mut best, of_address(address, is_shortened, expectation));
    }
    best
}

fn of_address(address: &str, is_shortened: bool, expectation: &ExpectedResponse) -> Option<Found> {
    let has_scheme = address.contains("://");
    let (before, query, fragment) = split(address, has_scheme);
    if query.split('&').any(|parameter| parameter.starts_with("code_challenge=")) {
        return Some(Err(START));
    }
    let mut parameters = Parameters::of_query(query);
    if parameters.is_empty() {
        // Some servers answer in the fragment.
        parameters = Parameters::of_query(fragment);
    }
    if parameters.is_empty() && !has_scheme && query.is_empty() && address.contains('#') {
        // What a page shows to be copied.
        parameters = Parameters::of_pair(before, fragment);
    }
    if parameters.is_code_alone() {
        if !has_scheme && before.is_empty() && !address.contains(['&', '#']) {
            return None;
        }
        // The same, put together with the address of the page.
        let is_state = !fragment.is_empty() && !fragment.contains('=');
        parameters.state = is_state.then(|| fragment.to_owned());
    }
    if parameters.state.is_some() {
        let is_cut = |code: &String| code.contains('…');
        // Of an escape that is not undone in this reading.
        let is_bent = |code: &String| code.contains(['\\', '^', '"', '`', '{', '}', '<', '>', '|']);
        if parameters.code.as_ref().is_some_and(is_bent) {
            return Some(Err(NO_STATE));
        }
        let ends_with_state =
            query.rsplit('&').next().is_some_and(|last| last.starts_with("state="));
        let is_shortened = is_shortened && !ends_with_state && fragment.is_empty();
        let is_shortened = is_shortened || parameters.code.as_ref().is_some_and(is_cut);
        let wanted = expectation.state.expose();
        let is_wanted = |state: &str| !parameters.is_copied && begins_with(state, wanted);
        if parameters.state.as_deref().is_some_and(is_wanted) {
            parameters.state = Some(wanted.to_owned());
        }
        let found = expectation.check(parameters);
        return Some(if is_shortened && found.is_ok() { Err(SHORTENED) } else { found });
    }
    if before.trim_end_matches('/').ends_with("/success") && parameters.is_empty() {
        return Some(Err(SUCCESS));
    }
    (has_scheme || has_parameter(address)).then_some(Err(NO_STATE))
}

/// Whether a state is the one that is wanted, with something behind it that was not of the
/// address: the mark of emphasis, the end of an element, the next field of a line.
fn begins_with(state: &str, wanted: &str) -> bool {
    let Some(rest) = state.strip_prefix(wanted) else { return false };
    // A state that goes on is another one.
    let rest = rest.trim_start_matches(['-', '.', '_', '~']);
    !rest.starts_with(char::is_alphanumeric)
}

/// An address before its query, the query, and the fragment.
fn split(address: &str, has_scheme: bool) -> (&str, &str, &str) {
    let (address, fragment) = address.split_once('#').unwrap_or((address, ""));
    let parts = if has_scheme { address.split_once('?') } else { address.rsplit_once('?') };
    let (before, query) = match parts {
        Some(parts) => parts,
        None if !has_scheme && has_parameter(address) => ("", address),
        None => (address, ""),
    };
    (before, query.trim_start_matches('&'), fragment)
}

/// Whether a text has a parameter of a response.
pub(super) fn has_parameter(text: &str) -> bool {
    ["code=", "state=", "error="].iter().any(|name| text.contains(name))
}
