//! The starter scripts of `templates/` against real servers: right and wrong passwords, nobody, odd
//! addresses, hostile names, outages.
//!
//! Every test runs on each runtime of [`rig::runtimes`].

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; clippy.toml spares #[test] functions only"
)]

mod checks;
mod frameworks;
mod rig;
mod servers;
mod shape;
mod soak;
mod tables;
