//! Stored hashes by what their texts begin with: those that are fast to guess, page by page, so
//! that they can be put under a slow one.
//!
//! What a beginning means is the caller's to know; here it is a text.

use domain::user::UserRow;
use domain::{ConnectionId, HashText};

use crate::db::{Value, any};
use crate::error::Result;
use crate::{Store, Write};

/// A hash and whose it is.
#[derive(Debug)]
pub struct StoredHash {
    /// The store's number of the user.
    pub row: UserRow,
    /// The connection of the identity.
    pub connection: ConnectionId,
    /// The hash in stored form.
    pub hash: HashText,
}

/// The test for texts that begin so, and its parameters from a number on. SQLite folds ASCII letters in
/// `like`: what we ask for has none that differ by case alone.
fn beginnings(prefixes: &[&str], from: usize) -> (String, Vec<Value>) {
    let tests: Vec<String> = (from..from + prefixes.len())
        .map(|number| format!("password_hash like ${number}"))
        .collect();
    let params = prefixes.iter().map(|prefix| format!("{prefix}%").into());
    (format!("({})", tests.join(" or ")), params.collect())
}

impl Store {
    /// Hashes that begin so, of the users after a number, in the order of their numbers. A user
    /// with hashes in two connections may be cut in two: ask again from the user before.
    pub async fn list_hashes_after(
        &self,
        prefixes: &[&str],
        after: UserRow,
        limit: u32,
    ) -> Result<Vec<StoredHash>> {
        let (test, texts) = beginnings(prefixes, 3);
        let sql = format!(
            "select user_row, connection_id, password_hash from identities \
             where user_row > $1 and {test} order by user_row, connection_id limit $2"
        );
        let mut params: Vec<Value> = vec![after.into(), i64::from(limit).into()];
        params.extend(texts);
        let rows = self.db.query(sql, params).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(StoredHash {
                    row: UserRow(row.int("user_row")?),
                    connection: row.text("connection_id")?.into(),
                    hash: row.text("password_hash")?.into(),
                })
            })
            .collect()
    }

    /// How many hashes begin so. Reads all identities: not for every minute.
    pub async fn count_hashes(&self, prefixes: &[&str]) -> Result<i64> {
        let (test, params) = beginnings(prefixes, 1);
        let sql = format!("select count(*) from identities where {test}");
        self.db.count(sql, params).await
    }
}

impl Write {
    /// Puts another hash of the same password in the place of one, when that is still there: a
    /// login, a change of password or an import may have been faster. Whether the password was
    /// proven stays as it is.
    pub fn rewrite_hash(&mut self, read: &StoredHash, fresh: &HashText) -> &mut Self {
        self.push(any(
            "update identities set password_hash = $4 \
             where user_row = $1 and connection_id = $2 and password_hash = $3",
            vec![
                read.row.into(),
                (&read.connection).into(),
                read.hash.expose().into(),
                fresh.expose().into(),
            ],
        ))
    }
}
