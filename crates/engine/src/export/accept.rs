//! An export is accepted: checks, then one batch of job and log event.

use domain::{
    ConnectionId, EventKind, ExportFormat, ExportJob, ExportRequest, JobId, JobStatus, LogEvent,
    RowError, RowErrorCode, entropy,
};
use store::StoreError;

use super::recipient::Recipient;
use crate::error::{Error, Result};
use crate::{Context, Engine};

/// Letters of a link's secret part: 256 bits.
const LINK: usize = 43;

/// What a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct ExportAsk {
    /// The connection's id as it was sent.
    pub connection: Option<String>,
    /// Format, limit, fields, recipient.
    pub request: ExportRequest,
}

impl Engine {
    /// Accepts an export as a job. The caller's right to credentials was checked when the request
    /// names a recipient.
    pub async fn accept_export(&self, context: &Context, ask: ExportAsk) -> Result<ExportJob> {
        let connection = match &ask.connection {
            None => None,
            Some(id) => Some(self.exportable(id).await?),
        };
        if let Some(recipient) = &ask.request.recipient {
            Recipient::parse(recipient, self.now())
                .map_err(|why| misfit("credentials.recipient", why))?;
            check_credentials(&ask)?;
        }
        let job = ExportJob {
            id: JobId::generate(&*self.entropy),
            connection: connection.as_ref().map(|found| found.id.clone()),
            request: ask.request,
            status: JobStatus::Pending,
            status_details: None,
            expected: 0,
            written: 0,
            attempt: None,
            size: 0,
            expires_at: None,
            created_at: self.now(),
            started_at: None,
        };
        let link = entropy::alphanumeric(&*self.entropy, LINK);
        let mut write = self.store.write();
        if let Some(connection) = &connection {
            write.require_connection(&connection.id);
        }
        write.insert_export(&job, &link)?;
        let connection = connection.map(|found| (found.id, found.name));
        for event in self.export_events(context, &job, connection).await? {
            write.log(&event);
        }
        match self.store.commit(write).await {
            Ok(()) => {}
            Err(StoreError::Stale { .. }) => return Err(no_connection()),
            Err(error) => return Err(error.into()),
        }
        self.export_wake.notify_one();
        Ok(job)
    }

    async fn exportable(&self, id: &str) -> Result<domain::Connection> {
        if !ConnectionId::is_well_formed(id) {
            let message = "String does not match pattern ^con_[A-Za-z0-9]{16}$";
            let error = RowError::new(RowErrorCode::Pattern, "connection_id", message);
            return Err(Error::payload(&error));
        }
        let found = self.store.find_connection(&ConnectionId::from(id)).await?;
        found.ok_or_else(no_connection)
    }

    /// The management write, and with credentials an event of its own that says who has them and
    /// for which key.
    async fn export_events(
        &self,
        context: &Context,
        job: &ExportJob,
        connection: Option<(ConnectionId, String)>,
    ) -> Result<Vec<LogEvent>> {
        let mut kinds = vec![(EventKind::Management, "Create export users job")];
        if job.request.recipient.is_some() {
            let text = "Users are exported with their credentials";
            kinds.push((EventKind::CredentialsExported, text));
        }
        let mut events = Vec::new();
        for (kind, description) in kinds {
            let mut event = self.management_event(context, kind, description).await?;
            event.connection.clone_from(&connection);
            let id = job.id.to_string();
            event.details.insert("job_id".into(), id.into());
            if let (EventKind::CredentialsExported, Some(recipient)) =
                (kind, &job.request.recipient)
            {
                let name = Recipient::parse(recipient, self.now()).map(|key| key.name());
                let name = name.unwrap_or_default();
                event.details.insert("recipient".into(), name.into());
            }
            events.push(event);
        }
        Ok(events)
    }
}

/// What goes back in has one shape: an import row of one connection.
fn check_credentials(ask: &ExportAsk) -> Result<()> {
    if ask.connection.is_none() {
        let message = "Required with credentials";
        return Err(misfit("connection_id", message.into()));
    }
    if ask.request.format == ExportFormat::Csv {
        return Err(misfit("format", "Must be json with credentials".into()));
    }
    if !ask.request.fields.is_empty() {
        return Err(misfit("fields", "Not allowed with credentials".into()));
    }
    Ok(())
}

fn misfit(path: &str, message: String) -> Error {
    crate::body::misfit(path, message)
}

fn no_connection() -> Error {
    Error::invalid("The connection does not exist.")
}
