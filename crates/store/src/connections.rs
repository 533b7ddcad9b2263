//! Connections, their realms, and the clients that they serve.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::page::{Listing, Page};
use domain::{ClientId, ConfigurationValue, Connection, ConnectionId, Instant};

use crate::db::{Row, any, one};
use crate::error::{Result, StoreError};
use crate::user_writes::OF_A_USER;
use crate::write::json;
use crate::{Store, Write, first};

const COLUMNS: &str = "select id, name, display_name, options, configuration, metadata, attributes, \
                       version from connections";
const PLACE: &str = "connections.configuration";

impl Store {
    /// A connection by id.
    pub async fn find_connection(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        let rows = self
            .db
            .lookup(format!("{COLUMNS} where id = $1"), vec![id.into()])
            .await?;
        self.connection(first(rows)).await
    }

    /// A connection by one of its realms; its name is one unless it was given others.
    pub async fn find_connection_by_realm(&self, realm: &str) -> Result<Option<Connection>> {
        let sql = format!(
            "{COLUMNS} where id = (select connection_id from connection_realms where realm = $1)"
        );
        let rows = self.db.lookup(sql, vec![realm.into()]).await?;
        self.connection(first(rows)).await
    }

    /// A connection by name.
    pub async fn find_connection_by_name(&self, name: &str) -> Result<Option<Connection>> {
        let rows = self
            .db
            .lookup(format!("{COLUMNS} where name = $1"), vec![name.into()])
            .await?;
        self.connection(first(rows)).await
    }

    /// Connections by name, one page or `take` after a name.
    pub async fn list_connections(
        &self,
        page: Page,
        after: Option<&str>,
    ) -> Result<Listing<Connection>> {
        let sql = format!("{COLUMNS} where name > $1 order by name limit $2 offset $3");
        let size = i64::from(page.size);
        let params = vec![
            after.unwrap_or("").into(),
            size.into(),
            page.offset().into(),
        ];
        let mut items = Vec::new();
        for row in self.db.query(sql, params).await? {
            items.extend(self.connection(Some(row)).await?);
        }
        let total = self
            .db
            .count("select count(*) from connections", vec![])
            .await?;
        Ok(Listing {
            items,
            total: Some(total),
        })
    }

    /// Ciphertexts of a connection's configuration, as the wire reads them back.
    pub async fn configuration_ciphertexts(
        &self,
        id: &ConnectionId,
    ) -> Result<BTreeMap<String, String>> {
        let sql = "select configuration from connections where id = $1";
        let row = first(self.db.query(sql, vec![id.into()]).await?);
        row.map_or(Ok(BTreeMap::new()), |mut row| row.json(PLACE))
    }

    /// Whether any user has an identity in the connection.
    pub async fn connection_has_users(&self, id: &ConnectionId) -> Result<bool> {
        let sql = "select 1 from identities where connection_id = $1 limit 1";
        Ok(!self.db.query(sql, vec![id.into()]).await?.is_empty())
    }

    async fn connection(&self, row: Option<Row>) -> Result<Option<Connection>> {
        let Some(mut row) = row else { return Ok(None) };
        let id = ConnectionId::from(row.text("id")?);
        let mut connection = Connection {
            id: id.clone(),
            name: row.text("name")?,
            display_name: row.text_or_null("display_name")?,
            options: row.json("options")?,
            configuration: self.open_configuration(&id, row.json(PLACE)?)?,
            metadata: row.json("metadata")?,
            attributes: row.json("attributes")?,
            version: row.int("version")?,
            realms: Vec::new(),
            enabled_clients: Vec::new(),
        };
        let realms =
            "select realm from connection_realms where connection_id = $1 order by position";
        for mut row in self.db.lookup(realms, vec![(&id).into()]).await? {
            connection.realms.push(row.text("realm")?);
        }
        let clients = "select client_id from connection_clients where connection_id = $1 \
                       order by client_id";
        for mut row in self.db.lookup(clients, vec![(&id).into()]).await? {
            connection
                .enabled_clients
                .push(row.text("client_id")?.into());
        }
        Ok(Some(connection))
    }

    fn open_configuration(
        &self,
        id: &ConnectionId,
        sealed: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, ConfigurationValue>> {
        let open = |(name, text): (String, String)| {
            let bytes = STANDARD.decode(text).map_err(|error| StoreError::Corrupt {
                column: PLACE,
                problem: error.to_string(),
            })?;
            let plain = self
                .seal
                .open_text(PLACE, &format!("{id}/{name}"), &bytes)?;
            Ok((name, ConfigurationValue::from(plain.as_str())))
        };
        sealed.into_iter().map(open).collect()
    }
}

impl Write {
    /// Writes a new connection with its realms.
    pub fn insert_connection(
        &mut self,
        connection: &Connection,
        now: Instant,
    ) -> Result<&mut Self> {
        let configuration = self.seal_configuration(connection, &BTreeMap::new())?;
        self.push(one(
            "insert into connections (id, name, display_name, options, configuration, metadata, \
             attributes, version, created_at) values ($1, $2, $3, $4, $5, $6, $7, 1, $8)",
            vec![
                (&connection.id).into(),
                (&connection.name).into(),
                connection.display_name.clone().into(),
                json(&connection.options).into(),
                configuration.into(),
                json(&connection.metadata).into(),
                json(&connection.attributes).into(),
                now.into(),
            ],
        ));
        self.insert_realms(connection);
        for client in &connection.enabled_clients {
            self.enable_client(&connection.id, client);
        }
        Ok(self)
    }

    /// Writes a changed connection, unless another change came first. Values of `unchanged` keep
    /// the ciphertext that they have, so that what is read back stays stable.
    pub fn update_connection(
        &mut self,
        connection: &Connection,
        unchanged: &BTreeMap<String, String>,
    ) -> Result<&mut Self> {
        let configuration = self.seal_configuration(connection, unchanged)?;
        self.push(one(
            "update connections set display_name = $3, options = $4, configuration = $5, \
             metadata = $6, attributes = $7, version = version + 1 where id = $1 and version = $2",
            vec![
                (&connection.id).into(),
                connection.version.into(),
                connection.display_name.clone().into(),
                json(&connection.options).into(),
                configuration.into(),
                json(&connection.metadata).into(),
                json(&connection.attributes).into(),
            ],
        ));
        let forget = "delete from connection_realms where connection_id = $1";
        self.push(any(forget, vec![(&connection.id).into()]));
        self.insert_realms(connection);
        Ok(self)
    }

    fn insert_realms(&mut self, connection: &Connection) {
        for (position, realm) in connection.realms.iter().enumerate() {
            self.push(one(
                "insert into connection_realms (realm, connection_id, position) values ($1, $2, $3)",
                vec![realm.into(), (&connection.id).into(), (position as i64).into()],
            ));
        }
    }

    fn seal_configuration(
        &self,
        connection: &Connection,
        unchanged: &BTreeMap<String, String>,
    ) -> Result<String> {
        let seal = |(name, value): (&String, &ConfigurationValue)| {
            if let Some(ciphertext) = unchanged.get(name) {
                return Ok((name.clone(), ciphertext.clone()));
            }
            let row = format!("{}/{name}", connection.id);
            let sealed = self.sealed(PLACE, &row, value.expose().as_bytes())?;
            Ok((name.clone(), STANDARD.encode(sealed)))
        };
        let sealed: Result<BTreeMap<String, String>> =
            connection.configuration.iter().map(seal).collect();
        Ok(serde_json::to_string(&sealed?).unwrap_or_default())
    }

    /// Lets a connection serve a client.
    pub fn enable_client(&mut self, connection: &ConnectionId, client: &ClientId) -> &mut Self {
        self.push(any(
            "insert into connection_clients (connection_id, client_id) values ($1, $2) \
             on conflict (connection_id, client_id) do nothing",
            vec![connection.into(), client.into()],
        ))
    }

    /// Stops a connection from serving a client.
    pub fn disable_client(&mut self, connection: &ConnectionId, client: &ClientId) -> &mut Self {
        self.push(any(
            "delete from connection_clients where connection_id = $1 and client_id = $2",
            vec![connection.into(), client.into()],
        ))
    }

    /// Fails the batch unless the connection still stands when it commits.
    pub fn require_connection(&mut self, id: &ConnectionId) -> &mut Self {
        let lock = self.share_lock;
        self.lock_connection(id, lock)
    }

    /// The same, and waits for a batch that an import is writing there; the next one waits for
    /// this write. For what imports look for without a lock: legacy ids. Comes first, or two
    /// writes may wait for each other.
    pub fn hold_off_imports(&mut self, id: &ConnectionId) -> &mut Self {
        let lock = self.own_lock;
        self.lock_connection(id, lock)
    }

    fn lock_connection(&mut self, id: &ConnectionId, lock: &str) -> &mut Self {
        self.push(crate::db::Stmt {
            sql: format!("select id from connections where id = $1{lock}").into(),
            params: vec![id.into()],
            expect: crate::db::Expect::One,
        })
    }

    /// Deletes a connection, all its users, and ends its jobs. The row goes first: it is the lock
    /// that arriving users and import batches wait for.
    pub fn delete_connection(&mut self, id: &ConnectionId, now: Instant) -> &mut Self {
        self.push(one(
            "delete from connections where id = $1",
            vec![id.into()],
        ));
        self.push(any(
            "update jobs set status = 'failed', ended_at = $2, lease_until = 0, \
             status_details = 'The connection was deleted while the job ran.' \
             where connection_id = $1 and status in ('pending', 'processing', 'paused')",
            vec![id.into(), now.into()],
        ));
        let of_users = "select user_row from identities where connection_id = $1 and is_primary";
        let of_them = OF_A_USER
            .iter()
            .map(|table| format!("delete from {table} where user_row in ({of_users})"));
        let its_own = [
            "delete from tickets where connection_id = $1".to_owned(),
            "delete from legacy_ids where connection_id = $1".to_owned(),
            "delete from job_marks where job_id in (select id from jobs where connection_id = $1)"
                .to_owned(),
            format!("delete from identities where connection_id = $1 or user_row in ({of_users})"),
            "delete from connection_realms where connection_id = $1".to_owned(),
            "delete from connection_clients where connection_id = $1".to_owned(),
        ];
        let users = format!("delete from users where id in ({of_users})");
        for sql in std::iter::once(users).chain(of_them).chain(its_own) {
            self.push(crate::db::Stmt {
                sql: sql.into(),
                params: vec![id.into()],
                expect: crate::db::Expect::Any,
            });
        }
        self
    }
}
