//! A job is accepted: the documented checks in their order, then one batch.

use domain::connection::Mode;
use domain::{
    ConnectionId, Counters, EventKind, ImportJob, ImportOptions, JobStatus, RowError, RowErrorCode,
};
use store::StoreError;

use super::spool::Spool;
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
}

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
        let job = ImportJob {
            id: spool.job.clone(),
            connection: connection.id.clone(),
            external_id: request.external_id,
            upsert: request.upsert,
            send_completion_email: request.send_completion_email,
            options: request.options,
            status: JobStatus::Pending,
            status_details: None,
            size: i64::try_from(spool.size).unwrap_or(i64::MAX),
            offset: 0,
            counters: Counters::default(),
            created_at: self.now(),
            started_at: None,
            ended_at: None,
        };
        let description = "Create import users job";
        let mut event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        event.connection = Some((connection.id, connection.name));
        event
            .details
            .insert("job_id".into(), job.id.to_string().into());
        let mut write = self.store.write();
        write.require_connection(&job.connection);
        if self.settings.import.auth0_compatible_limits {
            write.require_room_for_job(MOST_ACTIVE);
        }
        write.insert_job(&job).log(&event);
        match self.store.commit(write).await {
            Ok(()) => {}
            Err(StoreError::Stale { statement: 0, .. }) => return Err(no_connection()),
            Err(StoreError::Stale { .. }) => return Err(too_many()),
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

    async fn importable(&self, id: &str) -> Result<domain::Connection> {
        if !ConnectionId::is_well_formed(id) {
            let message = "String does not match pattern ^con_[A-Za-z0-9]{16}$";
            let error = RowError::new(RowErrorCode::Pattern, "connection_id", message);
            return Err(Error::payload(&error));
        }
        let found = self.store.find_connection(&ConnectionId::from(id)).await?;
        let connection = found.ok_or_else(no_connection)?;
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

fn too_many() -> Error {
    Error::TooMany(format!(
        "There are {MOST_ACTIVE} active import users jobs, please wait until some of them are \
         finished and try again"
    ))
}
