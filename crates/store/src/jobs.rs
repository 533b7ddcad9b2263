//! Import jobs: their rows of state, the lease that one worker holds, and their row errors.

use std::time::Duration;

use domain::import_job::{Counters, ImportJob, JobStatus};
use domain::page::Page;
use domain::{ConnectionId, Instant, JobId, RowError};

use crate::db::{Expect, Row, Stmt, any, one};
use crate::error::{Result, StoreError};
use crate::{Store, Write, first};

const COLUMNS: &str = "select id, connection_id, external_id, upsert, send_completion_email, options, \
    status, status_details, size, read_offset, total, inserted, updated, failed, created_at, started_at, \
    ended_at from jobs";

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
    /// Rows so far.
    pub counters: Counters,
}

/// One row's errors, as they are stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRowError {
    /// Number of the row in the file, from 1.
    pub row: i64,
    /// Its byte offset.
    pub offset: i64,
    /// The submitted record as JSON text, secrets masked.
    pub record: String,
    /// What was wrong.
    pub errors: Vec<RowError>,
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
             started_at = coalesce(started_at, $2) where id = (select j.id from jobs j \
             where j.type = 'users_import' \
             and j.status in ('pending', 'processing') and j.lease_until <= $2 \
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

    /// Row errors of a job in file order, one page.
    pub async fn list_row_errors(&self, id: &JobId, page: Page) -> Result<Vec<StoredRowError>> {
        let sql = "select row_number, row_offset, row_json, errors from job_errors \
                   where job_id = $1 order by row_number limit $2 offset $3";
        let params = vec![id.into(), i64::from(page.size).into(), page.offset().into()];
        self.db
            .query(sql, params)
            .await?
            .into_iter()
            .map(row_error)
            .collect()
    }

    /// Row errors of a job in file order, those after a row's number.
    pub async fn list_row_errors_after(
        &self,
        id: &JobId,
        row: i64,
        limit: u32,
    ) -> Result<Vec<StoredRowError>> {
        let sql = "select row_number, row_offset, row_json, errors from job_errors \
                   where job_id = $1 and row_number > $2 order by row_number limit $3";
        let params = vec![id.into(), row.into(), i64::from(limit).into()];
        self.db
            .query(sql, params)
            .await?
            .into_iter()
            .map(row_error)
            .collect()
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

fn status(text: String) -> Result<JobStatus> {
    JobStatus::parse(&text).ok_or(StoreError::Corrupt {
        column: "jobs.status",
        problem: text,
    })
}

fn row_error(mut row: Row) -> Result<StoredRowError> {
    let number = row.int("row_number")?;
    let offset = row.int("row_offset")?;
    let record = row.text("row_json")?;
    let errors: Vec<(String, String, String)> = row.json("errors")?;
    let read = |(code, path, message): (String, String, String)| {
        domain::RowErrorCode::parse(&code)
            .map(|code| RowError {
                code,
                message,
                path,
            })
            .ok_or(StoreError::Corrupt {
                column: "job_errors.errors",
                problem: code,
            })
    };
    let errors = errors.into_iter().map(read).collect::<Result<_>>()?;
    Ok(StoredRowError {
        row: number,
        offset,
        record,
        errors,
    })
}

/// `total` is the batch's optimistic version: one that was committed, though its caller never heard
/// of it, can't be counted twice.
const ADVANCE: &str = "update jobs set read_offset = $3, total = $4, inserted = $5, \
    updated = $6, failed = $7, lease_until = $8 where id = $1 and lease_owner = $2 \
    and status = 'processing' and total = $9";

pub(crate) fn advance(
    lease: &Lease,
    before: Counters,
    progress: &Progress,
    lease_until: Instant,
) -> Stmt {
    let counters = progress.counters;
    one(
        ADVANCE,
        vec![
            (&lease.job).into(),
            (&lease.owner).into(),
            progress.offset.into(),
            counters.total.into(),
            counters.inserted.into(),
            counters.updated.into(),
            counters.failed.into(),
            lease_until.into(),
            before.total.into(),
        ],
    )
}

pub(crate) fn insert_row_error(job: &JobId, error: &StoredRowError) -> Stmt {
    let triples: Vec<_> = error
        .errors
        .iter()
        .map(|e| (e.code.as_str(), e.path.as_str(), e.message.as_str()))
        .collect();
    one(
        "insert into job_errors (job_id, row_number, row_offset, row_json, errors) \
         values ($1, $2, $3, $4, $5)",
        vec![
            job.into(),
            error.row.into(),
            error.offset.into(),
            (&error.record).into(),
            crate::write::texts(&triples).into(),
        ],
    )
}

impl Write {
    /// Writes a new job; its spooled bytes must be there.
    pub fn insert_job(&mut self, job: &ImportJob) -> &mut Self {
        self.push(one(
            "insert into jobs (id, type, status, connection_id, external_id, upsert, \
             send_completion_email, options, size, read_offset, total, inserted, updated, failed, \
             lease_until, created_at) \
             values ($1, 'users_import', 'pending', $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0, $8)",
            vec![
                (&job.id).into(),
                (&job.connection).into(),
                job.external_id.clone().into(),
                job.upsert.into(),
                job.send_completion_email.into(),
                crate::write::stored(&job.options).into(),
                job.size.into(),
                job.created_at.into(),
            ],
        ))
    }

    /// Writes the job of a verification mail, ended: the outbox has the mail.
    pub fn insert_mail_job(
        &mut self,
        id: &JobId,
        connection: &ConnectionId,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "insert into jobs (id, type, status, connection_id, upsert, send_completion_email, \
             options, size, read_offset, total, inserted, updated, failed, lease_until, created_at, \
             ended_at) values ($1, 'verification_email', 'completed', $2, false, false, '{}', \
             0, 0, 0, 0, 0, 0, 0, $3, $3)",
            vec![id.into(), connection.into(), now.into()],
        ))
    }

    /// Fails the batch when so many jobs are active already. Two jobs that ask at once are asked
    /// one after the other.
    pub fn require_room_for_job(&mut self, limit: i64) -> &mut Self {
        // The row of all user numbers serves as the lock: a job needs it sooner or later.
        self.push(one(
            "update sequences set next = next where name = 'user'",
            vec![],
        ));
        self.push(one(
            "select 1 where (select count(*) from jobs \
             where type = 'users_import' and status in ('pending', 'processing')) < $1",
            vec![limit.into()],
        ))
    }

    /// Keeps a job for longer. Fails when it was taken over or ended.
    pub fn renew_lease(&mut self, lease: &Lease, until: Instant) -> &mut Self {
        self.push(one(
            "update jobs set lease_until = $3 where id = $1 and lease_owner = $2 \
             and status = 'processing'",
            vec![(&lease.job).into(), (&lease.owner).into(), until.into()],
        ))
    }

    /// Gives a job back, so that it is taken up at once by the next worker.
    pub fn release_job(&mut self, lease: &Lease) -> &mut Self {
        self.push(any(
            "update jobs set lease_until = 0 where id = $1 and lease_owner = $2",
            vec![(&lease.job).into(), (&lease.owner).into()],
        ))
    }

    /// Ends a job. Fails when it was taken over or ended before.
    pub fn end_job(
        &mut self,
        lease: &Lease,
        status: JobStatus,
        details: Option<&str>,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "update jobs set status = $3, status_details = $4, ended_at = $5, lease_until = 0 \
             where id = $1 and lease_owner = $2 and status = 'processing'",
            vec![
                (&lease.job).into(),
                (&lease.owner).into(),
                status.as_str().into(),
                details.into(),
                now.into(),
            ],
        ))
    }

    /// Forgets a job with its errors. The row goes first: it is the lock that batches wait for.
    pub fn delete_job(&mut self, id: &JobId) -> &mut Self {
        self.push(any("delete from jobs where id = $1", vec![id.into()]));
        self.push(any(
            "delete from job_errors where job_id = $1",
            vec![id.into()],
        ));
        self.push(any(
            "delete from spool_chunks where job_id = $1",
            vec![id.into()],
        ))
    }
}
