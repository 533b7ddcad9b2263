//! The tenant log: written in the batch of what it tells of, read by id or by page.

use domain::page::Page;
use domain::{Instant, Json, LogEvent, UserId};

use crate::db::{Row, any, one};
use crate::error::Result;
use crate::{Store, Write, first};

impl Store {
    /// An event by id.
    pub async fn find_log(&self, id: &str) -> Result<Option<Json>> {
        let sql = "select body from log_events where log_id = $1";
        first(self.db.query(sql, vec![id.into()]).await?)
            .map(body)
            .transpose()
    }

    /// Events by page, newest first unless `ascending`.
    pub async fn list_logs(&self, page: Page, ascending: bool) -> Result<Vec<Json>> {
        let sql = if ascending {
            "select body from log_events order by log_id limit $1 offset $2"
        } else {
            "select body from log_events order by log_id desc limit $1 offset $2"
        };
        let params = vec![i64::from(page.size).into(), page.offset().into()];
        self.db
            .query(sql, params)
            .await?
            .into_iter()
            .map(body)
            .collect()
    }

    /// Events after one, oldest first: the checkpoint form.
    pub async fn list_logs_after(&self, id: &str, take: u32) -> Result<Vec<Json>> {
        let sql = "select body from log_events where log_id > $1 order by log_id limit $2";
        let params = vec![id.into(), i64::from(take).into()];
        self.db
            .query(sql, params)
            .await?
            .into_iter()
            .map(body)
            .collect()
    }

    /// Events of one user, newest first unless `ascending`.
    pub async fn list_user_logs(
        &self,
        user: &UserId,
        page: Page,
        ascending: bool,
    ) -> Result<Vec<Json>> {
        let sql = if ascending {
            "select body from log_events where user_id = $1 order by log_id limit $2 offset $3"
        } else {
            "select body from log_events where user_id = $1 order by log_id desc limit $2 offset $3"
        };
        let size = i64::from(page.size).into();
        let params = vec![user.into(), size, page.offset().into()];
        self.db
            .query(sql, params)
            .await?
            .into_iter()
            .map(body)
            .collect()
    }

    /// How many events of one user there are.
    pub async fn count_user_logs(&self, user: &UserId) -> Result<i64> {
        let sql = "select count(*) from log_events where user_id = $1";
        self.db.count(sql, vec![user.into()]).await
    }

    /// How many events there are.
    pub async fn count_logs(&self) -> Result<i64> {
        self.db
            .count("select count(*) from log_events", vec![])
            .await
    }
}

fn body(mut row: Row) -> Result<Json> {
    row.json("log_events.body")
}

impl Write {
    /// Adds an event to the batch.
    pub fn log(&mut self, event: &LogEvent) -> &mut Self {
        self.push(one(
            "insert into log_events (log_id, date, type, user_id, connection_id, body) \
             values ($1, $2, $3, $4, $5, $6)",
            vec![
                (&event.log_id).into(),
                event.date.into(),
                event.kind.code().into(),
                event.user_id.as_ref().into(),
                event.connection.as_ref().map(|(id, _)| id).into(),
                crate::write::json(&event.to_json()).into(),
            ],
        ))
    }

    /// Forgets events older than a moment.
    pub fn forget_logs(&mut self, before: Instant) -> &mut Self {
        self.push(any(
            "delete from log_events where date < $1",
            vec![before.into()],
        ))
    }
}
