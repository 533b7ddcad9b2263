//! The least work that the tasks ask for, with the same libraries and nothing around it.

pub mod crypto;
pub mod parse;
pub mod postgres;
pub mod sqlite;
