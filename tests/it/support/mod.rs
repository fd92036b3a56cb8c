//! What the integration tests and the demo share: an authorization server, a user-agent and ports.

pub(crate) mod authorization_server;
pub(crate) mod free_port;
pub(crate) mod user_agent;
