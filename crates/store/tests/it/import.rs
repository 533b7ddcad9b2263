//! An import job under way: what a worker keeps in its head.

use std::sync::Arc;

use domain::conflict::Policy;
use domain::{Connection, Counters, RowError, RowErrorCode};
use store::import::{ImportBatch, ImportRow, Rehearsal};
use store::{Lease, Store, StoredRowError};

use crate::make::{at, job, put_connection, put_job};

/// A claimed job.
#[derive(Clone)]
pub struct Import {
    store: Store,
    pub lease: Lease,
    pub connection: Connection,
    policy: Policy,
    pub counters: Counters,
    pub offset: i64,
    /// Rows read so far.
    pub number: i64,
    refused: Vec<StoredRowError>,
}

/// A row of nothing but its keys.
pub fn row(id: &str, address: &str) -> ImportRow {
    ImportRow {
        foreign_id: id.into(),
        email: address.into(),
        ..ImportRow::default()
    }
}

fn mask(record: &[u8]) -> String {
    format!("masked: {}", String::from_utf8_lossy(record))
}

impl Import {
    /// A new job of the connection `main`, claimed.
    pub async fn start(store: &Store, id: &str, upsert: bool) -> Self {
        Self::start_at(store, "main", id, upsert).await
    }

    /// A new job of a connection, which is made when it is not there.
    pub async fn start_at(store: &Store, name: &str, id: &str, upsert: bool) -> Self {
        let connection = match store.find_connection_by_name(name).await.unwrap() {
            Some(connection) => connection,
            None => put_connection(store, name).await,
        };
        let mut new = job(id, &connection, at(0));
        new.upsert = upsert;
        let policy = new.policy();
        put_job(store, &new).await;
        // Past `claim_job`, which lets no two jobs of one connection run at once.
        let claim = "update jobs set status = 'processing', lease_owner = 'worker', \
                     lease_until = $2, started_at = created_at where id = $1";
        let claim = store::db::one(claim, vec![id.into(), at(3_600_000).into()]);
        store.db().batch(vec![claim]).await.unwrap();
        Self {
            store: store.clone(),
            lease: Lease {
                job: id.into(),
                owner: "worker".into(),
            },
            connection,
            policy,
            counters: Counters::default(),
            offset: 0,
            number: 0,
            refused: vec![],
        }
    }

    /// The same job under a policy.
    pub fn under(mut self, policy: &str) -> Self {
        self.policy = Policy::parse(policy).unwrap();
        self
    }

    /// The next rows do not fit the schema.
    pub fn refuse(&mut self, count: i64) {
        for _ in 0..count {
            self.number += 1;
            let error = |path| RowError::new(RowErrorCode::InvalidType, path, "Expected \"x\" 👎");
            self.refused.push(StoredRowError {
                row: self.number,
                offset: self.number * 100,
                record: "{\"a\":\"\\u0000\"}".into(),
                errors: vec![error("a"), error("")],
                raw: None,
            });
        }
    }

    /// A batch of rows as the worker would send it.
    pub fn build(&mut self, mut rows: Vec<ImportRow>) -> Arc<ImportBatch> {
        static ROWS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(1_000_000);
        for row in &mut rows {
            self.number += 1;
            row.number = self.number;
            row.offset = self.number * 100;
            row.end = self.number * 100 + 50;
            row.raw = format!("{{\"row\":{}}}", self.number).into();
            row.user_row = ROWS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Arc::new(ImportBatch {
            lease: self.lease.clone(),
            lease_until: at(3_600_000),
            connection: self.connection.id.clone(),
            policy: self.policy.clone(),
            rows,
            refused: std::mem::take(&mut self.refused),
            counters: self.counters,
            end_offset: self.number * 100 + 100,
            consumed: self.number * 10 + 10,
            now: at(1),
            mask,
        })
    }

    /// The batch was not written: its rows come again.
    pub fn forget_last(&mut self, batch: &ImportBatch) {
        self.number -= batch.rows.len() as i64;
    }

    /// Builds a batch and rehearses it.
    pub async fn rehearse(
        &mut self,
        stage: &Rehearsal,
        rows: Vec<ImportRow>,
    ) -> store::Result<Counters> {
        let batch = self.build(rows);
        let counters = stage.import(&batch).await?;
        self.counters = counters;
        self.offset = batch.end_offset;
        Ok(counters)
    }

    /// Builds and writes a batch.
    pub async fn batch(&mut self, rows: Vec<ImportRow>) -> store::Result<Counters> {
        let batch = self.build(rows);
        let counters = self.store.import(&batch).await?;
        self.counters = counters;
        self.offset = batch.end_offset;
        Ok(counters)
    }
}
