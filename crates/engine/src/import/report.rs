//! What is told of jobs, and how they are forgotten.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use domain::{ConnectionId, EventKind, ImportJob, JobId, Page, RowError};
use serde::Serialize;
use serde_json::value::RawValue;
use store::StoredRowError;

use super::spool;
use crate::error::{Error, Result};
use crate::{Context, Engine};

/// An upload that never became a job is forgotten after this time: none takes so long to arrive.
const ORPHANED: Duration = Duration::from_secs(24 * 3600);

/// One failed row as the report shows it: the wire's `{user, errors}`, and where it stands.
#[derive(Debug, Serialize)]
pub struct RowReport {
    /// The submitted record, secrets masked.
    pub user: Box<RawValue>,
    /// What was wrong.
    pub errors: Vec<RowError>,
    /// Its number in the file, from 1. Ours.
    pub row: i64,
    /// Its first byte in the file. Ours.
    pub offset: i64,
}

/// A job and its errors by code.
#[derive(Debug)]
pub struct JobDetails {
    /// The job.
    pub job: ImportJob,
    /// Code → how many.
    pub errors: BTreeMap<String, i64>,
}

impl From<StoredRowError> for RowReport {
    fn from(stored: StoredRowError) -> Self {
        Self {
            row: stored.row,
            offset: stored.offset,
            user: RawValue::from_string(stored.record).unwrap_or_default(),
            errors: stored.errors,
        }
    }
}

impl Engine {
    /// A job.
    pub async fn find_job(&self, id: &JobId) -> Result<ImportJob> {
        let found = self.store.find_job(id).await?;
        found.ok_or_else(|| missing("Job not found."))
    }

    /// Import jobs, the newest first, one page; of one connection or of all.
    pub async fn list_import_jobs(
        &self,
        connection: Option<&ConnectionId>,
        page: Page,
    ) -> Result<Vec<ImportJob>> {
        Ok(self.store.list_import_jobs(connection, page).await?)
    }

    /// Failed rows in file order, one page.
    pub async fn list_row_errors(&self, id: &JobId, page: Page) -> Result<Vec<RowReport>> {
        let rows = self.store.list_row_errors(id, page).await?;
        Ok(rows.into_iter().map(RowReport::from).collect())
    }

    /// Failed rows in file order, those after a row's number: a report of any length can be read
    /// in steps.
    pub async fn list_row_errors_after(
        &self,
        id: &JobId,
        row: i64,
        limit: u32,
    ) -> Result<Vec<RowReport>> {
        let rows = self.store.list_row_errors_after(id, row, limit).await?;
        Ok(rows.into_iter().map(RowReport::from).collect())
    }

    /// Failed rows as they were sent, a line each, those after a row's number: a file that can be
    /// imported again. What is not kept (rows too large to be held, records of a CSV file with the
    /// wrong number of columns, rows past their time) is left out. Says the last row looked at.
    pub async fn list_failed_rows_after(
        &self,
        id: &JobId,
        row: i64,
        limit: u32,
    ) -> Result<Option<(Vec<u8>, i64)>> {
        let rows = self.store.list_sealed_rows_after(id, row, limit).await?;
        let Some(last) = rows.last().map(|row| row.row) else {
            return Ok(None);
        };
        let mut lines = Vec::new();
        for raw in rows.iter().filter_map(|row| row.raw.as_ref()) {
            // A line break in JSON stands between its parts; a space says the same.
            let byte = |byte: &u8| {
                if matches!(byte, b'\n' | b'\r') {
                    b' '
                } else {
                    *byte
                }
            };
            lines.extend(raw.iter().map(byte));
            lines.push(b'\n');
        }
        Ok(Some((lines, last)))
    }

    /// Notes that a job's failed rows were asked for as they were sent: they hold hashes.
    pub async fn note_failed_rows_read(&self, context: &Context, id: &JobId) -> Result<()> {
        let job = self.find_import(id).await?;
        let description = "Read failed rows of import users job";
        let mut event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        event
            .details
            .insert("job_id".into(), job.id.to_string().into());
        let mut write = self.store.write();
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }

    /// A job, and how many errors it has of each code.
    pub async fn find_job_details(&self, id: &JobId) -> Result<JobDetails> {
        let job = self.find_import(id).await?;
        let errors = self.store.count_errors_by_code(id).await?;
        Ok(JobDetails { job, errors })
    }

    /// Forgets what is kept no longer: failed rows, reports, jobs, uploads, and mails long sent.
    pub async fn sweep_jobs(&self) -> Result<()> {
        let now = self.now();
        let settings = &self.settings.import;
        let before = now.minus(settings.retention);
        for job in self.store.list_jobs_ended_before(before).await? {
            let mut write = self.store.write();
            write.delete_job(&job);
            self.store.commit(write).await?;
        }
        let errors_before = now.minus(settings.errors_retention);
        for job in self.store.list_jobs_with_errors(errors_before).await? {
            let mut write = self.store.write();
            write.forget_row_errors(&job);
            self.store.commit(write).await?;
        }
        let rows_before = now.minus(settings.failed_rows_retention);
        for job in self.store.list_jobs_with_originals(rows_before).await? {
            let mut write = self.store.write();
            write.forget_sealed_rows(&job);
            self.store.commit(write).await?;
        }
        self.sweep_uploads().await?;
        let mut write = self.store.write();
        write
            .delete_orphan_chunks(now.minus(ORPHANED))
            .forget_mail(before);
        self.store.commit(write).await?;
        self.sweep_spool_files().await
    }

    /// Removes uploads whose jobs ended, and those that never became jobs, for the process that
    /// received them died: they are older than this one.
    pub(super) async fn sweep_spool_files(&self) -> Result<()> {
        if !self.store.spools_to_files() {
            return Ok(());
        }
        let folder = self.settings.data_dir.join("spool");
        let mut files = match tokio::fs::read_dir(&folder).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            found => found.map_err(Error::unavailable)?,
        };
        while let Some(file) = files.next_entry().await.map_err(Error::unavailable)? {
            let name = file.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            let id = JobId::from(id);
            let is_needed = match self.store.find_job(&id).await? {
                Some(job) => !job.status.is_final(),
                None if self.store.find_upload(&id).await?.is_some() => true,
                None => !self.is_from_earlier_process(&file).await?,
            };
            if !is_needed {
                let path = spool::path_of(&self.settings.data_dir, &id);
                tokio::fs::remove_file(path)
                    .await
                    .map_err(Error::unavailable)?;
            }
        }
        Ok(())
    }

    /// File times are the system's, so they are compared with the system's and not with the clock.
    async fn is_from_earlier_process(&self, file: &tokio::fs::DirEntry) -> Result<bool> {
        let written = file.metadata().await.and_then(|found| found.modified());
        Ok(written.map_err(Error::unavailable)? + CLOCK_GRAIN < self.started_at)
    }
}

/// Now, as the times of files tell it: by the system's clock, whatever the engine's is.
#[expect(clippy::disallowed_methods, reason = "files are dated by no other")]
pub(crate) fn now_as_files_tell() -> SystemTime {
    SystemTime::now()
}

/// File times may lie this far behind the clock.
const CLOCK_GRAIN: Duration = Duration::from_secs(2);

fn missing(message: &str) -> Error {
    Error::Missing {
        message: message.into(),
        code: "inexistent_job",
    }
}
