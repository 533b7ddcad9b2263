//! Sessions: a token that is used once and replaced, so that a stolen copy shows itself.

use domain::{ClientId, Instant, SessionId, UserRow};

use crate::db::{any, one};
use crate::error::Result;
use crate::{Store, Write, first};

/// A session about to be written.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Its id.
    pub id: &'a SessionId,
    /// Whose it is.
    pub user: UserRow,
    /// Through which client.
    pub client: Option<&'a ClientId>,
    /// SHA-256 of the token, hexadecimal: the token itself is never stored.
    pub token_hash: &'a str,
    /// When it ends by itself.
    pub expires_at: Instant,
}

impl Store {
    /// The user of an unused, living session token.
    pub async fn find_session(&self, token_hash: &str, now: Instant) -> Result<Option<UserRow>> {
        let sql = "select user_row from sessions \
                   where token_hash = $1 and used_at is null and expires_at > $2";
        let row = first(
            self.db
                .query(sql, vec![token_hash.into(), now.into()])
                .await?,
        );
        row.map(|mut row| row.int("user_row").map(UserRow))
            .transpose()
    }
}

impl Write {
    /// Writes a new session.
    pub fn insert_session(&mut self, session: &NewSession<'_>, now: Instant) -> &mut Self {
        self.push(one(
            "insert into sessions (id, user_row, client_id, token_hash, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6)",
            vec![
                session.id.into(),
                session.user.into(),
                session.client.into(),
                session.token_hash.into(),
                now.into(),
                session.expires_at.into(),
            ],
        ))
    }

    /// Uses a token up: the batch fails when somebody used it before.
    pub fn use_session(&mut self, token_hash: &str, now: Instant) -> &mut Self {
        self.push(one(
            "update sessions set used_at = $2 \
             where token_hash = $1 and used_at is null and expires_at > $2",
            vec![token_hash.into(), now.into()],
        ))
    }

    /// Ends all sessions of a user.
    pub fn delete_sessions(&mut self, user: UserRow) -> &mut Self {
        self.push(any(
            "delete from sessions where user_row = $1",
            vec![user.into()],
        ))
    }
}
