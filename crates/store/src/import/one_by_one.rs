//! Rows in file order, each decided after the one before it is written: the way of SQLite, and of
//! PostgreSQL for a batch in which keys of stored users move.

use domain::conflict::ClaimedKey;
use domain::user::UserRow;

use super::marks::Marks;
use super::settle::{self, Holder, Settled};
use super::stored::{self, Stored};
use super::{ImportBatch, ImportRow, Tally, factor_statements};
use crate::db::{Done, Stmt, Value, any};
use crate::error::{Result, StoreError};
use crate::postgres::Attempt;
use crate::seal::Seal;

pub(super) type Tried<T> = std::result::Result<T, Attempt>;

/// An open transaction. On SQLite it answers at once.
pub(super) trait Transaction {
    /// Runs one statement.
    async fn run(&self, sql: &str, params: &[Value]) -> Tried<Done>;

    /// Runs statements in their order and checks what each touched.
    async fn run_all(&self, statements: &[Stmt]) -> Tried<()> {
        for (place, statement) in statements.iter().enumerate() {
            let done = self.run(&statement.sql, &statement.params).await?;
            done.check(place, statement.expect)?;
        }
        Ok(())
    }
}

/// Who holds a row's keys: one arm a key, each on its own index. The id by which a legacy store
/// knows a user is held by that user too.
const HOLDERS: &str = "select 1, user_row, coalesce(import_job, '') from (select user_row, \
    import_job from identities where connection_id = $1 and email_key = $2 limit 1) e \
    union all select 2, user_row, coalesce(import_job, '') from (select user_row, \
    import_job from identities where connection_id = $1 and username_key = $3 limit 1) n \
    union all select 3, user_row, coalesce(import_job, '') from (select user_row, \
    import_job from identities where connection_id = $1 and phone_key = $4 limit 1) p \
    union all select 4, user_row, coalesce(import_job, '') from (select user_row, \
    import_job from identities where provider = 'auth0' and foreign_id = $5 limit 1) f \
    union all select 4, user_row, coalesce(import_job, '') from (select i.user_row, i.import_job \
    from legacy_ids l join identities i on i.user_row = l.user_row \
    and i.connection_id || '' = l.connection_id \
    where l.connection_id = $1 and l.foreign_id = $5 limit 1) l order by 1";

async fn holders<T: Transaction>(
    db: &T,
    batch: &ImportBatch,
    row: &ImportRow,
) -> Tried<Vec<Holder>> {
    let params = [
        Value::from(&batch.connection),
        (&row.email).into(),
        row.username.clone().into(),
        row.phone_number.clone().into(),
        (&row.foreign_id).into(),
    ];
    let mut holders = Vec::new();
    for mut found in db.run(HOLDERS, &params).await?.rows {
        let key = match found.int("key")? {
            1 => ClaimedKey::Email,
            2 => ClaimedKey::Username,
            3 => ClaimedKey::PhoneNumber,
            _ => ClaimedKey::ForeignId,
        };
        holders.push(Holder {
            user: UserRow(found.int("user_row")?),
            key,
            is_of_this_job: found.text("import_job")? == batch.job().as_str(),
        });
    }
    Ok(holders)
}

/// Decides a row that could not be inserted, and writes what became of it.
pub(super) async fn settle_lost<T: Transaction>(
    db: &T,
    seal: &Seal,
    batch: &ImportBatch,
    row: &ImportRow,
    state: (&mut Marks, &mut Tally),
) -> Tried<()> {
    let holders = holders(db, batch, row).await?;
    // Whom it lost to was deleted a moment later: now it would win.
    if holders.is_empty() {
        return Err(Attempt::Lost);
    }
    settle_held(db, seal, batch, row, (&holders, None), state).await
}

/// The same where the holders of all its keys were found, and perhaps a user of theirs was read.
pub(super) async fn settle_held<T: Transaction>(
    db: &T,
    seal: &Seal,
    batch: &ImportBatch,
    row: &ImportRow,
    (holders, read): (&[Holder], Option<Stored>),
    (marks, tally): (&mut Marks, &mut Tally),
) -> Tried<()> {
    for holder in holders {
        if let Some(chunk) = marks.missing(holder.user) {
            let sql = "select bits from job_marks where job_id = $1 and chunk = $2";
            let found = db.run(sql, &[batch.job().into(), chunk.into()]).await?;
            let bits = found.rows.into_iter().next();
            marks.load_chunk(chunk, bits.map(|mut row| row.bytes("bits")).transpose()?);
        }
    }
    let user = match settle::target(holders, &batch.policy, marks) {
        Ok(user) => user,
        Err(error) => {
            tally.errors.push(batch.report(row, error));
            return Ok(());
        }
    };
    let stored = match read.filter(|stored| stored.user == user) {
        Some(stored) => stored,
        None => read_user(db, batch, user).await?,
    };
    match settle::settle(row, &stored, holders, &batch.policy)? {
        Err(error) => tally.errors.push(batch.report(row, error)),
        Ok(settled) => {
            write(db, seal, batch, row, &stored, &settled).await?;
            tally.note_update(batch, row, &stored, settled.trail);
            marks.set(user);
        }
    }
    Ok(())
}

async fn read_user<T: Transaction>(db: &T, batch: &ImportBatch, user: UserRow) -> Tried<Stored> {
    let params = [(&batch.connection).into(), user.into()];
    let found = db.run(&stored::select("u.id = $2"), &params).await?;
    let mut found = found.rows.into_iter().next().ok_or(Attempt::Lost)?;
    Ok(Stored::read(&mut found)?)
}

async fn write<T: Transaction>(
    db: &T,
    seal: &Seal,
    batch: &ImportBatch,
    row: &ImportRow,
    stored: &Stored,
    settled: &Settled,
) -> Tried<()> {
    let Some(change) = &settled.change else {
        return Ok(());
    };
    let mut statements = stored.update(change, row, &batch.connection, batch.now);
    if change.takes_factors {
        statements.extend(replace_factors(seal, batch, row, stored.user)?);
    }
    match db.run_all(&statements).await {
        // Changed since we looked, or a key was taken elsewhere: look again.
        Err(Attempt::Failed(StoreError::Stale { .. } | StoreError::Conflict(_))) => {
            Err(Attempt::Lost)
        }
        outcome => outcome,
    }
}

/// The statements that put the row's factors in the place of the user's.
pub(super) fn replace_factors(
    seal: &Seal,
    batch: &ImportBatch,
    row: &ImportRow,
    user: UserRow,
) -> Result<Vec<Stmt>> {
    let forget = "delete from mfa_factors where user_row = $1";
    let mut statements = vec![any(forget, vec![user.into()])];
    statements.extend(factor_statements(seal, row, user, batch.now)?);
    Ok(statements)
}
