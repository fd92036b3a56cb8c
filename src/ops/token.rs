//! Handing out a usable token.
//!
//! When the one on disk is usable, nothing is locked, no runtime is built, and no request
//! is made.

use super::exchange::exchange;
use super::login::sign_in_command;
use super::managed::{self, Managed};
use super::reference;
use super::refresh::refresh;
use super::renewal::store_spooled;
use super::selection::{Selected, select};
use super::{Interaction, warn_of_route};
use crate::app::App;
use crate::config::Config;
use crate::exit::{ExitStatus, Failure};
use crate::external::Tool;
use crate::oauth::{Claims, TokenExchange};
use crate::profile::{AgentId, Credential, CredentialKind, Kind, Millis, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::system::now;
use std::time::Duration;

/// Which token is wanted.
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// The provider.
    pub provider: Option<ProviderId>,
    /// The profile id.
    pub profile: Option<ProfileId>,
    /// How long the token must still be valid, in milliseconds; five minutes, where the
    /// server grants that much, when `None`.
    pub min_ttl: Option<Millis>,
    /// What the profile holds, where the API takes a token that is exchanged for it.
    pub stored: bool,
    /// Refresh even when the token on disk is usable.
    pub force_refresh: bool,
    /// How long to wait for another process that is refreshing.
    pub lock_timeout: Duration,
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
}

/// Finds a usable token, refreshing it where needed. It is stored before it is returned.
///
/// # Errors
/// There is no profile, its login is over, or the server or the store is unavailable.
pub fn token(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Token, Failure> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    for location in store_spooled(&app.spool(), || app.stores(&config)) {
        interaction.note(&format!("stored what an earlier command had to keep in {location}"));
    }
    let selected =
        select(app, &agent, &config, request.provider.as_ref(), request.profile.as_ref())?;
    let referenced = reference::value(app, &config, &selected)?;
    if let Some(service) = exchange_of(app, &selected, request)? {
        let stored = referenced.map_or_else(|| usable(app, &selected), Ok)?;
        let given = exchange(app, &selected, &service, &stored, request, interaction)?;
        let token = token_of(&selected, &selected.credential, given.token)?;
        return Ok(Token { expires: Some(given.expires), ..token });
    }
    if let Some(value) = referenced {
        return token_of(&selected, &selected.credential, value);
    }
    // A token that somebody saw rejected is not usable, however long it would live.
    let must_refresh = request.force_refresh || selected.rejected;
    if !must_refresh && has_lifetime(&selected.credential, request.min_ttl, now()) {
        return hand_out(app, &selected, &selected.credential);
    }
    let tool = selected.managed_by.or_else(|| Tool::managing_stored(&selected.id));
    if let Some(tool) = tool {
        return of_another_program(app, tool, selected, request, interaction);
    }
    if let Some(failure) = not_refreshable(app, &selected) {
        // A token that cannot be refreshed is still good for as long as it lives.
        if selected.credential.is_usable_until(now()) && !must_refresh {
            interaction.note(&format!(
                "the token of `{}` expires within --min-ttl and cannot be refreshed",
                selected.id
            ));
            return hand_out(app, &selected, &selected.credential);
        }
        return Err(failure);
    }
    warn_of_route(app, interaction);
    let renewed = renew(app, &config, &selected, request.lock_timeout, interaction)?;
    hand_out(app, &selected, &renewed)
}

/// Refreshes the selected profile; what the server gave is usable.
pub(super) fn renew(
    app: &App,
    config: &Config,
    selected: &Selected,
    lock_timeout: Duration,
    interaction: &mut dyn Interaction,
) -> Result<Credential, Failure> {
    let renewed = refresh(app, config, selected, lock_timeout, interaction)?;
    if !renewed.is_usable_until(now()) {
        return Err(Failure::message(
            ExitStatus::Unavailable,
            format!("the server gave `{}` a token that is expired already", selected.id),
        )
        .hint("check the clock of this machine"));
    }
    Ok(renewed)
}

/// The token of a profile that stays another program's own: a stored copy while it is
/// usable, else what that program has now. Nothing is refreshed.
fn of_another_program(
    app: &App,
    tool: Tool,
    mut selected: Selected,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Token, Failure> {
    if request.force_refresh {
        let why = "--force-refresh does not apply";
        return Err(managed::over(tool, &selected.id, why));
    }
    let is_long =
        |it: &Selected| !it.rejected && has_lifetime(&it.credential, request.min_ttl, now());
    if !is_long(&selected) {
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
    if is_long(&selected) {
        return hand_out(app, &selected, &selected.credential);
    }
    if selected.rejected || !selected.credential.is_usable_until(now()) {
        let why = if selected.rejected { "the token was rejected" } else { "the token is expired" };
        return Err(managed::over(tool, &selected.id, why));
    }
    interaction.note(&format!(
        "the token of `{}` expires within --min-ttl, and only {} refreshes it",
        selected.id,
        tool.program().label
    ));
    hand_out(app, &selected, &selected.credential)
}

/// What gives the token that the API of the provider takes, where that is not the stored
/// one.
fn exchange_of(
    app: &App,
    selected: &Selected,
    request: &Request,
) -> Result<Option<TokenExchange>, Failure> {
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
fn usable(app: &App, selected: &Selected) -> Result<Secret, Failure> {
    let bearer = selected.credential.bearer();
    let usable = bearer.filter(|_| selected.credential.is_usable_until(now()));
    usable.cloned().ok_or_else(|| match not_refreshable(app, selected) {
        Some(failure) => failure,
        None => Failure::message(ExitStatus::LoginRequired, "the profile holds no token"),
    })
}

/// OpenClaw's margin before expiry, in milliseconds.
pub(super) const USUAL_MIN_TTL: Millis = 300_000;

/// Whether the token lives at least `min_ttl` longer. Where the caller names none and the
/// server's tokens live no longer than the usual one, half of their lifetime counts:
/// otherwise every call would refresh.
pub(super) fn has_lifetime(credential: &Credential, wanted: Option<Millis>, now: Millis) -> bool {
    let min_ttl = wanted.unwrap_or(USUAL_MIN_TTL);
    if credential.is_usable_until(now.saturating_add(min_ttl)) {
        return true;
    }
    if wanted.is_some() {
        return false;
    }
    let CredentialKind::OAuth { access: Some(access), id_token, expires: Some(expires), .. } =
        &credential.kind
    else {
        return false;
    };
    if *expires <= now {
        return false;
    }
    let issued = [Some(access), id_token.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|token| Claims::of(token.expose())?.issued());
    let Some(lifetime) = issued.map(|issued| expires.saturating_sub(issued)) else {
        return false;
    };
    lifetime <= min_ttl && expires.saturating_sub(now) > lifetime / 2
}

/// Why a refresh is no way out, if it is none.
pub(super) fn not_refreshable(app: &App, selected: &Selected) -> Option<Failure> {
    let Selected { id, credential, owner, refused, .. } = selected;
    let login_required = |reason: String| {
        let sign_in = sign_in_command(app, &credential.provider, &owner.id);
        Some(Failure::message(ExitStatus::LoginRequired, reason).hint(sign_in))
    };
    match credential.kind() {
        Kind::ApiKey => login_required(format!("the profile `{id}` holds no key")),
        Kind::Token => login_required(format!("the token of `{id}` is expired or missing")),
        Kind::OAuth if credential.refresh_token().is_none() => {
            let over = if selected.rejected { "was rejected" } else { "is expired" };
            login_required(format!(
                "the access token of `{id}` {over} and there is no refresh token"
            ))
        }
        Kind::OAuth if *refused => {
            login_required(format!("the server has refused the login `{id}` before"))
        }
        Kind::OAuth => None,
    }
}

fn hand_out(app: &App, selected: &Selected, credential: &Credential) -> Result<Token, Failure> {
    let Some(value) = credential.bearer() else {
        return Err(not_refreshable(app, selected).unwrap_or_else(|| {
            Failure::message(
                ExitStatus::LoginRequired,
                format!("the profile `{}` holds no token", selected.id),
            )
        }));
    };
    token_of(selected, credential, value.clone())
}

fn token_of(selected: &Selected, credential: &Credential, value: Secret) -> Result<Token, Failure> {
    // RFC 6749 appendix A.12: visible characters. A line break would end a header.
    // Every byte is looked at, so that the compiler does many at a time.
    let is_odd = |byte: u8| !matches!(byte, b' '..=b'~');
    if value.expose().bytes().fold(false, |found, byte| found | is_odd(byte)) {
        return Err(Failure::message(
            ExitStatus::Failure,
            format!("the token of `{}` holds characters no token has", selected.id),
        ));
    }
    Ok(Token {
        profile_id: selected.id.clone(),
        provider: credential.provider.clone(),
        agent_id: selected.owner.id.clone(),
        kind: credential.kind(),
        value,
        expires: credential.expires(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Identity;
    use base64::Engine;

    fn grant(issued: i64, expires: Millis) -> Credential {
        let claims = format!(r#"{{"iat":{issued}}}"#);
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        Credential {
            provider: "p".into(),
            identity: Identity::default(),
            display_name: None,
            client_id: None,
            login_method: None,
            kind: CredentialKind::OAuth {
                access: Some(Secret::new(format!("e30.{claims}.fake"))),
                refresh: None,
                id_token: None,
                expires: Some(expires),
            },
        }
    }

    #[test]
    fn tokens_that_live_shorter_than_the_usual_margin_are_used_for_half_their_life() {
        let minute = 60_000;
        let short_lived = grant(1_000, 1_000_000 + minute);
        assert!(has_lifetime(&short_lived, None, 1_000_000));
        assert!(has_lifetime(&short_lived, None, 1_029_000));
        assert!(!has_lifetime(&short_lived, None, 1_031_000));
        assert!(!has_lifetime(&short_lived, Some(2 * minute), 1_000_000));
        let long_lived = grant(1_000, 1_000_000 + 60 * minute);
        assert!(!has_lifetime(&long_lived, None, 1_000_000 + 56 * minute));
        assert!(has_lifetime(&long_lived, None, 1_000_000 + 54 * minute));
    }
}
