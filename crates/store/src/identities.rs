//! Identities beside passwords: those that other providers vouch for, and how identities move from
//! one user to another.
//!
//! A provider may know two people by one address, proven or not. So an address is a key among the
//! identities of a provider's connection only while nobody else there has it; who comes later is
//! stored without.

use std::borrow::Cow;

use domain::user::{Identity, User};
use domain::{
    Attributes, ConnectionId, EmailAddress, ForeignId, Instant, Json, UserId, UserRow, profile_data,
};

use crate::db::{Expect, Stmt, any, one};
use crate::error::Result;
use crate::logout_notices::Ending;
use crate::user_writes::{INSERT_USER, OF_A_USER, attribute_values};
use crate::write::json;
use crate::{Store, Write, first};

/// Who another provider vouches for: the key of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityKey {
    /// `oidc`, or `auth0` for databases.
    pub provider: String,
    /// The id inside the provider.
    pub foreign_id: ForeignId,
}

impl IdentityKey {
    /// The user whose first identity it is.
    pub fn user_id(&self) -> UserId {
        UserId::of(&self.provider, &self.foreign_id)
    }
}

/// An identity of another provider, about to be written.
#[derive(Debug)]
pub struct NewIdentity<'a> {
    /// Its key.
    pub key: &'a IdentityKey,
    /// Whose it is.
    pub user: UserRow,
    /// Its connection.
    pub connection: &'a ConnectionId,
    /// Whether it is the one that the user is named after.
    pub is_primary: bool,
    /// The address, where it is a key.
    pub email: Option<&'a EmailAddress>,
    /// What it says of the person, where it is not the primary one.
    pub profile_data: Option<&'a Json>,
}

impl Store {
    /// The user who has an identity, primary or linked.
    pub async fn find_user_by_identity(&self, key: &IdentityKey) -> Result<Option<User>> {
        let sql = "select user_row from identities where provider = $1 and foreign_id = $2";
        let params = vec![(&key.provider).into(), (&key.foreign_id).into()];
        match first(self.db.lookup(sql, params).await?) {
            Some(mut row) => self.find_user_by_row(UserRow(row.int("user_row")?)).await,
            None => Ok(None),
        }
    }
}

impl Write {
    /// Writes an identity of another provider.
    pub fn insert_identity(&mut self, identity: &NewIdentity<'_>) -> &mut Self {
        self.push(one(
            "insert into identities (provider, foreign_id, user_row, connection_id, is_primary, \
             email_key, password_imported, origin, profile_data) \
             values ($1, $2, $3, $4, $5, $6, false, 'native', $7)",
            vec![
                (&identity.key.provider).into(),
                (&identity.key.foreign_id).into(),
                identity.user.into(),
                identity.connection.into(),
                identity.is_primary.into(),
                identity.email.map(EmailAddress::key).into(),
                identity.profile_data.map(json).into(),
            ],
        ))
    }

    /// Writes a user without an identity; the same batch gives one.
    pub fn insert_person(
        &mut self,
        (row, user_id): (UserRow, &UserId),
        attributes: &Attributes,
        now: Instant,
    ) -> &mut Self {
        let mut params = vec![row.into(), user_id.into()];
        params.extend(attribute_values(attributes));
        params.push(now.into());
        self.push(one(INSERT_USER, params))
    }

    /// Makes an address the key of an identity, or none. Conflicts on [`Key::Email`](crate::Key::Email)
    /// where another identity of the connection has it.
    pub fn set_email_key(&mut self, key: &IdentityKey, email: Option<&EmailAddress>) -> &mut Self {
        self.push(any(
            "update identities set email_key = $3 where provider = $1 and foreign_id = $2",
            vec![
                (&key.provider).into(),
                (&key.foreign_id).into(),
                email.map(EmailAddress::key).into(),
            ],
        ))
    }

    /// Replaces what a linked identity says of its person. Does nothing when it was parted
    /// meanwhile.
    pub fn set_profile_data(&mut self, key: &IdentityKey, profile: &Json) -> &mut Self {
        self.push(any(
            "update identities set profile_data = $3 where provider = $1 and foreign_id = $2 \
             and not is_primary",
            vec![
                (&key.provider).into(),
                (&key.foreign_id).into(),
                json(profile).into(),
            ],
        ))
    }

    /// Links one user's identities to another user, who keeps name, metadata and factors. The other
    /// one is no more: sessions, tokens and all else of theirs go, and clients are told of the sessions'
    /// end. Fails when either was changed meanwhile.
    pub fn link_user(&mut self, primary: &User, secondary: &User, ending: &Ending) -> &mut Self {
        // While there is still a user whose sessions they are.
        self.delete_sessions(secondary.row, ending);
        let now = ending.at;
        // Two links of the same two users lock in one order.
        if primary.row < secondary.row {
            self.touch(primary, now).remove_person(secondary);
        } else {
            self.remove_person(secondary).touch(primary, now);
        }
        let profile = profile_data::from_attributes(&secondary.attributes);
        self.push(one(
            "update identities set user_row = $2, is_primary = false, profile_data = $3 \
             where user_row = $1 and is_primary",
            vec![
                secondary.row.into(),
                primary.row.into(),
                json(&profile).into(),
            ],
        ));
        for table in ["identities", "legacy_ids"] {
            self.push(Stmt {
                sql: Cow::Owned(format!(
                    "update {table} set user_row = $2 where user_row = $1"
                )),
                params: vec![secondary.row.into(), primary.row.into()],
                expect: Expect::Any,
            });
        }
        for table in OF_A_USER {
            self.push(Stmt {
                sql: Cow::Owned(format!("delete from {table} where user_row = $1")),
                params: vec![secondary.row.into()],
                expect: Expect::Any,
            });
        }
        self
    }

    /// Parts a linked identity from its user: it becomes a user of its own, with what the identity
    /// says of the person and without metadata. Sessions and authorizations that it opened end: whoever
    /// holds it is somebody else now. Fails when it was parted meanwhile.
    pub fn part_identity(
        &mut self,
        user: &User,
        identity: &Identity,
        row: UserRow,
        ending: &Ending,
    ) -> &mut Self {
        let now = ending.at;
        let id = UserId::of(&identity.provider, &identity.foreign_id);
        let profile = identity.profile_data.clone().unwrap_or_default();
        self.touch(user, now);
        self.delete_sessions_through(user.row, &identity.connection, ending);
        self.revoke_authorizations_through(user.row, &identity.connection, now);
        self.insert_person((row, &id), &profile_data::to_attributes(&profile), now);
        self.push(one(
            "update identities set user_row = $4, is_primary = true, profile_data = null \
             where user_row = $1 and provider = $2 and foreign_id = $3 and not is_primary",
            vec![
                user.row.into(),
                (&identity.provider).into(),
                (&identity.foreign_id).into(),
                row.into(),
            ],
        ));
        self.push(any(
            "update legacy_ids set user_row = $3 where user_row = $1 and connection_id = $2",
            vec![user.row.into(), (&identity.connection).into(), row.into()],
        ))
    }

    fn touch(&mut self, user: &User, now: Instant) -> &mut Self {
        self.push(one(
            "update users set updated_at = $3, version = version + 1 where id = $1 and version = $2",
            vec![user.row.into(), user.version.into(), now.into()],
        ))
    }

    fn remove_person(&mut self, user: &User) -> &mut Self {
        self.push(one(
            "delete from users where id = $1 and version = $2",
            vec![user.row.into(), user.version.into()],
        ))
    }
}
