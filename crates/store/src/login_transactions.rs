//! Logins under way: the request that began one, and how far the person has come. Each step is
//! written over the version that it was taken on; an end is written once.

use domain::{Instant, TransactionId};

use crate::db::{any, one};
use crate::error::Result;
use crate::{Store, Write, first};

const PROGRESS: &str = "login_transactions.progress";

/// A login under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTransaction {
    /// Its id: the `state` of its pages.
    pub id: TransactionId,
    /// SHA-256 of the browser's token, hexadecimal.
    pub browser_hash: String,
    /// The checked request, in the caller's own JSON.
    pub request: String,
    /// How far the person has come, in the caller's own JSON: kept under seal.
    pub progress: String,
    /// Rises with each step.
    pub version: i64,
    /// When the browser was sent back to the client.
    pub finished_at: Option<Instant>,
    /// When its time is over.
    pub expires_at: Instant,
}

impl Store {
    /// A login under way, finished or not, in time or not.
    pub async fn find_transaction(&self, id: &TransactionId) -> Result<Option<StoredTransaction>> {
        let sql = "select id, browser_hash, request, progress, version, finished_at, expires_at \
                   from login_transactions where id = $1";
        let Some(mut row) = first(self.db.lookup(sql, vec![id.into()]).await?) else {
            return Ok(None);
        };
        let id = TransactionId::from(row.text("login_transactions.id")?);
        let browser_hash = row.text("login_transactions.browser_hash")?;
        let request = row.text("login_transactions.request")?;
        let sealed = row.bytes(PROGRESS)?;
        Ok(Some(StoredTransaction {
            progress: self
                .seal
                .open_text(PROGRESS, id.as_str(), &sealed)?
                .to_string(),
            id,
            browser_hash,
            request,
            version: row.int("login_transactions.version")?,
            finished_at: row.time_or_null("login_transactions.finished_at")?,
            expires_at: row.time("login_transactions.expires_at")?,
        }))
    }
}

impl Write {
    /// Writes a login that begins.
    pub fn insert_transaction(
        &mut self,
        transaction: &StoredTransaction,
        now: Instant,
    ) -> Result<&mut Self> {
        let id = &transaction.id;
        let sealed = self.sealed(PROGRESS, id.as_str(), transaction.progress.as_bytes())?;
        Ok(self.push(one(
            "insert into login_transactions (id, browser_hash, request, progress, version, \
             created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)",
            vec![
                id.into(),
                (&transaction.browser_hash).into(),
                (&transaction.request).into(),
                sealed.into(),
                transaction.version.into(),
                now.into(),
                transaction.expires_at.into(),
            ],
        )))
    }

    /// Writes a step over the version that it was taken on; fails when another one was faster, or
    /// the login is over.
    pub fn advance_transaction(
        &mut self,
        transaction: &StoredTransaction,
        now: Instant,
    ) -> Result<&mut Self> {
        let id = &transaction.id;
        let sealed = self.sealed(PROGRESS, id.as_str(), transaction.progress.as_bytes())?;
        Ok(self.push(one(
            "update login_transactions set progress = $3, version = version + 1 \
             where id = $1 and version = $2 and finished_at is null and expires_at > $4",
            vec![
                id.into(),
                transaction.version.into(),
                sealed.into(),
                now.into(),
            ],
        )))
    }

    /// Ends a login; fails when it moved on or ended before.
    pub fn finish_transaction(
        &mut self,
        id: &TransactionId,
        version: i64,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "update login_transactions set finished_at = $3, version = version + 1 \
             where id = $1 and version = $2 and finished_at is null and expires_at > $3",
            vec![id.into(), version.into(), now.into()],
        ))
    }

    /// Forgets logins whose time was over before a moment.
    pub fn forget_transactions(&mut self, before: Instant) -> &mut Self {
        self.push(any(
            "delete from login_transactions where expires_at < $1",
            vec![before.into()],
        ))
    }
}
