//! What people allowed clients to ask for: grants, as the wire calls them.

use domain::{ClientId, ConsentId, Instant, UserId, UserRow};

use crate::db::{Row, Value, any, one};
use crate::error::Result;
use crate::{Store, Write, first};

/// What somebody allowed a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConsent {
    /// Its id.
    pub id: ConsentId,
    /// Who allowed it: the store's number.
    pub user: UserRow,
    /// And the public id.
    pub user_id: UserId,
    /// Whom.
    pub client_id: ClientId,
    /// For which API; empty where none was named.
    pub audience: String,
    /// What, split by spaces.
    pub scope: String,
}

const COLUMNS: &str = "select c.id, c.user_row, u.user_id, c.client_id, c.audience, c.scope \
                       from consents c join users u on u.id = c.user_row";

impl Store {
    /// What somebody allowed a client for an API.
    pub async fn find_consent(
        &self,
        user: UserRow,
        client: &ClientId,
        audience: &str,
    ) -> Result<Option<StoredConsent>> {
        let sql =
            format!("{COLUMNS} where c.user_row = $1 and c.client_id = $2 and c.audience = $3");
        let params = vec![user.into(), client.into(), audience.into()];
        first(self.db.lookup(sql, params).await?)
            .map(consent)
            .transpose()
    }

    /// Consents by id, of a user, a client or an API or of all, and how many there are.
    pub async fn list_consents(
        &self,
        user: Option<&UserId>,
        client: Option<&ClientId>,
        audience: Option<&str>,
        (skip, take): (i64, i64),
    ) -> Result<(Vec<StoredConsent>, i64)> {
        let filter = "where ($1 = '' or u.user_id = $1) and ($2 = '' or c.client_id = $2) \
                      and ($3 = '' or c.audience = $3)";
        let params: Vec<Value> = vec![
            user.map_or("", UserId::as_str).into(),
            client.map_or("", ClientId::as_str).into(),
            audience.unwrap_or_default().into(),
        ];
        let mut paged = params.clone();
        paged.extend([take.into(), skip.into()]);
        let sql = format!("{COLUMNS} {filter} order by c.id limit $4 offset $5");
        let rows = self.db.query(sql, paged).await?;
        let count =
            format!("select count(*) from consents c join users u on u.id = c.user_row {filter}");
        let total = self.db.count(count, params).await?;
        let consents: Result<Vec<_>> = rows.into_iter().map(consent).collect();
        Ok((consents?, total))
    }
}

fn consent(mut row: Row) -> Result<StoredConsent> {
    Ok(StoredConsent {
        id: row.text("consents.id")?.into(),
        user: UserRow(row.int("consents.user_row")?),
        user_id: row.text("users.user_id")?.into(),
        client_id: row.text("consents.client_id")?.into(),
        audience: row.text("consents.audience")?,
        scope: row.text("consents.scope")?,
    })
}

impl Write {
    /// Writes what somebody allows a client now, in place of what it was before. The caller has
    /// put the two together.
    pub fn put_consent(&mut self, consent: &StoredConsent, now: Instant) -> &mut Self {
        self.push(one(
            "insert into consents (id, user_row, client_id, audience, scope, created_at, \
             updated_at) values ($1, $2, $3, $4, $5, $6, $6) \
             on conflict (user_row, client_id, audience) \
             do update set scope = excluded.scope, updated_at = excluded.updated_at",
            vec![
                (&consent.id).into(),
                consent.user.into(),
                (&consent.client_id).into(),
                (&consent.audience).into(),
                (&consent.scope).into(),
                now.into(),
            ],
        ))
    }

    /// Withdraws a consent, and revokes what came of it: authorizations of that user, client and API.
    /// Once more is nothing new.
    pub fn delete_consent(&mut self, id: &ConsentId, now: Instant) -> &mut Self {
        self.revoke_where(
            "user_row = (select user_row from consents where id = $3) \
             and client_id = (select client_id from consents where id = $3) \
             and coalesce(audience, '') = (select audience from consents where id = $3)",
            vec![id.into()],
            now,
        );
        self.push(any("delete from consents where id = $1", vec![id.into()]))
    }

    /// Withdraws all consents of a user in the same way.
    pub fn delete_consents(&mut self, user: UserRow, now: Instant) -> &mut Self {
        self.revoke_where(
            "user_row = $3 and exists (select 1 from consents c where c.user_row = $3 \
             and c.client_id = authorizations.client_id \
             and c.audience = coalesce(authorizations.audience, ''))",
            vec![user.into()],
            now,
        );
        self.push(any(
            "delete from consents where user_row = $1",
            vec![user.into()],
        ))
    }

    /// Forgets what was allowed to a client that is gone.
    pub fn delete_consents_of_client(&mut self, client: &ClientId) -> &mut Self {
        self.push(any(
            "delete from consents where client_id = $1",
            vec![client.into()],
        ))
    }
}
