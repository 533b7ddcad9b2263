//! The bulk path on SQLite: two prepared statements a row, inside the writer's transaction.

use std::collections::HashSet;
use std::sync::Arc;

use domain::HashText;
use domain::conflict::ClaimedKey;
use domain::import_job::Counters;
use domain::user::UserRow;
use rusqlite::{Connection, Statement, ToSql, params};

use super::fate::{Fate, Holder, decide};
use super::{ImportBatch, ImportRow, Tally, factor_statements, update_statements};
use crate::db::{Stmt, Value};
use crate::error::{Result, StoreError};
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

fn write_batch(connection: &Connection, seal: &Seal, batch: &ImportBatch) -> Result<Counters> {
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
    let tally = write_rows(connection, seal, batch)?;
    let (closing, counters) = batch.closing(&tally, seal)?;
    execute(connection, closing)?;
    Ok(counters)
}

fn write_rows(connection: &Connection, seal: &Seal, batch: &ImportBatch) -> Result<Tally> {
    let insert_identity = format!("{INSERT_IDENTITY} on conflict do nothing");
    let mut identity = connection
        .prepare_cached(&numbered(&insert_identity))
        .map_err(classify)?;
    let mut user = connection
        .prepare_cached(&numbered(INSERT_USER))
        .map_err(classify)?;
    let mut tally = Tally::default();
    let mut touched = HashSet::new();
    for row in &batch.rows {
        if insert(&mut identity, &mut user, batch, row)? {
            tally.inserted += 1;
            execute(connection, factor_statements(seal, row, batch.now)?)?;
            continue;
        }
        match decide(
            row,
            &holders(connection, batch, row)?,
            batch.upsert,
            &touched,
        ) {
            Fate::Refuse(error) => tally.errors.push(batch.report(row, error)),
            Fate::Update(stored) => {
                execute(connection, update_statements(batch, row, stored))?;
                touched.insert(stored);
                tally.updated += 1;
            }
        }
    }
    Ok(tally)
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

/// Who holds the row's keys.
fn holders(connection: &Connection, batch: &ImportBatch, row: &ImportRow) -> Result<Vec<Holder>> {
    let mut holders = Vec::new();
    for (sql, key, value) in [
        (BY_EMAIL, ClaimedKey::Email, Some(&row.email)),
        (BY_USERNAME, ClaimedKey::Username, row.username.as_ref()),
        (BY_PHONE, ClaimedKey::PhoneNumber, row.phone_number.as_ref()),
        (BY_ID, ClaimedKey::ForeignId, Some(&row.foreign_id)),
    ] {
        let Some(value) = value else { continue };
        let params = [Value::from(&batch.connection), Value::from(value)];
        for mut found in run(connection, sql, &params)?.rows {
            holders.push(Holder {
                user: UserRow(found.int("user_row")?),
                key,
                is_of_this_job: found.text_or_null("import_job")?.as_deref()
                    == Some(batch.job().as_str()),
                has_password: found.flag("has_password")?,
                is_password_imported: found.flag("password_imported")?,
            });
        }
    }
    Ok(holders)
}

const BY_EMAIL: &str = "select user_row, import_job, password_hash is not null, password_imported \
    from identities where connection_id = $1 and email_key = $2";
const BY_USERNAME: &str = "select user_row, import_job, password_hash is not null, \
    password_imported from identities where connection_id = $1 and username_key = $2";
const BY_PHONE: &str = "select user_row, import_job, password_hash is not null, \
    password_imported from identities where connection_id = $1 and phone_key = $2";
const BY_ID: &str = "select user_row, import_job, password_hash is not null, password_imported \
    from identities where $1 <> '' and provider = 'auth0' and foreign_id = $2";

fn execute(connection: &Connection, statements: Vec<Stmt>) -> Result<()> {
    for (place, statement) in statements.into_iter().enumerate() {
        run(connection, &statement.sql, &statement.params)?.check(place, statement.expect)?;
    }
    Ok(())
}
