//! Uploads that come in several requests, so that a broken connection costs what was under way and
//! not the whole file.
//!
//! What is kept durably is counted in the store; a request goes on exactly there. One request at a
//! time makes an upload grow: of two, the second is refused. The upload becomes a job's file when
//! the job is accepted, without a copy.

use std::collections::HashSet;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use domain::JobId;
use store::{StoreError, Upload};

use super::spool::{CHUNK, Spool, create, on_disk, path_of, sync_folder};
use crate::Engine;
use crate::error::{Error, Result};

/// Bytes after which a file is synced and counted.
const SYNCED: usize = 8 << 20;

/// Uploads that a request of this process makes grow right now.
#[derive(Default)]
pub(crate) struct OpenUploads(Mutex<HashSet<JobId>>);

impl OpenUploads {
    fn enter(&self, id: &JobId) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(id.clone())
    }

    fn leave(&self, id: &JobId) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(id);
    }
}

/// One request's part of an upload.
pub struct UploadPart<'a> {
    engine: &'a Engine,
    upload: Upload,
    /// Bytes that are not written yet; beside PostgreSQL a chunk that is not whole.
    buffer: BytesMut,
    file: Option<std::fs::File>,
}

impl Engine {
    /// Begins an upload; `size` is what it will have.
    pub async fn create_upload(&self, size: Option<i64>) -> Result<Upload> {
        let limit = self.settings.import.largest_file();
        if size.is_some_and(|size| size < 0) {
            return Err(Error::invalid("The size of an upload can't be negative."));
        }
        if size.is_some_and(|size| size.unsigned_abs() > limit) {
            return Err(too_large(limit));
        }
        let upload = Upload {
            id: JobId::generate(&*self.entropy),
            size,
            received: 0,
            created_at: self.now(),
        };
        if self.store.spools_to_files() {
            let path = path_of(&self.settings.data_dir, &upload.id);
            on_disk(move || {
                create(&path)?.sync_all()?;
                path.parent().map_or(Ok(()), sync_folder)
            })
            .await?;
        }
        let mut write = self.store.write();
        write.insert_upload(&upload);
        self.store.commit(write).await?;
        Ok(upload)
    }

    /// How far an upload came.
    pub async fn find_upload(&self, id: &JobId) -> Result<Upload> {
        let found = self.store.find_upload(id).await?;
        found.ok_or_else(|| Error::Missing {
            message: "Upload not found.".into(),
            code: "inexistent_upload",
        })
    }

    /// Goes on with an upload at an offset, which must be where it stands.
    pub async fn continue_upload(&self, id: &JobId, offset: i64) -> Result<UploadPart<'_>> {
        if !self.uploads.enter(id) {
            return Err(busy());
        }
        // From here on, dropping the part leaves the upload to others.
        let mut part = UploadPart {
            engine: self,
            upload: Upload {
                id: id.clone(),
                size: None,
                received: 0,
                created_at: self.now(),
            },
            buffer: BytesMut::new(),
            file: None,
        };
        part.upload = self.find_upload(id).await?;
        if part.upload.received != offset {
            let received = part.upload.received;
            return Err(Error::Conflict {
                message: format!("The upload goes on at byte {received}."),
                code: "upload_offset_mismatch",
            });
        }
        part.open().await?;
        Ok(part)
    }

    /// An upload as the file of a job to be accepted.
    pub async fn arrived_upload(&self, id: &JobId) -> Result<Spool> {
        let upload = self.find_upload(id).await?;
        let (received, size) = (upload.received, upload.size.unwrap_or(upload.received));
        if received != size {
            let message = format!("The upload has {received} of its {size} bytes.");
            return Err(Error::invalid(message));
        }
        Ok(self.arrived_spool(upload.id, received.unsigned_abs()))
    }

    /// Forgets an upload that is no job's.
    pub async fn delete_upload(&self, id: &JobId) -> Result<()> {
        let mut write = self.store.write();
        write.end_upload(id);
        match self.store.commit(write).await {
            Ok(()) => {
                self.remove_upload(id).await;
                Ok(())
            }
            Err(StoreError::Stale { .. }) => self.find_upload(id).await.map(drop),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets uploads that nobody went on with for long.
    pub(super) async fn sweep_uploads(&self) -> Result<()> {
        let before = self.now().minus(self.settings.import.uploads_retention);
        for id in self.store.list_uploads_left_before(before).await? {
            self.delete_upload(&id).await?;
        }
        Ok(())
    }
}

impl UploadPart<'_> {
    /// Where the upload stands, durably.
    pub const fn received(&self) -> i64 {
        self.upload.received
    }

    async fn open(&mut self) -> Result<()> {
        if self.engine.store.spools_to_files() {
            let path = path_of(&self.engine.settings.data_dir, &self.upload.id);
            let begin = self.upload.received.unsigned_abs();
            let file = on_disk(move || {
                let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
                // What was written and not counted is written again.
                file.set_len(begin)?;
                file.seek(SeekFrom::Start(begin)).map(|_| file)
            });
            self.file = Some(file.await?);
            return Ok(());
        }
        let (position, held) = self.place();
        if held > 0 {
            let chunk = self.engine.store.find_chunk(&self.upload.id, position);
            let chunk = chunk.await?.unwrap_or_default();
            let kept = chunk.get(..held).ok_or_else(|| {
                Error::internal("an upload's last chunk is shorter than it was counted")
            })?;
            self.buffer.extend_from_slice(kept);
        }
        Ok(())
    }

    /// The chunk that the upload stands in, and how many bytes of it are there.
    fn place(&self) -> (i64, usize) {
        let received = usize::try_from(self.upload.received).unwrap_or(usize::MAX);
        let position = i64::try_from(received / CHUNK).unwrap_or(i64::MAX);
        (position, received % CHUNK)
    }

    /// Adds bytes; refuses more than were announced or are allowed.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        let pending = self.pending();
        let total = self.upload.received.unsigned_abs() + (pending + bytes.len()) as u64;
        let limit = self.engine.settings.import.largest_file();
        if total > limit {
            return Err(too_large(limit));
        }
        if let Some(size) = self.upload.size
            && total > size.unsigned_abs()
        {
            return Err(Error::invalid(format!(
                "The upload has more than the {size} bytes that were announced."
            )));
        }
        let most = if self.file.is_some() { SYNCED } else { CHUNK };
        while !bytes.is_empty() {
            let room = most - self.buffer.len();
            self.buffer
                .extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.buffer.len() == most {
                self.keep().await?;
            }
        }
        Ok(())
    }

    /// Bytes of the buffer that are not counted yet.
    fn pending(&self) -> usize {
        if self.file.is_some() {
            return self.buffer.len();
        }
        self.buffer.len() - self.place().1.min(self.buffer.len())
    }

    /// Makes durable what was added, and counts it; returns where the upload stands.
    pub async fn finish(mut self) -> Result<Upload> {
        if self.pending() > 0 {
            self.keep().await?;
        }
        Ok(self.upload.clone())
    }

    async fn keep(&mut self) -> Result<()> {
        let (id, from) = (self.upload.id.clone(), self.upload.received);
        let to = from + i64::try_from(self.pending()).unwrap_or(i64::MAX);
        let now = self.engine.now();
        let mut write = self.engine.store.write();
        if let Some(mut file) = self.file.take() {
            let bytes = self.buffer.split().freeze();
            let written = on_disk(move || {
                file.write_all(&bytes)?;
                file.sync_data().map(|()| file)
            });
            self.file = Some(written.await?);
        } else {
            let position = self.place().0;
            write.put_chunk(&id, position, self.buffer.to_vec(), now);
            if self.buffer.len() == CHUNK {
                self.buffer.clear();
            }
        }
        write.advance_upload(&id, from, to, now);
        match self.engine.store.commit(write).await {
            Ok(()) => {}
            Err(StoreError::Stale { .. }) => return Err(busy()),
            Err(error) => return Err(error.into()),
        }
        self.upload.received = to;
        Ok(())
    }
}

impl Drop for UploadPart<'_> {
    fn drop(&mut self) {
        self.engine.uploads.leave(&self.upload.id);
    }
}

fn busy() -> Error {
    Error::Conflict {
        message: "Another request is writing to the upload.".into(),
        code: "upload_busy",
    }
}

fn too_large(limit: u64) -> Error {
    Error::TooLarge(format!(
        "Payload content length greater than maximum allowed: {limit}."
    ))
}
