//! The spool in PostgreSQL: an upload as numbered chunks, so that any node can read it.
//!
//! Beside SQLite the spool is a synced file; `engine` keeps that one. What is known of an upload
//! that comes in several requests stands in a table, on both databases.

use domain::{Instant, JobId};

use crate::db::{any, one};
use crate::error::Result;
use crate::{Store, Write, first};

/// An upload that comes in several requests. Its id becomes the job's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: JobId,
    /// Bytes that it will have, when its sender said so.
    pub size: Option<i64>,
    /// Bytes that are kept durably.
    pub received: i64,
    /// When it was begun.
    pub created_at: Instant,
}

impl Store {
    /// An upload that is not a job yet.
    pub async fn find_upload(&self, id: &JobId) -> Result<Option<Upload>> {
        let sql = "select id, size, received, created_at from uploads where id = $1";
        let row = first(self.db.query(sql, vec![id.into()]).await?);
        row.map(|mut row| {
            Ok(Upload {
                id: row.text("id")?.into(),
                size: row.int_or_null("size")?,
                received: row.int("received")?,
                created_at: row.time("created_at")?,
            })
        })
        .transpose()
    }

    /// Uploads that nobody went on with since a moment.
    pub async fn list_uploads_left_before(&self, moment: Instant) -> Result<Vec<JobId>> {
        let sql = "select id from uploads where touched_at < $1 order by touched_at limit 1000";
        let rows = self.db.query(sql, vec![moment.into()]).await?;
        rows.into_iter()
            .map(|mut row| Ok(row.text("id")?.into()))
            .collect()
    }

    /// Writes one chunk. It lies on the disk no later than whatever is committed after the answer, such
    /// as the job that it is for; by itself nobody is promised anything about it.
    pub async fn put_chunk(
        &self,
        job: &JobId,
        position: i64,
        bytes: Vec<u8>,
        now: Instant,
    ) -> Result<()> {
        let insert = one(
            "insert into spool_chunks (job_id, position, bytes, created_at) values ($1, $2, $3, $4)",
            vec![job.into(), position.into(), bytes.into(), now.into()],
        );
        let mut statements = vec![insert];
        if !self.spools_to_files() {
            let unsynced = "set local synchronous_commit = off";
            statements.insert(0, any(unsynced, Vec::new()));
        }
        self.db.batch(statements).await.map(drop)
    }

    /// One chunk; `None` past the last.
    pub async fn find_chunk(&self, job: &JobId, position: i64) -> Result<Option<Vec<u8>>> {
        let sql = "select bytes from spool_chunks where job_id = $1 and position = $2";
        let row = first(
            self.db
                .query(sql, vec![job.into(), position.into()])
                .await?,
        );
        row.map(|mut row| row.bytes("bytes")).transpose()
    }
}

impl Write {
    /// Begins an upload.
    pub fn insert_upload(&mut self, upload: &Upload) -> &mut Self {
        self.push(one(
            "insert into uploads (id, size, received, created_at, touched_at) \
             values ($1, $2, $3, $4, $4)",
            vec![
                (&upload.id).into(),
                upload.size.into(),
                upload.received.into(),
                upload.created_at.into(),
            ],
        ))
    }

    /// Notes that an upload has grown. Fails when another request made it grow meanwhile.
    pub fn advance_upload(&mut self, id: &JobId, from: i64, to: i64, now: Instant) -> &mut Self {
        self.push(one(
            "update uploads set received = $3, touched_at = $4 where id = $1 and received = $2",
            vec![id.into(), from.into(), to.into(), now.into()],
        ))
    }

    /// Writes a chunk of an upload, or writes it again when it was not whole.
    pub fn put_chunk(
        &mut self,
        id: &JobId,
        position: i64,
        bytes: Vec<u8>,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "insert into spool_chunks (job_id, position, bytes, created_at) \
             values ($1, $2, $3, $4) on conflict (job_id, position) do update set bytes = $3",
            vec![id.into(), position.into(), bytes.into(), now.into()],
        ))
    }

    /// An upload is one no longer: it became a job, or is forgotten. Fails when it was none.
    pub fn end_upload(&mut self, id: &JobId) -> &mut Self {
        self.push(one("delete from uploads where id = $1", vec![id.into()]))
    }

    /// Forgets an upload.
    pub fn delete_chunks(&mut self, job: &JobId) -> &mut Self {
        self.push(any(
            "delete from spool_chunks where job_id = $1",
            vec![job.into()],
        ))
    }

    /// Forgets uploads that never became a job, for a node died while it received them, and those
    /// of jobs that ended without a worker.
    pub fn delete_orphan_chunks(&mut self, before: Instant) -> &mut Self {
        self.push(any(
            "delete from spool_chunks where created_at < $1 \
             and job_id not in (select id from jobs where status in ('pending', 'processing', 'paused')) \
             and job_id not in (select id from uploads)",
            vec![before.into()],
        ))
    }
}
