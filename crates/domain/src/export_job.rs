//! Export jobs: what is asked of one, and where it stands.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::id::{ConnectionId, JobId};
use crate::import_job::JobStatus;

/// How users are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// A table with a head, as RFC 4180 writes it.
    Csv,
}

impl ExportFormat {
    /// The word on the wire, and the ending of the file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Json, Self::Csv]
            .into_iter()
            .find(|format| format.as_str() == text)
    }
}

/// One member to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportField {
    /// Its path in the user: `email`, `user_metadata.plan`, `identities[0].connection`.
    pub name: String,
    /// Its name in the file; the path when absent.
    pub export_as: Option<String>,
}

impl ExportField {
    /// The name in the file.
    pub fn shown_name(&self) -> &str {
        self.export_as.as_deref().unwrap_or(&self.name)
    }
}

/// What a caller asks for, as it is kept with the job. Holds no secret: a recipient is a public key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// How users are written.
    pub format: ExportFormat,
    /// At most so many users.
    pub limit: Option<i64>,
    /// Which members; the documented ones when empty.
    pub fields: Vec<ExportField>,
    /// With credentials, for whoever holds the private key: `age1…`, or an armored OpenPGP key.
    pub recipient: Option<String>,
}

/// One export job.
#[derive(Clone, Debug)]
pub struct ExportJob {
    /// Its id.
    pub id: JobId,
    /// Whose users; those of all connections when absent.
    pub connection: Option<ConnectionId>,
    /// What was asked for.
    pub request: ExportRequest,
    /// Where it stands.
    pub status: JobStatus,
    /// Why it failed.
    pub status_details: Option<String>,
    /// Users to write, as counted when a worker began; 0 before.
    pub expected: i64,
    /// Users written so far.
    pub written: i64,
    /// The attempt whose bytes are, or become, the file. None before the first and after the end of
    /// the file's time.
    pub attempt: Option<String>,
    /// Bytes of the finished file.
    pub size: i64,
    /// Until when the finished file can be fetched.
    pub expires_at: Option<Instant>,
    /// Creation time.
    pub created_at: Instant,
    /// When a worker first took it.
    pub started_at: Option<Instant>,
}

impl ExportJob {
    /// Whether the file is there at this moment.
    pub fn is_available(&self, now: Instant) -> bool {
        self.status == JobStatus::Completed
            && self.attempt.is_some()
            && self.expires_at.is_some_and(|until| now < until)
    }
}
