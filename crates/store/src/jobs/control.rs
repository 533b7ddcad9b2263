//! What a caller does to a job under way. A worker that holds it notices at its next batch, whose
//! write asks that the job is still its own: a batch is committed before the pause, or not at all.

use domain::{Instant, JobId};

use crate::Write;
use crate::db::one;

impl Write {
    /// Puts a job aside where it stands. Fails when it has ended or is put aside already.
    pub fn pause_job(&mut self, id: &JobId) -> &mut Self {
        self.push(one(
            "update jobs set status = 'paused', lease_owner = null, lease_until = 0 \
             where id = $1 and type = 'users_import' and status in ('pending', 'processing')",
            vec![id.into()],
        ))
    }

    /// Lets a job that was put aside go on. Fails when it was not.
    pub fn resume_job(&mut self, id: &JobId) -> &mut Self {
        self.push(one(
            "update jobs set status = 'pending', lease_owner = null, lease_until = 0 \
             where id = $1 and type = 'users_import' and status = 'paused'",
            vec![id.into()],
        ))
    }

    /// Gives a job up; what it wrote stays. Fails when it has ended.
    pub fn cancel_job(&mut self, id: &JobId, details: &str, now: Instant) -> &mut Self {
        self.push(one(
            "update jobs set status = 'cancelled', status_details = $2, ended_at = $3, \
             lease_owner = null, lease_until = 0 where id = $1 and type = 'users_import' \
             and status in ('pending', 'processing', 'paused')",
            vec![id.into(), details.into(), now.into()],
        ));
        self.forget_marks(id)
    }
}
