//! Whose a credential is: what its entry says, and what the claims of its tokens say.

use crate::profile::{Credential, CredentialKind, Identity, ProviderId};
use crate::provider::{Catalog, Registration};

/// The account of a stored credential: what the entry says, completed by its tokens.
pub(super) fn stored(credential: &Credential, registration: Option<&Registration>) -> Identity {
    completed(credential.identity.clone(), claimed(credential, registration))
}

/// What the tokens of a credential say of its account; nothing, when it has none that we
/// can read.
pub(super) fn claimed(credential: &Credential, registration: Option<&Registration>) -> Identity {
    match (&credential.kind, registration) {
        (CredentialKind::OAuth { access: Some(access), id_token, .. }, Some(registration)) => {
            registration.identity(access, id_token.as_ref(), None)
        }
        _ => Identity::default(),
    }
}

/// What `first` says, completed by `second`.
pub(super) fn completed(first: Identity, second: Identity) -> Identity {
    Identity {
        email: first.email.or(second.email),
        account_id: first.account_id.or(second.account_id),
        subject: first.subject.or(second.subject),
    }
}

/// Where the tokens of `provider` name their account.
pub(super) fn registration<'c>(
    catalog: &'c Catalog,
    provider: &ProviderId,
) -> Option<&'c Registration> {
    catalog.find(provider)?.definition.registration.as_ref()
}
