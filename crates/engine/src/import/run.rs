//! The writing half of a job: batches in file order, each committed with the job's offset and
//! counters, so that whatever interrupts it, the next attempt goes on after the last whole batch.

use std::ops::Range;
use std::sync::Arc;

use domain::{Counters, ImportJob, JobStatus, RowError, RowErrorCode as Code};
use store::import::{ImportBatch, Rehearsal};
use store::{Lease, StoreError, StoredRowError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::mask;
use super::parse::{self, BatchLimits, Begin, Message, Parsed};
use super::row::RowReader;
use super::spool::SpoolReader;
use super::user_schema::RowLimits;
use super::window::{Fault, Problem, SourceError};
use crate::Engine;
use crate::recipes::{self, HashingThere};

/// How much the reading thread gives way (`setpriority`): a tenth of a core where others want it.
const NICENESS: i32 = 10;

/// User numbers fetched at a time.
const ROW_BLOCK: i64 = 100_000;

/// User numbers of rehearsals.
const REHEARSED: Range<i64> = 1 << 62..i64::MAX;

/// The documented text for a file that can't be read as JSON.
const NOT_JSON: &str =
    "Failed to parse users file JSON when importing users. Make sure it is valid JSON.";

/// How an attempt at a job came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All is read and written: the job may be ended with this status and its reason.
    Done(JobStatus, Option<String>),
    /// Something did not answer; a later attempt goes on.
    Retry(String),
    /// The process is told to stop.
    Stopped,
    /// The job is no longer ours: another worker has it, or its connection is gone.
    Lost,
}

impl From<StoreError> for Outcome {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(detail) => Self::Retry(detail),
            StoreError::Stale { .. } => Self::Lost,
            other => {
                tracing::error!(error = %other, "an import job can't go on");
                let details = "The job could not be written. The server's log says why.";
                Self::Done(JobStatus::Failed, Some(details.into()))
            }
        }
    }
}

impl Engine {
    /// Reads and writes from where the job stands. `job` follows what is committed.
    pub(super) async fn attempt_import(
        &self,
        job: &mut ImportJob,
        lease: &Lease,
        stop: &CancellationToken,
    ) -> Outcome {
        let stage = match self.set_stage(job, lease, stop).await {
            Ok(stage) => stage,
            Err(outcome) => return outcome,
        };
        // As many batches wait between the halves as are written at a time; one more is being read.
        // Each is a few MiB, and the import is to leave most of the machine's memory to others.
        let width = self.store.import_width();
        let (sender, mut messages) = mpsc::channel(width);
        let hashing = match self.hashing_of_job(job).await {
            Ok(hashing) => hashing,
            Err(outcome) => return outcome,
        };
        if let Err(error) = self.start_parsing(job, hashing, sender) {
            return Outcome::Retry(error.to_string());
        }
        // The numbers of a rehearsal are nobody's: no real one comes so far.
        let mut numbers = if stage.is_some() { REHEARSED } else { 0..0 };
        let mut next = None;
        loop {
            let message = tokio::select! {
                biased;
                () = stop.cancelled() => return Outcome::Stopped,
                message = async {
                    match next.take() {
                        Some(message) => Some(message),
                        None => messages.recv().await,
                    }
                } => message,
            };
            match message {
                Some(Message::Batch(parsed)) => {
                    let mut pending = vec![parsed];
                    while pending.len() < width && next.is_none() {
                        match messages.try_recv() {
                            Ok(Message::Batch(parsed)) => pending.push(parsed),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    let stage = stage.as_ref();
                    let written = self.write_parsed(job, (lease, stage), pending, &mut numbers);
                    if let Err(error) = written.await {
                        return error.into();
                    }
                }
                Some(Message::End) => return Outcome::Done(JobStatus::Completed, None),
                Some(Message::Broken(problem)) => return broken(problem),
                None => {
                    let details = "The file could not be read. The server's log says why.";
                    return Outcome::Done(JobStatus::Failed, Some(details.into()));
                }
            }
        }
    }

    /// The stage of a rehearsal; none for a job that is meant. A rehearsal begins at the beginning,
    /// for what an interrupted one wrote is gone.
    async fn set_stage(
        &self,
        job: &mut ImportJob,
        lease: &Lease,
        stop: &CancellationToken,
    ) -> Result<Option<Rehearsal>, Outcome> {
        if !job.options.dry_run {
            return Ok(None);
        }
        let mut write = self.store.write();
        write.restart_job(lease);
        self.store.commit(write).await?;
        (job.offset, job.consumed, job.counters) = (0, 0, Counters::default());
        let stage = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Outcome::Stopped),
            stage = self.store.rehearse() => stage,
        };
        Ok(Some(stage?))
    }

    /// How the job's connection says that its users were hashed.
    async fn hashing_of_job(&self, job: &ImportJob) -> Result<HashingThere, Outcome> {
        let found = self.store.find_connection(&job.connection).await?;
        let connection = found.ok_or(Outcome::Lost)?;
        recipes::hashing_there(&connection, &self.settings.hash_limits)
            .map_err(|error| Outcome::Done(JobStatus::Failed, Some(error.detail())))
    }

    /// Starts the thread that reads. It gives way to everything else: whoever logs in meanwhile
    /// needs the processors at once, and the import only by and by.
    fn start_parsing(
        &self,
        job: &ImportJob,
        hashing: HashingThere,
        sender: mpsc::Sender<Message>,
    ) -> std::io::Result<()> {
        let source = SpoolReader::new(self, &job.id, job.size);
        let settings = &self.settings.import;
        let limits = BatchLimits {
            rows: settings.batch_rows.max(1),
            row_bytes: settings.max_row_bytes,
            unpacked_bytes: settings.largest_unpacked(),
        };
        let row_limits = RowLimits {
            metadata: settings.max_metadata_bytes,
            hash: self.settings.hash_limits.clone(),
            hashing,
        };
        let reader = RowReader::new(row_limits, Arc::clone(&self.entropy));
        let begin = Begin {
            options: job.options.clone(),
            offset: job.offset,
            rows: job.counters.total,
        };
        let read = move || {
            // On Linux the calling thread's, and no other's.
            if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
                tracing::debug!(%error, "an import reads at the priority of everything else");
            }
            parse::parse(source, &begin, limits, reader, &sender);
        };
        let thread = std::thread::Builder::new().name("import-reader".into());
        thread.spawn(read).map(drop)
    }

    async fn write_parsed(
        &self,
        job: &mut ImportJob,
        (lease, stage): (&Lease, Option<&Rehearsal>),
        mut pending: Vec<Parsed>,
        numbers: &mut Range<i64>,
    ) -> Result<(), StoreError> {
        for row in pending.iter_mut().flat_map(|parsed| &mut parsed.rows) {
            if numbers.is_empty() {
                *numbers = self.store.reserve_user_rows(ROW_BLOCK).await?;
            }
            row.user_row = numbers.start;
            numbers.start += 1;
        }
        // The last one is the next.
        pending.reverse();
        while let Some(parsed) = pending.pop() {
            let first = Arc::new(self.batch(job, lease, parsed, job.counters));
            let second = pending.pop().map(|parsed| {
                let counters = first.counters_when_new();
                Arc::new(self.batch(job, lease, parsed, counters))
            });
            let (written, beside) = match (stage, &second) {
                (Some(stage), _) => (stage.import(&first).await, Ok(None)),
                (None, Some(second)) => self.store.import_two(&first, second).await,
                (None, None) => (self.store.import(&first).await, Ok(None)),
            };
            match written {
                Ok(counters) => follow(job, &first, counters),
                // One row's fault or ours: halves tell which.
                Err(error @ (StoreError::Statement(_) | StoreError::Conflict(_))) => {
                    pending.extend(second.map(take_apart).transpose()?);
                    let halves = split(take_apart(first)?, &error).ok_or(error)?;
                    pending.extend(halves.into_iter().rev());
                    continue;
                }
                Err(error) => return Err(error),
            }
            match (beside?, second) {
                (Some(counters), Some(second)) => follow(job, &second, counters),
                (_, second) => pending.extend(second.map(take_apart).transpose()?),
            }
        }
        Ok(())
    }

    fn batch(
        &self,
        job: &ImportJob,
        lease: &Lease,
        parsed: Parsed,
        counters: Counters,
    ) -> ImportBatch {
        let now = self.now();
        ImportBatch {
            lease: lease.clone(),
            lease_until: now.plus(self.settings.import.lease),
            connection: job.connection.clone(),
            policy: job.policy(),
            rows: parsed.rows,
            refused: parsed.refused,
            counters,
            end_offset: parsed.end,
            consumed: parsed.consumed.min(job.size),
            now,
            mask: mask::mask,
        }
    }
}

/// The job stands behind a batch that is committed.
fn follow(job: &mut ImportJob, batch: &ImportBatch, counters: Counters) {
    (job.offset, job.consumed, job.counters) = (batch.end_offset, batch.consumed, counters);
}

/// The rows of a batch that was not written; the store holds on to none of it by then.
fn take_apart(batch: Arc<ImportBatch>) -> Result<Parsed, StoreError> {
    let batch = Arc::try_unwrap(batch).map_err(|_| {
        StoreError::Unavailable("a batch that was not written is still held".into())
    })?;
    Ok(Parsed {
        rows: batch.rows,
        refused: batch.refused,
        end: batch.end_offset,
        consumed: batch.consumed,
    })
}

/// Two halves in file order; a row that stands alone becomes an error. `None` when no row is at
/// fault.
fn split(mut parsed: Parsed, error: &StoreError) -> Option<Vec<Parsed>> {
    if parsed.rows.len() < 2 {
        let row = parsed.rows.pop()?;
        tracing::error!(row = row.number, %error, "a row of an import could not be written");
        parsed.refused.push(StoredRowError {
            row: row.number,
            offset: row.offset,
            record: mask::mask(&row.raw),
            errors: vec![RowError::new(
                Code::NotPassed,
                "",
                "The row could not be written. The server's log says why.",
            )],
            raw: Some(row.raw),
        });
        return Some(vec![parsed]);
    }
    let rows = parsed.rows.split_off(parsed.rows.len() / 2);
    // The first half ends with its last row: an offset is where an element ended.
    let last = parsed.rows.last()?;
    let (boundary, middle) = (last.number, last.end);
    let (before, after) = parsed
        .refused
        .into_iter()
        .partition(|refused| refused.row <= boundary);
    let first = Parsed {
        rows: parsed.rows,
        refused: before,
        end: middle,
        consumed: parsed.consumed,
    };
    let second = Parsed {
        rows,
        refused: after,
        end: parsed.end,
        consumed: parsed.consumed,
    };
    Some(vec![first, second])
}

fn broken(problem: Problem) -> Outcome {
    let details = match problem {
        Problem::Fault(Fault { offset, problem }) => {
            format!("{NOT_JSON} Byte {offset}: {problem}.")
        }
        Problem::Source(SourceError::Lost(detail)) => {
            tracing::error!(detail, "an upload is lost");
            "The uploaded file is lost. Please upload it again.".into()
        }
        Problem::Source(SourceError::Broken(details)) => details,
        Problem::Source(SourceError::Unavailable(detail)) => return Outcome::Retry(detail),
    };
    Outcome::Done(JobStatus::Failed, Some(details))
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::import::ImportRow;

    fn row(number: i64) -> ImportRow {
        ImportRow {
            number,
            offset: number * 10,
            end: number * 10 + 8,
            raw: bytes::Bytes::from_static(b"12345678"),
            ..ImportRow::default()
        }
    }

    fn refused(row: i64) -> StoredRowError {
        StoredRowError {
            row,
            offset: row * 10,
            record: String::new(),
            errors: Vec::new(),
            raw: None,
        }
    }

    /// Numbers of rows and refused rows, and the end, of all parts down to single rows.
    fn parts(parsed: Parsed, out: &mut Vec<(Vec<i64>, Vec<i64>, i64)>) {
        let is_single = parsed.rows.len() == 1;
        let halves = split(parsed, &StoreError::Statement("no".into())).unwrap();
        for half in halves {
            if half.rows.len() > 1 || !is_single && half.rows.len() == 1 {
                parts(half, out);
            } else {
                let rows = half.rows.iter().map(|row| row.number).collect();
                let errors = half.refused.iter().map(|error| error.row).collect();
                out.push((rows, errors, half.end));
            }
        }
    }

    #[test]
    fn halves_keep_the_order_and_end_where_elements_end() {
        let parsed = Parsed {
            rows: [1, 3, 4, 7].map(row).into(),
            refused: [2, 5, 6, 8].map(refused).into(),
            end: 88,
            consumed: 88,
        };
        let mut out = Vec::new();
        parts(parsed, &mut out);
        let expected = [
            (vec![], vec![1], 18),
            (vec![], vec![2, 3], 38),
            (vec![], vec![4], 48),
            (vec![], vec![5, 6, 8, 7], 88),
        ];
        assert_eq!(out, expected);
    }

    #[test]
    fn a_batch_without_rows_has_no_row_at_fault() {
        let parsed = Parsed {
            refused: vec![refused(1)],
            ..Parsed::default()
        };
        assert!(split(parsed, &StoreError::Statement("no".into())).is_none());
    }
}
