//! Pages of users for the Management API: sort and filters from constants, values as parameters.

use domain::page::{Listing, Page};
use domain::{ConnectionId, User, UserId};

use crate::Store;
use crate::db::Value;
use crate::error::Result;
use crate::users::{COLUMNS, JOIN, PRIMARY_FIRST, users};

/// A column that the list can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserSort {
    /// Order of arrival.
    Arrival,
    /// Creation time.
    CreatedAt,
    /// Last change.
    UpdatedAt,
    /// E-mail address.
    Email,
    /// Full name.
    Name,
    /// Last login.
    LastLogin,
    /// Number of logins.
    LoginsCount,
    /// Public id.
    UserId,
}

impl UserSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Arrival => "u.id",
            Self::CreatedAt => "u.created_at",
            Self::UpdatedAt => "u.updated_at",
            Self::Email => "u.email",
            Self::Name => "u.name",
            Self::LastLogin => "u.last_login",
            Self::LoginsCount => "u.logins_count",
            Self::UserId => "u.user_id",
        }
    }

    /// Reads a wire field name.
    pub fn parse(field: &str) -> Option<Self> {
        Some(match field {
            "created_at" => Self::CreatedAt,
            "updated_at" => Self::UpdatedAt,
            "email" => Self::Email,
            "name" => Self::Name,
            "last_login" => Self::LastLogin,
            "logins_count" => Self::LoginsCount,
            "user_id" => Self::UserId,
            _ => return None,
        })
    }
}

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub enum UserFilter {
    /// All of them.
    #[default]
    All,
    /// Those with an identity here.
    Connection(ConnectionId),
    /// Those with this address, in any letter case.
    Email(String),
    /// The one with this public id.
    UserId(UserId),
}

impl Store {
    /// One page of users and the number of all that match.
    pub async fn list_users(
        &self,
        filter: &UserFilter,
        sort: UserSort,
        descending: bool,
        page: Page,
    ) -> Result<Listing<User>> {
        let column = sort.column();
        let direction = if descending { "desc" } else { "asc" };
        let (source, mut params) = source(filter);
        let total = self
            .db
            .count(format!("select count(*) {source}"), params.clone())
            .await?;
        let limit = params.len() + 1;
        let offset = params.len() + 2;
        params.extend([i64::from(page.size).into(), page.offset().into()]);
        let order = format!("{column} {direction} nulls last, u.id {direction}");
        let sql = format!(
            "{COLUMNS} from (select u.* {source} order by {order} limit ${limit} offset ${offset}) u \
             {JOIN} order by {order}, {PRIMARY_FIRST}"
        );
        let items = users(self.db.query(sql, params).await?)?;
        Ok(Listing {
            items,
            total: Some(total),
        })
    }
}

fn source(filter: &UserFilter) -> (&'static str, Vec<Value>) {
    match filter {
        UserFilter::All => ("from users u", vec![]),
        UserFilter::Connection(connection) => (
            "from users u where u.id in (select user_row from identities where connection_id = $1)",
            vec![connection.into()],
        ),
        UserFilter::Email(email) => (
            "from users u where u.id in (select user_row from identities where email_key = $1)",
            vec![domain::email::fold(email).into()],
        ),
        UserFilter::UserId(user_id) => {
            // An id without a provider names nobody: no provider is the empty text.
            let (provider, foreign_id) = user_id.split().unwrap_or_default();
            (
                "from users u where u.id in (select user_row from identities \
                 where provider = $1 and foreign_id = $2 and is_primary)",
                vec![provider.into(), foreign_id.into()],
            )
        }
    }
}
