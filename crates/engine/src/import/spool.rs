//! The upload, kept durably before anybody is told that it was accepted.
//!
//! Beside SQLite it is a synced file, `spool/<job>.json` in the data folder; in PostgreSQL it is
//! chunks of 256 KiB, so that any node can take the job over. A spool that was not accepted as a job
//! is removed when it is dropped.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use domain::{Clock, JobId};
use store::{Store, StoreError};

use super::window::{Source, SourceError};
use crate::Engine;
use crate::error::{Error, Result};

/// Bytes of a chunk, and of one read.
pub(super) const CHUNK: usize = 1 << 18;

/// An upload on its way in.
pub struct Spool {
    pub(super) job: JobId,
    pub(super) size: u64,
    limit: u64,
    buffer: BytesMut,
    place: Place,
    is_finished: bool,
    is_accepted: bool,
    /// Whether it came in several requests: then it stays when no job comes of this one.
    pub(super) is_resumable: bool,
}

enum Place {
    File {
        path: PathBuf,
        file: Option<std::fs::File>,
    },
    Chunks {
        store: Store,
        clock: Arc<dyn Clock>,
        next: i64,
    },
}

/// Where a job's file lies.
pub(super) fn path_of(data_dir: &Path, job: &JobId) -> PathBuf {
    data_dir.join("spool").join(format!("{job}.json"))
}

impl Engine {
    /// Opens a spool for an upload.
    pub async fn open_spool(&self) -> Result<Spool> {
        let job = JobId::generate(&*self.entropy);
        let place = if self.store.spools_to_files() {
            let path = path_of(&self.settings.data_dir, &job);
            let file = on_disk({
                let path = path.clone();
                move || create(&path)
            });
            Place::File {
                path,
                file: Some(file.await?),
            }
        } else {
            Place::Chunks {
                store: self.store.clone(),
                clock: Arc::clone(&self.clock),
                next: 0,
            }
        };
        Ok(Spool {
            job,
            size: 0,
            limit: self.settings.import.largest_file(),
            buffer: BytesMut::new(),
            place,
            is_finished: false,
            is_accepted: false,
            is_resumable: false,
        })
    }

    /// An upload that arrived whole in several requests.
    pub(super) fn arrived_spool(&self, job: JobId, size: u64) -> Spool {
        let place = if self.store.spools_to_files() {
            Place::File {
                path: path_of(&self.settings.data_dir, &job),
                file: None,
            }
        } else {
            Place::Chunks {
                store: self.store.clone(),
                clock: Arc::clone(&self.clock),
                next: 0,
            }
        };
        Spool {
            job,
            size,
            limit: self.settings.import.largest_file(),
            buffer: BytesMut::new(),
            place,
            is_finished: true,
            is_accepted: false,
            is_resumable: true,
        }
    }
}

pub(super) fn create(path: &Path) -> std::io::Result<std::fs::File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    // The file holds password hashes.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path)
}

/// Runs file work where it may block.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Error::unavailable)?
        .map_err(|error| Error::unavailable(format!("spool: {error}")))
}

impl Spool {
    /// Bytes so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a part; refuses the upload as soon as it is larger than allowed.
    pub async fn write(&mut self, mut part: Bytes) -> Result<()> {
        self.size += part.len() as u64;
        if self.size > self.limit {
            let limit = self.limit;
            let message = format!("Payload content length greater than maximum allowed: {limit}.");
            return Err(Error::TooLarge(message));
        }
        while part.has_remaining() {
            let room = CHUNK - self.buffer.len();
            self.buffer
                .extend_from_slice(&part.split_to(room.min(part.len())));
            if self.buffer.len() == CHUNK {
                self.put_chunk().await?;
            }
        }
        Ok(())
    }

    /// Makes the upload durable. Doing so again changes nothing.
    pub async fn finish(&mut self) -> Result<()> {
        if self.is_finished {
            return Ok(());
        }
        if !self.buffer.is_empty() {
            self.put_chunk().await?;
        }
        if let Place::File { path, file } = &mut self.place {
            let (file, path) = (file.take(), path.clone());
            on_disk(move || {
                if let Some(file) = file {
                    file.sync_all()?;
                }
                path.parent().map_or(Ok(()), sync_folder)
            })
            .await?;
        }
        self.is_finished = true;
        Ok(())
    }

    /// The job stands: from now on its end removes the upload.
    pub(super) fn accept(mut self) {
        self.is_accepted = true;
    }

    async fn put_chunk(&mut self) -> Result<()> {
        let chunk = self.buffer.split().freeze();
        match &mut self.place {
            Place::File { file, .. } => {
                let Some(mut open) = file.take() else {
                    return Err(Error::internal("a finished spool was written to"));
                };
                let written = on_disk(move || open.write_all(&chunk).map(|()| open));
                *file = Some(written.await?);
            }
            Place::Chunks { store, clock, next } => {
                store
                    .put_chunk(&self.job, *next, chunk.into(), clock.now())
                    .await?;
                *next += 1;
            }
        }
        Ok(())
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.is_accepted || self.is_resumable {
            return;
        }
        match &self.place {
            // The sweep at the next start finds what can't be removed now.
            Place::File { path, .. } => drop(std::fs::remove_file(path)),
            Place::Chunks { store, .. } => {
                let (store, job) = (store.clone(), self.job.clone());
                let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                    return;
                };
                runtime.spawn(async move {
                    let mut write = store.write();
                    write.delete_chunks(&job);
                    if let Err(error) = store.commit(write).await {
                        tracing::warn!(%job, %error, "an abandoned upload stays for the sweep");
                    }
                });
            }
        }
    }
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Elsewhere a folder can't be opened to be synced; the file is.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A finished upload, read from any byte on. Blocks: it belongs on a thread of its own.
pub(super) struct SpoolReader {
    job: JobId,
    size: i64,
    offset: i64,
    place: ReadPlace,
}

enum ReadPlace {
    File(PathBuf, Option<std::fs::File>),
    Chunks(Store, tokio::runtime::Handle),
}

impl SpoolReader {
    /// Must be called where the runtime can be reached.
    pub fn new(engine: &Engine, job: &JobId, size: i64) -> Self {
        let place = if engine.store.spools_to_files() {
            ReadPlace::File(path_of(&engine.settings.data_dir, job), None)
        } else {
            ReadPlace::Chunks(engine.store.clone(), tokio::runtime::Handle::current())
        };
        Self {
            job: job.clone(),
            size,
            offset: 0,
            place,
        }
    }

    fn read(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        match &mut self.place {
            ReadPlace::File(path, file) => {
                let lost = |error: std::io::Error| SourceError::Lost(error.to_string());
                let file = match file {
                    Some(file) => file,
                    None => file.insert(open_at(path, self.offset).map_err(lost)?),
                };
                let held = buffer.len();
                buffer.resize(held + CHUNK, 0);
                let fresh = buffer.get_mut(held..).unwrap_or_default();
                let count = file.read(fresh);
                buffer.truncate(held + count.as_ref().copied().unwrap_or(0));
                count.map_err(lost)
            }
            ReadPlace::Chunks(store, runtime) => {
                let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
                let (number, skip) = (offset / CHUNK, offset % CHUNK);
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                let chunk = runtime.block_on(store.find_chunk(&self.job, number));
                let chunk = chunk.map_err(|error| match error {
                    StoreError::Unavailable(detail) => SourceError::Unavailable(detail),
                    other => SourceError::Lost(other.to_string()),
                })?;
                let fresh = chunk.as_deref().and_then(|chunk| chunk.get(skip..));
                let fresh = fresh.unwrap_or_default();
                buffer.extend_from_slice(fresh);
                Ok(fresh.len())
            }
        }
    }
}

fn open_at(path: &Path, offset: i64) -> std::io::Result<std::fs::File> {
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(u64::try_from(offset).unwrap_or(0)))?;
    Ok(file)
}

impl Source for SpoolReader {
    fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        if self.offset >= self.size {
            return Ok(0);
        }
        let count = self.read(buffer)?;
        if count == 0 {
            let (offset, size) = (self.offset, self.size);
            let detail = format!("the upload ends at byte {offset} of {size}");
            return Err(SourceError::Lost(detail));
        }
        self.offset += i64::try_from(count).unwrap_or(i64::MAX);
        Ok(count)
    }

    fn seek(&mut self, offset: i64) {
        self.offset = offset;
        if let ReadPlace::File(_, file) = &mut self.place {
            *file = None;
        }
    }
}
