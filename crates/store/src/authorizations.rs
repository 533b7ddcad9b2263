//! What logins allowed clients, and the codes that stand for it until a client redeems them.

use std::time::Duration;

use domain::{
    Authentication, Authorization, AuthorizationId, ClientId, ConnectionId, Instant, UserRow,
};

use crate::db::{Expect, Row, Stmt, Value, any, one};
use crate::error::Result;
use crate::write::texts;
use crate::{Store, Write, first};

/// How long a code is remembered after its time: as long as the tokens that came of it may live.
const CODES_KEPT: Duration = Duration::from_hours(31 * 24);

/// How long a revoked authorization is remembered at most: longer than its access tokens live.
const REVOKED_KEPT: Duration = Duration::from_hours(31 * 24);

/// Revokes, at `$1`, those that a condition names; they are forgotten at `$2`, however long their
/// refresh tokens would have lived.
const REVOKE: &str = "update authorizations set revoked_at = $1, \
     expires_at = case when expires_at < $2 then expires_at else $2 end \
     where revoked_at is null and ";

/// How long a device that came too late is still told so.
const DEVICES_KEPT: Duration = Duration::from_hours(1);

/// What is kept of an authorization code: never the code itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCode {
    /// SHA-256 of the code, hexadecimal.
    pub code_hash: String,
    /// What it stands for.
    pub authorization: AuthorizationId,
    /// What its redeemer must show, in the caller's own JSON.
    pub binding: String,
    /// When it was redeemed: a second time revokes the authorization (RFC 6749 §4.1.2).
    pub used_at: Option<Instant>,
    /// When its time is over.
    pub expires_at: Instant,
}

/// What [`read_authorization`] reads.
pub(crate) const FIELDS: &str = "a.id, a.client_id, a.user_row, u.user_id, a.connection_id, \
     a.session_id, a.authenticated_at, a.methods, a.audience, a.scope, a.dpop_key, a.created_at, \
     a.revoked_at";

/// Where they stand.
pub(crate) const SOURCE: &str = "authorizations a join users u on u.id = a.user_row";

impl Store {
    /// An authorization by its id, revoked or not; none when its user is gone.
    pub async fn find_authorization(&self, id: &AuthorizationId) -> Result<Option<Authorization>> {
        let sql = format!("select {FIELDS} from {SOURCE} where a.id = $1");
        first(self.db.lookup(sql, vec![id.into()]).await?)
            .map(|mut row| read_authorization(&mut row))
            .transpose()
    }

    /// A code by its hash, used or not, in time or not.
    pub async fn find_code(&self, code_hash: &str) -> Result<Option<StoredCode>> {
        let sql = "select code_hash, authorization_id, binding, used_at, expires_at \
                   from authorization_codes where code_hash = $1";
        first(self.db.lookup(sql, vec![code_hash.into()]).await?)
            .map(code)
            .transpose()
    }
}

/// The next columns of a row, which are [`FIELDS`].
pub(crate) fn read_authorization(row: &mut Row) -> Result<Authorization> {
    Ok(Authorization {
        id: row.text("authorizations.id")?.into(),
        client_id: row.text("authorizations.client_id")?.into(),
        authentication: Authentication {
            user: UserRow(row.int("authorizations.user_row")?),
            user_id: row.text("users.user_id")?.into(),
            connection: row
                .text_or_null("authorizations.connection_id")?
                .map(Into::into),
            session: row
                .text_or_null("authorizations.session_id")?
                .map(Into::into),
            at: row.time("authorizations.authenticated_at")?,
            methods: row.json("authorizations.methods")?,
        },
        audience: row.text_or_null("authorizations.audience")?,
        scope: row.text("authorizations.scope")?,
        dpop_key: row.text_or_null("authorizations.dpop_key")?,
        created_at: row.time("authorizations.created_at")?,
        revoked_at: row.time_or_null("authorizations.revoked_at")?,
    })
}

fn code(mut row: Row) -> Result<StoredCode> {
    Ok(StoredCode {
        code_hash: row.text("authorization_codes.code_hash")?,
        authorization: row.text("authorization_codes.authorization_id")?.into(),
        binding: row.text("authorization_codes.binding")?,
        used_at: row.time_or_null("authorization_codes.used_at")?,
        expires_at: row.time("authorization_codes.expires_at")?,
    })
}

impl Write {
    /// Writes a new authorization; it is forgotten after `expires_at`. Fails the batch when its
    /// user is gone.
    pub fn insert_authorization(
        &mut self,
        authorization: &Authorization,
        expires_at: Instant,
    ) -> &mut Self {
        let authentication = &authorization.authentication;
        let lock = self.share_lock;
        self.push(Stmt {
            sql: format!("select id from users where id = $1{lock}").into(),
            params: vec![authentication.user.into()],
            expect: Expect::One,
        });
        self.push(one(
            "insert into authorizations (id, client_id, user_row, connection_id, session_id, \
             audience, scope, methods, authenticated_at, dpop_key, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            vec![
                (&authorization.id).into(),
                (&authorization.client_id).into(),
                authentication.user.into(),
                authentication.connection.as_ref().into(),
                authentication.session.as_ref().into(),
                authorization.audience.as_ref().into(),
                (&authorization.scope).into(),
                texts(&authentication.methods).into(),
                authentication.at.into(),
                authorization.dpop_key.as_ref().into(),
                authorization.created_at.into(),
                expires_at.into(),
            ],
        ))
    }

    /// Revokes an authorization, and with it all its tokens. Once more is nothing new.
    pub fn revoke_authorization(&mut self, id: &AuthorizationId, now: Instant) -> &mut Self {
        self.revoke_where("id = $3", vec![id.into()], now)
    }

    /// Revokes those that a condition names; its parameters begin at `$3`.
    pub(crate) fn revoke_where(
        &mut self,
        condition: &str,
        which: Vec<Value>,
        now: Instant,
    ) -> &mut Self {
        let mut params = vec![now.into(), now.plus(REVOKED_KEPT).into()];
        params.extend(which);
        self.push(Stmt {
            sql: format!("{REVOKE}{condition}").into(),
            params,
            expect: Expect::Any,
        })
    }

    /// Writes a new code.
    pub fn insert_code(&mut self, code: &StoredCode, now: Instant) -> &mut Self {
        self.push(one(
            "insert into authorization_codes (code_hash, authorization_id, binding, created_at, \
             expires_at) values ($1, $2, $3, $4, $5)",
            vec![
                (&code.code_hash).into(),
                (&code.authorization).into(),
                (&code.binding).into(),
                now.into(),
                code.expires_at.into(),
            ],
        ))
    }

    /// Uses a code up: the batch fails when somebody used it before, or its time is over.
    pub fn use_code(&mut self, code_hash: &str, now: Instant) -> &mut Self {
        self.push(one(
            "update authorization_codes set used_at = $2 \
             where code_hash = $1 and used_at is null and expires_at > $2",
            vec![code_hash.into(), now.into()],
        ))
    }

    /// Fails the batch when the authorization was revoked, or is gone, by the time that it commits.
    pub fn require_authorization(&mut self, id: &AuthorizationId) -> &mut Self {
        let lock = self.share_lock;
        self.push(Stmt {
            sql: format!(
                "select id from authorizations where id = $1 and revoked_at is null{lock}"
            )
            .into(),
            params: vec![id.into()],
            expect: Expect::One,
        })
    }

    /// The same, and remembers it until a moment at least; its tokens are bound to a key from now
    /// on when one is named.
    pub fn extend_authorization(
        &mut self,
        id: &AuthorizationId,
        until: Instant,
        dpop_key: Option<&str>,
    ) -> &mut Self {
        self.push(one(
            "update authorizations set dpop_key = coalesce($3, dpop_key), \
             expires_at = case when expires_at > $2 then expires_at else $2 end \
             where id = $1 and revoked_at is null",
            vec![id.into(), until.into(), dpop_key.into()],
        ))
    }

    /// Revokes all authorizations of a user that refresh tokens hang on.
    pub fn revoke_refresh_tokens_of(&mut self, user: UserRow, now: Instant) -> &mut Self {
        self.revoke_where(
            "user_row = $3 and id in (select authorization_id from refresh_tokens \
             where user_row = $3)",
            vec![user.into()],
            now,
        )
    }

    /// Revokes all authorizations of a client that goes, and forgets their tokens.
    pub(crate) fn revoke_authorizations_of_client(
        &mut self,
        client: &ClientId,
        now: Instant,
    ) -> &mut Self {
        self.push(any(
            "delete from refresh_tokens where authorization_id in \
             (select id from authorizations where client_id = $1)",
            vec![client.into()],
        ));
        self.push(any(
            "delete from opaque_tokens where authorization_id in \
             (select id from authorizations where client_id = $1)",
            vec![client.into()],
        ));
        self.revoke_where("client_id = $3", vec![client.into()], now)
    }

    /// Revokes all authorizations that a user gave through a connection.
    pub(crate) fn revoke_authorizations_through(
        &mut self,
        user: UserRow,
        connection: &ConnectionId,
        now: Instant,
    ) -> &mut Self {
        self.revoke_where(
            "user_row = $3 and connection_id = $4",
            vec![user.into(), connection.into()],
            now,
        )
    }

    /// Forgets what nobody can use any more. Codes are remembered longer than they are good: a
    /// replay must still be told.
    pub fn forget_authorizations(&mut self, now: Instant) -> &mut Self {
        self.push(any(
            "delete from authorization_codes where expires_at <= $1",
            vec![now.minus(CODES_KEPT).into()],
        ));
        self.push(any(
            "delete from refresh_tokens where authorization_id in \
             (select id from authorizations where expires_at <= $1)",
            vec![now.into()],
        ));
        self.push(any(
            "delete from opaque_tokens where expires_at <= $1",
            vec![now.into()],
        ));
        self.push(any(
            "delete from device_codes where expires_at <= $1",
            vec![now.minus(DEVICES_KEPT).into()],
        ));
        self.push(any(
            "delete from pushed_requests where expires_at <= $1",
            vec![now.into()],
        ));
        self.push(any(
            "delete from authorizations where expires_at <= $1",
            vec![now.into()],
        ))
    }
}
