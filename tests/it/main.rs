//! Journeys through the program as its users make them, and the rules that its code keeps.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests prepare and inspect files directly")]

mod agents;
mod agents_bindings;
mod agents_delete;
mod agents_dialogue;
#[cfg(feature = "sqlite")]
mod agents_entries;
mod agents_golden;
mod agents_identity;
mod authorization_server;
mod channels;
mod check;
mod circles;
mod client;
#[cfg(feature = "sqlite")]
mod convert;
#[cfg(feature = "sqlite")]
mod database;
#[cfg(feature = "sqlite")]
mod database_agents;
#[cfg(feature = "sqlite")]
mod database_commands;
#[cfg(feature = "sqlite")]
mod database_faults;
#[cfg(feature = "sqlite")]
mod database_gateway;
#[cfg(feature = "sqlite")]
mod database_marker;
#[cfg(feature = "sqlite")]
mod database_race;
mod device;
mod device_network;
mod discovery;
mod doctor;
mod exchange;
#[cfg(feature = "sqlite")]
mod fresh;
mod golden;
mod golden_order;
#[cfg(feature = "sqlite")]
mod golden_sqlite;
mod hints;
mod import;
mod json_reports;
mod kept;
mod layering;
mod legacy;
mod lifetime;
mod list;
mod login;
mod login_errors;
mod login_takeover;
mod login_terminal;
mod logout;
mod moving;
mod onboard;
mod opened;
mod order;
mod output;
mod paste;
mod paths;
mod program;
mod project;
mod property;
mod recipes;
mod record;
mod recovery;
mod redirect_listener;
mod refresh;
mod refresh_command;
mod refresh_faults;
mod refresh_outcomes;
mod refresh_worker;
mod rename;
mod report;
mod resolve;
mod secrets;
mod security;
mod session;
mod short;
mod states;
mod status;
mod store;
mod store_contract;
mod support;
mod token;
mod token_answers;
mod told_where;
mod traces;
mod two_steps;
mod usage;
mod vocabulary;
mod walk;
