//! Access tokens that say nothing by themselves: what a JWT would say is kept here instead.

use domain::{AuthorizationId, Instant, Json, UserRow};

use crate::db::{any, one};
use crate::error::Result;
use crate::write::json;
use crate::{Store, Write, first};

/// An opaque access token about to be written.
#[derive(Debug)]
pub struct OpaqueToken<'a> {
    /// SHA-256 of the token, hexadecimal: the token itself is never stored.
    pub token_hash: &'a str,
    /// What it hangs on; none for a token of the client itself.
    pub authorization: Option<&'a AuthorizationId>,
    /// Of whom it speaks.
    pub user: Option<UserRow>,
    /// What it says.
    pub claims: &'a Json,
    /// When its time is over.
    pub expires_at: Instant,
}

impl Store {
    /// What a living opaque token says.
    pub async fn find_opaque_token(&self, token_hash: &str, now: Instant) -> Result<Option<Json>> {
        let sql = "select claims from opaque_tokens where token_hash = $1 and expires_at > $2";
        let params = vec![token_hash.into(), now.into()];
        first(self.db.lookup(sql, params).await?)
            .map(|mut row| row.json("opaque_tokens.claims"))
            .transpose()
    }
}

impl Write {
    /// Writes a new opaque token.
    pub fn insert_opaque_token(&mut self, token: &OpaqueToken<'_>, now: Instant) -> &mut Self {
        self.push(one(
            "insert into opaque_tokens (token_hash, authorization_id, user_row, claims, \
             created_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
            vec![
                token.token_hash.into(),
                token.authorization.into(),
                token.user.into(),
                json(token.claims).into(),
                now.into(),
                token.expires_at.into(),
            ],
        ))
    }

    /// Ends an opaque token.
    pub fn delete_opaque_token(&mut self, token_hash: &str) -> &mut Self {
        self.push(any(
            "delete from opaque_tokens where token_hash = $1",
            vec![token_hash.into()],
        ))
    }
}
