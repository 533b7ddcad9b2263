//! Whoever owns a blocked account is told by mail, with a link that lifts the block. It happens apart
//! from the failure that filled the counter: an account that nobody has costs as much time.

use store::{BlockNotice, StoreError};

use crate::Engine;
use crate::error::Result;

/// Notices taken at a time.
const TAKEN: u32 = 20;

impl Engine {
    /// Writes the mails that are due; says how many notices it took.
    pub async fn tell_blocked(&self) -> Result<usize> {
        let due = self.store.list_block_notices(self.now(), TAKEN).await?;
        for notice in &due {
            self.tell_of(notice).await?;
        }
        Ok(due.len())
    }

    async fn tell_of(&self, notice: &BlockNotice) -> Result<()> {
        let mut write = self.store.write();
        write.mark_told(&notice.name, self.now());
        let connection = self.store.find_connection(&notice.connection).await?;
        if let Some(connection) = connection {
            let found = self
                .store
                .find_login(&connection.id, &notice.identifier)
                .await?;
            if let Some((user, _)) = found
                && let Some((ticket, mail)) = self.unblock_mail(&connection, &user).await
            {
                write.insert_ticket(&ticket, self.now());
                write.post(&mail, self.now())?;
            }
        }
        match self.store.commit(write).await {
            // Another server told it.
            Err(StoreError::Stale { .. }) => Ok(()),
            other => Ok(other?),
        }
    }
}
