//! Provider definitions as data: the built-in catalog, and files of the same type in
//! `$OPENCLAW_STATE_DIR/providers/`.
//!
//! Invariant: no other module branches on a provider id.

/// The provider whose subscriptions have setup tokens.
pub const SETUP_TOKEN_PROVIDER: &str = "anthropic";

mod catalog;
mod convention;
mod definition;
mod rotation;

pub use catalog::{Catalog, CatalogError, Provider};
pub use convention::{Conventions, Model};
pub use definition::{Definition, IdentityPointers, Method, MethodKind, Redirect, Registration};
pub use rotation::{auth_provider_id, cools_down};
