//! Provider definitions as data: the built-in catalog, and files of the same type in
//! `$OPENCLAW_STATE_DIR/providers/`.
//!
//! Invariant: no other module branches on a provider id.

/// The provider whose subscriptions have setup tokens.
pub const SETUP_TOKEN_PROVIDER: &str = "anthropic";

/// The provider that has a login command of its own, as in OpenClaw.
pub const COPILOT_PROVIDER: &str = "github-copilot";

mod built_in;
mod catalog;
mod catalog_error;
mod convention;
mod definition;
mod definition_file;
mod identity_pointers;
mod installed_client;
mod invalid_definition;
mod names;
mod object;
mod patch;
mod program;
mod project;
mod quota;
mod redirect;
mod registration;
mod registration_error;

pub use built_in::{auth_provider_id, built_in_id};
pub use catalog::{Catalog, Provider, ProviderNames};
pub use catalog_error::CatalogError;
pub use convention::{Conventions, Model, cools_down, is_one_login, predecessor, successor};
pub use definition::{Definition, Method, MethodKind, UnfitToken};
pub use invalid_definition::{Fault, InvalidDefinition};
pub use names::{all_names, names_of, providers_called, short_name, subscriptions};
pub use program::{
    Conversation, Description, InsecureProgram, Issued, Message, Operation, Program, Question,
    UserCode,
};
pub use project::{Project, ProjectError};
pub use quota::{Quota, QuotaError, QuotaFormat, QuotaRequestError, QuotaSource, Window};
pub use redirect::Redirect;
pub use registration::{ASSUMED_LIFETIME, Registration, StoredAs, expiry};
pub use registration_error::RegistrationError;
