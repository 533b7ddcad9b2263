//! Carries what an import wrote from the log to the database file, beside the writer.
//!
//! Without it the writer stops every hundred megabytes to do that itself, and whoever logs in then
//! waits for the disk. It works on a connection of its own, which blocks nobody, and leaves to the
//! writer only what came in meanwhile. Nothing depends on it: where it fails, the writer's own
//! checkpoint does the work as before.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::unavailable;
use crate::error::{Result, StoreError};

/// Batches from one checkpoint to the next: some tens of megabytes.
const BATCHES: u32 = 12;

/// The thread that does it.
pub(super) struct Checkpoints {
    nudge: SyncSender<()>,
    batches: u32,
}

impl Checkpoints {
    /// Starts the thread; it ends with this value.
    pub fn start(database: &Path) -> Result<Self> {
        let (nudge, nudges) = sync_channel(1);
        let path = database.to_owned();
        std::thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn(move || serve(&path, &nudges))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { nudge, batches: 0 })
    }

    /// Notes that a batch was written.
    pub fn note_batch(&mut self) {
        self.batches += 1;
        if self.batches >= BATCHES {
            self.batches = 0;
            // Full: one is under way and the next is asked for already.
            let _ = self.nudge.try_send(());
        }
    }
}

fn serve(path: &Path, nudges: &Receiver<()>) {
    let connection = match open(path) {
        Ok(connection) => connection,
        Err(error) => return tracing::warn!(%error, "the writer makes all checkpoints itself"),
    };
    while nudges.recv().is_ok() {
        // Passive: it takes what no reader and no writer is in the way of.
        let done = connection.execute_batch("pragma wal_checkpoint(passive)");
        if let Err(error) = done {
            tracing::warn!(%error, "a checkpoint is left to the writer");
        }
    }
}

fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(unavailable)?;
    let settings = "pragma synchronous = full; pragma cache_size = -256";
    connection.execute_batch(settings).map_err(unavailable)?;
    connection
        .busy_timeout(Duration::ZERO)
        .map_err(unavailable)?;
    Ok(connection)
}
