//! Clients to be told that a session ended: written with its end, sent later, retried, never lost.

use domain::{ClientId, Instant, SessionId, UserId};

use crate::db::{Expect, Row, Stmt, any, one};
use crate::error::Result;
use crate::{Store, Write};

/// A client to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotice {
    /// Its id; also the `jti` of the logout token.
    pub id: String,
    /// Whom.
    pub client_id: ClientId,
    /// Where.
    pub url: String,
    /// Whose session it was.
    pub subject: UserId,
    /// Which.
    pub session: SessionId,
    /// Tries so far.
    pub attempts: i64,
}

impl Store {
    /// Notices due now; each is put off until `retry_at`, so that two senders do not both take it.
    pub async fn claim_logout_notices(
        &self,
        now: Instant,
        retry_at: Instant,
        limit: u32,
    ) -> Result<Vec<LogoutNotice>> {
        let sql = format!(
            "with due as materialized (select id from logout_notices where next_attempt_at <= $1 \
             order by next_attempt_at, id limit $3{}) \
             update logout_notices set attempts = attempts + 1, next_attempt_at = $2 \
             where id in (select id from due) \
             returning id, client_id, url, subject, session_id, attempts",
            self.db.skip_locked()
        );
        let claim = Stmt {
            sql: sql.into(),
            params: vec![now.into(), retry_at.into(), i64::from(limit).into()],
            expect: Expect::Any,
        };
        let done = self.db.batch(vec![claim]).await?;
        let rows = done.into_iter().flat_map(|done| done.rows);
        rows.map(notice).collect()
    }
}

fn notice(mut row: Row) -> Result<LogoutNotice> {
    Ok(LogoutNotice {
        id: row.text("logout_notices.id")?,
        client_id: row.text("logout_notices.client_id")?.into(),
        url: row.text("logout_notices.url")?,
        subject: row.text("logout_notices.subject")?.into(),
        session: row.text("logout_notices.session_id")?.into(),
        attempts: row.int("logout_notices.attempts")?,
    })
}

impl Write {
    /// Puts a notice into the outbox.
    pub fn post_logout_notice(&mut self, notice: &LogoutNotice, now: Instant) -> &mut Self {
        self.push(one(
            "insert into logout_notices (id, client_id, url, subject, session_id, attempts, \
             next_attempt_at, created_at) values ($1, $2, $3, $4, $5, 0, $6, $6)",
            vec![
                (&notice.id).into(),
                (&notice.client_id).into(),
                (&notice.url).into(),
                (&notice.subject).into(),
                (&notice.session).into(),
                now.into(),
            ],
        ))
    }

    /// The client was told.
    pub fn mark_notice_sent(&mut self, id: &str, now: Instant) -> &mut Self {
        self.push(any(
            "update logout_notices set sent_at = $2, next_attempt_at = null, last_error = null \
             where id = $1",
            vec![id.into(), now.into()],
        ))
    }

    /// Notes why the client was not told; without a next try the notice stays as a dead letter.
    pub fn mark_notice_unsent(
        &mut self,
        id: &str,
        error: &str,
        next: Option<Instant>,
    ) -> &mut Self {
        self.push(any(
            "update logout_notices set last_error = $2, next_attempt_at = $3 where id = $1",
            vec![id.into(), error.into(), next.into()],
        ))
    }

    /// Forgets notices that were written before a moment and wait for no try.
    pub fn forget_logout_notices(&mut self, before: Instant) -> &mut Self {
        self.push(any(
            "delete from logout_notices where created_at < $1 and next_attempt_at is null",
            vec![before.into()],
        ))
    }
}
