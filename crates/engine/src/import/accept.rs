//! A job is accepted: the documented checks in their order, then one batch.

use bytes::BytesMut;
use domain::connection::Mode;
use domain::{
    ConnectionId, Counters, EventKind, Idempotency, ImportJob, ImportOptions, JobStatus, RowError,
    RowErrorCode,
};
use sha2::{Digest as _, Sha256};
use store::{Key, StoreError};

use super::spool::{Spool, SpoolReader};
use super::window::{Source as _, SourceError};
use crate::error::{Error, Result};
use crate::{Context, Engine};

/// Import jobs that may be active at once under the documented limits.
const MOST_ACTIVE: i64 = 2;

/// What a caller asks for, beside the file.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The connection's id as it was sent.
    pub connection: String,
    /// Whether stored users are changed.
    pub upsert: bool,
    /// The caller's own name for the job.
    pub external_id: Option<String>,
    /// Whether a mail tells of the end.
    pub send_completion_email: bool,
    /// What else is asked for.
    pub options: ImportOptions,
    /// The caller's key: a second request with it means the same job.
    pub idempotency_key: Option<String>,
}

/// Longest key of a caller, in bytes.
const LONGEST_KEY: usize = 255;

impl Engine {
    /// Accepts an upload as a job. When this returns, job and file survive a crash.
    ///
    /// `Connection must be a database connection.` can't arise: there are no others.
    pub async fn accept_import(
        &self,
        context: &Context,
        request: ImportRequest,
        mut spool: Spool,
    ) -> Result<ImportJob> {
        let connection = self.importable(&request.connection).await?;
        if spool.size == 0 {
            return Err(Error::invalid("Users file must not be empty."));
        }
        spool.finish().await?;
        let idempotency = self.idempotency(&request, &spool).await?;
        if let Some(key) = &idempotency
            && let Some(job) = self.repeated(&connection.id, key).await?
        {
            return Ok(job);
        }
        let job = self.new_job(&connection.id, request, &spool, idempotency);
        self.insert_job(context, job, connection.name, spool).await
    }

    fn new_job(
        &self,
        connection: &ConnectionId,
        request: ImportRequest,
        spool: &Spool,
        idempotency: Option<Idempotency>,
    ) -> ImportJob {
        ImportJob {
            id: spool.job.clone(),
            connection: connection.clone(),
            external_id: request.external_id,
            upsert: request.upsert,
            send_completion_email: request.send_completion_email,
            options: request.options,
            status: JobStatus::Pending,
            status_details: None,
            size: i64::try_from(spool.size).unwrap_or(i64::MAX),
            offset: 0,
            consumed: 0,
            run: None,
            idempotency,
            counters: Counters::default(),
            created_at: self.now(),
            started_at: None,
            ended_at: None,
        }
    }

    /// Job and log event in one write; from here on the upload is the job's.
    async fn insert_job(
        &self,
        context: &Context,
        job: ImportJob,
        connection: String,
        spool: Spool,
    ) -> Result<ImportJob> {
        let description = "Create import users job";
        let mut event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        event.connection = Some((job.connection.clone(), connection));
        event
            .details
            .insert("job_id".into(), job.id.to_string().into());
        let mut write = self.store.write();
        write.require_connection(&job.connection);
        if self.settings.import.auth0_compatible_limits {
            write.require_room_for_job(MOST_ACTIVE);
        }
        if spool.is_resumable {
            write.end_upload(&job.id);
        }
        write.insert_job(&job).log(&event);
        match self.store.commit(write).await {
            Ok(()) => {}
            Err(StoreError::Conflict(Key::IdempotencyKey)) => {
                // Two requests with one key at the same moment: the other was first.
                let key = job.idempotency.as_ref().ok_or_else(key_vanished)?;
                let first = self.repeated(&job.connection, key).await?;
                return first.ok_or_else(key_vanished);
            }
            Err(StoreError::Stale { statement: 0, .. }) => return Err(no_connection()),
            Err(StoreError::Stale { .. }) => {
                if spool.is_resumable {
                    // Another request may have made a job of it.
                    self.find_upload(&job.id).await?;
                }
                return Err(too_many());
            }
            Err(error @ StoreError::Unavailable(_)) => {
                // Perhaps it was committed all the same. If not, the sweep finds the upload.
                spool.accept();
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        }
        spool.accept();
        self.import_wake.notify_one();
        Ok(job)
    }

    async fn idempotency(
        &self,
        request: &ImportRequest,
        spool: &Spool,
    ) -> Result<Option<Idempotency>> {
        let Some(key) = request.idempotency_key.clone() else {
            return Ok(None);
        };
        if key.is_empty() || key.len() > LONGEST_KEY || !key.bytes().all(|b| b.is_ascii_graphic()) {
            let message =
                format!("An idempotency key has 1 to {LONGEST_KEY} visible ASCII characters.");
            return Err(Error::invalid(message));
        }
        let asked = serde_json::json!([
            request.upsert,
            request.external_id,
            request.send_completion_email,
            request.options,
        ]);
        let mut reader = SpoolReader::new(self, &spool.job, spool.size.try_into().unwrap_or(0));
        let digest = tokio::task::spawn_blocking(move || {
            let mut digest = Sha256::new_with_prefix(asked.to_string());
            let mut buffer = BytesMut::new();
            while reader.fill(&mut buffer)? > 0 {
                digest.update(buffer.split());
            }
            Ok::<_, SourceError>(hex::encode(digest.finalize()))
        });
        let digest = digest.await.map_err(Error::unavailable)?;
        let digest = digest.map_err(|error| Error::unavailable(format!("spool: {error:?}")))?;
        Ok(Some(Idempotency { key, digest }))
    }

    /// The job that a key stands for already; it must have been asked for in the same words.
    async fn repeated(
        &self,
        connection: &ConnectionId,
        key: &Idempotency,
    ) -> Result<Option<ImportJob>> {
        let Some(job) = self.store.find_job_by_key(connection, &key.key).await? else {
            return Ok(None);
        };
        if job.idempotency.as_ref() == Some(key) {
            return Ok(Some(job));
        }
        Err(Error::Conflict {
            message: format!(
                "The idempotency key was used for another file or other options, by job {}.",
                job.id
            ),
            code: "idempotency_key_reused",
        })
    }

    async fn importable(&self, id: &str) -> Result<domain::Connection> {
        if !ConnectionId::is_well_formed(id) {
            let message = "String does not match pattern ^con_[A-Za-z0-9]{16}$";
            let error = RowError::new(RowErrorCode::Pattern, "connection_id", message);
            return Err(Error::payload(&error));
        }
        let found = self.store.find_connection(&ConnectionId::from(id)).await?;
        let connection = found.ok_or_else(no_connection)?;
        if !connection.is_database() {
            return Err(Error::invalid("The connection must be a database."));
        }
        if connection.enabled_clients.is_empty() {
            return Err(Error::invalid("Connection must be enabled."));
        }
        if connection.mode() == Mode::Legacy {
            let message = "Custom Database Connections without import mode are not allowed.";
            return Err(Error::invalid(message));
        }
        Ok(connection)
    }
}

fn no_connection() -> Error {
    Error::invalid("The connection does not exist.")
}

fn key_vanished() -> Error {
    Error::unavailable("the job of an idempotency key went away")
}

fn too_many() -> Error {
    Error::TooMany(format!(
        "There are {MOST_ACTIVE} active import users jobs, please wait until some of them are \
         finished and try again"
    ))
}
