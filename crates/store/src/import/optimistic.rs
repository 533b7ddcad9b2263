//! The short way on PostgreSQL: rows are copied straight into `identities` and `users`, which holds
//! for a batch none of whose keys is taken. It costs half of what staging costs.
//!
//! Owns one try inside a savepoint. A key that is taken undoes the try and nothing else; the batch
//! then goes the staging way, which knows what becomes of each row. Refuses to guess which row it
//! was, and does not try where batches keep meeting taken keys ([`Tries`]): a failed try is paid on
//! top (docs/decisions/0015-optimistic-copy.md).

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use bytes::{BufMut, Bytes, BytesMut};
use deadpool_postgres::Transaction;
use domain::HashText;
use domain::user::UserRow;
use futures_util::{SinkExt, pin_mut};
use tokio_postgres::error::SqlState;

use super::postgres::{Tried, execute, fault, put_attributes, put_flag, put_text};
use super::{ImportBatch, ImportRow, Tally, factor_statements};
use crate::seal::Seal;

const COPY_IDENTITIES: &str = "copy identities (provider, foreign_id, user_row, connection_id, \
    is_primary, email_key, username_key, phone_key, password_hash, password_imported, origin, \
    migrated_at, import_job) from stdin (format binary)";
const IDENTITY_COLUMNS: i16 = 13;

const COPY_USERS: &str = "copy users (id, user_id, email, email_verified, username, \
    phone_number, phone_verified, name, nickname, given_name, family_name, picture, blocked, \
    user_metadata, app_metadata, logins_count, created_at, updated_at, version) \
    from stdin (format binary)";
const USER_COLUMNS: i16 = 19;

/// Bytes that are sent together.
const PART: usize = 1 << 17;

/// Writes all rows as new users; `None` when a key was taken, or a try is not due, and nothing
/// of the batch is written.
pub(super) async fn write(
    tries: &Tries,
    transaction: &Transaction<'_>,
    seal: &Seal,
    batch: &ImportBatch,
) -> Tried<Option<Tally>> {
    if !tries.is_due() {
        return Ok(None);
    }
    let begin = transaction.batch_execute("savepoint direct");
    begin.await.map_err(fault)?;
    if copy_all(transaction, seal, batch).await? == Copied::MetTakenKey {
        let undo = transaction.batch_execute("rollback to savepoint direct");
        undo.await.map_err(fault)?;
        tries.note_collision();
        return Ok(None);
    }
    tries.note_success();
    Ok(Some(Tally::of_new(&batch.rows)))
}

/// How a copy came out.
#[derive(PartialEq, Eq)]
pub(super) enum Copied {
    /// All rows are new users now.
    All,
    /// A key was taken: the transaction is fit for nothing until something of it is undone.
    MetTakenKey,
}

/// Copies all rows, and writes their factors.
pub(super) async fn copy_all(
    transaction: &Transaction<'_>,
    seal: &Seal,
    batch: &ImportBatch,
) -> Tried<Copied> {
    match copy_both(transaction, batch).await {
        Ok(()) => {}
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            return Ok(Copied::MetTakenKey);
        }
        Err(error) => return Err(fault(error)),
    }
    for row in batch.rows.iter().filter(|row| !row.factors.is_empty()) {
        execute(
            transaction,
            &factor_statements(seal, row, UserRow(row.user_row), batch.now)?,
        )
        .await?;
    }
    Ok(Copied::All)
}

/// When to try: always, until batches collide; then after a pause, of twice as many batches each
/// time. A file of users who are all here already so costs next to no tries, and one that meets a
/// few of them goes on quickly. Kept for a database as a whole: imports that run at the same time
/// are few, and a wrong guess costs time alone.
#[derive(Default)]
pub(crate) struct Tries {
    /// Batches until the next try.
    waiting: AtomicU32,
    /// The length of the last pause; 0 when the last try succeeded.
    pause: AtomicU32,
}

const LONGEST_PAUSE: u32 = 64;

impl Tries {
    fn is_due(&self) -> bool {
        let fewer = |waiting: u32| waiting.checked_sub(1);
        self.waiting.fetch_update(Relaxed, Relaxed, fewer).is_err()
    }

    /// Whether the last try did.
    pub(super) fn succeed(&self) -> bool {
        self.pause.load(Relaxed) == 0
    }

    fn note_success(&self) {
        self.pause.store(0, Relaxed);
    }

    fn note_collision(&self) {
        let pause = (2 * self.pause.load(Relaxed)).clamp(1, LONGEST_PAUSE);
        self.pause.store(pause, Relaxed);
        self.waiting.store(pause, Relaxed);
    }
}

/// Both tables, one after the other: the identities hold the keys, so a taken one is met first.
async fn copy_both(
    transaction: &Transaction<'_>,
    batch: &ImportBatch,
) -> std::result::Result<(), tokio_postgres::Error> {
    let identity = |out: &mut BytesMut, row: &ImportRow| put_identity(out, batch, row);
    copy(transaction, COPY_IDENTITIES, &batch.rows, identity).await?;
    let user = |out: &mut BytesMut, row: &ImportRow| put_user(out, batch, row);
    copy(transaction, COPY_USERS, &batch.rows, user).await
}

async fn copy(
    transaction: &Transaction<'_>,
    sql: &str,
    rows: &[ImportRow],
    put: impl Fn(&mut BytesMut, &ImportRow),
) -> std::result::Result<(), tokio_postgres::Error> {
    let sink = transaction.copy_in::<_, Bytes>(sql).await?;
    pin_mut!(sink);
    // PostgreSQL's binary COPY: signature, flags, no header extension.
    let mut buffer = BytesMut::with_capacity(2 * PART);
    buffer.put_slice(b"PGCOPY\n\xff\r\n\0");
    buffer.put_slice(&[0; 8]);
    for row in rows {
        put(&mut buffer, row);
        if buffer.len() > PART {
            sink.send(buffer.split().freeze()).await?;
        }
    }
    buffer.put_i16(-1);
    sink.send(buffer.freeze()).await?;
    sink.finish().await.map(drop)
}

fn put_identity(out: &mut BytesMut, batch: &ImportBatch, row: &ImportRow) {
    out.put_i16(IDENTITY_COLUMNS);
    put_text(out, Some("auth0"));
    put_text(out, Some(&row.foreign_id));
    put_number(out, row.user_row);
    put_text(out, Some(batch.connection.as_str()));
    put_flag(out, Some(true));
    put_text(out, Some(&row.email));
    put_text(out, row.username.as_deref());
    put_text(out, row.phone_number.as_deref());
    put_text(out, row.password.as_ref().map(HashText::expose));
    put_flag(out, Some(row.password.is_some()));
    put_text(out, Some("import"));
    put_number(out, batch.now.millis());
    put_text(out, Some(batch.job().as_str()));
}

fn put_user(out: &mut BytesMut, batch: &ImportBatch, row: &ImportRow) {
    out.put_i16(USER_COLUMNS);
    put_number(out, row.user_row);
    put_text(out, Some(&format!("auth0|{}", row.foreign_id)));
    put_text(out, Some(&row.email));
    put_attributes(out, row);
    for number in [0, batch.now.millis(), batch.now.millis(), 1] {
        put_number(out, number);
    }
}

fn put_number(out: &mut BytesMut, number: i64) {
    out.put_i32(8);
    out.put_i64(number);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of some batches are tried.
    fn tried(tries: &Tries, batches: usize, collides: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut done = Vec::new();
        for batch in (0..batches).filter(|_| tries.is_due()) {
            done.push(batch);
            if collides(batch) {
                tries.note_collision();
            } else {
                tries.note_success();
            }
        }
        done
    }

    #[test]
    fn collisions_make_tries_rare_and_a_success_makes_them_frequent_again() {
        let tries = Tries::default();
        assert_eq!(tried(&tries, 3, |_| false), [0, 1, 2]);
        assert_eq!(tried(&tries, 20, |_| true), [0, 2, 5, 10, 19]);
        assert_eq!(tried(&tries, 20, |_| false), [16, 17, 18, 19]);
        assert_eq!(tried(&tries, 4, |batch| batch == 1), [0, 1, 3]);
        let many = Tries::default();
        assert!(tried(&many, 1000, |_| true).len() < 25);
    }
}
