//! Import jobs: their rows of state, the lease that one worker holds, and their row errors.
//!
//! Reads and the claim stand here; `write` has what a worker writes, `control` what a caller does
//! to a job under way, `errors` the failed rows. Jobs of other types share the table: each type is
//! claimed and carried on by its own file only.

mod control;
mod errors;
mod write;

use std::time::Duration;

use domain::import_job::{Counters, Idempotency, ImportJob, JobStatus, Run};
use domain::page::Page;
use domain::{ConnectionId, Instant, JobId};

use crate::db::{Expect, Row, Stmt, Value};
use crate::error::{Result, StoreError};
use crate::{Store, first};

pub use errors::{SealedRow, StoredRowError};
pub(crate) use errors::{count_row_errors, insert_row_error};
pub(crate) use write::advance;

/// In the order in which [`job`] reads them.
const COLUMNS: &str = "select id, connection_id, external_id, upsert, send_completion_email, options, \
    status, status_details, size, read_offset, consumed, run_started_at, run_total, run_consumed, \
    advanced_at, idempotency_key, file_digest, total, inserted, updated, failed, created_at, \
    started_at, ended_at from jobs";

/// A worker's hold on a job: it must be renewed before it runs out.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The worker's random name.
    pub owner: String,
}

/// What a batch of rows brings to its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Offset of the first byte that is not read yet.
    pub offset: i64,
    /// Bytes of the file as it was sent that were read for it.
    pub consumed: i64,
    /// Rows so far.
    pub counters: Counters,
}

impl Store {
    /// A job by id.
    pub async fn find_job(&self, id: &JobId) -> Result<Option<ImportJob>> {
        let rows = self
            .db
            .query(format!("{COLUMNS} where id = $1"), vec![id.into()])
            .await?;
        first(rows).map(job).transpose()
    }

    /// Whether a job was a mail: it was done when it was written.
    pub async fn is_mail_job(&self, id: &JobId) -> Result<bool> {
        let sql = "select count(*) from jobs where id = $1 and type = 'verification_email'";
        Ok(self.db.count(sql, vec![id.into()]).await? == 1)
    }

    /// Whether a job is an import of users.
    pub async fn is_import_job(&self, id: &JobId) -> Result<bool> {
        let sql = "select count(*) from jobs where id = $1 and type = 'users_import'";
        Ok(self.db.count(sql, vec![id.into()]).await? == 1)
    }

    /// How many jobs are not ended.
    pub async fn count_active_jobs(&self) -> Result<i64> {
        let sql = "select count(*) from jobs where status in ('pending', 'processing')";
        self.db.count(sql, vec![]).await
    }

    /// Takes the oldest job that nobody works on. Jobs of one connection run one after the other,
    /// in the order they came: only the oldest that is not ended can be taken, so that two workers
    /// who look at the same moment do not take two of them.
    pub async fn claim_job(
        &self,
        owner: &str,
        now: Instant,
        lease: Duration,
    ) -> Result<Option<ImportJob>> {
        let sql = format!(
            "update jobs set status = 'processing', lease_owner = $1, lease_until = $3, \
             started_at = coalesce(started_at, $2), run_started_at = $2, run_total = total, \
             run_consumed = consumed, advanced_at = null where id = (select j.id from jobs j \
             where j.type = 'users_import' and j.status in ('pending', 'processing') and j.lease_until <= $2 \
             and not exists (select 1 from jobs b where b.connection_id = j.connection_id \
             and b.type = 'users_import' and b.id <> j.id and (b.status = 'processing' and b.lease_until > $2 \
             or b.status in ('pending', 'processing') and (b.created_at < j.created_at \
             or b.created_at = j.created_at and b.id < j.id))) \
             order by j.created_at, j.id limit 1{}) returning id",
            self.db.skip_locked()
        );
        let params = vec![owner.into(), now.into(), now.plus(lease).into()];
        let claim = Stmt {
            sql: sql.into(),
            params,
            expect: Expect::AtMostOne,
        };
        let done = self.db.batch(vec![claim]).await?;
        let Some(mut row) = done.into_iter().flat_map(|done| done.rows).next() else {
            return Ok(None);
        };
        self.find_job(&row.text("id")?.into()).await
    }

    /// The job that a caller's key stands for.
    pub async fn find_job_by_key(
        &self,
        connection: &ConnectionId,
        key: &str,
    ) -> Result<Option<ImportJob>> {
        let sql = format!("{COLUMNS} where connection_id = $1 and idempotency_key = $2");
        let rows = self
            .db
            .query(sql, vec![connection.into(), key.into()])
            .await?;
        first(rows).map(job).transpose()
    }

    /// Import jobs, the newest first, one page; of one connection or of all.
    pub async fn list_import_jobs(
        &self,
        connection: Option<&ConnectionId>,
        page: Page,
    ) -> Result<Vec<ImportJob>> {
        let sql = format!(
            "{COLUMNS} where type = 'users_import' and ($1 = '' or connection_id = $1) \
             order by created_at desc, id desc limit $2 offset $3"
        );
        let connection = connection.map_or("", ConnectionId::as_str);
        let params: Vec<Value> = vec![
            connection.into(),
            i64::from(page.size).into(),
            page.offset().into(),
        ];
        let rows = self.db.query(sql, params).await?;
        rows.into_iter().map(job).collect()
    }

    /// Jobs that ended before a moment.
    pub async fn list_jobs_ended_before(&self, moment: Instant) -> Result<Vec<JobId>> {
        let sql = "select id from jobs where ended_at < $1 order by ended_at, id limit 1000";
        let rows = self.db.query(sql, vec![moment.into()]).await?;
        rows.into_iter()
            .map(|mut row| Ok(row.text("id")?.into()))
            .collect()
    }
}

fn job(mut row: Row) -> Result<ImportJob> {
    Ok(ImportJob {
        id: row.text("id")?.into(),
        connection: row.text("connection_id")?.into(),
        external_id: row.text_or_null("external_id")?,
        upsert: row.flag("upsert")?,
        send_completion_email: row.flag("send_completion_email")?,
        options: row.json("options")?,
        status: status(row.text("status")?)?,
        status_details: row.text_or_null("status_details")?,
        size: row.int("size")?,
        offset: row.int("read_offset")?,
        consumed: row.int("consumed")?,
        run: run(&mut row)?,
        idempotency: idempotency(&mut row)?,
        counters: Counters {
            total: row.int("total")?,
            inserted: row.int("inserted")?,
            updated: row.int("updated")?,
            failed: row.int("failed")?,
        },
        created_at: row.time("created_at")?,
        started_at: row.time_or_null("started_at")?,
        ended_at: row.time_or_null("ended_at")?,
    })
}

fn run(row: &mut Row) -> Result<Option<Run>> {
    let started_at = row.time_or_null("run_started_at")?;
    let (rows, consumed) = (row.int("run_total")?, row.int("run_consumed")?);
    let advanced_at = row.time_or_null("advanced_at")?;
    Ok(started_at.map(|started_at| Run {
        started_at,
        rows,
        consumed,
        advanced_at,
    }))
}

fn idempotency(row: &mut Row) -> Result<Option<Idempotency>> {
    let key = row.text_or_null("idempotency_key")?;
    let digest = row.text_or_null("file_digest")?;
    Ok(key
        .zip(digest)
        .map(|(key, digest)| Idempotency { key, digest }))
}

fn status(text: String) -> Result<JobStatus> {
    JobStatus::parse(&text).ok_or(StoreError::Corrupt {
        column: "jobs.status",
        problem: text,
    })
}
