//! Provider definitions as data: the built-in catalog, and files of the same type in
//! `$OPENCLAW_STATE_DIR/providers/`.
//!
//! Invariant: no other module branches on a provider id.

mod catalog;
mod convention;
mod definition;

pub use catalog::{Catalog, CatalogError, Provider};
pub use convention::{Conventions, ModelReference};
pub use definition::{Definition, IdentityPointers, Method, MethodKind, Redirect, Registration};
