//! Accounts that were blocked after failures, so that whoever owns one is told once.
//!
//! A notice is written with the failure that filled the counter, whether or not such a user exists:
//! looking for one comes later, where nobody waits for it and nothing can be learnt from the time.

use domain::{ConnectionId, Instant};

use crate::counters::{range, stored};
use crate::db::{any, one};
use crate::error::Result;
use crate::{Store, Write};

/// A block that its owner may have to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockNotice {
    /// The account, as counters name it.
    pub name: String,
    /// What was typed to name it.
    pub identifier: String,
    /// In which connection.
    pub connection: ConnectionId,
}

impl Store {
    /// Notices whose owners were not told yet, the oldest first.
    pub async fn list_block_notices(&self, now: Instant, limit: u32) -> Result<Vec<BlockNotice>> {
        let sql = "select name, identifier, connection_id from block_notices \
                   where told_at is null and expires_at > $1 order by created_at, name limit $2";
        let rows = self
            .db
            .query(sql, vec![now.into(), i64::from(limit).into()])
            .await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(BlockNotice {
                    name: row.text("name")?,
                    identifier: row.text("identifier")?,
                    connection: row.text("connection_id")?.into(),
                })
            })
            .collect()
    }
}

impl Write {
    /// Notes a block when a counter has reached `most`, once while it lasts. Comes after the
    /// statement that counts.
    pub fn note_block(
        &mut self,
        notice: &BlockNotice,
        counter: &str,
        most: i64,
        now: Instant,
    ) -> &mut Self {
        self.push(any(
            "insert into block_notices (name, identifier, connection_id, created_at, expires_at) \
             select $1, $2, $3, $4, window_ends_at from rate_counters \
             where rate_counters.name = $5 and rate_counters.count >= $6 \
             and rate_counters.window_ends_at > $4 \
             on conflict (name) do update set identifier = excluded.identifier, told_at = null, \
             created_at = excluded.created_at, expires_at = excluded.expires_at \
             where block_notices.expires_at <= excluded.created_at",
            vec![
                stored(&notice.name),
                stored(&notice.identifier),
                (&notice.connection).into(),
                now.into(),
                stored(counter),
                most.into(),
            ],
        ))
    }

    /// The owner is told now: the batch fails when another server did that already.
    pub fn mark_told(&mut self, name: &str, now: Instant) -> &mut Self {
        self.push(one(
            "update block_notices set told_at = $2 where name = $1 and told_at is null",
            vec![stored(name), now.into()],
        ))
    }

    /// Drops the notices below a prefix: the block is over.
    pub fn drop_block_notices(&mut self, prefix: &str) -> &mut Self {
        let (from, to) = range(prefix);
        self.push(any(
            "delete from block_notices where name > $1 and name < $2",
            vec![from, to],
        ))
    }

    /// Forgets notices of blocks that are over.
    pub fn forget_block_notices(&mut self, now: Instant) -> &mut Self {
        self.push(any(
            "delete from block_notices where expires_at <= $1",
            vec![now.into()],
        ))
    }
}
