//! APIs that tokens are issued for.

use domain::page::{Listing, Page};
use domain::{ResourceServer, ResourceServerId};

use crate::db::{Expect, Row, Stmt, any, one};
use crate::error::Result;
use crate::write::json;
use crate::{Store, Write, first};

const COLUMNS: &str = "select id, identifier, name, scopes, token_lifetime, is_system, attributes, \
                       version from resource_servers";

impl Store {
    /// An API by its audience.
    pub async fn find_resource_server(&self, identifier: &str) -> Result<Option<ResourceServer>> {
        let sql = format!("{COLUMNS} where identifier = $1");
        first(self.db.lookup(sql, vec![identifier.into()]).await?)
            .map(resource_server)
            .transpose()
    }

    /// An API by its id, or by its audience as the wire also allows.
    pub async fn find_resource_server_by_id(&self, id: &str) -> Result<Option<ResourceServer>> {
        let sql = format!("{COLUMNS} where id = $1 or identifier = $1");
        first(self.db.lookup(sql, vec![id.into()]).await?)
            .map(resource_server)
            .transpose()
    }

    /// APIs by audience, one page.
    pub async fn list_resource_servers(&self, page: Page) -> Result<Listing<ResourceServer>> {
        let sql = format!("{COLUMNS} order by identifier limit $1 offset $2");
        let params = vec![i64::from(page.size).into(), page.offset().into()];
        let rows = self.db.query(sql, params).await?;
        let items = rows
            .into_iter()
            .map(resource_server)
            .collect::<Result<_>>()?;
        let total = self
            .db
            .count("select count(*) from resource_servers", vec![])
            .await?;
        Ok(Listing {
            items,
            total: Some(total),
        })
    }
}

fn resource_server(mut row: Row) -> Result<ResourceServer> {
    let id = row.text("id")?;
    read_api(id, &mut row)
}

/// The API whose id was read from the row already.
pub(crate) fn read_api(id: String, row: &mut Row) -> Result<ResourceServer> {
    Ok(ResourceServer {
        id: id.into(),
        identifier: row.text("identifier")?,
        name: row.text("name")?,
        scopes: row.json("scopes")?,
        token_lifetime: row.int("token_lifetime")?,
        is_system: row.flag("is_system")?,
        attributes: row.json("attributes")?,
        version: row.int("version")?,
    })
}

impl Write {
    /// Writes a new API.
    pub fn insert_resource_server(&mut self, api: &ResourceServer) -> &mut Self {
        self.push(one(
            "insert into resource_servers (id, identifier, name, scopes, token_lifetime, is_system, \
             attributes, version) values ($1, $2, $3, $4, $5, $6, $7, 1)",
            vec![
                (&api.id).into(),
                (&api.identifier).into(),
                (&api.name).into(),
                scopes(api).into(),
                api.token_lifetime.into(),
                api.is_system.into(),
                json(&api.attributes).into(),
            ],
        ))
    }

    /// Writes a changed API, unless another change came first.
    pub fn update_resource_server(&mut self, api: &ResourceServer) -> &mut Self {
        self.push(one(
            "update resource_servers set name = $3, scopes = $4, token_lifetime = $5, \
             attributes = $6, version = version + 1 where id = $1 and version = $2",
            vec![
                (&api.id).into(),
                api.version.into(),
                (&api.name).into(),
                scopes(api).into(),
                api.token_lifetime.into(),
                json(&api.attributes).into(),
            ],
        ))
    }

    /// Fails the batch unless the API still stands when it commits.
    pub fn require_resource_server(&mut self, id: &ResourceServerId) -> &mut Self {
        let lock = self.share_lock;
        self.push(Stmt {
            sql: format!("select id from resource_servers where id = $1{lock}").into(),
            params: vec![id.into()],
            expect: Expect::One,
        })
    }

    /// Deletes an API and the grants for it. The row goes first: it is the lock that arriving
    /// grants wait for.
    pub fn delete_resource_server(&mut self, id: &ResourceServerId, identifier: &str) -> &mut Self {
        self.push(any(
            "delete from resource_servers where id = $1",
            vec![id.into()],
        ));
        let grants = "delete from client_grants where audience = $1";
        self.push(any(grants, vec![identifier.into()]))
    }
}

fn scopes(api: &ResourceServer) -> String {
    serde_json::to_string(&api.scopes).unwrap_or_default()
}
