//! Journeys through the program as its users make them, and the rules that its code keeps.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests prepare and inspect files directly")]

mod agents;
mod agents_bindings;
mod agents_delete;
mod agents_dialogue;
mod agents_golden;
mod agents_identity;
mod authorization_server;
mod channels;
mod circles;
mod client;
mod device;
mod discovery;
mod doctor;
mod exchange;
mod golden;
mod golden_order;
mod import;
mod layering;
mod legacy;
mod list;
mod login;
mod login_errors;
mod login_takeover;
mod login_terminal;
mod logout;
mod onboard;
mod order;
mod output;
mod paste;
mod program;
mod project;
mod property;
mod record;
mod recovery;
mod redirect_listener;
mod refresh;
mod refresh_command;
mod refresh_faults;
mod refresh_outcomes;
mod report;
mod resolve;
mod secrets;
mod security;
mod session;
mod status;
mod store;
mod store_contract;
mod support;
mod token;
mod token_answers;
mod two_steps;
mod usage;
mod walk;
