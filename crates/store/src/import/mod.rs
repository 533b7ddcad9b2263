//! The bulk path: one batch of validated rows, its row errors, its counters and its byte offset in
//! one transaction, so that a restart neither skips nor repeats a row.
//!
//! A batch crosses to the database once: prepared statements on SQLite; on PostgreSQL a COPY into
//! the tables, and where a key is taken a COPY to a staging table and
//! `insert … select … on conflict do nothing`. What becomes of rows that lost to
//! a stored record is decided by [`settle`], the same on both; PostgreSQL reads and writes their
//! users by the set (`postgres_upsert`), SQLite one by one (`held`, `one_by_one`). Two batches of new
//! users are copied at the same time on PostgreSQL (`beside`).

mod beside;
mod held;
mod legacy;
mod marks;
mod one_by_one;
mod optimistic;
mod postgres;
mod postgres_upsert;
mod rehearsal;
mod settle;
mod sqlite;
mod stored;

pub(crate) use optimistic::Tries;
use std::sync::Arc;

use domain::conflict::{Policy, Trail};
use domain::import_job::Counters;
use domain::user::UserRow;
use domain::{ConnectionId, HashText, Instant, JobId, MfaFactor};

use crate::Store;
use crate::db::{Db, Stmt, holds_nul, one, unstorable};
use crate::error::Result;
use crate::jobs::{Lease, Progress, StoredRowError, count_row_errors, insert_row_error};
use crate::merges::{StoredMerge, insert_merge};

use stored::Stored;

pub use rehearsal::Rehearsal;

/// One validated row. Keys are folded, JSON members are text as it stood in the file.
#[derive(Debug, Default)]
pub struct ImportRow {
    /// Number in the file, from 1.
    pub number: i64,
    /// Byte offset in the file.
    pub offset: i64,
    /// Offset after its last byte.
    pub end: i64,
    /// The record as it stood in the file, for the error report.
    pub raw: bytes::Bytes,
    /// A reserved user number.
    pub user_row: i64,
    /// Id in the provider, without prefix.
    pub foreign_id: String,
    /// Whether the row brought no id, and this one was made up.
    pub is_id_generated: bool,
    /// Lower-case address: the shown text and the key are one in our own store.
    pub email: String,
    /// Whether the address is proven; absent when the row does not say.
    pub email_verified: Option<bool>,
    /// Lower-case username.
    pub username: Option<String>,
    /// E.164.
    pub phone_number: Option<String>,
    /// Whether the number is proven.
    pub phone_verified: Option<bool>,
    /// Full name.
    pub name: Option<String>,
    /// Nickname.
    pub nickname: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Picture URL.
    pub picture: Option<String>,
    /// Whether the user is barred.
    pub blocked: Option<bool>,
    /// JSON text.
    pub user_metadata: Option<String>,
    /// JSON text.
    pub app_metadata: Option<String>,
    /// The hash in stored form.
    pub password: Option<HashText>,
    /// Whether it came as `custom_password_hash`: the documented upsert takes only such a hash.
    pub is_custom_hash: bool,
    /// Second factors.
    pub factors: Vec<MfaFactor>,
}

impl ImportRow {
    fn holds_nul(&self) -> bool {
        let optional = [
            &self.username,
            &self.phone_number,
            &self.name,
            &self.nickname,
            &self.given_name,
            &self.family_name,
            &self.picture,
            &self.user_metadata,
            &self.app_metadata,
        ];
        holds_nul(&self.foreign_id)
            || holds_nul(&self.email)
            || optional.into_iter().flatten().any(|text| holds_nul(text))
    }
}

/// Rows that become true together.
pub struct ImportBatch {
    /// The worker's hold on the job; the batch fails when it was lost.
    pub lease: Lease,
    /// Until when the batch renews it.
    pub lease_until: Instant,
    /// Where the users go.
    pub connection: ConnectionId,
    /// What decides when a row meets a stored user.
    pub policy: Policy,
    /// Validated rows in file order.
    pub rows: Vec<ImportRow>,
    /// Rows that validation refused.
    pub refused: Vec<StoredRowError>,
    /// Counters before this batch.
    pub counters: Counters,
    /// Offset of the first byte after this batch.
    pub end_offset: i64,
    /// Bytes of the file as it was sent that were read for it.
    pub consumed: i64,
    /// Creation time of the users.
    pub now: Instant,
    /// Renders a record for the error report, secrets masked.
    pub mask: fn(&[u8]) -> String,
}

impl Store {
    /// Writes a batch: all of it or, on any error, nothing. Returns the job's new counters.
    ///
    /// The batch is shared, not taken, so that the caller still has it after a failure.
    pub async fn import(&self, batch: &Arc<ImportBatch>) -> Result<Counters> {
        if batch.rows.iter().any(ImportRow::holds_nul) {
            return Err(unstorable());
        }
        let begun = std::time::Instant::now();
        let written = match &self.db {
            Db::Sqlite(db) => sqlite::import(db, &self.seal, batch).await,
            Db::Postgres(db) => postgres::import(db, &self.seal, batch).await,
        };
        self.db.traffic().give_way(begun).await;
        written
    }

    /// How many batches are written at the same time where all goes well.
    pub fn import_width(&self) -> usize {
        match &self.db {
            Db::Sqlite(_) => 1,
            Db::Postgres(_) => 2,
        }
    }

    /// Writes a batch as [`import`](Self::import) does, and the one after it at the same time, where
    /// the database can and the rows allow it: `None` when the second one is still to be written.
    ///
    /// The second one counts on what the first one's counters are when all its rows are new.
    pub async fn import_two(
        &self,
        first: &Arc<ImportBatch>,
        second: &Arc<ImportBatch>,
    ) -> (Result<Counters>, Result<Option<Counters>>) {
        let has_nul = |batch: &ImportBatch| batch.rows.iter().any(ImportRow::holds_nul);
        match &self.db {
            Db::Postgres(db) if !has_nul(first) && !has_nul(second) => {
                let begun = std::time::Instant::now();
                let written = beside::import(db, &self.seal, (first, second)).await;
                self.db.traffic().give_way(begun).await;
                written
            }
            _ => (self.import(first).await, Ok(None)),
        }
    }
}

impl Store {
    /// Tells the database's planner of many new users, before it finds out by itself. Until then
    /// PostgreSQL may answer a login by reading all users of a connection.
    pub async fn note_many_users(&self) -> Result<()> {
        match &self.db {
            Db::Sqlite(_) => Ok(()),
            Db::Postgres(db) => postgres::analyze(db).await,
        }
    }
}

/// What a batch came to.
#[derive(Default)]
struct Tally {
    inserted: i64,
    updated: i64,
    errors: Vec<StoredRowError>,
    merges: Vec<StoredMerge>,
}

impl Tally {
    /// Of rows that are all new users.
    fn of_new(rows: &[ImportRow]) -> Self {
        Self {
            inserted: rows.len() as i64,
            ..Self::default()
        }
    }

    /// Counts a row that was merged into a stored user, and keeps the record of it unless the
    /// policy is one of the documented two.
    fn note_update(&mut self, batch: &ImportBatch, row: &ImportRow, stored: &Stored, trail: Trail) {
        self.updated += 1;
        if !trail.is_empty() && batch.policy.preset().is_none() {
            self.merges.push(StoredMerge {
                row: row.number,
                user_id: stored.user_id.as_str().into(),
                trail,
            });
        }
    }
}

impl ImportBatch {
    fn job(&self) -> &JobId {
        &self.lease.job
    }

    /// The statements that end a batch: row errors and the job's new state.
    fn closing(&self, tally: &Tally, seal: &crate::seal::Seal) -> Result<(Vec<Stmt>, Counters)> {
        let refused = || self.refused.iter().chain(&tally.errors);
        let mut statements = refused()
            .map(|error| insert_row_error(self.job(), error, seal))
            .collect::<Result<Vec<Stmt>>>()?;
        statements.extend(count_row_errors(self.job(), refused()));
        let counters = self.counters_after(tally);
        let merges = tally.merges.iter();
        statements.extend(merges.map(|merge| insert_merge(self.job(), merge)));
        let progress = Progress {
            offset: self.end_offset,
            consumed: self.consumed,
            counters,
        };
        statements.push(crate::jobs::advance(
            &self.lease,
            self.counters,
            &progress,
            self.lease_until,
            self.now,
        ));
        Ok((statements, counters))
    }

    /// The job's counters when all rows of the batch are new users.
    pub fn counters_when_new(&self) -> Counters {
        self.counters_after(&Tally::of_new(&self.rows))
    }

    fn counters_after(&self, tally: &Tally) -> Counters {
        Counters {
            total: self.counters.total + (self.rows.len() + self.refused.len()) as i64,
            inserted: self.counters.inserted + tally.inserted,
            updated: self.counters.updated + tally.updated,
            failed: self.counters.failed + (self.refused.len() + tally.errors.len()) as i64,
        }
    }

    fn report(&self, row: &ImportRow, error: domain::RowError) -> StoredRowError {
        StoredRowError {
            row: row.number,
            offset: row.offset,
            record: (self.mask)(&row.raw),
            errors: vec![error],
            raw: Some(row.raw.clone()),
        }
    }
}

/// The factors of a row whose user has none.
fn factor_statements(
    seal: &crate::seal::Seal,
    row: &ImportRow,
    user: UserRow,
    now: Instant,
) -> Result<Vec<Stmt>> {
    let mut statements = Vec::new();
    for (position, factor) in row.factors.iter().enumerate() {
        let place = format!("mfa_factors.secret/{}/{position}", user.0);
        let sealed = seal.seal(&place, factor.expose().as_bytes())?;
        statements.push(one(
            "insert into mfa_factors (user_row, position, kind, secret, created_at) \
             values ($1, $2, $3, $4, $5)",
            vec![
                user.into(),
                (position as i64).into(),
                factor.kind().into(),
                sealed.into(),
                now.into(),
            ],
        ));
    }
    Ok(statements)
}
