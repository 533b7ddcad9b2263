//! The server's tests.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the exemption of tests covers only functions marked as such"
)]

mod actions;
mod app;
mod authoring;
mod bad_input;
mod clients;
mod collisions;
mod connections;
mod containment;
mod convert;
mod cors;
mod crossing;
mod exports;
mod flow;
mod import_jobs;
mod keys;
mod kill;
mod legacy_store;
mod libraries;
mod logins;
mod logs;
mod outages;
mod pages;
mod process;
mod recipes;
mod rounds;
mod scripts;
mod stage;
mod starters;
mod talk;
mod tickets;
mod tokens;
mod two_servers;
mod users;
mod vectors;
