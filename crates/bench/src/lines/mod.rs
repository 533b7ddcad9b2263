//! The lines of the table, a file each.

pub mod crossing;
pub mod import;
pub mod login;
pub mod start;
pub mod tokens;
