//! Rows whose `user_id` is the id by which a legacy store knows a user who is here under another one
//! (`legacy_ids`). Such a row meets that user as if its id were the user's own.
//!
//! Owns the questions; what becomes of the row is [`settle`](super::settle)'s. Most connections have
//! no such ids: a batch asks once whether there are any, and only then for each row.

use deadpool_postgres::Transaction;

use super::one_by_one::{self, Tried};
use super::postgres::fault;
use super::{ImportBatch, ImportRow};

/// Whether the connection `$1` has any.
pub(super) const ANY: &str = "select 1 from legacy_ids where connection_id = $1 limit 1";

/// Whether the id `$2` is one.
pub(super) const KNOWN: &str =
    "select 1 from legacy_ids where connection_id = $1 and foreign_id = $2";

/// A condition on staged rows `s` of the connection `$1`: their id is none.
pub(super) const UNKNOWN: &str = "where not exists (select 1 from legacy_ids l \
    where l.connection_id = $1::text and l.foreign_id = s.foreign_id)";

/// The holders of ids of rows that were not written: one more arm.
pub(super) const HOLDERS: &str = "union all select position, 'id', i.*, 4 from lost \
    cross join lateral (select i.user_row, coalesce(i.import_job, '') from legacy_ids l \
    join identities i on i.user_row = l.user_row and i.connection_id || '' = l.connection_id \
    where l.connection_id = $1 and l.foreign_id = lost.foreign_id limit 1) i";

/// Whether a row's id is a user's.
pub(super) async fn is_known<T: one_by_one::Transaction>(
    db: &T,
    batch: &ImportBatch,
    row: &ImportRow,
) -> Tried<bool> {
    let params = [(&batch.connection).into(), (&row.foreign_id).into()];
    Ok(!db.run(KNOWN, &params).await?.rows.is_empty())
}

/// Whether the id of any row is a user's.
pub(super) async fn are_any_known(
    transaction: &Transaction<'_>,
    batch: &ImportBatch,
) -> Tried<bool> {
    let sql = "select 1 from legacy_ids where connection_id = $1 and foreign_id = any($2) limit 1";
    let statement = transaction.prepare_cached(sql).await.map_err(fault)?;
    let ids: Vec<&str> = batch
        .rows
        .iter()
        .map(|row| row.foreign_id.as_str())
        .collect();
    let connection = batch.connection.as_str();
    let found = transaction
        .query_opt(&statement, &[&connection, &ids])
        .await;
    Ok(found.map_err(fault)?.is_some())
}
