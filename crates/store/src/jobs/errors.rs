//! Row errors of jobs: what the report lists, the original rows under seal, and how many there are
//! of each code.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::page::Page;
use domain::{Instant, JobId, RowError};
use zeroize::Zeroizing;

use crate::db::{Row, Stmt, Value, any, one};
use crate::error::{Result, StoreError};
use crate::seal::Seal;
use crate::{Store, Write};

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
    /// The row as it was sent, to be kept under seal; a read of the report leaves it out.
    pub raw: Option<Bytes>,
}

/// A failed row as it was sent.
#[derive(Debug)]
pub struct SealedRow {
    /// Number of the row in the file, from 1.
    pub row: i64,
    /// Its text; `None` when it was too large to be held, or is kept no longer.
    pub raw: Option<Zeroizing<Vec<u8>>>,
}

/// Where the original of a failed row is sealed to.
const PLACE: &str = "job_errors.sealed";

impl Store {
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

    /// Failed rows of a job as they were sent, in file order, those after a row's number.
    pub async fn list_sealed_rows_after(
        &self,
        id: &JobId,
        row: i64,
        limit: u32,
    ) -> Result<Vec<SealedRow>> {
        let sql = "select row_number, sealed from job_errors \
                   where job_id = $1 and row_number > $2 order by row_number limit $3";
        let params = vec![id.into(), row.into(), i64::from(limit).into()];
        let rows = self.db.query(sql, params).await?;
        rows.into_iter()
            .map(|mut row| {
                let number = row.int("row_number")?;
                let sealed = row.bytes_or_null("sealed")?;
                let open = |sealed: Vec<u8>| self.seal.open(PLACE, &place(id, number), &sealed);
                Ok(SealedRow {
                    row: number,
                    raw: sealed.map(open).transpose()?,
                })
            })
            .collect()
    }

    /// How many errors a job's rows have of each code.
    pub async fn count_errors_by_code(&self, id: &JobId) -> Result<BTreeMap<String, i64>> {
        let sql = "select code, errors from job_error_codes where job_id = $1";
        let rows = self.db.query(sql, vec![id.into()]).await?;
        rows.into_iter()
            .map(|mut row| Ok((row.text("code")?, row.int("errors")?)))
            .collect()
    }
}

impl Store {
    /// Jobs that ended before a moment and still keep their report.
    pub async fn list_jobs_with_errors(&self, ended_before: Instant) -> Result<Vec<JobId>> {
        let sql = "select id from jobs where ended_at < $1 and keeps_errors limit 1000";
        self.list_job_ids(sql, ended_before).await
    }

    /// Jobs that ended before a moment and still keep their failed rows as they were sent.
    pub async fn list_jobs_with_originals(&self, ended_before: Instant) -> Result<Vec<JobId>> {
        let sql = "select id from jobs where ended_at < $1 and keeps_originals limit 1000";
        self.list_job_ids(sql, ended_before).await
    }

    async fn list_job_ids(&self, sql: &'static str, moment: Instant) -> Result<Vec<JobId>> {
        let rows = self.db.query(sql, vec![moment.into()]).await?;
        rows.into_iter()
            .map(|mut row| Ok(row.text("id")?.into()))
            .collect()
    }
}

impl Write {
    /// Forgets a job's report; its counters stay.
    pub fn forget_row_errors(&mut self, job: &JobId) -> &mut Self {
        self.push(any(
            "update jobs set keeps_errors = false, keeps_originals = false where id = $1",
            vec![job.into()],
        ));
        self.push(any(
            "delete from job_errors where job_id = $1",
            vec![job.into()],
        ))
    }

    /// Forgets a job's failed rows as they were sent; the report stays.
    pub fn forget_sealed_rows(&mut self, job: &JobId) -> &mut Self {
        self.push(any(
            "update jobs set keeps_originals = false where id = $1",
            vec![job.into()],
        ));
        self.push(any(
            "update job_errors set sealed = null where job_id = $1",
            vec![job.into()],
        ))
    }
}

/// One place for each row, so that no sealed text opens in another's stead.
fn place(job: &JobId, row: i64) -> String {
    format!("{job}/{row}")
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
        raw: None,
    })
}

pub(crate) fn insert_row_error(job: &JobId, error: &StoredRowError, seal: &Seal) -> Result<Stmt> {
    let triples: Vec<_> = error
        .errors
        .iter()
        .map(|e| (e.code.as_str(), e.path.as_str(), e.message.as_str()))
        .collect();
    let sealed = match &error.raw {
        Some(raw) => {
            let place = format!("{PLACE}/{}", place(job, error.row));
            Value::from(seal.seal(&place, raw)?)
        }
        None => Value::Null,
    };
    Ok(one(
        "insert into job_errors (job_id, row_number, row_offset, row_json, errors, sealed) \
         values ($1, $2, $3, $4, $5, $6)",
        vec![
            job.into(),
            error.row.into(),
            error.offset.into(),
            (&error.record).into(),
            crate::write::texts(&triples).into(),
            sealed,
        ],
    ))
}

/// Adds a batch's errors to the job's counters, one statement a code.
pub(crate) fn count_row_errors<'a>(
    job: &JobId,
    refused: impl Iterator<Item = &'a StoredRowError>,
) -> Vec<Stmt> {
    let mut counts = BTreeMap::<&str, i64>::new();
    for error in refused.flat_map(|row| &row.errors) {
        *counts.entry(error.code.as_str()).or_default() += 1;
    }
    let count = |(code, count): (&str, i64)| {
        one(
            "insert into job_error_codes (job_id, code, errors) values ($1, $2, $3) \
             on conflict (job_id, code) do update set errors = job_error_codes.errors + $3",
            vec![job.into(), code.into(), count.into()],
        )
    };
    counts.into_iter().map(count).collect()
}
