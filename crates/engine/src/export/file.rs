//! Where the bytes of an export lie: a file beside SQLite, chunks in PostgreSQL, so that any server
//! can serve them. Each attempt has a place of its own.

use std::io::{Error as IoError, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use constant_time_eq::constant_time_eq;
use domain::{ExportJob, JobId};
use store::Store;
use tokio::io::AsyncReadExt as _;

use super::recipient::Recipient;
use crate::Engine;
use crate::error::{Error, Result};

/// Bytes of a chunk, and of one read.
const CHUNK: usize = 1 << 20;

/// Writes an attempt's bytes. Blocks.
pub(super) struct FileWriter {
    place: Place,
    size: u64,
}

enum Place {
    File(std::fs::File),
    Chunks {
        store: Store,
        runtime: tokio::runtime::Handle,
        job: JobId,
        attempt: String,
        next: i64,
        buffer: Vec<u8>,
    },
}

fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("exports")
}

fn path_of(data_dir: &Path, job: &JobId, attempt: &str) -> PathBuf {
    folder(data_dir).join(format!("{job}.{attempt}"))
}

impl FileWriter {
    /// Opens the place of an attempt that begins. Must be called where the runtime can be reached.
    pub(super) fn open(engine: &Engine, job: &JobId, attempt: &str) -> std::io::Result<Self> {
        let place = if engine.store.spools_to_files() {
            let data_dir = &engine.settings.data_dir;
            std::fs::create_dir_all(folder(data_dir))?;
            let mut options = std::fs::OpenOptions::new();
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let path = path_of(data_dir, job, attempt);
            Place::File(options.write(true).create_new(true).open(path)?)
        } else {
            Place::Chunks {
                store: engine.store.clone(),
                runtime: tokio::runtime::Handle::current(),
                job: job.clone(),
                attempt: attempt.to_owned(),
                next: 0,
                buffer: Vec::with_capacity(CHUNK),
            }
        };
        Ok(Self { place, size: 0 })
    }

    /// Makes everything durable; says how many bytes there are.
    pub(super) fn finish(mut self) -> std::io::Result<u64> {
        self.put_rest()?;
        if let Place::File(file) = &self.place {
            file.sync_all()?;
        }
        Ok(self.size)
    }

    fn put_rest(&mut self) -> std::io::Result<()> {
        let Place::Chunks {
            store,
            runtime,
            job,
            attempt,
            next,
            buffer,
        } = &mut self.place
        else {
            return Ok(());
        };
        if buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(buffer, Vec::with_capacity(CHUNK));
        runtime
            .block_on(store.put_export_chunk(job, attempt, *next, chunk))
            .map_err(IoError::other)?;
        *next += 1;
        Ok(())
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = match &mut self.place {
            Place::File(file) => file.write(bytes)?,
            Place::Chunks { buffer, .. } => {
                let room = CHUNK - buffer.len();
                let fitting = bytes.get(..room.min(bytes.len())).unwrap_or_default();
                buffer.extend_from_slice(fitting);
                fitting.len()
            }
        };
        self.size += count as u64;
        if matches!(&self.place, Place::Chunks { buffer, .. } if buffer.len() == CHUNK) {
            self.put_rest()?;
        }
        Ok(count)
    }

    /// Chunks are written when they are full, and at the end.
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A finished file on its way out.
pub struct ExportFile {
    /// What to call it.
    pub name: String,
    /// Its media type.
    pub kind: &'static str,
    /// Its bytes in all.
    pub size: u64,
    /// Its bytes.
    pub bytes: ExportBytes,
}

/// The bytes of a finished file, from the first to the last.
pub struct ExportBytes(Source);

enum Source {
    File(tokio::fs::File),
    Chunks {
        store: Store,
        job: JobId,
        attempt: String,
        next: i64,
    },
}

impl ExportBytes {
    /// The next bytes; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        match &mut self.0 {
            Source::File(file) => {
                let mut buffer = bytes::BytesMut::with_capacity(CHUNK >> 3);
                let count = file.read_buf(&mut buffer).await;
                let count = count.map_err(Error::unavailable)?;
                Ok((count > 0).then(|| buffer.freeze()))
            }
            Source::Chunks {
                store,
                job,
                attempt,
                next,
            } => {
                let chunk = store.find_export_chunk(job, attempt, *next).await?;
                *next += 1;
                Ok(chunk.map(Bytes::from))
            }
        }
    }
}

impl Engine {
    /// An export job.
    pub async fn find_export(&self, id: &JobId) -> Result<Option<ExportJob>> {
        Ok(self.store.find_export(id).await?)
    }

    /// The link to a finished file, while its time lasts.
    pub async fn export_location(&self, job: &ExportJob) -> Result<Option<String>> {
        if !job.is_available(self.now()) {
            return Ok(None);
        }
        let link = self.store.find_export_link(&job.id).await?;
        let base = &self.settings.issuer;
        Ok(link.map(|link| base.join(&format!("exports/{}/{}", job.id, *link))))
    }

    /// Opens the file behind a link. Whoever has the link may have the file; a wrong one, an old
    /// one and none at all are told apart by nobody.
    pub async fn open_export(&self, id: &JobId, link: &str) -> Result<ExportFile> {
        let known = self.store.find_export_link(id).await?;
        let is_right =
            known.is_some_and(|known| constant_time_eq(known.as_bytes(), link.as_bytes()));
        let found = if is_right {
            self.store.find_export(id).await?
        } else {
            None
        };
        let now = self.now();
        let Some((job, attempt)) = found
            .filter(|job| job.is_available(now))
            .and_then(|job| Some((job.attempt.clone()?, job)))
            .map(|(attempt, job)| (job, attempt))
        else {
            return Err(gone());
        };
        let source = if self.store.spools_to_files() {
            let path = path_of(&self.settings.data_dir, &job.id, &attempt);
            let file = tokio::fs::File::open(path).await;
            Source::File(file.map_err(|_| gone())?)
        } else {
            Source::Chunks {
                store: self.store.clone(),
                job: job.id.clone(),
                attempt,
                next: 0,
            }
        };
        let format = job.request.format.as_str();
        let recipient = match &job.request.recipient {
            Some(text) => Recipient::parse(text, job.created_at).ok(),
            None => None,
        };
        let ending = recipient.as_ref().map_or("", Recipient::ending);
        Ok(ExportFile {
            name: format!("{}.{format}.gz{ending}", job.id),
            kind: if recipient.is_some() {
                "application/octet-stream"
            } else {
                "application/gzip"
            },
            size: u64::try_from(job.size).unwrap_or(0),
            bytes: ExportBytes(source),
        })
    }

    /// Forgets files whose time is over, and what interrupted attempts left.
    pub async fn sweep_exports(&self) -> Result<()> {
        let mut write = self.store.write();
        write.forget_exports(self.now());
        self.store.commit(write).await?;
        if !self.store.spools_to_files() {
            return Ok(());
        }
        let mut files = match tokio::fs::read_dir(folder(&self.settings.data_dir)).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            found => found.map_err(Error::unavailable)?,
        };
        while let Some(file) = files.next_entry().await.map_err(Error::unavailable)? {
            let name = file.file_name();
            let Some((id, attempt)) = name.to_str().and_then(|name| name.split_once('.')) else {
                continue;
            };
            let job = self.store.find_export(&JobId::from(id)).await?;
            if job.and_then(|job| job.attempt).as_deref() != Some(attempt) {
                let removed = tokio::fs::remove_file(file.path()).await;
                removed.map_err(Error::unavailable)?;
            }
        }
        Ok(())
    }
}

fn gone() -> Error {
    Error::Missing {
        message: "There is no such file, or its time is over.".into(),
        code: "inexistent_export",
    }
}
