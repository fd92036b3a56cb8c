//! Which token is wanted, and whether one that is there is it.

use super::error::{Need, NoTokenError};
use crate::app::App;
use crate::external::Tool;
use crate::oauth::TokenExchange;
use crate::ops::Interaction;
use crate::ops::managed::Managed;
use crate::ops::refresh::{
    DEFAULT_MIN_TTL, Lifetime, RefreshError, Validity, default_min_ttl, has_lifetime,
    not_refreshable,
};
use crate::ops::selection::Selected;
use crate::profile::{AgentId, Credential, Kind, Millis, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::store::{StateDocument, Store};
use crate::text::span;
use std::time::Duration;

/// Which token is wanted.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub struct Request {
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// The provider.
    pub provider: Option<ProviderId>,
    /// The profile id.
    pub profile: Option<ProfileId>,
    /// What the user calls the profile or its provider, in place of the two.
    pub name: Option<String>,
    /// How long the token must still be valid, in milliseconds; five minutes, where the
    /// server grants that much, when `None`.
    pub min_ttl: Option<Millis>,
    /// Fail rather than hand out a token that is not valid for so long.
    pub strict: bool,
    /// What the profile holds, where the API takes a token that is exchanged for it.
    pub stored: bool,
    /// Refresh even when the token on disk is usable.
    pub force_refresh: bool,
    /// How long to wait for another process that is refreshing.
    pub lock_timeout: Duration,
    /// Find out the lifetime that the server granted.
    pub tells_lifetime: bool,
}

impl Request {
    /// How long the token has to be valid by the word of the caller.
    pub(super) fn demanded(&self) -> Option<Millis> {
        self.min_ttl.or(self.strict.then_some(DEFAULT_MIN_TTL))
    }
}

/// A usable token.
#[derive(Debug)]
pub struct Token {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider as the profile spells it.
    pub provider: ProviderId,
    /// The agent whose store holds it.
    pub agent_id: AgentId,
    /// The credential kind.
    pub kind: Kind,
    /// The access token, token or key.
    pub value: Secret,
    /// When it expires, in milliseconds since the epoch.
    pub expires: Option<Millis>,
    /// The lifetime that the server granted, in milliseconds, where that is known and asked for.
    pub lifetime: Option<Millis>,
    /// Whether it is valid for as long as was asked for, or for the usual span.
    pub is_long_enough: bool,
}

/// Whether the token is to be handed out as it is. Where the server granted no more than is
/// demanded, it is asked once whether it grants more now.
pub(super) fn is_enough(app: &App, selected: &Selected, request: &Request) -> bool {
    let (credential, now) = (&selected.credential, app.now());
    let Some(min_ttl) = request.demanded() else {
        return has_lifetime(credential, default_min_ttl(&selected.store), now);
    };
    if credential.is_usable_until(now.saturating_add(min_ttl)) {
        return true;
    }
    if !is_ours_to_refresh(selected) || !has_lifetime(credential, Some(min_ttl), now) {
        return false;
    }
    let Some(granted) = Validity::of(credential).granted() else { return false };
    let is_told = |state: &StateDocument| state.is_lifetime_reported(selected.id.as_str(), granted);
    selected.store.read().is_ok_and(|snapshot| snapshot.state().is_ok_and(is_told))
}

/// Whether this program refreshes the login.
pub(super) fn is_ours_to_refresh(selected: &Selected) -> bool {
    selected.managed_by.is_none()
        && Tool::managing_stored(&selected.id).is_none()
        && not_refreshable(selected).is_none()
}

/// Says once for each lifetime that the server grants no more, or refuses a token that is not
/// valid for as long as it has to be. `renewing` is the store where that is remembered of a
/// token that is renewed.
pub(super) fn judge(
    app: &App,
    renewing: Option<&Store>,
    token: &Token,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<(), NoTokenError> {
    let Some(min_ttl) = request.demanded().filter(|_| !token.is_long_enough) else {
        return Ok(());
    };
    let profile_id = token.profile_id.clone();
    let granted = token.lifetime.filter(|granted| *granted <= min_ttl);
    // Where it cannot be remembered, it is said again.
    let is_new = granted.zip(renewing).is_some_and(|(granted, store)| {
        let mut is_new = true;
        let told = store.update_state(|state| {
            is_new = state.set_lifetime_reported(profile_id.as_str(), granted);
            is_new
        });
        is_new || told.is_err()
    });
    let left = || Lifetime::Left(token.expires.unwrap_or(0).saturating_sub(app.now()));
    let word = granted.map_or_else(left, Lifetime::Granted);
    if request.strict {
        let option = if request.min_ttl.is_some() { "--min-ttl" } else { "--strict" };
        return Err(NoTokenError::TooShort { profile_id, word, min_ttl, option });
    }
    if is_new {
        interaction.warn(&format!(
            "the token of `{profile_id}` {word}, and --min-ttl asks for {}: each is used for half \
             of its lifetime (this is said once; --strict makes it an error)",
            span(min_ttl)
        ));
    }
    Ok(())
}

/// The token of a profile that stays another program's own: a stored copy while it is
/// usable, else what that program has now. Nothing is refreshed.
pub(super) fn of_another_program(
    app: &App,
    tool: Tool,
    selected: &mut Selected,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Token, NoTokenError> {
    if request.force_refresh {
        return Err(of_program(tool, selected, Need::Forced));
    }
    let is_long = |it: &Selected| !it.rejected && is_enough(app, it, request);
    if !is_long(selected) {
        let kept = Managed::named(&selected.id).map(|it| it.read(app)).transpose()?.flatten();
        if let Some(kept) = kept {
            let is_rejected = selected.rejected
                && kept
                    .bearer()
                    .zip(selected.credential.bearer())
                    .is_some_and(|(a, b)| a.matches(b));
            selected.credential = kept;
            selected.rejected = is_rejected;
        }
    }
    if is_long(selected) {
        return hand_out(app, selected, &selected.credential, request);
    }
    if selected.rejected || !selected.credential.is_usable_until(app.now()) {
        let need = if selected.rejected { Need::Rejected } else { Need::Expired };
        return Err(of_program(tool, selected, need));
    }
    interaction.note(&format!(
        "the token of `{}` expires within --min-ttl, and only {} refreshes it",
        selected.id,
        tool.program().label
    ));
    hand_out(app, selected, &selected.credential, request)
}

/// What gives the token that the API of the provider takes, where that is not the stored
/// one.
pub(super) fn exchange_of(
    app: &App,
    selected: &Selected,
    request: &Request,
) -> Result<Option<TokenExchange>, NoTokenError> {
    // A login or a key is for the API itself, and the catalog costs time.
    if request.stored || selected.credential.kind() != Kind::Token {
        return Ok(None);
    }
    let catalog = app.catalog()?;
    if let Some(problem) = catalog.problem(&selected.credential.provider) {
        return Err(problem.clone().into());
    }
    let method = selected.credential.login_method.as_deref();
    let provider = catalog.find(&selected.credential.provider);
    Ok(provider.and_then(|provider| provider.definition.token_exchange_of(method).cloned()))
}

/// The stored token, while it can be used.
pub(super) fn usable(app: &App, selected: &Selected) -> Result<Secret, NoTokenError> {
    let bearer = selected.credential.bearer();
    let usable = bearer.filter(|_| selected.credential.is_usable_until(app.now()));
    usable.cloned().ok_or_else(|| empty(selected))
}

pub(super) fn hand_out(
    app: &App,
    selected: &Selected,
    credential: &Credential,
    request: &Request,
) -> Result<Token, NoTokenError> {
    let value = credential.bearer().ok_or_else(|| empty(selected))?;
    token_of(app, selected, value.clone(), validity_of(credential, request), request)
}

/// Nothing is there that could be handed out.
fn empty(selected: &Selected) -> NoTokenError {
    match not_refreshable(selected) {
        Some(error) => RefreshError::from(error).into(),
        None => NoTokenError::Empty { profile_id: selected.id.clone() },
    }
}

fn of_program(tool: Tool, selected: &Selected, need: Need) -> NoTokenError {
    NoTokenError::OfProgram { need, tool, profile_id: selected.id.clone() }
}

/// When a token was issued and expires. What it takes reading the token to know is looked up
/// only where it is told.
pub(super) fn validity_of(credential: &Credential, request: &Request) -> Validity {
    if request.tells_lifetime || request.demanded().is_some() {
        return Validity::of(credential);
    }
    Validity { issued: None, expires: credential.expires() }
}

pub(super) fn token_of(
    app: &App,
    selected: &Selected,
    value: Secret,
    validity: Validity,
    request: &Request,
) -> Result<Token, NoTokenError> {
    // RFC 6749 appendix A.12: visible characters. A line break would end a header.
    // Every byte is looked at, so that the compiler does many at a time.
    let is_odd = |byte: u8| !matches!(byte, b' '..=b'~');
    if value.expose().bytes().fold(false, |found, byte| found | is_odd(byte)) {
        return Err(NoTokenError::OddCharacters { profile_id: selected.id.clone() });
    }
    let min_ttl = request.min_ttl.unwrap_or(DEFAULT_MIN_TTL);
    Ok(Token {
        profile_id: selected.id.clone(),
        provider: selected.credential.provider.clone(),
        agent_id: selected.owner.id.clone(),
        kind: selected.credential.kind(),
        value,
        expires: validity.expires,
        lifetime: validity.granted(),
        is_long_enough: !validity.is_short(min_ttl, app.now()),
    })
}
