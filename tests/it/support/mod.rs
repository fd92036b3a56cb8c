//! What the integration tests and the demo share: an authorization server, a user-agent,
//! ports, and a state directory with the program in it.

pub(crate) mod authorization_server;
#[cfg(test)]
pub(crate) mod catalog;
pub(crate) mod database;
pub(crate) mod free_port;
#[cfg(test)]
pub(crate) mod here;
#[cfg(test)]
mod ignored_signals;
#[cfg(test)]
pub(crate) mod patience;
#[cfg(test)]
pub(crate) mod pseudo_terminal;
#[cfg(test)]
pub(crate) mod recorded;
#[cfg(test)]
pub(crate) mod rig;
#[cfg(test)]
mod running_login;
#[cfg(test)]
pub(crate) mod schema;
#[cfg(test)]
pub(crate) mod service;
pub(crate) mod user_agent;
