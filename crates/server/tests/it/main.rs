//! The server's tests.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the exemption of tests covers only functions marked as such"
)]

mod actions;
mod app;
mod arrivals;
mod audiences;
mod authoring;
mod bad_input;
mod bound_tokens;
mod browser;
mod clients;
mod collisions;
mod conformance;
mod connections;
mod containment;
mod convert;
mod cors;
mod crossing;
mod devices;
mod doors;
mod endings;
mod exports;
mod federation;
mod flow;
mod import_jobs;
mod keys;
mod kill;
mod legacy_store;
mod libraries;
mod logins;
mod logouts;
mod logs;
mod mails;
mod mfa;
mod mfa_pages;
mod outages;
mod outlived;
mod pages;
mod passkeys;
mod passwords;
mod possession;
mod process;
mod protection;
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
mod walks;
