//! The only crate that contains SQL.
//!
//! [`Store`] answers questions, grouped by noun; a [`Write`] gathers changes of several nouns and
//! [`Store::commit`] makes them true together or not at all. Log events and outgoing mail are rows
//! in the same batch, so that "changed but not logged" can't happen. Two databases share one SQL
//! text behind [`db::Db`]; what must differ is in `dialect` and `import`.

pub mod db;
pub mod error;
pub mod seal;

mod authorizations;
mod block_notices;
mod client_credentials;
mod clients;
mod connections;
mod consents;
mod counters;
mod device_codes;
mod dialect;
mod export_rows;
mod exports;
mod factors;
mod hash_list;
mod identities;
pub mod import;
mod jobs;
mod keys;
mod login_transactions;
mod logout_notices;
mod logs;
mod merges;
mod mfa_challenges;
mod migrate;
mod opaque_tokens;
mod outbox;
mod passkeys;
mod password_history;
mod postgres;
mod pushed_requests;
mod refresh_tokens;
mod resource_servers;
mod sessions;
mod settings;
mod spool;
mod sqlite;
mod tickets;
mod traffic;
mod used_tokens;
mod user_list;
mod user_writes;
mod users;
mod write;

#[cfg(feature = "conformance")]
pub mod conformance;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use domain::UserRow;
use domain::secret::Key32;
use tokio::sync::Mutex;

pub use authorizations::StoredCode;
pub use block_notices::BlockNotice;
pub use clients::MachineAccess;
pub use consents::StoredConsent;
pub use counters::Counter;
pub use device_codes::{DeviceState, StoredDevice};
pub use error::{Key, Result, StoreError};
pub use export_rows::ExportedUser;
pub use factors::{StoredFactor, StoredRecovery};
pub use hash_list::StoredHash;
pub use identities::{IdentityKey, NewIdentity};
pub use jobs::{Lease, Progress, SealedRow, StoredRowError};
pub use keys::{KeyState, StoredKey};
pub use login_transactions::StoredTransaction;
pub use logout_notices::{Ending, LogoutNotice, NoticeShare};
pub use merges::StoredMerge;
pub use mfa_challenges::{NewChallenge, StoredChallenge};
pub use opaque_tokens::OpaqueToken;
pub use outbox::Mail;
pub use passkeys::StoredPasskey;
pub use postgres::postgres_hosts;
pub use refresh_tokens::{RefreshFamily, StoredRefreshToken};
pub use sessions::StoredSession;
pub use spool::Upload;
pub use tickets::{Purpose, Ticket, TicketState};
pub use user_list::{UserFilter, UserSort};
pub use users::StoredCredential;
pub use write::Write;

use db::{Db, Done};
use seal::Seal;

/// Numbers of user rows that are fetched at a time.
const ROW_BLOCK: i64 = 1000;

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
    seal: Arc<Seal>,
    rows: Arc<Mutex<Range<i64>>>,
}

impl Store {
    /// Opens a SQLite file and brings its schema up to date.
    pub async fn open_sqlite(path: &Path, key: &Key32) -> Result<Self> {
        Self::open(Db::Sqlite(sqlite::Sqlite::open(path)?), key).await
    }

    /// Opens a PostgreSQL database and brings its schema up to date.
    pub async fn open_postgres(url: &str, connections: usize, key: &Key32) -> Result<Self> {
        Self::open(
            Db::Postgres(postgres::Postgres::open(url, connections)?),
            key,
        )
        .await
    }

    async fn open(db: Db, key: &Key32) -> Result<Self> {
        migrate::run(&db).await?;
        let store = Self {
            db,
            seal: Arc::new(Seal::new(key)?),
            rows: Arc::new(Mutex::new(0..0)),
        };
        store.prove_master_key().await?;
        Ok(store)
    }

    /// The database's name, for logs and reports.
    pub const fn database(&self) -> &'static str {
        self.db.name()
    }

    /// Whether the spool is a folder beside the database (SQLite) or a table (PostgreSQL).
    pub const fn spools_to_files(&self) -> bool {
        matches!(self.db, Db::Sqlite(_))
    }

    /// Answers when the database does.
    pub async fn ping(&self) -> Result<()> {
        self.db.query("select 1", vec![]).await.map(drop)
    }

    /// Makes all changes true together, or none of them.
    pub async fn commit(&self, write: Write) -> Result<()> {
        self.db.traffic().note(std::time::Instant::now());
        self.run(write).await.map(drop)
    }

    pub(crate) async fn run(&self, write: Write) -> Result<Vec<Done>> {
        self.db.batch(write.into_statements()).await
    }

    /// Starts a list of changes.
    pub fn write(&self) -> Write {
        Write::new(&self.db, Arc::clone(&self.seal))
    }

    /// A number for a user about to be written. Numbers are fetched by the block, so that most
    /// calls touch no database; unused ones are lost at a restart.
    pub async fn next_user_row(&self) -> Result<UserRow> {
        let mut block = self.rows.lock().await;
        if block.is_empty() {
            *block = self.reserve_user_rows(ROW_BLOCK).await?;
        }
        let row = block.start;
        block.start += 1;
        Ok(UserRow(row))
    }

    /// Reserves consecutive numbers for many users.
    pub async fn reserve_user_rows(&self, count: i64) -> Result<Range<i64>> {
        let sql = "update sequences set next = next + $1 where name = 'user' returning next";
        let mut done = self
            .db
            .batch(vec![db::one(sql, vec![count.into()])])
            .await?;
        let row = done.first_mut().and_then(|done| done.rows.first_mut());
        let next = row.map_or(Err(missing("sequences.next")), |row| row.int("next"))?;
        Ok(next - count..next)
    }
}

fn missing(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        column,
        problem: "no row".into(),
    }
}

/// The first row of an answer.
fn first(rows: Vec<db::Row>) -> Option<db::Row> {
    rows.into_iter().next()
}
