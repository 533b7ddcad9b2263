//! Users as an export reads them: by the store's number, a page at a time, so that memory stays
//! bounded and no page is read twice.
//!
//! Each page is one look at the database, not all pages together: who is changed meanwhile is
//! written as the page found it, who is deleted behind the reader stays in the file, and who arrives
//! has a higher number and comes last.

use std::collections::HashMap;

use domain::user::{Identity, User, UserRow};
use domain::{ConnectionId, HashText, MfaFactor};

use crate::Store;
use crate::db::Value;
use crate::error::Result;
use crate::users::{COLUMNS, JOIN, PRIMARY_FIRST, users};

/// A user with what proves it.
#[derive(Debug)]
pub struct ExportedUser {
    /// The person.
    pub user: User,
    /// The hash in stored form; only when credentials were asked for.
    pub hash: Option<HashText>,
    /// Second factors in their order; only when credentials were asked for.
    pub factors: Vec<MfaFactor>,
}

impl ExportedUser {
    /// The identity that is exported: the one in the connection.
    pub fn identity(&self, connection: &ConnectionId) -> Option<&Identity> {
        self.user.identity_in(connection)
    }
}

impl Store {
    /// How many users an export will find, about.
    pub async fn count_users(&self, connection: Option<&ConnectionId>) -> Result<i64> {
        match connection {
            None => self.db.count("select count(*) from users", vec![]).await,
            Some(id) => {
                let sql = "select count(*) from identities where connection_id = $1";
                self.db.count(sql, vec![id.into()]).await
            }
        }
    }

    /// The users after a number, in the order of their numbers. Empty past the last.
    pub async fn list_users_after(
        &self,
        connection: Option<&ConnectionId>,
        after: UserRow,
        limit: u32,
    ) -> Result<Vec<User>> {
        let mut params: Vec<Value> = vec![after.into(), i64::from(limit).into()];
        let within = connection.map_or("", |id| {
            params.push(id.into());
            "and exists (select 1 from identities x where x.user_row = u.id \
             and x.connection_id = $3)"
        });
        let sql = format!(
            "{COLUMNS} from (select u.* from users u where u.id > $1 {within} \
             order by u.id limit $2) u {JOIN} order by u.id, {PRIMARY_FIRST}"
        );
        users(self.db.query(sql, params).await?)
    }

    /// The same users with their hashes in a connection and their second factors.
    pub async fn list_credentials_after(
        &self,
        connection: &ConnectionId,
        after: UserRow,
        limit: u32,
    ) -> Result<Vec<ExportedUser>> {
        let users = self
            .list_users_after(Some(connection), after, limit)
            .await?;
        let Some(last) = users.last().map(|user| user.row) else {
            return Ok(Vec::new());
        };
        let mut hashes = self.hashes_between(connection, after, last).await?;
        let mut factors = self.factors_between(after, last).await?;
        let with_credential = |user: User| ExportedUser {
            hash: hashes.remove(&user.row),
            factors: factors.remove(&user.row).unwrap_or_default(),
            user,
        };
        Ok(users.into_iter().map(with_credential).collect())
    }

    async fn hashes_between(
        &self,
        connection: &ConnectionId,
        after: UserRow,
        last: UserRow,
    ) -> Result<HashMap<UserRow, HashText>> {
        let sql = "select user_row, password_hash from identities where user_row > $1 \
                   and user_row <= $2 and connection_id = $3 and password_hash is not null";
        let params = vec![after.into(), last.into(), connection.into()];
        let rows = self.db.query(sql, params).await?;
        rows.into_iter()
            .map(|mut row| {
                let user = UserRow(row.int("user_row")?);
                Ok((user, HashText::from(row.text("password_hash")?)))
            })
            .collect()
    }

    async fn factors_between(
        &self,
        after: UserRow,
        last: UserRow,
    ) -> Result<HashMap<UserRow, Vec<MfaFactor>>> {
        let sql = "select user_row, position, kind, secret from mfa_factors \
                   where user_row > $1 and user_row <= $2 order by user_row, position";
        let rows = self.db.query(sql, vec![after.into(), last.into()]).await?;
        let mut factors: HashMap<UserRow, Vec<MfaFactor>> = HashMap::new();
        for mut row in rows {
            let user = UserRow(row.int("user_row")?);
            let position = row.int("position")?;
            let kind = row.text("kind")?;
            let sealed = row.bytes("secret")?;
            let factor = self.opened_factor((user, position), kind, &sealed)?;
            factors.entry(user).or_default().push(factor);
        }
        Ok(factors)
    }
}
