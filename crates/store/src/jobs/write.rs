//! Changes of jobs: accepted, held, carried on, ended, forgotten.

use domain::import_job::{Counters, ImportJob, JobStatus};
use domain::{ConnectionId, Instant, JobId};

use super::{Lease, Progress};
use crate::Write;
use crate::db::{Stmt, any, one};

/// `total` is the batch's optimistic version: one that was committed, though its caller never heard
/// of it, can't be counted twice.
const ADVANCE: &str = "update jobs set read_offset = $3, total = $4, inserted = $5, \
    updated = $6, failed = $7, lease_until = $8, consumed = $10, advanced_at = $11 where id = $1 and lease_owner = $2 \
    and status = 'processing' and total = $9";

pub(crate) fn advance(
    lease: &Lease,
    before: Counters,
    progress: &Progress,
    lease_until: Instant,
    now: Instant,
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
            progress.consumed.into(),
            now.into(),
        ],
    )
}

impl Write {
    /// Writes a new job; its spooled bytes must be there.
    pub fn insert_job(&mut self, job: &ImportJob) -> &mut Self {
        let key = job.idempotency.as_ref();
        self.push(one(
            "insert into jobs (id, type, status, connection_id, external_id, upsert, \
             send_completion_email, options, size, read_offset, total, inserted, updated, failed, \
             lease_until, created_at, idempotency_key, file_digest) \
             values ($1, 'users_import', 'pending', $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0, $8, \
             $9, $10)",
            vec![
                (&job.id).into(),
                (&job.connection).into(),
                job.external_id.clone().into(),
                job.upsert.into(),
                job.send_completion_email.into(),
                crate::write::stored(&job.options).into(),
                job.size.into(),
                job.created_at.into(),
                key.map(|found| found.key.clone()).into(),
                key.map(|found| found.digest.clone()).into(),
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
        ));
        self.forget_marks(&lease.job)
    }

    /// Forgets a job with its errors. The row goes first: it is the lock that batches wait for.
    pub fn delete_job(&mut self, id: &JobId) -> &mut Self {
        self.push(any("delete from jobs where id = $1", vec![id.into()]));
        self.forget_errors(id).forget_merges(id).forget_marks(id);
        self.push(any(
            "delete from spool_chunks where job_id = $1",
            vec![id.into()],
        ))
    }
}
