//! Where claims and user information name the account, which is not the same at any two
//! servers.

use super::invalid_definition::{Fault, InvalidDefinition};
use crate::oauth::Claims;
use crate::profile::Identity;
use crate::secret::Secret;
use crate::text::is_plain;
use serde::Deserialize;

/// JSON pointers (RFC 6901) into the claims of the access token, of the id token, then the
/// user information; the first hit wins. Pointers joined by `|` must all hit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct IdentityPointers {
    /// The e-mail.
    email: Vec<String>,
    /// The account (workspace).
    account_id: Vec<String>,
    /// A stable subject.
    subject: Vec<String>,
}

impl IdentityPointers {
    /// The claims of OpenID Connect.
    pub(super) fn of_openid() -> Self {
        Self {
            email: vec!["/email".to_owned()],
            account_id: Vec::new(),
            subject: vec!["/iss|/sub".to_owned()],
        }
    }

    /// Checks that they are pointers.
    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        let Self { email, account_id, subject } = self;
        for pointer in email.iter().chain(account_id).chain(subject) {
            if !pointer.split('|').all(|part| part.starts_with('/')) {
                return Err(Fault::NoPointer(pointer.clone()).of("identity"));
            }
        }
        Ok(())
    }

    /// Whether they can name the account.
    pub(super) const fn name_somebody(&self) -> bool {
        !self.email.is_empty() || !self.account_id.is_empty()
    }

    /// Who the tokens belong to, as far as their claims and the user information say.
    pub(super) fn read(
        &self,
        access: &Secret,
        id_token: Option<&Secret>,
        userinfo: Option<&Claims>,
    ) -> Identity {
        let of_tokens = [Some(access), id_token].into_iter().flatten();
        let claims: Vec<Claims> = of_tokens
            .filter_map(|token| Claims::of(token.expose()))
            .chain(userinfo.cloned())
            .collect();
        let first = |pointers: &[String]| {
            pointers
                .iter()
                .find_map(|pointer| claims.iter().find_map(|claims| claims.text(pointer)))
                .filter(|text| is_plain(text))
        };
        Identity {
            email: first(&self.email),
            account_id: first(&self.account_id),
            subject: first(&self.subject),
        }
    }
}
