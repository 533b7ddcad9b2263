//! Writes of users: the person, the identity with its keys and credential, the factors.
//!
//! The user's row goes first wherever both are changed: changes that lock in turn would wait for
//! each other.

use std::borrow::Cow;

use domain::user::{Attributes, Credential, NewUser, Origin, User, UserRow};
use domain::{ConnectionId, EmailAddress, ForeignId, HashText, Instant, MfaFactor, Username};

use crate::Write;
use crate::db::{Value, any, one};
use crate::error::Result;
use crate::write::json;

pub(crate) const INSERT_USER: &str = "insert into users (id, user_id, email, email_verified, \
    username, phone_number, phone_verified, name, nickname, given_name, family_name, picture, \
    blocked, extra, user_metadata, app_metadata, logins_count, created_at, updated_at, version) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, $17, $17, 1)";

pub(crate) const INSERT_IDENTITY: &str = "insert into identities (provider, foreign_id, user_row, \
    connection_id, is_primary, email_key, username_key, phone_key, password_hash, \
    password_imported, origin, migrated_at, import_job) \
    values ('auth0', $1, $2, $3, true, $4, $5, $6, $7, $8, $9, $10, $11)";

/// The parameters of an attribute set, in the order of `$3`–`$16` of [`INSERT_USER`].
pub(crate) fn attribute_values(attributes: &Attributes) -> [Value; 14] {
    let extra = (!attributes.extra.is_empty()).then(|| json(&attributes.extra));
    [
        attributes.email.as_ref().map(EmailAddress::as_str).into(),
        attributes.email_verified.into(),
        attributes.username.as_ref().map(Username::as_str).into(),
        attributes.phone_number.clone().into(),
        attributes.phone_verified.into(),
        attributes.name.clone().into(),
        attributes.nickname.clone().into(),
        attributes.given_name.clone().into(),
        attributes.family_name.clone().into(),
        attributes.picture.clone().into(),
        attributes.blocked.into(),
        extra.into(),
        attributes.user_metadata.as_ref().map(json).into(),
        attributes.app_metadata.as_ref().map(json).into(),
    ]
}

/// TABLE: what goes with its user, each under `user_row`; beside it identities, which go last.
pub(crate) const OF_A_USER: &[&str] = &[
    "mfa_factors",
    "sessions",
    "tickets",
    "legacy_ids",
    "authorizations",
    "password_history",
    "refresh_tokens",
    "opaque_tokens",
    "device_codes",
    "session_clients",
    "consents",
    "factor_states",
    "recovery_codes",
    "passkeys",
    "mfa_challenges",
];

impl Write {
    /// Writes a user with its first identity, credential and factors.
    pub fn insert_user(&mut self, user: &NewUser) -> Result<&mut Self> {
        let attributes = &user.attributes;
        let is_migrated = matches!(user.origin, Origin::Login | Origin::Import);
        let credential = user.credential.as_ref();
        self.push(one(
            INSERT_IDENTITY,
            vec![
                (&user.foreign_id).into(),
                user.row.into(),
                (&user.connection).into(),
                attributes.email.as_ref().map(EmailAddress::key).into(),
                attributes.username.as_ref().map(Username::as_str).into(),
                attributes.phone_number.clone().into(),
                credential.map(|c| c.hash.expose()).into(),
                credential.is_some_and(|c| c.is_imported).into(),
                user.origin.as_str().into(),
                is_migrated.then_some(user.created_at).into(),
                user.import_job.as_ref().into(),
            ],
        ));
        let mut params = vec![user.row.into(), (&user.foreign_id.user_id()).into()];
        params.extend(attribute_values(attributes));
        params.push(user.created_at.into());
        self.push(one(INSERT_USER, params));
        self.insert_factors(user.row, &user.factors, user.created_at)
    }

    fn insert_factors(
        &mut self,
        row: UserRow,
        factors: &[MfaFactor],
        now: Instant,
    ) -> Result<&mut Self> {
        for (position, factor) in factors.iter().enumerate() {
            let place = format!("{}/{position}", row.0);
            let sealed = self.sealed("mfa_factors.secret", &place, factor.expose().as_bytes())?;
            self.push(one(
                "insert into mfa_factors (user_row, position, kind, secret, created_at) \
                 values ($1, $2, $3, $4, $5)",
                vec![
                    row.into(),
                    (position as i64).into(),
                    factor.kind().into(),
                    sealed.into(),
                    now.into(),
                ],
            ));
        }
        Ok(self)
    }

    /// Writes changed attributes, unless another change came first. Keys follow the attributes.
    pub fn update_user(
        &mut self,
        user: &User,
        connection: &ConnectionId,
        now: Instant,
    ) -> &mut Self {
        self.update_person(user, now);
        let attributes = &user.attributes;
        self.push(one(
            "update identities set email_key = $3, username_key = $4, phone_key = $5 \
             where user_row = $1 and connection_id = $2",
            vec![
                user.row.into(),
                connection.into(),
                attributes.email.as_ref().map(EmailAddress::key).into(),
                attributes.username.as_ref().map(Username::as_str).into(),
                attributes.phone_number.clone().into(),
            ],
        ))
    }

    /// The same without the keys: for users of other providers, whose address is no key of theirs.
    pub fn update_person(&mut self, user: &User, now: Instant) -> &mut Self {
        let mut params = vec![user.row.into(), user.version.into()];
        params.extend(attribute_values(&user.attributes));
        params.push(now.into());
        self.push(one(
            "update users set email = $3, email_verified = $4, username = $5, phone_number = $6, \
             phone_verified = $7, name = $8, nickname = $9, given_name = $10, family_name = $11, \
             picture = $12, blocked = $13, extra = $14, user_metadata = $15, app_metadata = $16, \
             updated_at = $17, version = version + 1 where id = $1 and version = $2",
            params,
        ))
    }

    /// Replaces the enrolled factors.
    pub fn replace_factors(
        &mut self,
        row: UserRow,
        factors: &[MfaFactor],
        now: Instant,
    ) -> Result<&mut Self> {
        self.push(any(
            "delete from mfa_factors where user_row = $1",
            vec![row.into()],
        ));
        self.insert_factors(row, factors, now)
    }

    /// Counts a login.
    pub fn record_login(&mut self, row: UserRow, ip: Option<&str>, now: Instant) -> &mut Self {
        self.push(one(
            "update users set logins_count = logins_count + 1, last_login = $2, last_ip = $3, \
             updated_at = $2 where id = $1",
            vec![row.into(), now.into(), ip.into()],
        ))
    }

    /// Sets an identity's password, and says when.
    pub fn set_password(
        &mut self,
        row: UserRow,
        connection: &ConnectionId,
        credential: &Credential,
        now: Instant,
    ) -> &mut Self {
        // The user first, as everywhere: two changes that lock in turn would wait for each other.
        self.push(one(
            "update users set last_password_reset = $2, updated_at = $2, version = version + 1 \
             where id = $1",
            vec![row.into(), now.into()],
        ));
        self.push(one(
            "update identities set password_hash = $3, password_imported = $4 \
             where user_row = $1 and connection_id = $2",
            vec![
                row.into(),
                connection.into(),
                credential.hash.expose().into(),
                credential.is_imported.into(),
            ],
        ))
    }

    /// Notes that a password was set where it is kept: in a legacy store.
    pub fn note_password_reset(&mut self, row: UserRow, now: Instant) -> &mut Self {
        self.push(one(
            "update users set last_password_reset = $2, updated_at = $2 where id = $1",
            vec![row.into(), now.into()],
        ))
    }

    /// Replaces a proven hash by a fresh one of the same password; does nothing when another
    /// login or a change of password was faster.
    pub fn refresh_password(
        &mut self,
        row: UserRow,
        connection: &ConnectionId,
        proven: &HashText,
        fresh: &HashText,
    ) -> &mut Self {
        self.push(any(
            "update identities set password_hash = $4, password_imported = false \
             where user_row = $1 and connection_id = $2 and password_hash = $3",
            vec![
                row.into(),
                connection.into(),
                proven.expose().into(),
                fresh.expose().into(),
            ],
        ))
    }

    /// The first login through a script of a user who was here without a password: the identity
    /// becomes a migrated one. Fails when another login was faster.
    pub fn adopt_password(
        &mut self,
        row: UserRow,
        connection: &ConnectionId,
        fresh: &HashText,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "update identities set password_hash = $3, password_imported = false, \
             origin = case when origin = 'cached' then 'login' else origin end, \
             migrated_at = coalesce(migrated_at, $4) \
             where user_row = $1 and connection_id = $2 and password_hash is null",
            vec![
                row.into(),
                connection.into(),
                fresh.expose().into(),
                now.into(),
            ],
        ))
    }

    /// The same for a user who has a password already, which the just proven one replaces. Fails
    /// when a login proved another meanwhile and `only_unproven` is asked for.
    pub fn replace_password(
        &mut self,
        row: UserRow,
        connection: &ConnectionId,
        fresh: &HashText,
        (only_unproven, now): (bool, Instant),
    ) -> &mut Self {
        self.push(one(
            "update identities set password_hash = $3, password_imported = false, \
             migrated_at = coalesce(migrated_at, $4) where user_row = $1 and connection_id = $2 \
             and (password_imported or not $5)",
            vec![
                row.into(),
                connection.into(),
                fresh.expose().into(),
                now.into(),
                only_unproven.into(),
            ],
        ))
    }

    /// Records the id by which a legacy store knows a user who keeps an id of their own. Conflicts
    /// on [`Key::LegacyId`](crate::Key::LegacyId) when another login was faster, and is stale when
    /// an import wrote a user of that id meanwhile. Follows [`Write::hold_off_imports`].
    pub fn insert_legacy_id(
        &mut self,
        row: UserRow,
        connection: &ConnectionId,
        foreign_id: &ForeignId,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "insert into legacy_ids (connection_id, foreign_id, user_row, created_at) \
             select $1, $2, id, $4 from users where id = $3 and not exists (select 1 \
             from identities where provider = 'auth0' and foreign_id = $2 \
             and connection_id || '' = $1)",
            vec![connection.into(), foreign_id.into(), row.into(), now.into()],
        ))
    }

    /// Deletes a user with everything that is theirs. The row goes first: it is the lock that
    /// changes of the user wait for, so that none of them leaves factors behind.
    pub fn delete_user(&mut self, row: UserRow) -> &mut Self {
        self.push(any("delete from users where id = $1", vec![row.into()]));
        for table in OF_A_USER.iter().chain(&["identities"]) {
            self.push(crate::db::Stmt {
                sql: Cow::Owned(format!("delete from {table} where user_row = $1")),
                params: vec![row.into()],
                expect: crate::db::Expect::Any,
            });
        }
        self
    }
}
