//! Two batches of a job at the same time, on PostgreSQL: the second is copied on a connection of its
//! own while the first one is written, and committed after it. So the copying of two batches shares
//! the processors, and yet a crash leaves the file's beginning and nothing else.
//!
//! Owns when that is worth trying, and the one try. A second batch that can't simply be copied is
//! left to be written alone ([`super::Store::import_two`]); nothing of it stays meanwhile.

use std::collections::HashSet;
use std::time::Duration;

use deadpool_postgres::Transaction;
use domain::import_job::Counters;
use futures_util::future;
use tokio::sync::oneshot;

use super::optimistic::{self, Copied};
use super::postgres::{self, Tried, execute, fault};
use super::{ImportBatch, ImportRow, Tally, legacy};
use crate::error::{Result, StoreError};
use crate::postgres::{Attempt, Postgres};
use crate::seal::Seal;

/// How long a copied batch waits for the one before it. That one may itself wait for somebody who
/// waits for a key of the copied batch: a circle that the database can't see.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes the first batch, and the second one if that can be done beside it: `None` when it is still
/// to be written, or when the first one failed.
pub(super) async fn import(
    db: &Postgres,
    seal: &Seal,
    (first, second): (&ImportBatch, &ImportBatch),
) -> (Result<Counters>, Result<Option<Counters>>) {
    if !is_promising(db, first, second) {
        return (postgres::import(db, seal, first).await, Ok(None));
    }
    let (done, is_done) = oneshot::channel();
    let first = async {
        let written = postgres::import(db, seal, first).await;
        let is_as_foretold = written.as_ref().is_ok_and(|is| *is == second.counters);
        // Nobody listens when the second one failed already.
        let _ = done.send(is_as_foretold);
        written
    };
    let second = async {
        match follow(db, seal, second, is_done).await {
            // What is wrong with it is told when it is written alone.
            Err(
                Attempt::Lost | Attempt::Failed(StoreError::Statement(_) | StoreError::Conflict(_)),
            ) => Ok(None),
            Err(Attempt::Failed(error)) => Err(error),
            Ok(written) => Ok(written),
        }
    };
    future::join(first, second).await
}

/// Nobody else writes, batches do not meet taken keys, and these two do not meet each other.
fn is_promising(db: &Postgres, first: &ImportBatch, second: &ImportBatch) -> bool {
    let are_full = !first.rows.is_empty() && !second.rows.is_empty();
    are_full && !db.is_busy() && db.direct.succeed() && !share_keys(&first.rows, &second.rows)
}

fn share_keys(first: &[ImportRow], second: &[ImportRow]) -> bool {
    let taken: HashSet<Key<'_>> = first.iter().flat_map(keys).collect();
    second.iter().flat_map(keys).any(|key| taken.contains(&key))
}

/// What is unique in a connection, and what kind it is of.
type Key<'a> = (u8, &'a str);

fn keys(row: &ImportRow) -> impl Iterator<Item = Key<'_>> {
    let optional = [row.username.as_deref(), row.phone_number.as_deref()];
    let always = [(0, row.foreign_id.as_str()), (1, row.email.as_str())];
    let optional = (2..).zip(optional);
    always
        .into_iter()
        .chain(optional.filter_map(|(kind, text)| text.map(|text| (kind, text))))
}

/// Copies a batch, and commits it when the one before it is.
async fn follow(
    db: &Postgres,
    seal: &Seal,
    batch: &ImportBatch,
    is_done: oneshot::Receiver<bool>,
) -> Tried<Option<Counters>> {
    let mut client = db.client().await?;
    let transaction = client.transaction().await.map_err(fault)?;
    let begin = transaction.batch_execute(postgres::UNSYNCED);
    begin.await.map_err(fault)?;
    if !hold_connection(&transaction, batch).await? {
        return Ok(None);
    }
    if optimistic::copy_all(&transaction, seal, batch).await? == Copied::MetTakenKey {
        return Ok(None);
    }
    let is_done = tokio::time::timeout(PATIENCE, is_done).await;
    if !matches!(is_done, Ok(Ok(true))) {
        return Ok(None);
    }
    postgres::hold(&transaction, batch).await?;
    let (closing, counters) = batch.closing(&Tally::of_new(&batch.rows), seal)?;
    execute(&transaction, &closing).await?;
    transaction.commit().await.map_err(fault)?;
    Ok(Some(counters))
}

/// Sees that the connection stands and has no legacy ids, and that both stay so.
async fn hold_connection(transaction: &Transaction<'_>, batch: &ImportBatch) -> Tried<bool> {
    let sql = "select 1 from connections where id = $1 for key share";
    let held = transaction.prepare_cached(sql).await.map_err(fault)?;
    let any = transaction.prepare_cached(legacy::ANY).await;
    let any = any.map_err(fault)?;
    let connection = batch.connection.as_str();
    let (held, any) = future::join(
        transaction.query_opt(&held, &[&connection]),
        transaction.query_opt(&any, &[&connection]),
    )
    .await;
    Ok(held.map_err(fault)?.is_some() && any.map_err(fault)?.is_none())
}
