//! The spool in PostgreSQL: an upload as numbered chunks, so that any node can read it.
//!
//! Beside SQLite the spool is a synced file; `engine` keeps that one.

use domain::{Instant, JobId};

use crate::db::{any, one};
use crate::error::Result;
use crate::{Store, Write, first};

impl Store {
    /// Writes one chunk, durably.
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
        self.db.batch(vec![insert]).await.map(drop)
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
