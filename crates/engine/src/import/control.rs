//! What a caller does to a job under way: put it aside, let it go on, give it up. Each with its
//! log event in one write; a worker that holds the job is stopped by its next batch, which fails.

use domain::{EventKind, ImportJob, JobId, JobStatus};
use store::StoreError;

use crate::error::{Error, Result};
use crate::{Context, Engine};

/// What a cancelled job says of itself.
const CANCELLED: &str = "The job was cancelled. What it had written before stays.";

/// What is asked of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobCommand {
    /// Put it aside where it stands.
    Pause,
    /// Go on with it.
    Resume,
    /// Give it up.
    Cancel,
}

impl JobCommand {
    /// The state that it leads to, in which asking again changes nothing.
    fn is_done(self, status: JobStatus) -> bool {
        match self {
            Self::Pause => status == JobStatus::Paused,
            Self::Resume => matches!(status, JobStatus::Pending | JobStatus::Processing),
            Self::Cancel => status == JobStatus::Cancelled,
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Pause => "Pause import users job",
            Self::Resume => "Resume import users job",
            Self::Cancel => "Cancel import users job",
        }
    }
}

impl Engine {
    /// Does it, and returns the job as it stands then. A job that has ended refuses.
    pub async fn control_import(
        &self,
        context: &Context,
        id: &JobId,
        command: JobCommand,
    ) -> Result<ImportJob> {
        let job = self.find_import(id).await?;
        if command.is_done(job.status) {
            return Ok(job);
        }
        if job.status.is_final() {
            return Err(ended(job.status));
        }
        let description = command.description();
        let mut event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        event.details.insert("job_id".into(), id.to_string().into());
        let mut write = self.store.write();
        match command {
            JobCommand::Pause => write.pause_job(id),
            JobCommand::Resume => write.resume_job(id),
            JobCommand::Cancel => write.cancel_job(id, CANCELLED, self.now()),
        };
        write.log(&event);
        let written = self.store.commit(write).await;
        let job = self.find_import(id).await?;
        match written {
            Ok(()) => {}
            // It ended, or another caller was first.
            Err(StoreError::Stale { .. }) if command.is_done(job.status) => {}
            Err(StoreError::Stale { .. }) => return Err(ended(job.status)),
            Err(error) => return Err(error.into()),
        }
        match command {
            JobCommand::Pause => {}
            JobCommand::Resume => self.import_wake.notify_one(),
            JobCommand::Cancel => self.remove_upload(id).await,
        }
        Ok(job)
    }

    /// An import job; those of other types are none.
    pub async fn find_import(&self, id: &JobId) -> Result<ImportJob> {
        let job = self.find_job(id).await?;
        if self.store.is_import_job(id).await? {
            return Ok(job);
        }
        Err(Error::Missing {
            message: "Job not found.".into(),
            code: "inexistent_job",
        })
    }
}

fn ended(status: JobStatus) -> Error {
    let status = status.as_str();
    Error::Conflict {
        message: format!("The job can't be changed any more: it is {status}."),
        code: "job_ended",
    }
}
