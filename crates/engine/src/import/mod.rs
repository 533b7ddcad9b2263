//! The bulk path: a file of users, from the upload to the report.
//!
//! | file | step |
//! |---|---|
//! | `spool` | the upload becomes durable |
//! | `accept` | the job is checked and stands |
//! | `worker` | a job is claimed, kept and ended |
//! | `parse` | the reading half: `window` (with `scan`) finds elements, `row` (with `user_schema`, `json_shape`) reads them |
//! | `run` | the writing half: batches that carry offset, counters and row errors |
//! | `prove` | before all of it: one row against its user's password |
//! | `finish` | the end: status, log event and mail in one batch |
//! | `mask` | a refused record without its secrets |
//! | `report` | reads of jobs and their errors, and the sweep |

mod accept;
mod finish;
mod json_shape;
mod mask;
mod parse;
mod prove;
mod report;
mod row;
mod run;
mod scan;
mod spool;
mod user_schema;
mod window;
mod worker;

pub use accept::ImportRequest;
pub use prove::{FoundRow, Proof, RowKey, find_row};
pub use report::RowReport;
pub use spool::Spool;
