//! The engine against real databases.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the exemption of tests covers only functions marked as such"
)]

mod exports;
mod import_files;
mod import_jobs;
mod import_rig;
mod import_rows;
mod wrapping;
