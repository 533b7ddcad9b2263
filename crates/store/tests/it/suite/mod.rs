//! The tests, by noun. Each is registered in `main.rs`.

pub mod batches;
pub mod clients;
pub mod conflicts;
pub mod connections;
pub mod counters;
pub mod deletions;
pub mod factors;
pub mod import_races;
pub mod imports;
pub mod jobs;
pub mod keys;
pub mod legacy_ids;
pub mod lists;
pub mod logs;
pub mod migrations;
pub mod outbox;
pub mod races;
pub mod resource_servers;
pub mod sealed;
pub mod sessions;
pub mod settings;
pub mod spool;
pub mod tickets;
pub mod users;
