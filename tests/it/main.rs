//! Journeys through the program as its users make them, and the rules that its code keeps.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests prepare and inspect files directly")]

mod agents;
mod authorization_server;
mod channels;
mod golden;
mod layering;
mod list;
mod login;
mod login_errors;
mod logout;
mod output;
mod redirect_listener;
mod refresh;
mod status;
mod store;
mod support;
mod token;
