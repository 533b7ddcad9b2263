//! A job's end: its status, the log event and the mail become true together.

use domain::{EventKind, ImportJob, JobStatus};
use store::{Lease, Mail, StoreError};

use crate::{Context, Engine};

impl Engine {
    /// Ends a job that this process holds.
    pub(super) async fn finish_import(
        &self,
        job: &ImportJob,
        lease: &Lease,
        status: JobStatus,
        details: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let connection = self.store.find_connection(&job.connection).await?;
        let name = connection.map(|found| found.name).unwrap_or_default();
        let kind = match status {
            JobStatus::Failed => EventKind::ImportFailed,
            _ => EventKind::UsersImported,
        };
        let mut event = self.event(&Context::default(), kind);
        event.description = details.map(str::to_owned);
        event.connection = Some((job.connection.clone(), name.clone()));
        event.details = event_details(job, &name, &self.tenant());
        let mut write = self.store.write();
        write.end_job(lease, status, details, now).log(&event);
        if job.send_completion_email
            && let Some(recipient) = self.mail_recipient()
        {
            let mail = self.completion_mail(job, &name, status, details, recipient);
            write.post(&mail, now)?;
        }
        self.store.commit(write).await?;
        self.outbox_wake.notify_one();
        self.wrap_wake.notify_one();
        Ok(())
    }

    fn completion_mail(
        &self,
        job: &ImportJob,
        connection: &str,
        status: JobStatus,
        details: Option<&str>,
        recipient: String,
    ) -> Mail {
        let (tenant, status) = (self.tenant(), status.as_str());
        let counters = job.counters;
        let rehearsal = if job.options.dry_run {
            " It was a rehearsal: nothing was written."
        } else {
            ""
        };
        let reason = details.map_or_else(String::new, |text| format!("\nReason: {text}\n"));
        Mail {
            id: domain::entropy::alphanumeric(&*self.entropy, 24),
            recipient,
            subject: format!(
                "[Ferry] Import user job for tenant {tenant} and connection {connection} {status}"
            ),
            body: format!(
                "The import job {} has {status}.{rehearsal}\n{reason}\n\
                 New users: {}\nUpdated users: {}\nFailed users: {}\nTotal: {}\n",
                job.id, counters.inserted, counters.updated, counters.failed, counters.total
            ),
            attempts: 0,
        }
    }

    /// The tenant as mails and events call it: the issuer's host.
    pub(crate) fn tenant(&self) -> String {
        let issuer = self.settings.issuer.as_str();
        let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default().to_owned()
    }
}

fn event_details(job: &ImportJob, connection: &str, tenant: &str) -> domain::Json {
    let counters = job.counters;
    let details = serde_json::json!({
        "connection": connection,
        "tenant": tenant,
        "job_id": job.id,
        "dry_run": job.options.dry_run,
        "summary": {
            "total": counters.total, "inserted": counters.inserted,
            "updated": counters.updated, "failed": counters.failed,
        },
    });
    match details {
        serde_json::Value::Object(object) => object,
        _ => domain::Json::new(),
    }
}
