//! Hashes of passwords that a user had before, as many as the connection's policy remembers.

use domain::{ConnectionId, HashText, Instant, UserRow};

use crate::db::any;
use crate::error::Result;
use crate::{Store, Write};

impl Store {
    /// The hash in force and those before it, the youngest first.
    pub async fn list_passwords(
        &self,
        row: UserRow,
        connection: &ConnectionId,
        limit: usize,
    ) -> Result<Vec<HashText>> {
        let sql = "select password_hash from identities where user_row = $1 and connection_id = $2 \
                   and password_hash is not null";
        let own = self
            .db
            .lookup(sql, vec![row.into(), connection.into()])
            .await?;
        let sql = "select hash from password_history where user_row = $1 \
                   order by created_at desc limit $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let past = self.db.lookup(sql, vec![row.into(), limit.into()]).await?;
        own.into_iter()
            .chain(past)
            .map(|mut row| Ok(HashText::from(row.text("password_history.hash")?)))
            .collect()
    }
}

impl Write {
    /// Keeps the hash in force among the past ones, and of those the youngest few. Comes before the
    /// statement that replaces it.
    pub fn remember_password(
        &mut self,
        row: UserRow,
        connection: &ConnectionId,
        keep: usize,
        now: Instant,
    ) -> &mut Self {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        self.push(any(
            "insert into password_history (user_row, created_at, hash) \
             select user_row, $3, password_hash from identities where user_row = $1 \
             and connection_id = $2 and password_hash is not null on conflict do nothing",
            vec![row.into(), connection.into(), now.into()],
        ));
        self.push(any(
            "delete from password_history where user_row = $1 and created_at not in \
             (select created_at from password_history where user_row = $1 \
             order by created_at desc limit $2)",
            vec![row.into(), keep.into()],
        ))
    }
}
