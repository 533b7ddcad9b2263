//! Fast imported hashes are put under a slow one at rest, in the background.
//!
//! Whoever steals the store before its users came back finds MD5 and its like under Argon2id. Any
//! number of servers may do it at once: each hash is replaced only while it is the one that was
//! read, so that nobody undoes a login or a change of password. Logins come first: one hash at a
//! time, only when nobody waits for the hashing threads, and at most half of the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::user::UserRow;
use password::FAST_PREFIXES;
use store::StoredHash;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::error::Result;

/// Hashes read at a time, and at most lost to a crash: the work, never a hash.
const PAGE: u32 = 32;

/// When nothing rings, how long until the store is looked through again: another server may have
/// imported, and stopped.
const ROUND: Duration = Duration::from_secs(3600);

/// The wait while logins use the hashing threads, and after a store did not answer.
const YIELD: Duration = Duration::from_millis(20);
const RETRY: Duration = Duration::from_secs(10);

/// What this process did since its start.
#[derive(Debug, Default)]
pub struct WrappingProgress {
    wrapped: AtomicI64,
    passes: AtomicI64,
}

/// How many hashes are fast, and how many were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastHashes {
    /// Hashes that can be guessed at full speed.
    pub fast: i64,
    /// Hashes under a slow one, whose users have not come yet.
    pub wrapped: i64,
}

impl Engine {
    /// Wraps what is fast until told to stop. Does nothing when the setting says so.
    pub async fn run_wrapping(self: Arc<Self>, stop: CancellationToken) {
        if !self.settings.wrap_imported {
            return;
        }
        while !stop.is_cancelled() {
            let pause = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                done = self.wrap_all() => match done {
                    Ok(()) => ROUND,
                    Err(error) => {
                        tracing::warn!(%error, "fast hashes are wrapped later");
                        RETRY
                    }
                },
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wrap_wake.notified() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// One pass over all fast hashes.
    pub async fn wrap_all(&self) -> Result<()> {
        let mut after = UserRow(0);
        loop {
            let page = self.store.list_hashes_after(FAST_PREFIXES, after, PAGE);
            let page = page.await?;
            let Some(last) = page.last().map(|last| last.row) else {
                self.wrapping.passes.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            };
            let is_cut = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
            let first = page.first().map(|first| first.row);
            self.wrap_page(page).await?;
            // The last user of a full page may have another hash: it is asked for once more.
            after = if is_cut && first != Some(last) {
                UserRow(last.0 - 1)
            } else {
                last
            };
        }
    }

    async fn wrap_page(&self, page: Vec<StoredHash>) -> Result<()> {
        let mut write = self.store.write();
        let mut count = 0;
        for stored in page {
            while !self.hashing.is_idle() {
                sleep(YIELD).await;
            }
            let begin = Instant::now();
            let Some(wrapped) = self.hashing.wrap(stored.hash.expose()).await? else {
                let row = stored.row.0;
                tracing::error!(row, "a stored hash looks fast and can't be read: it stays");
                continue;
            };
            write.rewrite_hash(&stored, &wrapped);
            count += 1;
            sleep(begin.elapsed()).await;
        }
        if !write.is_empty() {
            self.store.commit(write).await?;
        }
        self.wrapping.wrapped.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// How many fast hashes there are. Reads all identities.
    pub async fn count_fast_hashes(&self) -> Result<FastHashes> {
        Ok(FastHashes {
            fast: self.store.count_hashes(FAST_PREFIXES).await?,
            wrapped: self.store.count_hashes(&["wrapped:"]).await?,
        })
    }

    /// Hashes that this process wrapped since its start.
    pub fn wrapped_hashes(&self) -> i64 {
        self.wrapping.wrapped.load(Ordering::Relaxed)
    }

    /// Passes that this process ended since its start.
    pub fn wrapping_passes(&self) -> i64 {
        self.wrapping.passes.load(Ordering::Relaxed)
    }
}
