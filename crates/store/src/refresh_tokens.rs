//! Refresh tokens: a chain in which each is used once and replaced, or one that stays. The chain
//! hangs on its authorization; revoking that ends it.

use domain::{Authorization, AuthorizationId, Instant, UserId, UserRow};

use crate::authorizations::{FIELDS, SOURCE, read_authorization};
use crate::db::{Row, any, one};
use crate::error::Result;
use crate::{Store, Write, first};

/// A refresh token and what it hangs on.
#[derive(Clone, Debug)]
pub struct StoredRefreshToken {
    /// SHA-256 of the token, hexadecimal: the token itself is never stored.
    pub token_hash: String,
    /// Its family.
    pub authorization: Authorization,
    /// Until when the authorization is remembered.
    pub remembered_until: Instant,
    /// When it was replaced by the next one.
    pub used_at: Option<Instant>,
    /// When it came to be.
    pub created_at: Instant,
    /// When it was exchanged last, to the minute.
    pub touched_at: Instant,
    /// When the whole family ends.
    pub expires_at: Option<Instant>,
    /// When it ends unless somebody uses it.
    pub idle_expires_at: Option<Instant>,
}

/// A family of refresh tokens as the Management API lists it: the newest stands for all.
#[derive(Clone, Debug)]
pub struct RefreshFamily {
    /// What it hangs on.
    pub authorization: Authorization,
    /// When it was exchanged last.
    pub touched_at: Instant,
    /// When it ends.
    pub expires_at: Option<Instant>,
    /// When it ends unless somebody uses it.
    pub idle_expires_at: Option<Instant>,
    /// Whether a token of it was replaced, or would be.
    pub was_rotated: bool,
}

impl Store {
    /// A refresh token by its hash: used or not, in time or not, revoked or not.
    pub async fn find_refresh_token(&self, token_hash: &str) -> Result<Option<StoredRefreshToken>> {
        let sql = format!(
            "select r.token_hash, r.used_at, r.created_at, r.touched_at, r.expires_at, \
             r.idle_expires_at, a.expires_at, {FIELDS} from {SOURCE} \
             join refresh_tokens r on r.authorization_id = a.id where r.token_hash = $1"
        );
        first(self.db.lookup(sql, vec![token_hash.into()]).await?)
            .map(stored)
            .transpose()
    }

    /// The living family of an authorization.
    pub async fn find_refresh_family(
        &self,
        id: &AuthorizationId,
        now: Instant,
    ) -> Result<Option<RefreshFamily>> {
        let sql = families("a.id = $1", "");
        first(self.db.lookup(sql, vec![id.into(), now.into()]).await?)
            .map(family)
            .transpose()
    }

    /// The living families of a user, by authorization, after one of them.
    pub async fn list_refresh_families(
        &self,
        user: &UserId,
        now: Instant,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<RefreshFamily>> {
        let sql = families("u.user_id = $1", "and a.id > $3 order by a.id limit $4");
        let params = vec![
            user.into(),
            now.into(),
            after.unwrap_or("").into(),
            i64::from(limit).into(),
        ];
        let rows = self.db.lookup(sql, params).await?;
        rows.into_iter().map(family).collect()
    }
}

/// The newest token of each family that a condition names and that is alive at `$2`.
fn families(condition: &str, rest: &str) -> String {
    format!(
        "select r.touched_at, r.expires_at, r.idle_expires_at, \
         (select count(*) from refresh_tokens o \
         where o.authorization_id = a.id and o.used_at is not null), \
         {FIELDS} from {SOURCE} join refresh_tokens r on r.authorization_id = a.id \
         where {condition} and a.revoked_at is null and r.token_hash = (\
         select n.token_hash from refresh_tokens n where n.authorization_id = a.id \
         and n.used_at is null order by n.created_at desc, n.token_hash limit 1) \
         and (r.expires_at is null or r.expires_at > $2) \
         and (r.idle_expires_at is null or r.idle_expires_at > $2) {rest}"
    )
}

fn stored(mut row: Row) -> Result<StoredRefreshToken> {
    Ok(StoredRefreshToken {
        token_hash: row.text("refresh_tokens.token_hash")?,
        used_at: row.time_or_null("refresh_tokens.used_at")?,
        created_at: row.time("refresh_tokens.created_at")?,
        touched_at: row.time("refresh_tokens.touched_at")?,
        expires_at: row.time_or_null("refresh_tokens.expires_at")?,
        idle_expires_at: row.time_or_null("refresh_tokens.idle_expires_at")?,
        remembered_until: row.time("authorizations.expires_at")?,
        authorization: read_authorization(&mut row)?,
    })
}

fn family(mut row: Row) -> Result<RefreshFamily> {
    Ok(RefreshFamily {
        touched_at: row.time("refresh_tokens.touched_at")?,
        expires_at: row.time_or_null("refresh_tokens.expires_at")?,
        idle_expires_at: row.time_or_null("refresh_tokens.idle_expires_at")?,
        was_rotated: row.int("was_rotated")? != 0,
        authorization: read_authorization(&mut row)?,
    })
}

impl Write {
    /// Writes a new refresh token. The authorization must be required by the same batch.
    pub fn insert_refresh_token(
        &mut self,
        token_hash: &str,
        authorization: &AuthorizationId,
        user: UserRow,
        ends: (Option<Instant>, Option<Instant>),
        now: Instant,
    ) -> &mut Self {
        let (expires_at, idle_expires_at) = ends;
        self.push(one(
            "insert into refresh_tokens (token_hash, authorization_id, user_row, created_at, \
             touched_at, expires_at, idle_expires_at) values ($1, $2, $3, $4, $4, $5, $6)",
            vec![
                token_hash.into(),
                authorization.into(),
                user.into(),
                now.into(),
                expires_at.into(),
                idle_expires_at.into(),
            ],
        ))
    }

    /// Uses a refresh token up: the batch fails when somebody used it before.
    pub fn use_refresh_token(&mut self, token_hash: &str, now: Instant) -> &mut Self {
        self.push(one(
            "update refresh_tokens set used_at = $2 where token_hash = $1 and used_at is null",
            vec![token_hash.into(), now.into()],
        ))
    }

    /// Notes that a token which stays was exchanged.
    pub fn touch_refresh_token(
        &mut self,
        token_hash: &str,
        idle_expires_at: Option<Instant>,
        now: Instant,
    ) -> &mut Self {
        self.push(any(
            "update refresh_tokens set touched_at = $2, idle_expires_at = $3 \
             where token_hash = $1 and touched_at <= $2",
            vec![token_hash.into(), now.into(), idle_expires_at.into()],
        ))
    }
}
