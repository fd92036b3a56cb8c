//! `openclaw-auth` owns the logins of AI subscriptions: it signs in by OAuth, keeps every
//! credential in one file-locked store, refreshes exactly once however many processes
//! ask, and hands fresh access tokens to people, scripts and other tools.
//!
//! `docs/development/architecture.md` describes the layers; a test keeps to them.

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod external;
pub mod oauth;
pub mod ops;
pub mod profile;
pub mod provider;
pub mod reference;
pub mod secret;
pub mod store;
pub mod system;
pub mod text;
