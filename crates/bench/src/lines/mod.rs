//! The lines of the table, a file each.

pub mod beside;
pub mod codes;
pub mod crossing;
pub mod hanging;
pub mod hashes;
pub mod import;
pub mod login;
pub mod scripts;
pub mod start;
pub mod timing;
pub mod tokens;
