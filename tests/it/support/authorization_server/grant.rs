use std::collections::HashMap;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::token_error::TokenError;
use super::want::Account;

/// An authorization code that was issued, and all that it is bound to.
pub(crate) struct AuthorizationCode {
    pub client_id: String,
    pub redirect_uri: String,
    pub code_challenge: String,
    pub account: Account,
    pub scope: String,
    pub expires_at: Instant,
    spent_for: Option<usize>,
}

impl AuthorizationCode {
    pub(crate) fn new(
        client_id: String,
        redirect_uri: String,
        code_challenge: String,
        account: Account,
        scope: String,
        expires_at: Instant,
    ) -> Self {
        Self {
            client_id,
            redirect_uri,
            code_challenge,
            account,
            scope,
            expires_at,
            spent_for: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefreshTokenState {
    Live,
    RotatedOut,
    Expired,
}

/// What one login gave a client: an account, and every token issued for it.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// Whose grant it is.
    pub account: Account,
    /// The client that it was given to.
    pub client_id: String,
    /// The scope that was granted.
    pub scope: String,
    /// Whether it was revoked, by the client, the user or reuse detection.
    pub revoked: bool,
    /// The access tokens issued so far, in order.
    pub access_tokens: Vec<String>,
    refresh_tokens: Vec<(String, RefreshTokenState)>,
}

impl Grant {
    /// The refresh tokens issued so far, in order, rotated-out ones too.
    pub(crate) fn refresh_tokens(&self) -> Vec<&str> {
        let tokens = self.refresh_tokens.iter();
        tokens.map(|(token, _)| token.as_str()).collect()
    }

    /// Whether that refresh token of the grant would still be accepted.
    pub(crate) fn accepts(&self, refresh_token: &str) -> bool {
        !self.revoked && self.state_of(refresh_token) == Some(RefreshTokenState::Live)
    }

    fn state_of(&self, refresh_token: &str) -> Option<RefreshTokenState> {
        let mut tokens = self.refresh_tokens.iter();
        tokens.find(|(token, _)| token == refresh_token).map(|(_, state)| *state)
    }

    fn has(&self, token: &str) -> bool {
        self.access_tokens.iter().any(|issued| issued == token) || self.state_of(token).is_some()
    }

    fn change(&mut self, from: RefreshTokenState, to: RefreshTokenState) {
        for (_, state) in &mut self.refresh_tokens {
            if *state == from {
                *state = to;
            }
        }
    }
}

/// Every code and grant that the server issued.
#[derive(Default)]
pub(crate) struct Grants {
    all: Vec<Grant>,
    codes: HashMap<String, AuthorizationCode>,
    issued: u64,
    reuse_attempts: usize,
}

impl Grants {
    pub(crate) fn issue_code(&mut self, code: AuthorizationCode) -> String {
        let value = self.fresh("fake-code");
        self.codes.insert(value.clone(), code);
        value
    }

    /// Spends an authorization code on a new grant; spending it twice revokes that grant.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        client_id: &str,
        redirect_uri: &str,
        code_verifier: &str,
    ) -> Result<usize, TokenError> {
        let refuse = |description| Err(TokenError::invalid_grant("invalid_grant", description));
        let Some(issued) = self.codes.get(code) else {
            return refuse("The authorization code is unknown.");
        };
        if let Some(grant) = issued.spent_for {
            self.all[grant].revoked = true;
            return refuse("The authorization code was used before; its grant is revoked.");
        }
        if Instant::now() >= issued.expires_at {
            return refuse("The authorization code has expired.");
        }
        if issued.client_id != client_id {
            return refuse("The authorization code was issued to another client.");
        }
        if issued.redirect_uri != redirect_uri {
            return refuse("The redirect_uri is not that of the authorization request.");
        }
        if issued.code_challenge != s256(code_verifier) {
            return refuse("The code_verifier does not match the code_challenge.");
        }
        let (account, scope) = (issued.account.clone(), issued.scope.clone());
        let grant = self.begin(account, client_id.to_owned(), &scope);
        if let Some(issued) = self.codes.get_mut(code) {
            issued.spent_for = Some(grant);
        }
        Ok(grant)
    }

    pub(crate) fn begin(&mut self, account: Account, client_id: String, scope: &str) -> usize {
        self.all.push(Grant {
            account,
            client_id,
            scope: scope.to_owned(),
            revoked: false,
            access_tokens: Vec::new(),
            refresh_tokens: Vec::new(),
        });
        self.all.len() - 1
    }

    /// The grant of a refresh token that is alive; a rotated-out one revokes its grant instead.
    pub(crate) fn of_live_refresh_token(
        &mut self,
        token: &str,
        client_id: &str,
    ) -> Result<usize, TokenError> {
        let invalid = TokenError::invalid_grant;
        let mut grants = self.all.iter().enumerate();
        let found = grants.find_map(|(index, grant)| Some((index, grant.state_of(token)?)));
        let Some((index, state)) = found else {
            return Err(invalid("refresh_token_invalidated", "The refresh token is unknown."));
        };
        let grant = &mut self.all[index];
        if grant.client_id != client_id {
            return Err(invalid(
                "refresh_token_invalidated",
                "The refresh token was issued to another client.",
            ));
        }
        if state == RefreshTokenState::RotatedOut {
            self.reuse_attempts += 1;
            grant.revoked = true;
            return Err(invalid(
                "refresh_token_reused",
                "The refresh token was used before; its grant is revoked.",
            ));
        }
        if grant.revoked {
            return Err(invalid(
                "refresh_token_invalidated",
                "The grant of the refresh token is revoked.",
            ));
        }
        if state == RefreshTokenState::Expired {
            return Err(invalid("refresh_token_expired", "The refresh token has expired."));
        }
        Ok(index)
    }

    pub(crate) fn issue_refresh_token(&mut self, grant: usize) -> String {
        let token = self.fresh("fake-refresh");
        let issued = (token.clone(), RefreshTokenState::Live);
        self.all[grant].refresh_tokens.push(issued);
        token
    }

    /// Replaces the grant's refresh token with a new one.
    pub(crate) fn rotate(&mut self, grant: usize) -> String {
        self.all[grant].change(RefreshTokenState::Live, RefreshTokenState::RotatedOut);
        self.issue_refresh_token(grant)
    }

    pub(crate) fn note_access_token(&mut self, grant: usize, access_token: String) {
        self.all[grant].access_tokens.push(access_token);
    }

    pub(crate) fn get(&self, grant: usize) -> &Grant {
        &self.all[grant]
    }

    pub(crate) fn of_token(&self, token: &str) -> Option<&Grant> {
        self.all.iter().find(|grant| grant.has(token))
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        let mut grants = self.all.iter_mut();
        if let Some(grant) = grants.find(|grant| grant.has(token)) {
            grant.revoked = true;
        }
    }

    pub(crate) fn revoke_all(&mut self) {
        for grant in &mut self.all {
            grant.revoked = true;
        }
    }

    pub(crate) fn expire_refresh_tokens(&mut self) {
        for grant in &mut self.all {
            grant.change(RefreshTokenState::Live, RefreshTokenState::Expired);
        }
    }

    pub(crate) fn live_refresh_tokens(&self) -> Vec<String> {
        let tokens = self.all.iter().flat_map(|grant| {
            let tokens = grant.refresh_tokens().into_iter();
            tokens.filter(|token| grant.accepts(token))
        });
        tokens.map(str::to_owned).collect()
    }

    pub(crate) fn reuse_attempts(&self) -> usize {
        self.reuse_attempts
    }

    /// A new obviously fake secret.
    pub(crate) fn fresh(&mut self, kind: &str) -> String {
        self.issued += 1;
        format!("{kind}-{}-{:016x}", self.issued, rand::random::<u64>())
    }
}

/// The S256 challenge of a verifier (RFC 7636 section 4.2).
pub(crate) fn s256(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(code_verifier.as_bytes()))
}
