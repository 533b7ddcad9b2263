//! Mail on its way out: written with what it tells of, sent later, retried, never lost. Its text may
//! hold a one-time link: it is sealed while it waits, and gone when it was sent.

use domain::Instant;

use crate::db::{any, one};
use crate::error::Result;
use crate::{Store, Write, first};

const PLACE: &str = "outbox.body";

/// A mail to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its id.
    pub id: String,
    /// To whom.
    pub recipient: String,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// Tries so far.
    pub attempts: i64,
}

impl Store {
    /// Mails due now; each is put off until `retry_at`, so that two senders do not both take it.
    pub async fn claim_mail(
        &self,
        now: Instant,
        retry_at: Instant,
        limit: u32,
    ) -> Result<Vec<Mail>> {
        let sql = format!(
            "with due as materialized (select id from outbox where next_attempt_at <= $1 \
             order by next_attempt_at, id limit $3{}) \
             update outbox set attempts = attempts + 1, next_attempt_at = $2 \
             where id in (select id from due) \
             returning id, recipient, subject, body, attempts",
            self.db.skip_locked()
        );
        let claim = crate::db::Stmt {
            sql: sql.into(),
            params: vec![now.into(), retry_at.into(), i64::from(limit).into()],
            expect: crate::db::Expect::Any,
        };
        let done = self.db.batch(vec![claim]).await?;
        let rows = done.into_iter().flat_map(|done| done.rows);
        rows.map(|mut row| {
            let id = row.text("id")?;
            let (recipient, subject) = (row.text("recipient")?, row.text("subject")?);
            let body = self.seal.open_text(PLACE, &id, &row.bytes("body")?)?;
            Ok(Mail {
                id,
                recipient,
                subject,
                body: body.to_string(),
                attempts: row.int("attempts")?,
            })
        })
        .collect()
    }

    /// How many mails were given up and are not forgotten yet.
    pub async fn count_dead_mail(&self) -> Result<i64> {
        let sql = "select count(*) as mails from outbox \
                   where sent_at is null and next_attempt_at is null";
        let row = first(self.db.query(sql, Vec::new()).await?);
        row.map_or(Ok(0), |mut row| row.int("mails"))
    }
}

impl Write {
    /// Puts a mail into the outbox.
    pub fn post(&mut self, mail: &Mail, now: Instant) -> Result<&mut Self> {
        let body = self.sealed(PLACE, &mail.id, mail.body.as_bytes())?;
        Ok(self.push(one(
            "insert into outbox (id, recipient, subject, body, attempts, next_attempt_at, created_at) \
             values ($1, $2, $3, $4, 0, $5, $5)",
            vec![
                (&mail.id).into(),
                (&mail.recipient).into(),
                (&mail.subject).into(),
                body.into(),
                now.into(),
            ],
        )))
    }

    /// Marks a mail as sent. Its text goes: it may hold a one-time link.
    pub fn mark_sent(&mut self, id: &str, now: Instant) -> &mut Self {
        self.push(any(
            "update outbox set sent_at = $2, next_attempt_at = null, last_error = null, body = $3 \
             where id = $1",
            vec![id.into(), now.into(), Vec::<u8>::new().into()],
        ))
    }

    /// Forgets mails that were sent before a moment, and those from before it that were given up.
    pub fn forget_mail(&mut self, before: Instant) -> &mut Self {
        self.push(any(
            "delete from outbox where sent_at < $1 \
             or (sent_at is null and next_attempt_at is null and created_at < $1)",
            vec![before.into()],
        ))
    }

    /// Notes why a mail was not sent; without a next try it stays as a dead letter.
    pub fn mark_unsent(&mut self, id: &str, error: &str, next: Option<Instant>) -> &mut Self {
        self.push(any(
            "update outbox set last_error = $2, next_attempt_at = $3 where id = $1",
            vec![id.into(), error.into(), next.into()],
        ))
    }
}
