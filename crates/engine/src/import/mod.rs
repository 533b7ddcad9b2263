//! The bulk path: a file of users, from the upload to the report.
//!
//! | file | step |
//! |---|---|
//! | `spool` | the upload becomes durable |
//! | `uploads` | an upload in several requests |
//! | `accept` | the job is checked and stands |
//! | `worker` | a job is claimed, kept and ended |
//! | `parse` | the reading half: `unpack` (with `utf16`) makes text of bytes, `rows` finds rows, `row` (with `user_schema`, `json_shape`) reads them |
//! | `rows` | JSON by `window` (with `scan`), CSV by `csv_rows` (with `csv_split`, `csv_columns`) |
//! | `control` | pause, resume, cancel |
//! | `run` | the writing half: batches that carry offset, counters and row errors |
//! | `prove` | before all of it: one row, which `find` found, against its user's password |
//! | `finish` | the end: status, log event and mail in one batch |
//! | `mask` | a refused record without its secrets |
//! | `report` | reads of jobs and their errors, and the sweep |

mod accept;
mod control;
mod csv_columns;
mod csv_rows;
mod csv_split;
mod find;
mod finish;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod json_shape;
mod mask;
mod parse;
mod prove;
mod report;
mod row;
mod rows;
mod run;
mod scan;
mod spool;
mod unpack;
mod uploads;
mod user_schema;
mod utf16;
mod window;
mod worker;

pub use accept::ImportRequest;
pub use control::JobCommand;
pub use find::{FoundRow, RowKey, RowSearch, find_row};
pub use prove::Proof;
pub(crate) use report::now_as_files_tell;
pub use report::{JobDetails, RowReport};
pub use spool::Spool;
pub(crate) use uploads::OpenUploads;
pub use uploads::UploadPart;
