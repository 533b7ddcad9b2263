//! The bulk path on PostgreSQL: COPY straight into the tables where no key is taken (`optimistic`),
//! and else COPY to a staging table, then set-based inserts.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use deadpool_postgres::{ClientWrapper, Transaction};
use domain::HashText;
use domain::conflict::ClaimedKey;
use domain::import_job::Counters;
use domain::user::UserRow;
use futures_util::{SinkExt, future, pin_mut};
use tokio_postgres::types::ToSql;

use super::legacy;
use super::optimistic::{self, Tries};
use super::postgres_upsert::{self, Upserted};
use super::settle::Holder;
use super::{ImportBatch, ImportRow, Tally, factor_statements};
use crate::db::Stmt;
use crate::error::{Result, StoreError};
use crate::postgres::{Attempt, Postgres, prepare, run_raw};
use crate::seal::Seal;

const STAGE: &str = "create temp table if not exists import_stage (\
    position int not null, foreign_id text collate \"C\" not null, user_row bigint not null, \
    email text collate \"C\" not null, email_verified boolean not null, \
    username text collate \"C\", phone_number text collate \"C\", phone_verified boolean, \
    name text, nickname text, given_name text, family_name text, picture text, blocked boolean, \
    user_metadata text, app_metadata text, password_hash text) on commit delete rows";

/// A batch is not waited for until it lies on the disk, unless others write too, whose commits would
/// wait for it: after a crash of the server the tables and
/// the job's offset stand together where they stood before some of the last batches, and whatever
/// is synced later syncs them too (docs/decisions/0007-durability.md).
pub(super) const UNSYNCED: &str = "set local synchronous_commit = off";

const COPY: &str = "copy import_stage from stdin (format binary)";
const COLUMNS: i16 = 17;

/// Ends with a condition, and [`IN_ORDER`].
const INSERT_IDENTITIES: &str = "insert into identities (provider, foreign_id, user_row, \
    connection_id, is_primary, email_key, username_key, phone_key, password_hash, \
    password_imported, origin, migrated_at, import_job) \
    select 'auth0', foreign_id, user_row, $1::text, true, email, username, phone_number, \
    password_hash, password_hash is not null, 'import', $2::bigint, $3::text \
    from import_stage s";
const IN_ORDER: &str = "order by position on conflict do nothing";

const INSERT_USERS: &str = "insert into users (id, user_id, email, email_verified, username, \
    phone_number, phone_verified, name, nickname, given_name, family_name, picture, blocked, \
    user_metadata, app_metadata, logins_count, created_at, updated_at, version) \
    select user_row, 'auth0|' || foreign_id, email, email_verified, username, phone_number, \
    phone_verified, name, nickname, given_name, family_name, picture, blocked, user_metadata, \
    app_metadata, 0, $1::bigint, $1::bigint, 1 from import_stage s";

const IS_WRITTEN: &str = "exists (select 1 from identities i where i.user_row = s.user_row)";

/// Who holds the keys of rows that were not written; one arm a key, each on its own index. The
/// limits keep a planner without statistics from reading all identities for each row. Further arms
/// may follow, and the order.
const HOLDERS: &str = "with lost as (select * from import_stage s where not \
    exists (select 1 from identities i where i.user_row = s.user_row)) \
    select position, 'email', i.*, 1 from lost cross join lateral \
    (select user_row, coalesce(import_job, '') from identities where connection_id = $1 and email_key = lost.email limit 1) i \
    union all select position, 'username', i.*, 2 from lost cross join lateral \
    (select user_row, coalesce(import_job, '') from identities where connection_id = $1 and username_key = lost.username limit 1) i \
    union all select position, 'phone', i.*, 3 from lost cross join lateral \
    (select user_row, coalesce(import_job, '') from identities where connection_id = $1 and phone_key = lost.phone_number limit 1) i \
    union all select position, 'id', i.*, 4 from lost cross join lateral \
    (select user_row, coalesce(import_job, '') from identities where provider = 'auth0' and foreign_id = lost.foreign_id limit 1) i";

pub(super) type Tried<T> = std::result::Result<T, Attempt>;

pub(super) async fn import(db: &Postgres, seal: &Seal, batch: &ImportBatch) -> Result<Counters> {
    db.retry(|| import_once(db, seal, batch)).await
}

async fn import_once(db: &Postgres, seal: &Seal, batch: &ImportBatch) -> Tried<Counters> {
    let mut client = db.client().await?;
    let waits = db.is_busy();
    import_with(&mut client, (&db.direct, waits), seal, batch).await
}

/// Writes a batch on a connection; `waits` says whether until it lies on the disk.
pub(super) async fn import_with(
    client: &mut ClientWrapper,
    (tries, waits): (&Tries, bool),
    seal: &Seal,
    batch: &ImportBatch,
) -> Tried<Counters> {
    let mut transaction = client.transaction().await.map_err(fault)?;
    if !waits {
        transaction.batch_execute(UNSYNCED).await.map_err(fault)?;
    }
    let has_legacy_ids = hold(&transaction, batch).await?;
    let may_copy = !has_legacy_ids || !legacy::are_any_known(&transaction, batch).await?;
    let tally = if batch.rows.is_empty() {
        Tally::default()
    } else if may_copy
        && let Some(tally) = optimistic::write(tries, &transaction, seal, batch).await?
    {
        tally
    } else {
        transaction.batch_execute(STAGE).await.map_err(fault)?;
        copy(&transaction, &batch.rows).await?;
        write_in_sets_or_order(&mut transaction, seal, batch, has_legacy_ids).await?
    };
    let (closing, counters) = batch.closing(&tally, seal)?;
    execute(&transaction, &closing).await?;
    transaction.commit().await.map_err(fault)?;
    Ok(counters)
}

pub(super) async fn analyze(db: &Postgres) -> Result<()> {
    let client = db.client().await?;
    let done = client.batch_execute("analyze users; analyze identities");
    done.await
        .map_err(|error| crate::postgres::classify(&error))
}

pub(super) fn fault(error: tokio_postgres::Error) -> Attempt {
    Attempt::of(&error)
}

/// Sees that the connection stands and the job is ours and as the batch knows it, and that both
/// stay so: before any row is sent. Whether the connection has legacy ids; none comes before the
/// batch ends ([`crate::Write::hold_off_imports`]).
pub(super) async fn hold(transaction: &Transaction<'_>, batch: &ImportBatch) -> Tried<bool> {
    let sql = "select 1 from connections c join jobs j on j.id = $2 where c.id = $1 \
               and j.lease_owner = $3 and j.status = 'processing' and j.total = $4 \
               for key share of c for no key update of j";
    let statement = transaction.prepare_cached(sql).await.map_err(fault)?;
    let (connection, job) = (batch.connection.as_str(), batch.job().as_str());
    let (owner, total) = (batch.lease.owner.as_str(), batch.counters.total);
    let any = transaction.prepare_cached(legacy::ANY).await;
    let any = any.map_err(fault)?;
    let held: [&(dyn ToSql + Sync); 4] = [&connection, &job, &owner, &total];
    let here: [&(dyn ToSql + Sync); 1] = [&connection];
    // Sent together; the second one looks when the first one holds.
    let (found, legacy) = future::join(
        transaction.query_opt(&statement, &held),
        transaction.query_opt(&any, &here),
    )
    .await;
    let gone = StoreError::Stale {
        statement: 0,
        affected: 0,
    };
    found.map_err(fault)?.ok_or(Attempt::Failed(gone))?;
    Ok(legacy.map_err(fault)?.is_some())
}

async fn copy(transaction: &Transaction<'_>, rows: &[ImportRow]) -> Tried<()> {
    let sink = transaction.copy_in::<_, Bytes>(COPY).await.map_err(fault)?;
    pin_mut!(sink);
    // PostgreSQL's binary COPY: signature, flags, no header extension.
    let mut buffer = BytesMut::with_capacity(1 << 18);
    buffer.put_slice(b"PGCOPY\n\xff\r\n\0");
    buffer.put_slice(&[0; 8]);
    for (position, row) in (0..).zip(rows) {
        put_row(&mut buffer, position, row);
        if buffer.len() > 1 << 17 {
            sink.send(buffer.split().freeze()).await.map_err(fault)?;
        }
    }
    buffer.put_i16(-1);
    sink.send(buffer.freeze()).await.map_err(fault)?;
    sink.finish().await.map(drop).map_err(fault)
}

fn put_row(out: &mut BytesMut, position: i32, row: &ImportRow) {
    out.put_i16(COLUMNS);
    out.put_i32(4);
    out.put_i32(position);
    put_text(out, Some(&row.foreign_id));
    out.put_i32(8);
    out.put_i64(row.user_row);
    put_text(out, Some(&row.email));
    put_attributes(out, row);
    put_text(out, row.password.as_ref().map(HashText::expose));
}

/// `email_verified` to `app_metadata`, in the order in which both ways of copying name them.
pub(super) fn put_attributes(out: &mut BytesMut, row: &ImportRow) {
    put_flag(out, Some(row.email_verified.unwrap_or(false)));
    put_text(out, row.username.as_deref());
    put_text(out, row.phone_number.as_deref());
    put_flag(out, row.phone_verified);
    for text in [
        &row.name,
        &row.nickname,
        &row.given_name,
        &row.family_name,
        &row.picture,
    ] {
        put_text(out, text.as_deref());
    }
    put_flag(out, row.blocked);
    put_text(out, row.user_metadata.as_deref());
    put_text(out, row.app_metadata.as_deref());
}

pub(super) fn put_text(out: &mut BytesMut, text: Option<&str>) {
    match text {
        None => out.put_i32(-1),
        Some(text) => {
            // A row is bounded far below 2 GiB; a wrong length would be refused by the server.
            out.put_i32(i32::try_from(text.len()).unwrap_or(i32::MAX));
            out.put_slice(text.as_bytes());
        }
    }
}

pub(super) fn put_flag(out: &mut BytesMut, flag: Option<bool>) {
    match flag {
        None => out.put_i32(-1),
        Some(flag) => {
            out.put_i32(1);
            out.put_u8(u8::from(flag));
        }
    }
}

/// Writes by the set. Where keys of stored users move, the order of rows counts: then what was
/// done is taken back, and the rows go one by one.
async fn write_in_sets_or_order(
    transaction: &mut Transaction<'_>,
    seal: &Seal,
    batch: &ImportBatch,
    has_legacy_ids: bool,
) -> Tried<Tally> {
    if !batch.policy.may_move_keys() {
        let tally = write_rows(transaction, seal, batch, has_legacy_ids).await?;
        return tally.ok_or(Attempt::Lost);
    }
    let attempt = transaction.savepoint("sets").await.map_err(fault)?;
    if let Some(tally) = write_rows(&attempt, seal, batch, has_legacy_ids).await? {
        attempt.commit().await.map_err(fault)?;
        return Ok(tally);
    }
    attempt.rollback().await.map_err(fault)?;
    postgres_upsert::write_in_order(transaction, seal, batch, has_legacy_ids).await
}

/// `None` when keys would move.
async fn write_rows(
    transaction: &Transaction<'_>,
    seal: &Seal,
    batch: &ImportBatch,
    has_legacy_ids: bool,
) -> Tried<Option<Tally>> {
    let now = batch.now.millis();
    let unknown = if has_legacy_ids { legacy::UNKNOWN } else { "" };
    let sql = format!("{INSERT_IDENTITIES} {unknown} {IN_ORDER}");
    let identities = transaction.prepare_cached(&sql).await.map_err(fault)?;
    let (connection, job) = (batch.connection.as_str(), batch.job().as_str());
    let written = transaction
        .execute(&identities, &[&connection, &now, &job])
        .await
        .map_err(fault)?;
    let mut tally = Tally {
        inserted: written as i64,
        ..Tally::default()
    };
    let are_all_written = written == batch.rows.len() as u64;
    let sql = if are_all_written {
        INSERT_USERS.to_owned()
    } else {
        format!("{INSERT_USERS} where {IS_WRITTEN}")
    };
    // Without this the planner may scan all identities for a staging table it knows nothing of.
    if !are_all_written {
        let plan = "set local enable_hashjoin = off; set local enable_mergejoin = off";
        transaction.batch_execute(plan).await.map_err(fault)?;
    }
    let users = transaction.prepare_cached(&sql).await.map_err(fault)?;
    transaction.execute(&users, &[&now]).await.map_err(fault)?;
    let lost = if are_all_written {
        HashMap::new()
    } else {
        lost(transaction, batch, has_legacy_ids).await?
    };
    // A row lost to a record that was deleted a moment later: now it would win.
    if lost.len() as u64 + written != batch.rows.len() as u64 {
        return Err(Attempt::Lost);
    }
    let upserted = postgres_upsert::settle_lost(transaction, seal, batch, &lost, &mut tally);
    if upserted.await? == Upserted::KeysMove {
        return Ok(None);
    }
    let rows = (0..).zip(&batch.rows);
    for (position, row) in rows.filter(|(_, row)| !row.factors.is_empty()) {
        if !lost.contains_key(&position) {
            let number = UserRow(row.user_row);
            execute(
                transaction,
                &factor_statements(seal, row, number, batch.now)?,
            )
            .await?;
        }
    }
    Ok(Some(tally))
}

/// Holders of the keys of rows that were not written, by the row's position.
async fn lost(
    transaction: &Transaction<'_>,
    batch: &ImportBatch,
    has_legacy_ids: bool,
) -> Tried<HashMap<i32, Vec<Holder>>> {
    let known = if has_legacy_ids { legacy::HOLDERS } else { "" };
    let sql = format!("{HOLDERS} {known} order by 1, 5");
    let statement = transaction.prepare_cached(&sql).await.map_err(fault)?;
    let connection = batch.connection.as_str();
    let found = transaction
        .query(&statement, &[&connection])
        .await
        .map_err(fault)?;
    let arrivals: HashMap<i64, i32> = (0..)
        .zip(&batch.rows)
        .map(|(position, row)| (row.user_row, position))
        .collect();
    let mut lost: HashMap<i32, Vec<Holder>> = HashMap::new();
    for row in found {
        let position: i32 = row.get(0);
        let holders = lost.entry(position).or_default();
        // A row further down the file took a key that this one left free: it came later.
        let user: i64 = row.get(2);
        if arrivals.get(&user).is_some_and(|at| *at > position) {
            continue;
        }
        let holder = Holder {
            key: match row.get::<_, &str>(1) {
                "email" => ClaimedKey::Email,
                "username" => ClaimedKey::Username,
                "phone" => ClaimedKey::PhoneNumber,
                _ => ClaimedKey::ForeignId,
            },
            user: UserRow(user),
            is_of_this_job: row.get::<_, &str>(3) == batch.job().as_str(),
        };
        holders.push(holder);
    }
    Ok(lost)
}

/// Runs statements pipelined and checks what each touched.
pub(super) async fn execute(transaction: &Transaction<'_>, statements: &[Stmt]) -> Tried<()> {
    let prepared = prepare(transaction, statements).await?;
    let runs = statements
        .iter()
        .zip(&prepared)
        .map(|(statement, prepared)| run_raw(transaction.client(), prepared, &statement.params));
    let outcomes = future::join_all(runs).await.into_iter().zip(statements);
    for (place, (outcome, statement)) in outcomes.enumerate() {
        outcome.map_err(fault)?.check(place, statement.expect)?;
    }
    Ok(())
}
