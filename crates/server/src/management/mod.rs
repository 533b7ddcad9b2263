//! The Management API v2. Handlers are short: extract → one engine call → render.

pub mod attack_protection;
pub mod client_grants;
pub mod clients;
pub mod connection_clients;
pub mod connections;
pub mod exports;
mod fields;
pub mod hashes;
pub mod import_jobs;
pub mod jobs;
pub mod logs;
pub mod merges;
pub mod password_hashes;
mod path_id;
pub mod resource_servers;
pub mod scripts;
mod slices;
pub mod tickets;
pub mod uploads;
pub(crate) mod user_body;
pub mod users;
