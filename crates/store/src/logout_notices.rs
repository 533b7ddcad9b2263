//! Clients to be told that a session ended: written by the batch that ends it, sent later, retried,
//! never lost. Whom the batch tells is found out by itself, so that no login slips in between.

use domain::{Client, ClientId, Instant, SessionEnd, SessionId, UserId};

use crate::db::{Expect, Row, Stmt, Value, any, one};
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

/// Which notices a sender takes at once.
#[derive(Clone, Copy, Debug)]
pub struct NoticeShare<'a> {
    /// At most so many.
    pub limit: u32,
    /// Of each client at most so many.
    pub of_each: u32,
    /// None for these clients.
    pub but: &'a [ClientId],
}

/// Why and when sessions end, and what the notices of it are named by.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Why.
    pub reason: SessionEnd,
    /// When.
    pub at: Instant,
    /// Random letters: together with session and client they name a notice.
    pub name: String,
}

/// Notices for the clients of some sessions; the condition follows, from `$4` on.
const TELL: &str = "insert into logout_notices (id, client_id, url, subject, session_id, attempts, \
     next_attempt_at, created_at) \
     select c.session_id || '.' || c.client_id || '.' || $1, c.client_id, r.url, u.user_id, \
     c.session_id, 0, cast($2 as bigint), cast($2 as bigint) from session_clients c \
     join logout_receivers r on r.client_id = c.client_id join users u on u.id = c.user_row \
     where r.ends like $3 and ";

impl Ending {
    /// A statement that writes the notices of those sessions.
    pub(crate) fn tell(&self, which: &str, value: Value) -> Stmt {
        let params = vec![
            (&self.name).into(),
            self.at.into(),
            format!("% {} %", self.reason.as_str()).into(),
            value,
        ];
        Stmt {
            sql: format!("{TELL}{which}").into(),
            params,
            expect: Expect::Any,
        }
    }
}

impl Store {
    /// Notices due now, a share of them; each is put off until `retry_at`, so that two senders do not
    /// both take it.
    pub async fn claim_logout_notices(
        &self,
        now: Instant,
        retry_at: Instant,
        share: NoticeShare<'_>,
    ) -> Result<Vec<LogoutNotice>> {
        let mut params: Vec<Value> = vec![
            now.into(),
            retry_at.into(),
            i64::from(share.limit).into(),
            i64::from(share.of_each).into(),
        ];
        let first = params.len() + 1;
        params.extend(share.but.iter().map(Value::from));
        let others = (first..=params.len()).map(|place| format!(" and client_id <> ${place}"));
        let others = others.collect::<Vec<_>>().concat();
        let sql = format!(
            "with due as materialized (select id from logout_notices where next_attempt_at <= $1 \
             and id in (select id from (select id, row_number() over (partition by client_id \
             order by next_attempt_at, id) as place from logout_notices \
             where next_attempt_at <= $1{others}) as ranked where place <= $4) \
             order by next_attempt_at, id limit $3{}) \
             update logout_notices set attempts = attempts + 1, next_attempt_at = $2 \
             where id in (select id from due) \
             returning id, client_id, url, subject, session_id, attempts",
            self.db.skip_locked()
        );
        let claim = Stmt {
            sql: sql.into(),
            params,
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
    /// Keeps in mind where a client is told of what.
    pub(crate) fn put_logout_receiver(&mut self, client: &Client) -> &mut Self {
        self.delete_logout_receiver(&client.client_id);
        let Some(url) = client.backchannel_logout_urls().next() else {
            return self;
        };
        let told = SessionEnd::ALL.into_iter();
        let told = told.filter(|end| client.is_told_of(*end));
        let told: Vec<&str> = told.map(SessionEnd::as_str).collect();
        let ends = format!(" {} ", told.join(" "));
        self.push(one(
            "insert into logout_receivers (client_id, url, ends) values ($1, $2, $3)",
            vec![(&client.client_id).into(), url.into(), ends.into()],
        ))
    }

    pub(crate) fn delete_logout_receiver(&mut self, client: &ClientId) -> &mut Self {
        self.push(any(
            "delete from logout_receivers where client_id = $1",
            vec![client.into()],
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
