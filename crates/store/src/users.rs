//! Users with their identities and credentials.
//!
//! `users` holds what is known of a person; `identities` holds the keys that must be unique and
//! the credential. A user is always read with its identities, so that nobody sees half of one.

use domain::conflict::{Claim, ClaimedKey};
use domain::user::{Attributes, Identity, Origin, User, UserRow};
use domain::{ConnectionId, EmailAddress, ForeignId, HashText, UserId, Username};

use crate::db::Row;
use crate::error::{Result, StoreError};
use crate::{Store, first};

/// What a select of users begins with; the joined identities follow the user's own columns.
pub(crate) const COLUMNS: &str = "select u.id, u.user_id, u.version, u.email, u.email_verified, \
    u.username, u.phone_number, u.phone_verified, u.name, u.nickname, u.given_name, u.family_name, \
    u.picture, u.blocked, u.extra, u.user_metadata, u.app_metadata, u.logins_count, u.last_login, \
    u.last_ip, u.last_password_reset, u.sessions_revoked_at, u.created_at, u.updated_at, \
    (select string_agg(m.kind, ',' order by m.position) from mfa_factors m \
    where m.user_row = u.id), \
    i.connection_id, c.name, i.provider, i.foreign_id, i.origin, i.migrated_at, i.is_primary, \
    i.profile_data";

/// The join of [`COLUMNS`]; `u` and its filter come from the caller.
pub(crate) const JOIN: &str = "join identities i on i.user_row = u.id \
    left join connections c on c.id = i.connection_id";

/// The order of one user's identities, the same on both databases.
pub(crate) const PRIMARY_FIRST: &str = "i.is_primary desc, i.provider, i.foreign_id";

/// A stored credential.
#[derive(Debug)]
pub struct StoredCredential {
    /// The hash; `None` when no password is known here.
    pub hash: Option<HashText>,
    /// Brought by an import and not yet proven by a login.
    pub is_imported: bool,
}

impl Store {
    /// A user by public id.
    pub async fn find_user(&self, user_id: &UserId) -> Result<Option<User>> {
        let Some((provider, foreign_id)) = user_id.split() else {
            return Ok(None);
        };
        let sql = format!(
            "{COLUMNS} from users u {JOIN} where u.id = (select user_row from identities \
             where provider = $1 and foreign_id = $2 and is_primary) order by {PRIMARY_FIRST}"
        );
        let rows = self
            .db
            .lookup(sql, vec![provider.into(), foreign_id.into()])
            .await?;
        Ok(users(rows)?.into_iter().next())
    }

    /// A user by the store's number.
    pub async fn find_user_by_row(&self, row: UserRow) -> Result<Option<User>> {
        let sql = format!("{COLUMNS} from users u {JOIN} where u.id = $1 order by {PRIMARY_FIRST}");
        Ok(users(self.db.lookup(sql, vec![row.into()]).await?)?
            .into_iter()
            .next())
    }

    /// The user and credential that an identifier names in a connection: an e-mail address in any
    /// letter case, or a username.
    pub async fn find_login(
        &self,
        connection: &ConnectionId,
        identifier: &str,
    ) -> Result<Option<(User, StoredCredential)>> {
        let key = domain::email::fold(identifier);
        let column = if key.contains('@') {
            "email_key"
        } else {
            "username_key"
        };
        let sql = format!(
            "select user_row, password_hash, password_imported from identities \
             where connection_id = $1 and {column} = $2"
        );
        let mut found = first(
            self.db
                .lookup(sql, vec![connection.into(), (&key).into()])
                .await?,
        );
        if found.is_none() && column == "email_key" {
            // A legacy username may contain an `@` and yet be no address.
            let sql = "select user_row, password_hash, password_imported from identities \
                       where connection_id = $1 and username_key = $2";
            found = first(
                self.db
                    .lookup(sql, vec![connection.into(), key.into()])
                    .await?,
            );
        }
        let Some(mut row) = found else {
            return Ok(None);
        };
        let user_row = UserRow(row.int("user_row")?);
        let credential = credential(&mut row)?;
        // Deleted between the two reads: not here any more.
        Ok(self
            .find_user_by_row(user_row)
            .await?
            .map(|user| (user, credential)))
    }

    /// The identity's credential in a connection.
    pub async fn find_credential(
        &self,
        row: UserRow,
        connection: &ConnectionId,
    ) -> Result<Option<StoredCredential>> {
        let sql = "select password_hash, password_imported from identities \
                   where user_row = $1 and connection_id = $2";
        let found = first(
            self.db
                .lookup(sql, vec![row.into(), connection.into()])
                .await?,
        );
        found.map(|mut row| credential(&mut row)).transpose()
    }

    /// Users with this address, in any letter case.
    pub async fn list_users_by_email(&self, email: &str) -> Result<Vec<User>> {
        let sql = format!(
            "{COLUMNS} from users u {JOIN} where u.id in \
             (select user_row from identities where email_key = $1) order by u.id, {PRIMARY_FIRST}"
        );
        users(
            self.db
                .query(sql, vec![domain::email::fold(email).into()])
                .await?,
        )
    }

    /// The user holding this address in a connection.
    pub async fn find_user_by_email(
        &self,
        connection: &ConnectionId,
        email: &EmailAddress,
    ) -> Result<Option<User>> {
        Ok(self
            .find_login(connection, email.as_str())
            .await?
            .map(|(user, _)| user))
    }

    /// Keys of a newcomer that stored identities hold: the facts for `conflict::resolve`. The ids
    /// by which a legacy store knows users count as theirs.
    pub async fn claims_of(
        &self,
        connection: &ConnectionId,
        foreign_id: &ForeignId,
        attributes: &Attributes,
    ) -> Result<Vec<Claim>> {
        let columns = "select i.user_row, i.foreign_id, i.connection_id, i.origin, \
            i.password_hash is not null, i.password_imported, u.email_verified, u.phone_verified";
        let sql = format!(
            "{columns}, i.provider = 'auth0' and i.foreign_id = $2, i.connection_id = $1 and \
             i.email_key = $3, i.connection_id = $1 and i.username_key = $4, i.connection_id = $1 \
             and i.phone_key = $5 from identities i join users u on u.id = i.user_row \
             where (i.provider = 'auth0' and i.foreign_id = $2) or (i.connection_id = $1 \
             and (i.email_key = $3 or i.username_key = $4 or i.phone_key = $5)) union all {columns}, \
             true, false, false, false from legacy_ids l join identities i \
             on i.user_row = l.user_row and i.connection_id = l.connection_id \
             join users u on u.id = i.user_row where l.connection_id = $1 and l.foreign_id = $2"
        );
        let params = vec![
            connection.into(),
            foreign_id.into(),
            attributes.email.as_ref().map(EmailAddress::key).into(),
            attributes.username.as_ref().map(Username::as_str).into(),
            attributes.phone_number.clone().into(),
        ];
        let mut claims = Vec::new();
        for row in self.db.lookup(sql, params).await? {
            claims.extend(claims_in(row, connection)?);
        }
        claims.sort_by_key(|claim| claim.key);
        Ok(claims)
    }

    /// The id by which a connection's legacy store knows a user who was here under another one;
    /// the latest, where there are several.
    pub async fn find_legacy_id(
        &self,
        row: UserRow,
        connection: &ConnectionId,
    ) -> Result<Option<ForeignId>> {
        let sql = "select foreign_id from legacy_ids where user_row = $1 and connection_id = $2 \
                   order by created_at desc, foreign_id desc limit 1";
        let params = vec![row.into(), connection.into()];
        let found = first(self.db.lookup(sql, params).await?);
        found
            .map(|mut row| Ok(row.text("foreign_id")?.into()))
            .transpose()
    }

    /// Whether a connection's legacy store knows the user by this id, beside their own one.
    pub async fn is_legacy_id(
        &self,
        row: UserRow,
        connection: &ConnectionId,
        foreign_id: &ForeignId,
    ) -> Result<bool> {
        let sql = "select 1 from legacy_ids where connection_id = $1 and foreign_id = $2 \
                   and user_row = $3";
        let params = vec![connection.into(), foreign_id.into(), row.into()];
        Ok(!self.db.lookup(sql, params).await?.is_empty())
    }
}

/// One claim for each key that the identity holds.
fn claims_in(mut row: Row, connection: &ConnectionId) -> Result<Vec<Claim>> {
    let claim = Claim {
        row: UserRow(row.int("user_row")?),
        foreign_id: row.text("foreign_id")?.into(),
        same_connection: row.text("connection_id")? == connection.as_str(),
        origin: origin(row.text("origin")?)?,
        has_password: row.flag("has_password")?,
        is_password_imported: row.flag("password_imported")?,
        is_email_proven: row.flag("email_verified")?,
        is_phone_proven: row.flag_or_null("phone_verified")?.unwrap_or(false),
        key: ClaimedKey::ForeignId,
    };
    let mut claims = Vec::new();
    for key in ClaimedKey::ALL {
        if row.flag_or_null("key")?.unwrap_or(false) {
            claims.push(Claim {
                key,
                ..claim.clone()
            });
        }
    }
    Ok(claims)
}

fn credential(row: &mut Row) -> Result<StoredCredential> {
    Ok(StoredCredential {
        hash: row.text_or_null("password_hash")?.map(HashText::from),
        is_imported: row.flag("password_imported")?,
    })
}

fn origin(text: String) -> Result<Origin> {
    Origin::parse(&text).ok_or(StoreError::Corrupt {
        column: "identities.origin",
        problem: text,
    })
}

/// Groups joined rows into users; rows of one user stand together.
pub(crate) fn users(rows: Vec<Row>) -> Result<Vec<User>> {
    let mut users: Vec<User> = Vec::new();
    for mut row in rows {
        let user = user(&mut row)?;
        let identity = identity(&mut row)?;
        match users.last_mut().filter(|last| last.row == user.row) {
            Some(last) => last.identities.push(identity),
            None => users.push(User {
                identities: vec![identity],
                ..user
            }),
        }
    }
    Ok(users)
}

fn user(row: &mut Row) -> Result<User> {
    Ok(User {
        row: UserRow(row.int("id")?),
        user_id: row.text("user_id")?.into(),
        version: row.int("version")?,
        attributes: attributes(row)?,
        identities: Vec::new(),
        logins_count: row.int("logins_count")?,
        last_login: row.time_or_null("last_login")?,
        last_ip: row.text_or_null("last_ip")?,
        last_password_reset: row.time_or_null("last_password_reset")?,
        sessions_revoked_at: row.time_or_null("sessions_revoked_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        factors: row
            .text_or_null("factors")?
            .map(|kinds| kinds.split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
    })
}

fn attributes(row: &mut Row) -> Result<Attributes> {
    let corrupt = |column| StoreError::Corrupt {
        column,
        problem: "not well-formed".into(),
    };
    let email = row.text_or_null("email")?;
    Ok(Attributes {
        email: email
            .map(|text| EmailAddress::parse(&text).map_err(|_| corrupt("users.email")))
            .transpose()?,
        email_verified: row.flag("email_verified")?,
        username: row
            .text_or_null("username")?
            .map(|text| Username::foreign(&text).ok_or_else(|| corrupt("users.username")))
            .transpose()?,
        phone_number: row.text_or_null("phone_number")?,
        phone_verified: row.flag_or_null("phone_verified")?,
        name: row.text_or_null("name")?,
        nickname: row.text_or_null("nickname")?,
        given_name: row.text_or_null("given_name")?,
        family_name: row.text_or_null("family_name")?,
        picture: row.text_or_null("picture")?,
        blocked: row.flag_or_null("blocked")?,
        extra: row.json_or_null("extra")?.unwrap_or_default(),
        user_metadata: row.json_or_null("user_metadata")?,
        app_metadata: row.json_or_null("app_metadata")?,
    })
}

fn identity(row: &mut Row) -> Result<Identity> {
    Ok(Identity {
        connection: row.text("connection_id")?.into(),
        connection_name: row.text_or_null("connection_name")?.unwrap_or_default(),
        provider: row.text("provider")?,
        foreign_id: row.text("foreign_id")?.into(),
        origin: origin(row.text("origin")?)?,
        migrated_at: row.time_or_null("migrated_at")?,
        is_primary: row.flag("is_primary")?,
        profile_data: row.json_or_null("profile_data")?,
    })
}
