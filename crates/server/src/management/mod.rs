//! The Management API v2. Handlers are short: extract → one engine call → render.

pub mod client_grants;
pub mod clients;
pub mod connection_clients;
pub mod connections;
mod fields;
pub mod hashes;
pub mod jobs;
pub mod logs;
mod path_id;
pub mod resource_servers;
pub mod scripts;
mod slices;
pub mod tickets;
mod user_body;
pub mod users;
