//! Forward-only migrations with checksums, run at start under a lock.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::db::Db;
use crate::error::{Result, StoreError};

/// Every migration ever shipped, in order. A text never changes once released.
const MIGRATIONS: &[(i64, &str)] = &[(1, include_str!("../../../migrations/0001_init.sql"))];

/// An arbitrary number that names our advisory lock in PostgreSQL.
const LOCK: i64 = 4_605_519_301;

/// Brings the schema up to this binary's version, or says why it can't.
pub async fn run(db: &Db) -> Result<()> {
    run_to(db, i64::MAX).await
}

/// Applies what is missing up to a version, and nothing newer.
pub(crate) async fn run_to(db: &Db, last: i64) -> Result<()> {
    apply(db, LEDGER.to_owned(), None).await?;
    loop {
        let applied = applied(db).await?;
        verify(&applied)?;
        let is_missing = |v: &i64| *v <= last && !applied.contains_key(v);
        let Some((version, text)) = MIGRATIONS.iter().find(|(v, _)| is_missing(v)) else {
            return Ok(());
        };
        match apply(db, db.ddl(text), Some((*version, checksum(text)))).await {
            // Another process was first: look again.
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
}

const LEDGER: &str = "create table if not exists schema_migrations \
                      (version bigint primary key, checksum text not null)";

/// Runs a script and records it, all or nothing. PostgreSQL waits for its turn at an advisory
/// lock; SQLite's single writer is a lock already.
pub(crate) async fn apply(db: &Db, script: String, version: Option<(i64, String)>) -> Result<()> {
    let record = version.map_or(String::new(), |(version, checksum)| {
        format!(
            "insert into schema_migrations (version, checksum) values ({version}, '{checksum}');"
        )
    });
    match db {
        Db::Sqlite(sqlite) => {
            let text = format!("{record}{script}");
            sqlite
                .write_alone(move |c| c.execute_batch(&text).map_err(crate::sqlite::classify))
                .await
        }
        Db::Postgres(postgres) => {
            let lock = format!("select pg_advisory_xact_lock({LOCK});");
            // One simple-protocol message is one transaction.
            let text = format!("{lock}{record}{script}");
            let client = postgres.client().await?;
            client
                .batch_execute(&text)
                .await
                .map_err(|e| crate::postgres::classify(&e))
        }
    }
}

async fn applied(db: &Db) -> Result<BTreeMap<i64, String>> {
    let rows = db
        .query("select version, checksum from schema_migrations", vec![])
        .await?;
    rows.into_iter()
        .map(|mut row| Ok((row.int("version")?, row.text("checksum")?)))
        .collect()
}

/// Refuses a schema that a newer binary wrote, or a text that changed after its release.
fn verify(applied: &BTreeMap<i64, String>) -> Result<()> {
    for (version, found) in applied {
        match MIGRATIONS.iter().find(|(known, _)| known == version) {
            None => {
                let text = format!("version {version} is newer than this binary knows");
                return Err(StoreError::Schema(text));
            }
            Some((_, text)) if checksum(text) != *found => {
                let text = format!("migration {version} differs from the one that was applied");
                return Err(StoreError::Schema(text));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn checksum(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
