//! Carries what an import wrote from the log to the database file, beside the writer.
//!
//! Without it the writer stops every hundred megabytes to do that itself, and whoever logs in then
//! waits for the disk. It works on a connection of its own, which blocks nobody, until only what came
//! in meanwhile is left; that little the writer carries over itself between two batches, so that the
//! log begins anew instead of growing. Nothing depends on it: where it fails, the writer's own
//! checkpoint does the work as before.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::unavailable;
use crate::error::{Result, StoreError};

/// Batches from one checkpoint to the next: some tens of megabytes.
const BATCHES: u32 = 12;

/// The same while others write: what the disk takes at once is what they may have to wait for.
const BATCHES_IN_TRAFFIC: u32 = 3;

/// Frames of the log, of 4 KiB each, that the writer may carry over without keeping anyone waiting.
const FEW: i64 = 1500;

/// Rounds in which the thread follows the writer. Each leaves less than the one before.
const ROUNDS: u32 = 5;

/// The thread that does it.
pub(super) struct Checkpoints {
    nudge: SyncSender<()>,
    batches: u32,
    /// Set by the thread when few frames are left.
    is_close: Arc<AtomicBool>,
}

impl Checkpoints {
    /// Starts the thread; it ends with this value.
    pub fn start(database: &Path) -> Result<Self> {
        let (nudge, nudges) = sync_channel(1);
        let path = database.to_owned();
        let is_close = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_close);
        std::thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn(move || serve(&path, &nudges, &flag))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            nudge,
            batches: 0,
            is_close,
        })
    }

    /// Notes that the writer has written a batch; carries over what the thread left.
    pub fn note_batch(&mut self, writer: &Connection, is_busy: bool) {
        self.batches += 1;
        let enough = if is_busy { BATCHES_IN_TRAFFIC } else { BATCHES };
        if self.is_close.swap(false, Ordering::Relaxed) {
            self.batches = 0;
            if let Err(error) = carry_over(writer) {
                tracing::warn!(%error, "the log grows");
            }
        } else if self.batches >= enough {
            self.batches = 0;
            // Full: one is under way and the next is asked for already.
            let _ = self.nudge.try_send(());
        }
    }
}

fn serve(path: &Path, nudges: &Receiver<()>, is_close: &AtomicBool) {
    let connection = match open(path) {
        Ok(connection) => connection,
        Err(error) => return tracing::warn!(%error, "the writer makes all checkpoints itself"),
    };
    while nudges.recv().is_ok() {
        for _ in 0..ROUNDS {
            match carry_over(&connection) {
                Ok(left) if left <= FEW => {
                    is_close.store(true, Ordering::Relaxed);
                    break;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "a checkpoint is left to the writer");
                    break;
                }
            }
        }
    }
}

/// A checkpoint that takes what no reader and no writer is in the way of; says how many frames it
/// left.
fn carry_over(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("pragma wal_checkpoint(passive)", [], |row| {
        let (in_log, carried): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(in_log - carried)
    })
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
