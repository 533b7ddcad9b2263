//! Rehearsals: the very statements of an import against the very constraints, and nothing stays.
//!
//! Both databases look for a table among the session's temporary ones first. A rehearsal is a
//! connection of its own with temporary copies of the tables of users under their own names,
//! indexes included; the code above does not know the difference. Jobs, row errors and records of
//! merges have no copy: they are real. No row or table that a login touches is locked. SQLite's
//! connection is opened read-only, so that the file can't change whatever runs there.
//!
//! The copies end with the connection. A rehearsal that was interrupted begins again.

use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::{ClientWrapper, Object};
use domain::JobId;
use domain::import_job::Counters;
use rusqlite::Connection;

use super::one_by_one::Tried;
use super::postgres::fault;
use super::{ImportBatch, ImportRow, Tally, Tries, postgres, sqlite};
use crate::db::{Db, any, one, unstorable};
use crate::error::{Result, StoreError};
use crate::jobs::Lease;
use crate::postgres::{Attempt, Postgres};
use crate::seal::Seal;
use crate::sqlite::{Sqlite, classify};
use crate::{Store, Write};

/// Tables that a rehearsal writes, or that must stand as the users did when it began; and whether
/// it begins with their rows.
const COPIES: &[(&str, bool)] = &[
    ("users", true),
    ("identities", true),
    ("legacy_ids", true),
    ("mfa_factors", true),
    ("job_marks", false),
];

/// How often a batch is tried that lost to itself; a copy has no other writers.
const TRIES: usize = 3;

/// A stage on which one job is rehearsed.
pub struct Rehearsal {
    stage: Stage,
    seal: Arc<Seal>,
}

enum Stage {
    Sqlite(Sqlite, Arc<Mutex<Connection>>),
    Postgres(tokio::sync::Mutex<ClientWrapper>, Tries),
}

impl Store {
    /// Sets a stage: copies the tables of users as they stand now.
    pub async fn rehearse(&self) -> Result<Rehearsal> {
        let stage = match &self.db {
            Db::Sqlite(db) => {
                let connection = db.open_apart()?;
                let copied = blocking(move || copy_sqlite(&connection).map(|()| connection));
                Stage::Sqlite(db.clone(), Arc::new(Mutex::new(copied.await?)))
            }
            Db::Postgres(db) => {
                let client = copy_postgres(db).await?;
                Stage::Postgres(tokio::sync::Mutex::new(client), Tries::default())
            }
        };
        Ok(Rehearsal {
            stage,
            seal: Arc::clone(&self.seal),
        })
    }
}

impl Rehearsal {
    /// Writes a batch as [`Store::import`] does: rows to the stage, errors and counters to the job.
    pub async fn import(&self, batch: &Arc<ImportBatch>) -> Result<Counters> {
        if batch.rows.iter().any(ImportRow::holds_nul) {
            return Err(unstorable());
        }
        match &self.stage {
            Stage::Sqlite(db, connection) => self.on_sqlite(db, connection, batch).await,
            Stage::Postgres(client, tries) => {
                let mut client = client.lock().await;
                for _ in 0..TRIES {
                    match postgres::import_with(&mut client, (tries, false), &self.seal, batch)
                        .await
                    {
                        Err(Attempt::Lost) => {}
                        Err(Attempt::Failed(error)) => return Err(error),
                        Ok(counters) => return Ok(counters),
                    }
                }
                Err(StoreError::Unavailable("a rehearsal lost to itself".into()))
            }
        }
    }

    /// The stage keeps the rows only when the job has its counters: a fault between the two leaves
    /// neither.
    async fn on_sqlite(
        &self,
        db: &Sqlite,
        connection: &Arc<Mutex<Connection>>,
        batch: &Arc<ImportBatch>,
    ) -> Result<Counters> {
        let (stage, seal, rows) = (
            Arc::clone(connection),
            Arc::clone(&self.seal),
            Arc::clone(batch),
        );
        let tally: Tally = blocking(move || {
            let stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
            stage.execute_batch("begin").map_err(classify)?;
            let tally = sqlite::write_rows(&stage, &seal, &rows);
            if tally.is_err() {
                stage.execute_batch("rollback").map_err(classify)?;
            }
            tally
        })
        .await?;
        let (closing, counters) = batch.closing(&tally, &self.seal)?;
        let closed = db.batch(closing).await;
        let end = if closed.is_ok() { "commit" } else { "rollback" };
        let stage = Arc::clone(connection);
        blocking(move || {
            let stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
            stage.execute_batch(end).map_err(classify)
        })
        .await?;
        closed.map(|_| counters)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Unavailable(error.to_string()))?
}

fn copy_sqlite(connection: &Connection) -> Result<()> {
    let copy = || -> rusqlite::Result<()> {
        connection.execute_batch(
            "pragma temp_store = file; pragma temp.cache_size = -65536; \
             pragma temp.journal_mode = memory; begin",
        )?;
        for (table, has_rows) in COPIES {
            for sql in definitions(connection, table, "table")? {
                connection.execute_batch(&sql.replacen("CREATE TABLE", "create temp table", 1))?;
            }
            if *has_rows {
                let sql = format!("insert into temp.{table} select * from main.{table}");
                connection.execute_batch(&sql)?;
            }
            for sql in definitions(connection, table, "index")? {
                connection.execute_batch(&sql.replacen("INDEX ", "index temp.", 1))?;
            }
        }
        connection.execute_batch("commit")
    };
    copy().map_err(classify)
}

/// How a table, or its indexes, were made. SQLite writes the first words in capital letters,
/// whatever they were.
fn definitions(connection: &Connection, table: &str, kind: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "select sql from main.sqlite_master where tbl_name = ?1 and type = ?2 \
               and sql is not null order by rowid";
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([table, kind], |row| row.get(0))?;
    found.collect()
}

async fn copy_postgres(db: &Postgres) -> Result<ClientWrapper> {
    // Out of the pool, and closed with the rehearsal: nobody else meets these tables.
    let client = Object::take(db.client().await?);
    // A statement means the tables that it was prepared with, and these were the real ones.
    client.statement_cache.clear();
    match copy_tables(&client).await {
        Ok(()) => Ok(client),
        Err(Attempt::Failed(error)) => Err(error),
        Err(Attempt::Lost) => Err(StoreError::Unavailable(
            "a copy lost to other writers".into(),
        )),
    }
}

async fn copy_tables(client: &ClientWrapper) -> Tried<()> {
    let sql = "select quote_ident(n.nspname) from pg_class c \
               join pg_namespace n on n.oid = c.relnamespace where c.oid = 'users'::regclass";
    let schema: String = client.query_one(sql, &[]).await.map_err(fault)?.get(0);
    // One moment for all tables, so that no copy has a user without its identity.
    let begin = "begin isolation level repeatable read";
    client.batch_execute(begin).await.map_err(fault)?;
    for (table, has_rows) in COPIES {
        let real = format!("{schema}.{table}");
        let sql = format!("create temp table {table} (like {real} including defaults)");
        client.batch_execute(&sql).await.map_err(fault)?;
        if *has_rows {
            let sql = format!("insert into pg_temp.{table} select * from {real}");
            client.batch_execute(&sql).await.map_err(fault)?;
        }
        let sql =
            "select pg_get_indexdef(indexrelid) from pg_index where indrelid = $1::text::regclass";
        for row in client.query(sql, &[&real]).await.map_err(fault)? {
            let sql: String = row.get(0);
            let on = format!(" ON {real} ");
            let sql = sql.replacen(&on, &format!(" on pg_temp.{table} "), 1);
            client.batch_execute(&sql).await.map_err(fault)?;
        }
        let sql = format!("analyze pg_temp.{table}");
        client.batch_execute(&sql).await.map_err(fault)?;
    }
    client.batch_execute("commit").await.map_err(fault)
}

impl Write {
    /// Sets a job back to its file's beginning, with nothing counted. Fails when it was taken over
    /// or ended.
    pub fn restart_job(&mut self, lease: &Lease) -> &mut Self {
        self.push(one(
            "update jobs set read_offset = 0, consumed = 0, run_total = 0, run_consumed = 0, \
             total = 0, inserted = 0, updated = 0, failed = 0 where id = $1 and lease_owner = $2 and status = 'processing'",
            vec![(&lease.job).into(), (&lease.owner).into()],
        ));
        self.forget_errors(&lease.job);
        self.forget_merges(&lease.job)
    }

    /// Forgets the failed rows of a job.
    pub(crate) fn forget_errors(&mut self, id: &JobId) -> &mut Self {
        self.push(any(
            "delete from job_errors where job_id = $1",
            vec![id.into()],
        ));
        self.push(any(
            "delete from job_error_codes where job_id = $1",
            vec![id.into()],
        ))
    }
}
