//! Import jobs: their states, their counters, and the report.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::conflict::Policy;
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
}

impl JobStatus {
    /// The word in the store and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Processing,
            Self::Completed,
            Self::Failed,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }

    /// Whether nothing will change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
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
    /// What decides when a row meets a stored user. Absent: as documented, by `upsert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
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
    /// Bytes read and committed: where a restart goes on.
    pub offset: i64,
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
    /// What decides when a row meets a stored user.
    pub fn policy(&self) -> Policy {
        match &self.options.policy {
            Some(policy) => policy.clone(),
            None if self.upsert => Policy::upsert(),
            None => Policy::reject(),
        }
    }
}
