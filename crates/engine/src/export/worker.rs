//! One worker a process: it takes an export, keeps its lease alive while the file is written, and
//! ends it. What a dead process held is taken up when its lease runs out, from the start: the file
//! is one compressed, perhaps encrypted stream, and has no place in its middle to go on at.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::user::UserRow;
use domain::{ExportJob, JobStatus, entropy};
use store::{Lease, StoreError};
use tokio::sync::mpsc::{self, Sender};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::file::FileWriter;
use super::recipient::Recipient;
use super::rows::{self, RenderUser, RowWriter};
use super::stream::{self, Lines, Part};
use crate::Engine;

/// Users of a page: what is held in memory at a time.
const PAGE: u32 = 500;

/// Pages that may wait to be compressed.
const AHEAD: usize = 2;

/// How long a job of another process, or a lease that ran out, may go unnoticed.
const POLL: Duration = Duration::from_secs(2);

/// The longest pause between two notes of how far a job is.
const NOTE: Duration = Duration::from_secs(1);

/// Attempts of one process before a job fails, and the wait between them.
const ATTEMPTS: u32 = 5;
const WAIT: Duration = Duration::from_millis(500);

/// How an attempt came out.
enum Outcome {
    /// The file is whole.
    Done,
    /// A later attempt may do better.
    Retry(String),
    /// No attempt will do better.
    Failed(String),
    /// The process is told to stop.
    Stopped,
    /// Another worker has the job, or it ended with its connection.
    Lost,
}

impl From<StoreError> for Outcome {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(detail) => Self::Retry(detail),
            StoreError::Stale { .. } => Self::Lost,
            other => Self::Failed(other.to_string()),
        }
    }
}

/// What an attempt works with.
struct Attempt<'a> {
    job: &'a ExportJob,
    lease: &'a Lease,
    name: String,
    written: AtomicI64,
    /// Users whose hash nobody knows.
    unknown: AtomicI64,
    render: RenderUser,
}

impl Engine {
    /// Works on exports until told to stop; what is under way then begins anew elsewhere.
    pub async fn run_export_jobs(self: Arc<Self>, render: RenderUser, stop: CancellationToken) {
        let owner = entropy::alphanumeric(&*self.entropy, 16);
        while !stop.is_cancelled() {
            let lease = self.settings.import.lease;
            match self.store.claim_export(&owner, self.now(), lease).await {
                Ok(Some(job)) => {
                    let lease = Lease {
                        job: job.id.clone(),
                        owner: owner.clone(),
                    };
                    self.run_export(&job, &lease, render, &stop).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "exports can't be looked for"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.export_wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    async fn run_export(
        &self,
        job: &ExportJob,
        lease: &Lease,
        render: RenderUser,
        stop: &CancellationToken,
    ) {
        for _ in 0..ATTEMPTS {
            let attempt = Attempt {
                job,
                lease,
                name: entropy::alphanumeric(&*self.entropy, 12),
                written: AtomicI64::new(0),
                unknown: AtomicI64::new(0),
                render,
            };
            let outcome = tokio::select! {
                biased;
                () = stop.cancelled() => Outcome::Stopped,
                outcome = self.attempt_export(&attempt) => outcome,
                () = self.note_export(&attempt) => Outcome::Lost,
            };
            match outcome {
                Outcome::Done => return,
                Outcome::Lost => return tracing::info!(job = %job.id, "an export is left"),
                Outcome::Stopped => return self.release_export(lease).await,
                Outcome::Failed(detail) => {
                    tracing::error!(job = %job.id, detail, "an export can't go on");
                    break;
                }
                Outcome::Retry(detail) => {
                    tracing::warn!(job = %job.id, detail, "an export begins anew");
                    tokio::time::sleep(WAIT).await;
                }
            }
        }
        let details = "The file could not be written. The server's log says why.";
        let mut write = self.store.write();
        write.end_job(lease, JobStatus::Failed, Some(details), self.now());
        if let Err(error) = self.store.commit(write).await {
            tracing::warn!(job = %job.id, %error, "an export is tried again later");
        }
    }

    async fn attempt_export(&self, attempt: &Attempt<'_>) -> Outcome {
        match self.write_export(attempt).await {
            Ok(()) => Outcome::Done,
            Err(outcome) => outcome,
        }
    }

    async fn write_export(&self, attempt: &Attempt<'_>) -> Result<(), Outcome> {
        let Attempt { job, lease, .. } = attempt;
        let recipient = match &job.request.recipient {
            None => None,
            Some(text) => Some(Recipient::parse(text, job.created_at).map_err(Outcome::Failed)?),
        };
        let count = self.store.count_users(job.connection.as_ref()).await?;
        let expected = job.request.limit.map_or(count, |limit| limit.min(count));
        let mut write = self.store.write();
        write.begin_export(lease, &attempt.name, expected);
        self.store.commit(write).await?;

        let (sender, parts) = mpsc::channel(AHEAD);
        let out = FileWriter::open(self, &job.id, &attempt.name);
        let mut out = out.map_err(|error| Outcome::Retry(error.to_string()))?;
        let entropy = Arc::clone(&self.entropy);
        let writing = tokio::task::spawn_blocking(move || {
            stream::write_file(Lines::new(parts), recipient.as_ref(), &mut out, &*entropy)?;
            out.finish()
        });
        let read = self.send_users(attempt, &sender).await;
        drop(sender);
        let written = writing.await;
        read?;
        let size = match written {
            Ok(Ok(size)) => size,
            Ok(Err(error)) => return Err(Outcome::Retry(error.to_string())),
            Err(error) => return Err(Outcome::Failed(error.to_string())),
        };
        self.finish_export(attempt, size).await
    }

    /// The reading half: page by page, and at last the end.
    async fn send_users(
        &self,
        attempt: &Attempt<'_>,
        sender: &Sender<Part>,
    ) -> Result<(), Outcome> {
        let request = &attempt.job.request;
        let rows = RowWriter::new(request, attempt.render);
        let mut lines = Zeroizing::new(Vec::new());
        if request.recipient.is_none() {
            rows.put_head(&mut lines);
        }
        let mut left = request.limit.unwrap_or(i64::MAX);
        let mut after = UserRow(0);
        while left > 0 {
            let size = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
            let (count, last) = self
                .put_page(attempt, &rows, after, size, &mut lines)
                .await?;
            let Some(last) = last else { break };
            (after, left) = (last, left - count);
            attempt.written.fetch_add(count, Ordering::Relaxed);
            let page = std::mem::take(&mut lines);
            if sender.send(Part::Lines(page)).await.is_err() {
                // The writing half says itself why it ended.
                return Ok(());
            }
        }
        let _ = sender.send(Part::Lines(lines)).await;
        let _ = sender.send(Part::End).await;
        Ok(())
    }

    async fn put_page(
        &self,
        attempt: &Attempt<'_>,
        rows: &RowWriter,
        after: UserRow,
        size: u32,
        lines: &mut Vec<u8>,
    ) -> Result<(i64, Option<UserRow>), StoreError> {
        let job = attempt.job;
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        if let (Some(_), Some(connection)) = (&job.request.recipient, &job.connection) {
            let page = self
                .store
                .list_credentials_after(connection, after, size)
                .await?;
            for exported in &page {
                if !rows::put_credentials(exported, connection, lines) {
                    attempt.unknown.fetch_add(1, Ordering::Relaxed);
                    let user = &exported.user.user_id;
                    tracing::error!(%user, "a stored hash is of no known kind: not exported");
                }
            }
            return Ok((count(page.len()), page.last().map(|last| last.user.row)));
        }
        let page = self
            .store
            .list_users_after(job.connection.as_ref(), after, size)
            .await?;
        for user in &page {
            rows.put_user(user, lines);
        }
        Ok((count(page.len()), page.last().map(|last| last.row)))
    }

    async fn finish_export(&self, attempt: &Attempt<'_>, size: u64) -> Result<(), Outcome> {
        let now = self.now();
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let written = attempt.written.load(Ordering::Relaxed);
        let unknown = attempt.unknown.load(Ordering::Relaxed);
        let details = (unknown > 0).then(|| format!("{unknown} password hashes were left out."));
        let until = now.plus(self.settings.export_lifetime);
        let mut write = self.store.write();
        write
            .finish_export(attempt.lease, &attempt.name, written, size, until)
            .end_job(attempt.lease, JobStatus::Completed, details.as_deref(), now);
        Ok(self.store.commit(write).await?)
    }

    /// Keeps the lease and notes how far the job is; returns when the lease is lost.
    async fn note_export(&self, attempt: &Attempt<'_>) {
        let length = self.settings.import.lease;
        loop {
            tokio::time::sleep((length / 3).min(NOTE)).await;
            let written = attempt.written.load(Ordering::Relaxed);
            let mut write = self.store.write();
            write.advance_export(attempt.lease, written, self.now().plus(length));
            match self.store.commit(write).await {
                Err(StoreError::Stale { .. }) => return,
                Err(error) => tracing::warn!(%error, "a lease is not renewed"),
                Ok(()) => {}
            }
        }
    }

    async fn release_export(&self, lease: &Lease) {
        let mut write = self.store.write();
        write.release_job(lease);
        if let Err(error) = self.store.commit(write).await {
            tracing::warn!(job = %lease.job, %error, "a job is free only when its lease runs out");
        }
    }
}
