//! Import jobs: their states, their counters, and the report.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::conflict::Policy;
use crate::csv_mapping::CsvMapping;
use crate::id::{ConnectionId, JobId};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Accepted; no row written yet.
    Pending,
    /// A worker holds it.
    Processing,
    /// All rows were read; some may have failed.
    Completed,
    /// The file or the job itself was at fault.
    Failed,
    /// Put aside on request; it goes on where it stands when it is resumed.
    Paused,
    /// Given up on request; what was written before stays.
    Cancelled,
}

impl JobStatus {
    /// The word in the store and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Processing,
            Self::Completed,
            Self::Failed,
            Self::Paused,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }

    /// Whether nothing will change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Rows by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rows read so far.
    pub total: i64,
    /// Users written anew.
    pub inserted: i64,
    /// Users changed by an upsert.
    pub updated: i64,
    /// Rows with errors.
    pub failed: i64,
}

/// What a caller asks of a job beyond the documented form fields. Kept with the job as JSON; a
/// member that is absent has its documented default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportOptions {
    /// Rehearse: the same writes against the same constraints, and nothing stays.
    pub dry_run: bool,
    /// What the file is; told from its content when absent.
    pub format: Option<FileFormat>,
    /// How the columns of a CSV file become members of a row.
    pub mapping: Option<CsvMapping>,
    /// What decides when a row meets a stored user. Absent: as documented, by `upsert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// What a file of users can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// A JSON array, or one JSON object a line.
    Json,
    /// Columns, after a mapping.
    Csv,
}

/// A caller's promise that a repeated request means the same job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key, unique within a connection.
    pub key: String,
    /// SHA-256 of the file and of what was asked, as hexadecimal text.
    pub digest: String,
}

/// Where the run under way began: a job runs anew when it is resumed or taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When.
    pub started_at: Instant,
    /// Rows read before.
    pub rows: i64,
    /// Bytes of the upload read before.
    pub consumed: i64,
    /// When its last batch was committed.
    pub advanced_at: Option<Instant>,
}

/// One import job.
#[derive(Clone, Debug)]
pub struct ImportJob {
    /// Its id.
    pub id: JobId,
    /// Where its users go.
    pub connection: ConnectionId,
    /// The caller's own name for it.
    pub external_id: Option<String>,
    /// Whether stored users are changed.
    pub upsert: bool,
    /// Whether a mail is sent at the end.
    pub send_completion_email: bool,
    /// What else was asked for.
    pub options: ImportOptions,
    /// Where it stands.
    pub status: JobStatus,
    /// Why it failed.
    pub status_details: Option<String>,
    /// Bytes of the file.
    pub size: i64,
    /// Bytes of the unpacked text read and committed: where a restart goes on.
    pub offset: i64,
    /// Bytes of the file as it was sent, read and committed.
    pub consumed: i64,
    /// The run under way, or the last one.
    pub run: Option<Run>,
    /// The caller's key, when one was given.
    pub idempotency: Option<Idempotency>,
    /// Rows so far.
    pub counters: Counters,
    /// Creation time.
    pub created_at: Instant,
    /// When a worker first took it.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

impl ImportJob {
    /// Rows a second of the run under way; `None` before its first batch.
    pub fn rate(&self) -> Option<i64> {
        let run = self.run?;
        let millis = elapsed(&run)?;
        Some((self.counters.total - run.rows).saturating_mul(1000) / millis)
    }

    /// Seconds that the rest takes at the pace of this run; `None` when nobody can know.
    pub fn seconds_left(&self) -> Option<i64> {
        let run = self.run?;
        let done = self.consumed - run.consumed;
        if self.status != JobStatus::Processing || done <= 0 {
            return None;
        }
        let left = i128::from(self.size - self.consumed) * i128::from(elapsed(&run)?);
        i64::try_from(left / i128::from(done) / 1000).ok()
    }

    /// What decides when a row meets a stored user.
    pub fn policy(&self) -> Policy {
        match &self.options.policy {
            Some(policy) => policy.clone(),
            None if self.upsert => Policy::upsert(),
            None => Policy::reject(),
        }
    }
}

/// Milliseconds from the begin of a run to its last batch, at least one.
fn elapsed(run: &Run) -> Option<i64> {
    let millis = run.advanced_at?.millis() - run.started_at.millis();
    Some(millis.max(1))
}
