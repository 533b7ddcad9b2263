//! All users back out: as documented, and with their credentials for whoever wants to leave.
//!
//! | file | step |
//! |---|---|
//! | `accept` | the request is checked and stands as a job |
//! | `worker` | a job is claimed, kept and ended; who dies is followed by another, from the start |
//! | `rows`, `csv` | a user becomes a line of the file |
//! | `stream` | lines are compressed, and encrypted when they hold credentials |
//! | `recipient` | the public key that they are encrypted to |
//! | `file` | where the bytes lie until their time is over: written, served, swept |
//!
//! Credentials never touch a disk in clear: what is written down is already encrypted.

mod accept;
mod csv;
mod file;
mod recipient;
mod rows;
mod stream;
mod worker;

pub use accept::ExportAsk;
pub use file::{ExportBytes, ExportFile};
pub use rows::RenderUser;
