//! Under which provider a login is kept.

use crate::profile::{Kind, ProviderId};
use crate::provider::is_one_login;
use crate::store::Store;

/// Whether what is asked for as `wanted` is kept as `stored` in `store`: it is that provider, or
/// it is a login, in OpenClaw's databases, and the one provider has become the other there. A
/// key is of the provider that it names, and in files each name is a provider of its own.
pub(super) fn is_stored_as(
    store: &Store,
    stored: &ProviderId,
    wanted: &ProviderId,
    kind: Kind,
) -> bool {
    stored == wanted
        || (kind == Kind::OAuth && store.is_in_database() && is_one_login(stored, wanted))
}
