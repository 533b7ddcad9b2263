//! Clients and client grants.

use domain::page::{Listing, Page};
use domain::{
    Client, ClientGrant, ClientId, ClientSecret, GrantId, Instant, ResourceServer,
    TokenEndpointAuth,
};

use crate::db::{Expect, Row, Stmt, any, one};
use crate::error::{Result, StoreError};
use crate::resource_servers::read_api;
use crate::write::{json, texts};
use crate::{Store, Write, first};

const COLUMNS: &str = "select client_id, name, secret, auth, grant_types, attributes, version, created_at from clients";
const GRANT_COLUMNS: &str = "select id, client_id, audience, scope from client_grants";
const PLACE: &str = "clients.secret";

/// What a machine that asks for a token is, and may do.
#[derive(Debug)]
pub struct MachineAccess {
    /// The client.
    pub client: Client,
    /// The API of the audience.
    pub api: Option<ResourceServer>,
    /// What the client is granted there.
    pub grant: Option<ClientGrant>,
}

impl Store {
    /// A client by its public name.
    pub async fn find_client(&self, id: &ClientId) -> Result<Option<Client>> {
        let rows = self
            .db
            .lookup(format!("{COLUMNS} where client_id = $1"), vec![id.into()])
            .await?;
        first(rows).map(|row| self.client(row)).transpose()
    }

    /// A client and what it may do at an audience: all that a machine's token asks for, in one
    /// read.
    pub async fn find_machine_access(
        &self,
        client: &ClientId,
        audience: &str,
    ) -> Result<Option<MachineAccess>> {
        let sql = "select c.client_id, c.name, c.secret, c.auth, c.grant_types, c.attributes, \
                   c.version, c.created_at, r.id, r.identifier, r.name, r.scopes, \
                   r.token_lifetime, r.is_system, r.attributes, r.version, g.id, g.client_id, \
                   g.audience, g.scope from clients c \
                   left join resource_servers r on r.identifier = $2 left join client_grants g \
                   on g.client_id = c.client_id and g.audience = r.identifier \
                   where c.client_id = $1";
        let params = vec![client.into(), audience.into()];
        let Some(mut row) = first(self.db.lookup(sql, params).await?) else {
            return Ok(None);
        };
        let mut access = MachineAccess {
            client: self.read_client(&mut row)?,
            api: None,
            grant: None,
        };
        if let Some(id) = row.text_or_null("resource_servers.id")? {
            access.api = Some(read_api(id, &mut row)?);
            let grant = row.text_or_null("client_grants.id")?;
            access.grant = grant.map(|id| read_grant(id, &mut row)).transpose()?;
        }
        Ok(Some(access))
    }

    /// Clients by id, one page, or those after an id.
    pub async fn list_clients(&self, page: Page, after: Option<&str>) -> Result<Listing<Client>> {
        let sql = format!("{COLUMNS} where client_id > $1 order by client_id limit $2 offset $3");
        let params = vec![
            after.unwrap_or("").into(),
            i64::from(page.size).into(),
            page.offset().into(),
        ];
        let rows = self.db.query(sql, params).await?;
        let items = rows
            .into_iter()
            .map(|row| self.client(row))
            .collect::<Result<_>>()?;
        let total = self
            .db
            .count("select count(*) from clients", vec![])
            .await?;
        Ok(Listing {
            items,
            total: Some(total),
        })
    }

    fn client(&self, mut row: Row) -> Result<Client> {
        self.read_client(&mut row)
    }

    fn read_client(&self, row: &mut Row) -> Result<Client> {
        let client_id = row.text("client_id")?;
        let name = row.text("name")?;
        let secret = self
            .seal
            .open_text(PLACE, &client_id, &row.bytes("secret")?)?;
        let auth = row.text("auth")?;
        Ok(Client {
            client_id: client_id.into(),
            name,
            secret: ClientSecret::from(secret.as_str()),
            auth: TokenEndpointAuth::parse(&auth).ok_or(StoreError::Corrupt {
                column: "clients.auth",
                problem: auth,
            })?,
            grant_types: row.json("grant_types")?,
            attributes: row.json("attributes")?,
            version: row.int("version")?,
            created_at: row.time("created_at")?,
        })
    }

    /// The grant of a client for an audience.
    pub async fn find_grant(
        &self,
        client: &ClientId,
        audience: &str,
    ) -> Result<Option<ClientGrant>> {
        let sql = format!("{GRANT_COLUMNS} where client_id = $1 and audience = $2");
        let rows = self
            .db
            .lookup(sql, vec![client.into(), audience.into()])
            .await?;
        first(rows).map(grant).transpose()
    }

    /// A grant by id.
    pub async fn find_grant_by_id(&self, id: &GrantId) -> Result<Option<ClientGrant>> {
        let rows = self
            .db
            .lookup(format!("{GRANT_COLUMNS} where id = $1"), vec![id.into()])
            .await?;
        first(rows).map(grant).transpose()
    }

    /// Grants by id, one page, or those after an id; those of a client or an audience when one is
    /// named.
    pub async fn list_grants(
        &self,
        client: Option<&ClientId>,
        audience: Option<&str>,
        page: Page,
        after: Option<&str>,
    ) -> Result<Listing<ClientGrant>> {
        let filter = "where ($1 = '' or client_id = $1) and ($2 = '' or audience = $2)";
        let client = client.map_or("", ClientId::as_str);
        let keys = || vec![client.into(), audience.unwrap_or("").into()];
        let mut params = keys();
        params.extend([
            after.unwrap_or("").into(),
            i64::from(page.size).into(),
            page.offset().into(),
        ]);
        let sql = format!("{GRANT_COLUMNS} {filter} and id > $3 order by id limit $4 offset $5");
        let items = self
            .db
            .query(sql, params)
            .await?
            .into_iter()
            .map(grant)
            .collect::<Result<_>>()?;
        let count = format!("select count(*) from client_grants {filter}");
        let total = self.db.count(count, keys()).await?;
        Ok(Listing {
            items,
            total: Some(total),
        })
    }
}

fn grant(mut row: Row) -> Result<ClientGrant> {
    let id = row.text("id")?;
    read_grant(id, &mut row)
}

/// The grant whose id was read from the row already.
fn read_grant(id: String, row: &mut Row) -> Result<ClientGrant> {
    Ok(ClientGrant {
        id: id.into(),
        client_id: row.text("client_id")?.into(),
        audience: row.text("audience")?,
        scope: row.json("scope")?,
    })
}

impl Write {
    /// Writes a new client.
    pub fn insert_client(&mut self, client: &Client, now: Instant) -> Result<&mut Self> {
        let secret = self.sealed_secret(client)?;
        self.put_logout_receiver(client);
        Ok(self.push(one(
            "insert into clients (client_id, name, secret, auth, grant_types, attributes, version, \
             created_at) values ($1, $2, $3, $4, $5, $6, 1, $7)",
            vec![
                (&client.client_id).into(),
                (&client.name).into(),
                secret.into(),
                client.auth.as_str().into(),
                texts(&client.grant_types).into(),
                json(&client.attributes).into(),
                now.into(),
            ],
        )))
    }

    /// Writes a changed client, unless another change came first.
    pub fn update_client(&mut self, client: &Client) -> Result<&mut Self> {
        let secret = self.sealed_secret(client)?;
        self.put_logout_receiver(client);
        Ok(self.push(one(
            "update clients set name = $3, secret = $4, auth = $5, grant_types = $6, \
             attributes = $7, version = version + 1 where client_id = $1 and version = $2",
            vec![
                (&client.client_id).into(),
                client.version.into(),
                (&client.name).into(),
                secret.into(),
                client.auth.as_str().into(),
                texts(&client.grant_types).into(),
                json(&client.attributes).into(),
            ],
        )))
    }

    fn sealed_secret(&self, client: &Client) -> Result<Vec<u8>> {
        self.sealed(
            PLACE,
            client.client_id.as_str(),
            client.secret.expose().as_bytes(),
        )
    }

    /// Deletes a client with its grants, what people allowed it, what came of that, and its place in
    /// connections and sessions. Nobody is told of anything in its name any more.
    pub fn delete_client(&mut self, id: &ClientId, now: Instant) -> &mut Self {
        self.push(one(
            "delete from clients where client_id = $1",
            vec![id.into()],
        ));
        self.push(any(
            "delete from client_grants where client_id = $1",
            vec![id.into()],
        ));
        self.push(any(
            "delete from connection_clients where client_id = $1",
            vec![id.into()],
        ));
        self.push(any(
            "delete from client_credentials where client_id = $1",
            vec![id.into()],
        ));
        self.delete_consents_of_client(id);
        self.revoke_authorizations_of_client(id, now);
        self.push(any(
            "delete from session_clients where client_id = $1",
            vec![id.into()],
        ));
        self.push(any(
            "delete from logout_notices where client_id = $1",
            vec![id.into()],
        ));
        self.delete_logout_receiver(id)
    }

    /// Fails the batch unless the client still stands when it commits.
    pub fn require_client(&mut self, id: &ClientId) -> &mut Self {
        let lock = self.share_lock;
        self.push(Stmt {
            sql: format!("select client_id from clients where client_id = $1{lock}").into(),
            params: vec![id.into()],
            expect: Expect::One,
        })
    }

    /// Writes a new grant.
    pub fn insert_grant(&mut self, grant: &ClientGrant) -> &mut Self {
        self.push(one(
            "insert into client_grants (id, client_id, audience, scope) values ($1, $2, $3, $4)",
            vec![
                (&grant.id).into(),
                (&grant.client_id).into(),
                (&grant.audience).into(),
                texts(&grant.scope).into(),
            ],
        ))
    }

    /// Replaces a grant's scopes.
    pub fn update_grant(&mut self, grant: &ClientGrant) -> &mut Self {
        self.push(one(
            "update client_grants set scope = $2 where id = $1",
            vec![(&grant.id).into(), texts(&grant.scope).into()],
        ))
    }

    /// Deletes a grant.
    pub fn delete_grant(&mut self, id: &GrantId) -> &mut Self {
        self.push(any(
            "delete from client_grants where id = $1",
            vec![id.into()],
        ))
    }
}
