use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::grant::Grant;
use super::jwt;
use super::state::State;
use super::want::{Account, Want};

/// The token response for a grant, with a new access token that is noted in the grant.
pub(crate) fn of(
    state: &mut State,
    issuer: &str,
    grant: usize,
    refresh_token: Option<&str>,
) -> Value {
    let identifier = state.grants.fresh("fake-access");
    let State { want, grants, .. } = state;
    let issued_at = seconds_since_epoch(want);
    let expires_at = issued_at + want.access_token_lifetime;
    let times = (issued_at, expires_at);
    let access_token = if want.opaque_access_tokens {
        identifier
    } else {
        let claims = access_token_claims(issuer, &grants.get(grant).account, times, &identifier);
        jwt::with_fake_signature(&claims)
    };
    grants.note_access_token(grant, access_token.clone());
    let grant = grants.get(grant);
    let mut response = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "scope": grant.scope,
    });
    if let Some(refresh_token) = refresh_token {
        response["refresh_token"] = json!(refresh_token);
    }
    if want.include_expires_in {
        response["expires_in"] = json!(want.access_token_lifetime);
    }
    if want.include_expired_in {
        response["expired_in"] = json!(expires_at * 1_000);
    }
    set_members(&mut response, &want.token_members);
    if want.include_id_token {
        let claims = id_token_claims(issuer, grant, times);
        response["id_token"] = json!(jwt::with_fake_signature(&claims));
    }
    response
}

fn access_token_claims(
    issuer: &str,
    account: &Account,
    (issued_at, expires_at): (u64, u64),
    identifier: &str,
) -> Value {
    let mut claims = json!({
        "iss": issuer,
        "sub": account.subject,
        "iat": issued_at,
        "exp": expires_at,
        "jti": identifier,
        "https://api.openai.com/auth": account_claims(account),
    });
    if let Some(email) = &account.email {
        claims["https://api.openai.com/profile"] = json!({ "email": email });
    }
    claims
}

fn id_token_claims(issuer: &str, grant: &Grant, (issued_at, expires_at): (u64, u64)) -> Value {
    let mut claims = json!({
        "iss": issuer,
        "sub": grant.account.subject,
        "aud": grant.client_id,
        "iat": issued_at,
        "exp": expires_at,
        "https://api.openai.com/auth": account_claims(&grant.account),
    });
    if let Some(email) = &grant.account.email {
        claims["email"] = json!(email);
    }
    claims
}

fn account_claims(account: &Account) -> Value {
    let mut claims = Map::new();
    claims.insert("chatgpt_user_id".to_owned(), json!(account.subject));
    if let Some(account_id) = &account.account_id {
        let account_user_id = format!("{}__{account_id}", account.subject);
        claims.insert("chatgpt_account_id".to_owned(), json!(account_id));
        claims.insert("chatgpt_account_user_id".to_owned(), json!(account_user_id));
    }
    Value::Object(claims)
}

/// Sets members of an object; null removes one.
pub(crate) fn set_members(object: &mut Value, members: &Value) {
    for (name, value) in members.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(object.as_object_mut().and_then(|object| object.remove(name))),
            value => object[name] = value.clone(),
        }
    }
}

/// The time by the server's clock.
#[expect(clippy::disallowed_methods, reason = "the server has a clock of its own")]
pub(crate) fn seconds_since_epoch(want: &Want) -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    since.as_secs().saturating_add_signed(want.clock_ahead)
}
