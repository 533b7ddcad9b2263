//! Connections as administrators manage them.
//!
//! | file | what |
//! |---|---|
//! | `shape` | members that may be sent |
//! | `change` | a new connection, and a changed one, from what was sent |
//! | `options` | the rules of `options` |
//! | `enabled_clients` | which clients a connection serves |

mod change;
mod enabled_clients;
mod options;
mod shape;

use std::collections::BTreeMap;

use domain::{Connection, ConnectionId, EventKind, Instant, Json, Listing, LogEvent};
use store::{Key, StoreError};

use crate::error::{Error, Result};
use crate::listing::{Listed, Slice};
use crate::{Context, Engine};

/// How often a change is tried anew when others change the same connection.
const ATTEMPTS: usize = 5;

/// A connection as it may be shown: the values of its configuration are ciphertexts.
#[derive(Debug)]
pub struct ConnectionView {
    /// The connection.
    pub connection: Connection,
    /// Its configuration, sealed.
    pub ciphertexts: BTreeMap<String, String>,
}

/// Which connections a list shows.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFilter {
    /// Only the one of this name.
    pub name: Option<String>,
    /// Only those of these strategies; all when empty.
    pub strategies: Vec<String>,
}

impl Engine {
    /// A connection by id.
    pub async fn connection(&self, id: &ConnectionId) -> Result<ConnectionView> {
        let connection = self.store.find_connection(id).await?;
        let connection =
            connection.ok_or_else(|| no_such_connection("The connection does not exist."))?;
        self.connection_view(connection).await
    }

    /// Refuses when there is no such connection.
    pub async fn require_connection(&self, id: &ConnectionId) -> Result<()> {
        match self.store.find_connection(id).await? {
            Some(_) => Ok(()),
            None => Err(no_such_connection("The connection does not exist")),
        }
    }

    /// Connections by name.
    pub async fn list_connections(
        &self,
        filter: &ConnectionFilter,
        slice: &Slice,
    ) -> Result<Listed<ConnectionView>> {
        let key = |connection: &Connection| connection.name.clone();
        let is_wanted = |connection: &Connection| {
            let strategy = connection.strategy().as_str();
            let mut wanted = filter.strategies.iter();
            filter.strategies.is_empty() || wanted.any(|wanted| wanted == strategy)
        };
        let listed = if let Some(name) = &filter.name {
            let found = self.store.find_connection_by_name(name).await?;
            slice.of(found.into_iter().filter(is_wanted).collect(), key)
        } else if !filter.strategies.is_empty() {
            slice.of(self.all_connections(is_wanted).await?, key)
        } else {
            let (page, after) = slice.request();
            let listing: Listing<Connection> = self.store.list_connections(page, after).await?;
            slice.cut(listing, key)
        };
        let mut views = Vec::with_capacity(listed.items.len());
        for connection in listed.items {
            views.push(self.connection_view(connection).await?);
        }
        Ok(Listed {
            items: views,
            total: listed.total,
            next: listed.next,
        })
    }

    pub(crate) async fn all_connections(
        &self,
        is_wanted: impl Fn(&Connection) -> bool,
    ) -> Result<Vec<Connection>> {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = domain::Page {
                number: 0,
                size: 1000,
            };
            let listed = self.store.list_connections(page, after.as_deref()).await?;
            let Some(last) = listed.items.last() else {
                return Ok(all);
            };
            after = Some(last.name.clone());
            all.extend(listed.items.into_iter().filter(&is_wanted));
        }
    }

    /// Creates a connection.
    pub async fn create_connection(&self, context: &Context, body: Json) -> Result<ConnectionView> {
        let connection = self.new_connection(body).await?;
        let event = self
            .connection_event(context, "Create a connection", &connection)
            .await?;
        let mut write = self.store.write();
        write.insert_connection(&connection, self.now())?;
        write.log(&event);
        self.store.commit(write).await.map_err(refusal)?;
        self.connection(&connection.id).await
    }

    /// Changes a connection. Whoever changes it at the same time is not overwritten: the change is
    /// made again on what they left.
    pub async fn update_connection(
        &self,
        context: &Context,
        id: &ConnectionId,
        body: Json,
    ) -> Result<ConnectionView> {
        let mut outcome = Ok(());
        for _ in 0..ATTEMPTS {
            outcome = self.try_update(context, id, &body).await?;
            match outcome {
                Err(StoreError::Stale { .. }) => {}
                _ => break,
            }
        }
        outcome.map_err(refusal)?;
        self.connection(id).await
    }

    async fn try_update(
        &self,
        context: &Context,
        id: &ConnectionId,
        body: &Json,
    ) -> Result<Result<(), StoreError>> {
        let before = self.store.find_connection(id).await?;
        let before = before.ok_or_else(|| no_such_connection("The connection does not exist"))?;
        let ciphertexts = self.store.configuration_ciphertexts(id).await?;
        let (after, unchanged) = self
            .changed_connection(&before, &ciphertexts, body.clone())
            .await?;
        let mut event = self
            .connection_event(context, "Update a connection", &after)
            .await?;
        let members: Vec<&String> = body.keys().collect();
        event
            .details
            .insert("members".into(), serde_json::json!(members));
        let mut write = self.store.write();
        write.update_connection(&after, &unchanged)?;
        for client in after
            .enabled_clients
            .iter()
            .filter(|client| !before.serves(client))
        {
            write.enable_client(id, client);
        }
        for client in before
            .enabled_clients
            .iter()
            .filter(|client| !after.serves(client))
        {
            write.disable_client(id, client);
        }
        write.log(&event);
        Ok(self.store.commit(write).await)
    }

    /// Deletes a connection and its users. `None` when there was none.
    pub async fn delete_connection(
        &self,
        context: &Context,
        id: &ConnectionId,
    ) -> Result<Option<Instant>> {
        let Some(connection) = self.store.find_connection(id).await? else {
            return Ok(None);
        };
        let event = self
            .connection_event(context, "Delete a connection", &connection)
            .await?;
        let now = self.now();
        let mut write = self.store.write();
        write.tell_of_connection(id, &self.ending(domain::SessionEnd::AccountDeleted));
        write.delete_connection(id, now);
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => Ok(Some(now)),
            Err(StoreError::Stale { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn connection_view(&self, connection: Connection) -> Result<ConnectionView> {
        let ciphertexts = if connection.configuration.is_empty() {
            BTreeMap::new()
        } else {
            self.store.configuration_ciphertexts(&connection.id).await?
        };
        Ok(ConnectionView {
            connection,
            ciphertexts,
        })
    }

    async fn connection_event(
        &self,
        context: &Context,
        description: &str,
        connection: &Connection,
    ) -> Result<LogEvent> {
        let mut event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        event.connection = Some((connection.id.clone(), connection.name.clone()));
        Ok(event)
    }
}

/// The wire spells the sentence with a full stop in some places and without in others.
fn no_such_connection(message: &str) -> Error {
    Error::Missing {
        message: message.into(),
        code: "inexistent_connection",
    }
}

fn refusal(error: StoreError) -> Error {
    let message = match error {
        StoreError::Conflict(Key::ConnectionName) => {
            "A connection with the same name already exists"
        }
        StoreError::Conflict(Key::Realm) => {
            "There is already another connection with some realms from \"realms\" parameter"
        }
        other => return other.into(),
    };
    Error::Conflict {
        message: message.into(),
        code: "conflict",
    }
}
