//! A stored user as an import compares rows with: columns as they stand, JSON unparsed.

use domain::user::{Attributes, UserRow};
use domain::{ConnectionId, EmailAddress, HashText, Username};

use super::ImportRow;
use super::settle::Change;
use crate::db::{Row, Stmt, Value, one};
use crate::error::{Result, StoreError};

/// The columns of [`Stored`].
pub(super) const COLUMNS: &str = "u.id, u.version, u.user_id, u.email, u.email_verified, \
    u.username, u.phone_number, u.phone_verified, u.name, u.nickname, u.given_name, u.family_name, \
    u.picture, u.blocked, u.user_metadata, u.app_metadata, i.password_hash, i.password_imported, \
    exists (select 1 from mfa_factors m where m.user_row = u.id), i.is_primary";

/// Users with their identities in the connection `$1`, of which a condition says which. The empty
/// text keeps a planner without statistics off the index that begins with the connection: it would
/// read all of its users for each row.
pub(super) fn select(condition: &str) -> String {
    format!(
        "select {COLUMNS} from users u join identities i on i.user_row = u.id \
         and i.connection_id || '' = $1 where {condition}"
    )
}

/// A stored user.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "columns")]
pub(super) struct Stored {
    pub user: UserRow,
    pub version: i64,
    pub user_id: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub username: Option<String>,
    pub phone_number: Option<String>,
    pub phone_verified: Option<bool>,
    pub name: Option<String>,
    pub nickname: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub picture: Option<String>,
    pub blocked: Option<bool>,
    pub user_metadata: Option<String>,
    pub app_metadata: Option<String>,
    pub password: Option<HashText>,
    pub is_password_imported: bool,
    pub has_factors: bool,
    /// The account is named after another identity: what a row says of the person is not its.
    pub is_linked: bool,
}

impl Stored {
    /// Reads the [`COLUMNS`].
    pub fn read(row: &mut Row) -> Result<Self> {
        Ok(Self {
            user: UserRow(row.int("id")?),
            version: row.int("version")?,
            user_id: row.text("user_id")?,
            email: row.text_or_null("email")?,
            email_verified: row.flag("email_verified")?,
            username: row.text_or_null("username")?,
            phone_number: row.text_or_null("phone_number")?,
            phone_verified: row.flag_or_null("phone_verified")?,
            name: row.text_or_null("name")?,
            nickname: row.text_or_null("nickname")?,
            given_name: row.text_or_null("given_name")?,
            family_name: row.text_or_null("family_name")?,
            picture: row.text_or_null("picture")?,
            blocked: row.flag_or_null("blocked")?,
            user_metadata: row.text_or_null("user_metadata")?,
            app_metadata: row.text_or_null("app_metadata")?,
            password: row.text_or_null("password_hash")?.map(HashText::from),
            is_password_imported: row.flag("password_imported")?,
            has_factors: row.flag("has_factors")?,
            is_linked: !row.flag("is_primary")?,
        })
    }

    /// The same, parsed. Root attributes are not read: rows bring none.
    pub fn attributes(&self) -> Result<Attributes> {
        let corrupt = |column| StoreError::Corrupt {
            column,
            problem: "not well-formed".into(),
        };
        let json = |text: &Option<String>, column| {
            let read = text.as_deref().map(serde_json::from_str::<domain::Json>);
            read.transpose().map_err(|_| corrupt(column))
        };
        let address = self.email.as_deref().map(EmailAddress::parse);
        let name = |text| Username::foreign(text).ok_or_else(|| corrupt("users.username"));
        Ok(Attributes {
            email: address.transpose().map_err(|_| corrupt("users.email"))?,
            email_verified: self.email_verified,
            username: self.username.as_deref().map(name).transpose()?,
            phone_number: self.phone_number.clone(),
            phone_verified: self.phone_verified,
            name: self.name.clone(),
            nickname: self.nickname.clone(),
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            picture: self.picture.clone(),
            blocked: self.blocked,
            extra: domain::Json::new(),
            user_metadata: json(&self.user_metadata, "users.user_metadata")?,
            app_metadata: json(&self.app_metadata, "users.app_metadata")?,
        })
    }

    /// The statements that write a change, each of them only while the user is as it was read.
    pub fn update(
        &self,
        change: &Change,
        row: &ImportRow,
        connection: &ConnectionId,
        now: domain::Instant,
    ) -> Vec<Stmt> {
        let of = &change.attributes;
        let username = of.username.as_ref().map(Username::as_str);
        let mut statements = vec![one(
            "update users set email = $3, email_verified = $4, username = $5, phone_number = $6, \
             phone_verified = $7, name = $8, nickname = $9, given_name = $10, family_name = $11, \
             picture = $12, blocked = $13, user_metadata = $14, app_metadata = $15, \
             updated_at = $16, version = version + 1 where id = $1 and version = $2",
            vec![
                self.user.into(),
                self.version.into(),
                of.email.as_ref().map(EmailAddress::as_str).into(),
                of.email_verified.into(),
                username.into(),
                of.phone_number.clone().into(),
                of.phone_verified.into(),
                of.name.clone().into(),
                of.nickname.clone().into(),
                of.given_name.clone().into(),
                of.family_name.clone().into(),
                of.picture.clone().into(),
                of.blocked.into(),
                change.user_metadata.clone().into(),
                change.app_metadata.clone().into(),
                now.into(),
            ],
        )];
        self.update_identity(&mut statements, change, row, connection);
        statements
    }

    /// The keys and the password follow the user.
    fn update_identity(
        &self,
        statements: &mut Vec<Stmt>,
        change: &Change,
        row: &ImportRow,
        connection: &ConnectionId,
    ) {
        let of = &change.attributes;
        if change.is_key_changed {
            statements.push(one(
                "update identities set email_key = $3, username_key = $4, phone_key = $5 \
                 where user_row = $1 and connection_id || '' = $2",
                vec![
                    self.user.into(),
                    connection.into(),
                    of.email.as_ref().map(EmailAddress::key).into(),
                    of.username.as_ref().map(Username::as_str).into(),
                    of.phone_number.clone().into(),
                ],
            ));
        }
        if change.takes_password {
            let text = |hash: &Option<HashText>| Value::from(hash.as_ref().map(HashText::expose));
            statements.push(one(
                "update identities set password_hash = $3, password_imported = true \
                 where user_row = $1 and connection_id || '' = $2 \
                 and coalesce(password_hash, '') = coalesce($4, '')",
                vec![
                    self.user.into(),
                    connection.into(),
                    text(&row.password),
                    text(&self.password),
                ],
            ));
        }
    }
}
