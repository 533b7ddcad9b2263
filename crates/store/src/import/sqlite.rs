//! The bulk path on SQLite, inside the writer's transaction: two prepared statements for a row that
//! is new, one for a row whose keys all are one stored user's.

use std::sync::Arc;

use domain::HashText;
use domain::import_job::Counters;
use futures_util::FutureExt as _;
use rusqlite::{Connection, Statement, ToSql, params};

use super::marks::Marks;
use super::one_by_one::{Transaction, Tried, settle_held, settle_lost};
use super::{ImportBatch, ImportRow, Tally, factor_statements, held, legacy};
use crate::db::{Done, Stmt, Value};
use crate::error::{Result, StoreError};
use crate::postgres::Attempt;
use crate::seal::Seal;
use crate::sqlite::{Sqlite, classify, numbered, run};
use crate::user_writes::{INSERT_IDENTITY, INSERT_USER};

pub(super) async fn import(
    db: &Sqlite,
    seal: &Arc<Seal>,
    batch: &Arc<ImportBatch>,
) -> Result<Counters> {
    let (seal, batch) = (Arc::clone(seal), Arc::clone(batch));
    db.write_unsynced(move |connection| write_batch(connection, &seal, &batch))
        .await
}

impl Transaction for &Connection {
    async fn run(&self, sql: &str, params: &[Value]) -> Tried<Done> {
        Ok(run(self, sql, params)?)
    }
}

fn write_batch(connection: &Connection, seal: &Seal, batch: &ImportBatch) -> Result<Counters> {
    let tally = write_rows(connection, seal, batch)?;
    let (closing, counters) = batch.closing(&tally, seal)?;
    execute(connection, closing)?;
    Ok(counters)
}

/// Writes the rows and nothing of the job's state.
pub(super) fn write_rows(
    connection: &Connection,
    seal: &Seal,
    batch: &ImportBatch,
) -> Result<Tally> {
    let exists = "select 1 from connections where id = $1";
    if run(connection, exists, &[Value::from(&batch.connection)])?
        .rows
        .is_empty()
    {
        return Err(StoreError::Stale {
            statement: 0,
            affected: 0,
        });
    }
    let insert_identity = format!("{INSERT_IDENTITY} on conflict do nothing");
    let mut identity = connection
        .prepare_cached(&numbered(&insert_identity))
        .map_err(classify)?;
    let mut user = connection
        .prepare_cached(&numbered(INSERT_USER))
        .map_err(classify)?;
    let mut held = connection
        .prepare_cached(&held::select())
        .map_err(classify)?;
    let of_connection = [Value::from(&batch.connection)];
    let has_legacy_ids = !run(connection, legacy::ANY, &of_connection)?
        .rows
        .is_empty();
    let mut tally = Tally::default();
    let mut marks = Marks::default();
    // Where the row before was here already, this one is likely to be: it is looked for first.
    let mut is_likely_here = false;
    for row in &batch.rows {
        let state = (&mut marks, &mut tally);
        if is_likely_here
            && !has_legacy_ids
            && let Some((holders, stored)) = held::find(&mut held, batch, row)?
        {
            let read = (holders.as_slice(), Some(stored));
            at_once(settle_held(&connection, seal, batch, row, read, state))?;
            continue;
        }
        let is_known = has_legacy_ids && at_once(legacy::is_known(&connection, batch, row))?;
        if !is_known && insert(&mut identity, &mut user, batch, row)? {
            is_likely_here = false;
            tally.inserted += 1;
            let number = domain::UserRow(row.user_row);
            execute(connection, factor_statements(seal, row, number, batch.now)?)?;
            continue;
        }
        is_likely_here = true;
        at_once(settle_lost(&connection, seal, batch, row, state))?;
    }
    execute(connection, marks.statements(batch.job()))?;
    Ok(tally)
}

/// What SQLite answers: at once, and inside its own transaction nobody is lost to.
fn at_once<T>(answer: impl Future<Output = Tried<T>>) -> Result<T> {
    match answer.now_or_never() {
        Some(Ok(value)) => Ok(value),
        Some(Err(Attempt::Failed(error))) => Err(error),
        Some(Err(Attempt::Lost)) | None => {
            let text = "a row lost to nobody in a transaction of its own";
            Err(StoreError::Statement(text.into()))
        }
    }
}

/// Whether the row was written: `false` when one of its keys is taken.
fn insert(
    identity: &mut Statement<'_>,
    user: &mut Statement<'_>,
    batch: &ImportBatch,
    row: &ImportRow,
) -> Result<bool> {
    let written = identity
        .execute(params![
            row.foreign_id,
            row.user_row,
            batch.connection.as_str(),
            row.email,
            row.username,
            row.phone_number,
            row.password.as_ref().map(HashText::expose),
            row.password.is_some(),
            "import",
            batch.now.millis(),
            batch.job().as_str(),
        ])
        .map_err(classify)?;
    if written == 0 {
        return Ok(false);
    }
    let user_id = format!("auth0|{}", row.foreign_id);
    let columns: [&dyn ToSql; 17] = [
        &row.user_row,
        &user_id,
        &row.email,
        &row.email_verified.unwrap_or(false),
        &row.username,
        &row.phone_number,
        &row.phone_verified,
        &row.name,
        &row.nickname,
        &row.given_name,
        &row.family_name,
        &row.picture,
        &row.blocked,
        &rusqlite::types::Null,
        &row.user_metadata,
        &row.app_metadata,
        &batch.now.millis(),
    ];
    user.execute(columns).map_err(classify)?;
    Ok(true)
}

fn execute(connection: &Connection, statements: Vec<Stmt>) -> Result<()> {
    for (place, statement) in statements.into_iter().enumerate() {
        run(connection, &statement.sql, &statement.params)?.check(place, statement.expect)?;
    }
    Ok(())
}
