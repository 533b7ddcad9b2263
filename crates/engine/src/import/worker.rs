//! Workers: each takes one job at a time, keeps its lease alive, and ends it. What a dead process
//! held is taken up when its lease runs out.

use std::sync::Arc;
use std::time::Duration;

use domain::{ImportJob, JobId, entropy};
use store::{Lease, StoreError};
use tokio_util::sync::CancellationToken;

use super::run::Outcome;
use super::spool;
use crate::Engine;

/// Jobs of different connections that run at the same time in one process.
const WORKERS: usize = 2;

/// How long a job of another process, or a lease that ran out, may go unnoticed.
const POLL: Duration = Duration::from_secs(2);

/// Users that change what a database should know of its tables.
const MANY: i64 = 1000;

/// The wait before the first new attempt; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Engine {
    /// Works on import jobs until told to stop; then the current batch is finished and the jobs
    /// are given back.
    pub async fn run_import_jobs(self: Arc<Self>, stop: CancellationToken) {
        if let Err(error) = self.sweep_spool_files().await {
            tracing::warn!(%error, "left-over uploads are kept until the next start");
        }
        let workers = (0..WORKERS).map(|_| Arc::clone(&self).work(stop.clone()));
        futures_util::future::join_all(workers).await;
    }

    async fn work(self: Arc<Self>, stop: CancellationToken) {
        let owner = entropy::alphanumeric(&*self.entropy, 16);
        let mut wait = FIRST_WAIT;
        while !stop.is_cancelled() {
            let lease = self.settings.import.lease;
            match self.store.claim_job(&owner, self.now(), lease).await {
                Ok(Some(job)) => {
                    wait = FIRST_WAIT;
                    self.run_job(job, &owner, &stop).await;
                }
                Ok(None) => {
                    wait = FIRST_WAIT;
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = self.import_wake.notified() => {}
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "import jobs can't be looked for");
                    pause(&mut wait, &stop).await;
                }
            }
        }
    }

    /// One job until it is done, lost, or the process stops.
    async fn run_job(&self, mut job: ImportJob, owner: &str, stop: &CancellationToken) {
        let lease = Lease {
            job: job.id.clone(),
            owner: owner.to_owned(),
        };
        let mut wait = FIRST_WAIT;
        loop {
            let before = job.offset;
            let outcome = tokio::select! {
                biased;
                outcome = self.attempt_job(&mut job, &lease, stop) => outcome,
                () = self.keep_lease(&lease) => Outcome::Lost,
            };
            if job.offset > before {
                wait = FIRST_WAIT;
            }
            match outcome {
                Outcome::Done(..) => return self.remove_upload(&lease.job).await,
                Outcome::Stopped => return self.release(&lease).await,
                Outcome::Lost => return self.leave(&lease).await,
                Outcome::Retry(detail) => {
                    tracing::warn!(job = %job.id, detail, "an import job waits");
                    pause(&mut wait, stop).await;
                }
            }
            if stop.is_cancelled() {
                return self.release(&lease).await;
            }
            // What the interrupted attempt committed is known to the store alone.
            match self.store.find_job(&job.id).await {
                Ok(Some(stored)) if !stored.status.is_final() => job = stored,
                Ok(_) => return self.leave(&lease).await,
                Err(error) => tracing::warn!(job = %job.id, %error, "where it stands is unknown"),
            }
        }
    }

    async fn attempt_job(
        &self,
        job: &mut ImportJob,
        lease: &Lease,
        stop: &CancellationToken,
    ) -> Outcome {
        let outcome = self.attempt_import(job, lease, stop).await;
        let Outcome::Done(status, details) = &outcome else {
            return outcome;
        };
        let ended = self.finish_import(job, lease, *status, details.as_deref());
        match ended.await {
            Ok(()) => {
                self.note_new_users(job).await;
                outcome
            }
            Err(StoreError::Stale { .. }) => Outcome::Lost,
            Err(error) => Outcome::Retry(error.to_string()),
        }
    }

    async fn note_new_users(&self, job: &ImportJob) {
        if job.counters.inserted < MANY || job.options.dry_run {
            return;
        }
        if let Err(error) = self.store.note_many_users().await {
            tracing::warn!(%error, "the database finds out about its new users by itself");
        }
    }

    /// Renews the lease in time; returns when it is lost.
    async fn keep_lease(&self, lease: &Lease) {
        let length = self.settings.import.lease;
        loop {
            tokio::time::sleep(length / 3).await;
            let mut write = self.store.write();
            write.renew_lease(lease, self.now().plus(length));
            match self.store.commit(write).await {
                Err(StoreError::Stale { .. }) => return,
                Err(error) => tracing::warn!(job = %lease.job, %error, "a lease is not renewed"),
                Ok(()) => {}
            }
        }
    }

    async fn release(&self, lease: &Lease) {
        let mut write = self.store.write();
        write.release_job(lease);
        if let Err(error) = self.store.commit(write).await {
            tracing::warn!(job = %lease.job, %error, "a job is free only when its lease runs out");
        }
    }

    /// Leaves a job that is no longer ours: it was taken over, or it ended with its connection. In
    /// case a commit only seemed to fail, and the job still is ours, it is given back.
    async fn leave(&self, lease: &Lease) {
        tracing::info!(job = %lease.job, "an import job is left");
        match self.store.find_job(&lease.job).await {
            Ok(Some(job)) if !job.status.is_final() => self.release(lease).await,
            Ok(_) => self.remove_upload(&lease.job).await,
            Err(error) => tracing::warn!(job = %lease.job, %error, "an upload stays for the sweep"),
        }
    }

    /// Removes what an ended job no longer needs; what fails here is left to the sweep.
    pub(super) async fn remove_upload(&self, job: &JobId) {
        let removed = if self.store.spools_to_files() {
            let path = spool::path_of(&self.settings.data_dir, job);
            let removed = tokio::fs::remove_file(&path).await;
            let is_gone = |e: &std::io::Error| e.kind() == std::io::ErrorKind::NotFound;
            match removed {
                Err(error) if !is_gone(&error) => Err(error.to_string()),
                _ => Ok(()),
            }
        } else {
            let mut write = self.store.write();
            write.delete_chunks(job);
            let removed = self.store.commit(write).await;
            removed.map_err(|error| error.to_string())
        };
        if let Err(error) = removed {
            tracing::warn!(%job, error, "an upload stays for the sweep");
        }
    }
}

/// Waits, longer each time, unless the process stops.
async fn pause(wait: &mut Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(*wait) => {}
    }
    *wait = (*wait * 2).min(LONGEST_WAIT);
}
