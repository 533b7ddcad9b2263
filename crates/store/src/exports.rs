//! Export jobs: their rows of state, the lease that one worker holds, and their bytes in PostgreSQL.
//!
//! An attempt has a name of its own, and its bytes lie under it: what a worker that lost its lease
//! still writes never gets between the bytes of the one that took over. The link's secret part is
//! sealed, since whoever may read the job is told it again.

use std::time::Duration;

use domain::import_job::JobStatus;
use domain::{ExportJob, Instant, JobId};
use zeroize::Zeroizing;

use crate::db::{Expect, Row, Stmt, any, one};
use crate::error::{Result, StoreError};
use crate::write::stored;
use crate::{Lease, Store, Write, first};

const COLUMNS: &str = "select j.id, j.connection_id, e.request, j.status, j.status_details, j.total, \
    j.inserted, e.attempt, j.size, e.expires_at, j.created_at, j.started_at \
    from jobs j join exports e on e.job_id = j.id";

/// Where the sealed part of a link lies.
const LINK: &str = "exports.link";

/// What another attempt left behind, or an export that is gone, belongs to nobody.
const ORPHANED: &str = "not exists (select 1 from exports e where e.job_id = export_chunks.job_id \
    and e.attempt = export_chunks.attempt)";

impl Store {
    /// An export job by id.
    pub async fn find_export(&self, id: &JobId) -> Result<Option<ExportJob>> {
        let sql = format!("{COLUMNS} where j.id = $1");
        let rows = self.db.query(sql, vec![id.into()]).await?;
        first(rows).map(export).transpose()
    }

    /// The secret part of the link to the file.
    pub async fn find_export_link(&self, id: &JobId) -> Result<Option<Zeroizing<String>>> {
        let sql = "select link from exports where job_id = $1";
        let Some(mut row) = first(self.db.query(sql, vec![id.into()]).await?) else {
            return Ok(None);
        };
        let sealed = row.bytes("link")?;
        self.seal.open_text(LINK, id.as_str(), &sealed).map(Some)
    }

    /// Takes the oldest export that nobody works on.
    pub async fn claim_export(
        &self,
        owner: &str,
        now: Instant,
        lease: Duration,
    ) -> Result<Option<ExportJob>> {
        let sql = format!(
            "update jobs set status = 'processing', lease_owner = $1, lease_until = $3, \
             started_at = coalesce(started_at, $2) where id = (select j.id from jobs j \
             where j.type = 'users_export' and j.status in ('pending', 'processing') \
             and j.lease_until <= $2 order by j.created_at, j.id limit 1{}) returning id",
            self.db.skip_locked()
        );
        let claim = Stmt {
            sql: sql.into(),
            params: vec![owner.into(), now.into(), now.plus(lease).into()],
            expect: Expect::AtMostOne,
        };
        let done = self.db.batch(vec![claim]).await?;
        let Some(mut row) = done.into_iter().flat_map(|done| done.rows).next() else {
            return Ok(None);
        };
        self.find_export(&row.text("id")?.into()).await
    }

    /// Writes one chunk of an attempt, durably.
    pub async fn put_export_chunk(
        &self,
        job: &JobId,
        attempt: &str,
        position: i64,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let insert = one(
            "insert into export_chunks (job_id, attempt, position, bytes) values ($1, $2, $3, $4)",
            vec![job.into(), attempt.into(), position.into(), bytes.into()],
        );
        self.db.batch(vec![insert]).await.map(drop)
    }

    /// One chunk; `None` past the last.
    pub async fn find_export_chunk(
        &self,
        job: &JobId,
        attempt: &str,
        position: i64,
    ) -> Result<Option<Vec<u8>>> {
        let sql = "select bytes from export_chunks \
                   where job_id = $1 and attempt = $2 and position = $3";
        let params = vec![job.into(), attempt.into(), position.into()];
        let row = first(self.db.query(sql, params).await?);
        row.map(|mut row| row.bytes("bytes")).transpose()
    }
}

fn export(mut row: Row) -> Result<ExportJob> {
    let id = row.text("id")?;
    let connection = row.text("connection_id")?;
    Ok(ExportJob {
        id: id.into(),
        connection: (!connection.is_empty()).then(|| connection.into()),
        request: row.json("request")?,
        status: {
            let word = row.text("status")?;
            JobStatus::parse(&word).ok_or(StoreError::Corrupt {
                column: "jobs.status",
                problem: word,
            })?
        },
        status_details: row.text_or_null("status_details")?,
        expected: row.int("total")?,
        written: row.int("inserted")?,
        attempt: row.text_or_null("attempt")?,
        size: row.int("size")?,
        expires_at: row.time_or_null("expires_at")?,
        created_at: row.time("created_at")?,
        started_at: row.time_or_null("started_at")?,
    })
}

impl Write {
    /// Writes a new export job; `link` is the secret part of the link to its file.
    pub fn insert_export(&mut self, job: &ExportJob, link: &str) -> Result<&mut Self> {
        let sealed = self.sealed(LINK, job.id.as_str(), link.as_bytes())?;
        let connection = job.connection.as_ref().map_or("", |id| id.as_str());
        self.push(one(
            "insert into jobs (id, type, status, connection_id, upsert, send_completion_email, \
             options, size, read_offset, total, inserted, updated, failed, lease_until, created_at) \
             values ($1, 'users_export', 'pending', $2, false, false, '{}', \
             0, 0, 0, 0, 0, 0, 0, $3)",
            vec![
                (&job.id).into(),
                connection.into(),
                job.created_at.into(),
            ],
        ));
        Ok(self.push(one(
            "insert into exports (job_id, request, link) values ($1, $2, $3)",
            vec![(&job.id).into(), stored(&job.request).into(), sealed.into()],
        )))
    }

    /// Begins an attempt; what earlier ones wrote belongs to nobody from now on. Fails when the job
    /// was taken over or ended.
    pub fn begin_export(&mut self, lease: &Lease, attempt: &str, expected: i64) -> &mut Self {
        self.push(one(
            "update jobs set total = $3, inserted = 0 where id = $1 and lease_owner = $2 \
             and status = 'processing'",
            vec![(&lease.job).into(), (&lease.owner).into(), expected.into()],
        ));
        self.push(one(
            "update exports set attempt = $2 where job_id = $1",
            vec![(&lease.job).into(), attempt.into()],
        ));
        self.push(any(
            "delete from export_chunks where job_id = $1 and attempt <> $2",
            vec![(&lease.job).into(), attempt.into()],
        ))
    }

    /// Notes how many users are written, and keeps the job for longer. Fails when it was taken over
    /// or ended.
    pub fn advance_export(&mut self, lease: &Lease, written: i64, until: Instant) -> &mut Self {
        self.push(one(
            "update jobs set inserted = $3, lease_until = $4 where id = $1 and lease_owner = $2 \
             and status = 'processing'",
            vec![
                (&lease.job).into(),
                (&lease.owner).into(),
                written.into(),
                until.into(),
            ],
        ))
    }

    /// The file of the attempt is whole. To be followed by [`end_job`](Self::end_job) in the same
    /// batch, which fails when the job was taken over.
    pub fn finish_export(
        &mut self,
        lease: &Lease,
        attempt: &str,
        written: i64,
        size: i64,
        expires_at: Instant,
    ) -> &mut Self {
        self.push(one(
            "update jobs set inserted = $3, size = $4 where id = $1 and lease_owner = $2 \
             and status = 'processing'",
            vec![
                (&lease.job).into(),
                (&lease.owner).into(),
                written.into(),
                size.into(),
            ],
        ));
        self.push(one(
            "update exports set expires_at = $3 where job_id = $1 and attempt = $2",
            vec![(&lease.job).into(), attempt.into(), expires_at.into()],
        ))
    }

    /// Forgets files whose time is over, those of jobs that failed, what other attempts left
    /// behind, and exports without a job.
    pub fn forget_exports(&mut self, now: Instant) -> &mut Self {
        self.push(any(
            "update exports set attempt = null where attempt is not null and (expires_at <= $1 \
             or job_id in (select id from jobs where status = 'failed'))",
            vec![now.into()],
        ));
        self.push(any(
            "delete from exports where job_id not in (select id from jobs)",
            vec![],
        ));
        self.push(Stmt {
            sql: format!("delete from export_chunks where {ORPHANED}").into(),
            params: vec![],
            expect: Expect::Any,
        })
    }
}
