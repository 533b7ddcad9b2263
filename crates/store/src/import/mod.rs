//! The bulk path: one batch of validated rows, its row errors, its counters and its byte offset in
//! one transaction, so that a restart neither skips nor repeats a row.
//!
//! A batch crosses to the database once: prepared statements on SQLite; on PostgreSQL a COPY into
//! the tables, and where a key is taken a COPY to a staging table and
//! `insert … select … on conflict do nothing`. Rows that lost to a stored record
//! are then looked at one by one; [`fate`] decides what becomes of them, the same on both.

mod fate;
mod optimistic;
mod postgres;
mod sqlite;

pub(crate) use optimistic::Tries;
use std::sync::Arc;

use domain::import_job::Counters;
use domain::user::UserRow;
use domain::{ConnectionId, HashText, Instant, JobId, MfaFactor};

use crate::Store;
use crate::db::{Stmt, Value, any, holds_nul, one, unstorable};
use crate::error::Result;
use crate::jobs::{Lease, Progress, StoredRowError, insert_row_error};

/// One validated row. Keys are folded, JSON members are text as it stood in the file.
#[derive(Debug, Default)]
pub struct ImportRow {
    /// Number in the file, from 1.
    pub number: i64,
    /// Byte offset in the file.
    pub offset: i64,
    /// The record as it stood in the file, for the error report.
    pub raw: bytes::Bytes,
    /// A reserved user number.
    pub user_row: i64,
    /// Id in the provider, without prefix.
    pub foreign_id: String,
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
    /// Whether it came as `custom_password_hash`: only such a hash may be upserted.
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
    /// Whether stored users are changed.
    pub upsert: bool,
    /// Validated rows in file order.
    pub rows: Vec<ImportRow>,
    /// Rows that validation refused.
    pub refused: Vec<StoredRowError>,
    /// Counters before this batch.
    pub counters: Counters,
    /// Offset of the first byte after this batch.
    pub end_offset: i64,
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
        match &self.db {
            crate::db::Db::Sqlite(db) => sqlite::import(db, &self.seal, batch).await,
            crate::db::Db::Postgres(db) => postgres::import(db, &self.seal, batch).await,
        }
    }
}

impl Store {
    /// Tells the database's planner of many new users, before it finds out by itself. Until then
    /// PostgreSQL may answer a login by reading all users of a connection.
    pub async fn note_many_users(&self) -> Result<()> {
        match &self.db {
            crate::db::Db::Sqlite(_) => Ok(()),
            crate::db::Db::Postgres(db) => postgres::analyze(db).await,
        }
    }
}

/// What a batch came to.
#[derive(Default)]
struct Tally {
    inserted: i64,
    updated: i64,
    errors: Vec<StoredRowError>,
}

impl ImportBatch {
    fn job(&self) -> &JobId {
        &self.lease.job
    }

    /// The statements that end a batch: row errors and the job's new state.
    fn closing(&self, tally: &Tally) -> (Vec<Stmt>, Counters) {
        let refused = self.refused.iter().chain(&tally.errors);
        let mut statements: Vec<Stmt> = refused
            .map(|error| insert_row_error(self.job(), error))
            .collect();
        let failed = statements.len() as i64;
        let counters = Counters {
            total: self.counters.total + (self.rows.len() + self.refused.len()) as i64,
            inserted: self.counters.inserted + tally.inserted,
            updated: self.counters.updated + tally.updated,
            failed: self.counters.failed + failed,
        };
        let progress = Progress {
            offset: self.end_offset,
            counters,
        };
        statements.push(crate::jobs::advance(
            &self.lease,
            self.counters,
            &progress,
            self.lease_until,
        ));
        (statements, counters)
    }

    fn report(&self, row: &ImportRow, error: domain::RowError) -> StoredRowError {
        StoredRowError {
            row: row.number,
            offset: row.offset,
            record: (self.mask)(&row.raw),
            errors: vec![error],
        }
    }
}

/// The factors of a newly written row.
fn factor_statements(seal: &crate::seal::Seal, row: &ImportRow, now: Instant) -> Result<Vec<Stmt>> {
    let mut statements = Vec::new();
    for (position, factor) in row.factors.iter().enumerate() {
        let place = format!("mfa_factors.secret/{}/{position}", row.user_row);
        let sealed = seal.seal(&place, factor.expose().as_bytes())?;
        statements.push(one(
            "insert into mfa_factors (user_row, position, kind, secret, created_at) \
             values ($1, $2, $3, $4, $5)",
            vec![
                row.user_row.into(),
                (position as i64).into(),
                factor.kind().into(),
                sealed.into(),
                now.into(),
            ],
        ));
    }
    Ok(statements)
}

/// What an upsert changes (wire section 1.4, column U): names and picture when given, metadata
/// whole when given, `email_verified` always, and an unproven hash.
fn update_statements(batch: &ImportBatch, row: &ImportRow, user: UserRow) -> Vec<Stmt> {
    let update_user = one(
        "update users set email_verified = $2, name = coalesce($3, name), \
         nickname = coalesce($4, nickname), given_name = coalesce($5, given_name), \
         family_name = coalesce($6, family_name), picture = coalesce($7, picture), \
         user_metadata = coalesce($8, user_metadata), app_metadata = coalesce($9, app_metadata), \
         updated_at = $10, version = version + 1 where id = $1",
        vec![
            user.into(),
            row.email_verified.unwrap_or(false).into(),
            row.name.clone().into(),
            row.nickname.clone().into(),
            row.given_name.clone().into(),
            row.family_name.clone().into(),
            row.picture.clone().into(),
            row.user_metadata.clone().into(),
            row.app_metadata.clone().into(),
            batch.now.into(),
        ],
    );
    let new_hash = row
        .password
        .as_ref()
        .filter(|_| row.is_custom_hash)
        .map(HashText::expose);
    let update_identity = any(
        "update identities set import_job = $3, password_hash = coalesce($4, password_hash), \
         password_imported = case when $4 is null then password_imported else true end \
         where user_row = $1 and connection_id || '' = $2",
        // The empty text keeps a planner without statistics off the index that begins with the
        // connection: it would read all of its users for each row.
        vec![
            user.into(),
            (&batch.connection).into(),
            batch.job().into(),
            Value::from(new_hash),
        ],
    );
    vec![update_user, update_identity]
}
