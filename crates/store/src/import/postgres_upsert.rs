//! Rows that lost, on PostgreSQL: their stored users are read at once, merged here, and written
//! back at once.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use domain::user::UserRow;
use domain::{EmailAddress, HashText};

use super::legacy;
use super::marks::Marks;
use super::one_by_one::{self, Transaction as _, replace_factors};
use super::postgres::{Tried, execute, fault};
use super::settle::{self, Change, Holder};
use super::stored::{self, Stored};
use super::{ImportBatch, ImportRow, Tally, factor_statements};
use crate::db::{Done, Row, Value};
use crate::postgres::{Attempt, run_raw};
use crate::seal::Seal;
use crate::user_writes::{INSERT_IDENTITY, INSERT_USER};

/// How the set-based way ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upserted {
    /// All is written.
    Done,
    /// Keys of stored users would move; nothing of it was written.
    KeysMove,
}

/// Decides all rows that were not inserted, by the holders of their keys, and writes what they
/// change.
pub(super) async fn settle_lost(
    transaction: &Transaction<'_>,
    seal: &Seal,
    batch: &ImportBatch,
    lost: &HashMap<i32, Vec<Holder>>,
    tally: &mut Tally,
) -> Tried<Upserted> {
    if lost.is_empty() {
        return Ok(Upserted::Done);
    }
    let mut marks = load_marks(transaction, batch, lost).await?;
    let stored = load_users(transaction, batch, lost).await?;
    let mut changes = Vec::new();
    for (position, row) in (0..).zip(&batch.rows) {
        let Some(holders) = lost.get(&position) else {
            continue;
        };
        let user = match settle::target(holders, &batch.policy, &marks) {
            Ok(user) => user,
            Err(error) => {
                tally.errors.push(batch.report(row, error));
                continue;
            }
        };
        // Deleted since it was found: now the row would win.
        let stored = stored.get(&user).ok_or(Attempt::Lost)?;
        match settle::settle(row, stored, holders, &batch.policy)? {
            Err(error) => tally.errors.push(batch.report(row, error)),
            Ok(settled) => {
                marks.set(user);
                tally.note_update(batch, row, stored, settled.trail);
                if let Some(change) = settled.change {
                    if change.is_key_changed {
                        return Ok(Upserted::KeysMove);
                    }
                    changes.push((row, stored, change));
                }
            }
        }
    }
    write(transaction, seal, batch, &changes).await?;
    execute(transaction, &marks.statements(batch.job())).await?;
    Ok(Upserted::Done)
}

async fn load_marks(
    transaction: &Transaction<'_>,
    batch: &ImportBatch,
    lost: &HashMap<i32, Vec<Holder>>,
) -> Tried<Marks> {
    let mut marks = Marks::default();
    for holder in lost.values().flatten() {
        if let Some(chunk) = marks.missing(holder.user) {
            marks.load_chunk(chunk, None);
        }
    }
    let sql = "select chunk, bits from job_marks where job_id = $1 and chunk = any($2)";
    let statement = transaction.prepare_cached(sql).await.map_err(fault)?;
    let (job, chunks) = (batch.job().as_str(), marks.loaded());
    let found = transaction.query(&statement, &[&job, &chunks]).await;
    for row in found.map_err(fault)? {
        marks.load_chunk(row.get(0), Some(row.get(1)));
    }
    Ok(marks)
}

/// The users that rows may be merged into.
async fn load_users(
    transaction: &Transaction<'_>,
    batch: &ImportBatch,
    lost: &HashMap<i32, Vec<Holder>>,
) -> Tried<HashMap<UserRow, Stored>> {
    let candidates = lost
        .values()
        .map(|holders| settle::candidate(holders, &batch.policy));
    let mut users: Vec<i64> = candidates.flatten().map(|user| user.0).collect();
    users.sort_unstable();
    users.dedup();
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = stored::select("u.id = any($2)");
    let statement = transaction.prepare_cached(&sql).await.map_err(fault)?;
    let connection = batch.connection.as_str();
    let found = transaction.query(&statement, &[&connection, &users]).await;
    let mut stored = HashMap::new();
    for row in found.map_err(fault)? {
        let values = (0..row.len()).map(|column| row.try_get::<_, Value>(column));
        let values = values.collect::<Result<_, _>>().map_err(fault)?;
        let user = Stored::read(&mut Row::new(values))?;
        stored.insert(user.user, user);
    }
    Ok(stored)
}

/// No table is scanned for these few rows, whatever a planner without statistics thinks.
const UPDATE_USERS: &str = "update users u set email = n.email, email_verified = n.email_verified, \
    phone_verified = n.phone_verified, name = n.name, nickname = n.nickname, \
    given_name = n.given_name, family_name = n.family_name, picture = n.picture, \
    blocked = n.blocked, user_metadata = n.user_metadata, app_metadata = n.app_metadata, \
    updated_at = $14, version = u.version + 1 from unnest($1::bigint[], $2::bigint[], $3::text[], \
    $4::boolean[], $5::boolean[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], \
    $11::boolean[], $12::text[], $13::text[]) as n (id, version, email, email_verified, \
    phone_verified, name, nickname, given_name, family_name, picture, blocked, user_metadata, \
    app_metadata) where u.id = n.id and u.version = n.version";

const UPDATE_PASSWORDS: &str = "update identities i set password_hash = n.fresh, \
    password_imported = true from unnest($2::bigint[], $3::text[], $4::text[]) \
    as n (id, fresh, old) where i.user_row = n.id and i.connection_id || '' = $1 \
    and coalesce(i.password_hash, '') = coalesce(n.old, '')";

type Changed<'a> = (&'a ImportRow, &'a Stored, Change);

/// Writes changes that move no keys. Users who were changed meanwhile send the batch back.
async fn write(
    transaction: &Transaction<'_>,
    seal: &Seal,
    batch: &ImportBatch,
    changes: &[Changed<'_>],
) -> Tried<()> {
    if changes.is_empty() {
        return Ok(());
    }
    write_users(transaction, batch, changes).await?;
    let fresh = |hash: &Option<HashText>| hash.as_ref().map(|hash| hash.expose().to_owned());
    let passwords = changes
        .iter()
        .filter(|(_, _, change)| change.takes_password);
    let (mut users, mut new, mut old) = (Vec::new(), Vec::new(), Vec::new());
    for (row, stored, _) in passwords {
        users.push(stored.user.0);
        new.push(fresh(&row.password));
        old.push(fresh(&stored.password));
    }
    if !users.is_empty() {
        let statement = transaction
            .prepare_cached(UPDATE_PASSWORDS)
            .await
            .map_err(fault)?;
        let connection = batch.connection.as_str();
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&connection, &users, &new, &old];
        let written = transaction
            .execute(&statement, &params)
            .await
            .map_err(fault)?;
        if written != users.len() as u64 {
            return Err(Attempt::Lost);
        }
    }
    for (row, stored, _) in changes.iter().filter(|(_, _, change)| change.takes_factors) {
        let statements = replace_factors(seal, batch, row, stored.user)?;
        execute(transaction, &statements).await?;
    }
    Ok(())
}

async fn write_users(
    transaction: &Transaction<'_>,
    batch: &ImportBatch,
    changes: &[Changed<'_>],
) -> Tried<()> {
    let of = |column: fn(&Change) -> Option<&str>| -> Vec<Option<&str>> {
        changes
            .iter()
            .map(|(_, _, change)| column(change))
            .collect()
    };
    let flags = |column: fn(&Change) -> Option<bool>| -> Vec<Option<bool>> {
        changes
            .iter()
            .map(|(_, _, change)| column(change))
            .collect()
    };
    let ids: Vec<i64> = changes.iter().map(|(_, stored, _)| stored.user.0).collect();
    let versions: Vec<i64> = changes
        .iter()
        .map(|(_, stored, _)| stored.version)
        .collect();
    let now = batch.now.millis();
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 14] = [
        &ids,
        &versions,
        &of(|change| change.attributes.email.as_ref().map(EmailAddress::as_str)),
        &flags(|change| Some(change.attributes.email_verified)),
        &flags(|change| change.attributes.phone_verified),
        &of(|change| change.attributes.name.as_deref()),
        &of(|change| change.attributes.nickname.as_deref()),
        &of(|change| change.attributes.given_name.as_deref()),
        &of(|change| change.attributes.family_name.as_deref()),
        &of(|change| change.attributes.picture.as_deref()),
        &flags(|change| change.attributes.blocked),
        &of(|change| change.user_metadata.as_deref()),
        &of(|change| change.app_metadata.as_deref()),
        &now,
    ];
    let statement = transaction
        .prepare_cached(UPDATE_USERS)
        .await
        .map_err(fault)?;
    let written = transaction
        .execute(&statement, &params)
        .await
        .map_err(fault)?;
    if written == changes.len() as u64 {
        Ok(())
    } else {
        Err(Attempt::Lost)
    }
}

impl one_by_one::Transaction for Transaction<'_> {
    async fn run(&self, sql: &str, params: &[Value]) -> Tried<Done> {
        let statement = self.prepare_cached(sql).await.map_err(fault)?;
        run_raw(self.client(), &statement, params)
            .await
            .map_err(fault)
    }
}

/// Writes a batch one row after the other.
pub(super) async fn write_in_order(
    transaction: &Transaction<'_>,
    seal: &Seal,
    batch: &ImportBatch,
    has_legacy_ids: bool,
) -> Tried<Tally> {
    let mut tally = Tally::default();
    let mut marks = Marks::default();
    for row in &batch.rows {
        let is_known = has_legacy_ids && legacy::is_known(transaction, batch, row).await?;
        if !is_known && insert(transaction, batch, row).await? {
            tally.inserted += 1;
            let factors = factor_statements(seal, row, UserRow(row.user_row), batch.now)?;
            execute(transaction, &factors).await?;
        } else {
            let state = (&mut marks, &mut tally);
            one_by_one::settle_lost(transaction, seal, batch, row, state).await?;
        }
    }
    execute(transaction, &marks.statements(batch.job())).await?;
    Ok(tally)
}

/// Whether the row was written: `false` when one of its keys is taken.
async fn insert(
    transaction: &Transaction<'_>,
    batch: &ImportBatch,
    row: &ImportRow,
) -> Tried<bool> {
    let identity = format!("{INSERT_IDENTITY} on conflict do nothing");
    let params = [
        Value::from(&row.foreign_id),
        row.user_row.into(),
        (&batch.connection).into(),
        (&row.email).into(),
        row.username.clone().into(),
        row.phone_number.clone().into(),
        row.password.as_ref().map(HashText::expose).into(),
        row.password.is_some().into(),
        "import".into(),
        batch.now.into(),
        batch.job().into(),
    ];
    if transaction.run(&identity, &params).await?.affected == 0 {
        return Ok(false);
    }
    let user = [
        Value::from(row.user_row),
        format!("auth0|{}", row.foreign_id).into(),
        (&row.email).into(),
        row.email_verified.unwrap_or(false).into(),
        row.username.clone().into(),
        row.phone_number.clone().into(),
        row.phone_verified.into(),
        row.name.clone().into(),
        row.nickname.clone().into(),
        row.given_name.clone().into(),
        row.family_name.clone().into(),
        row.picture.clone().into(),
        row.blocked.into(),
        Value::Null,
        row.user_metadata.clone().into(),
        row.app_metadata.clone().into(),
        batch.now.into(),
    ];
    transaction.run(INSERT_USER, &user).await?;
    Ok(true)
}
