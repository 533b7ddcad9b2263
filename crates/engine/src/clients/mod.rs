//! Clients as administrators manage them.
//!
//! | file | what |
//! |---|---|
//! | `shape` | members that may be sent |
//! | `change` | a client from what was sent |

mod change;
mod shape;

use domain::{
    Client, ClientId, ClientSecret, EventKind, Json, Listing, LogEvent, Page, TokenEndpointAuth,
    entropy,
};
use serde_json::Value;
use store::StoreError;

use crate::body::texts;
use crate::client_credentials::{METHODS, check_credentials};
use crate::error::{Error, Result};
use crate::listing::{Listed, Slice};
use crate::{Context, Engine};

/// How often a change is tried anew when others change the same client.
const ATTEMPTS: usize = 5;

/// Letters and digits of a secret that we make.
const SECRET_LENGTH: usize = 64;

/// Which clients a list shows.
#[derive(Clone, Debug, Default)]
pub struct ClientFilter {
    /// Those that act for the whole tenant: there are none.
    pub is_global: Option<bool>,
    /// Those of the operator, or of others.
    pub is_first_party: Option<bool>,
    /// Those of these types; all when empty.
    pub app_types: Vec<String>,
}

impl ClientFilter {
    fn is_open(&self) -> bool {
        self.is_first_party.is_none() && self.app_types.is_empty()
    }

    fn shows(&self, client: &Client) -> bool {
        let first_party = client
            .attributes
            .get("is_first_party")
            .and_then(Value::as_bool);
        let app_type = client.attributes.get("app_type").and_then(Value::as_str);
        self.is_first_party
            .is_none_or(|wanted| wanted == first_party.unwrap_or(true))
            && (self.app_types.is_empty()
                || app_type
                    .is_some_and(|found| self.app_types.iter().any(|wanted| wanted == found)))
    }
}

impl Engine {
    /// A client by its public name.
    pub async fn client(&self, id: &ClientId) -> Result<Client> {
        self.store.find_client(id).await?.ok_or_else(no_such_client)
    }

    /// Clients by id.
    pub async fn list_clients(
        &self,
        filter: &ClientFilter,
        slice: &Slice,
    ) -> Result<Listed<Client>> {
        let key = |client: &Client| client.client_id.to_string();
        if filter.is_global == Some(true) {
            return Ok(slice.of(Vec::new(), key));
        }
        if filter.is_open() {
            let (page, after) = slice.request();
            let listing: Listing<Client> = self.store.list_clients(page, after).await?;
            return Ok(slice.cut(listing, key));
        }
        let mut clients = self.all_clients().await?;
        clients.retain(|client| filter.shows(client));
        Ok(slice.of(clients, key))
    }

    /// All clients: there are few of them, beside users.
    async fn all_clients(&self) -> Result<Vec<Client>> {
        let page = Page {
            number: 0,
            size: 100,
        };
        let mut clients: Vec<Client> = Vec::new();
        loop {
            let after = clients.last().map(|client| client.client_id.to_string());
            let more = self.store.list_clients(page, after.as_deref()).await?.items;
            if more.is_empty() {
                return Ok(clients);
            }
            clients.extend(more);
        }
    }

    /// Creates a client.
    pub async fn create_client(&self, context: &Context, body: Json) -> Result<Client> {
        change::require_name(&body)?;
        let mut body = body;
        let client_id = ClientId::generate(&*self.entropy);
        let credentials = self.inline_credentials(&client_id, &mut body)?;
        change::check(&body)?;
        let mut client = Client {
            client_id,
            name: String::new(),
            secret: self.new_secret(),
            auth: TokenEndpointAuth::ClientSecretPost,
            grant_types: Vec::new(),
            attributes: Json::new(),
            version: 1,
            created_at: self.now(),
        };
        // What was not asked for follows the type: see `change::apply`.
        for name in ["token_endpoint_auth_method", "grant_types"] {
            body.entry(name).or_insert(Value::Null);
        }
        change::apply(&mut client, body)?;
        self.check_aliases(&client).await?;
        check_credentials(&client, &credentials)?;
        let event = self
            .client_event(context, "Create a client", &client)
            .await?;
        let mut write = self.store.write();
        write.insert_client(&client, self.now())?;
        for credential in &credentials {
            write.insert_client_credential(credential);
        }
        write.log(&event);
        self.store.commit(write).await?;
        Ok(client)
    }

    /// Changes a client. A change that came in between is not lost.
    pub async fn update_client(
        &self,
        context: &Context,
        id: &ClientId,
        body: Json,
    ) -> Result<Client> {
        change::check(&body)?;
        let members: Vec<String> = body.keys().cloned().collect();
        self.change_client(context, id, "Update a client", &members, |client| {
            change::apply(client, body.clone())
        })
        .await
    }

    /// Gives a client a new secret.
    pub async fn rotate_client_secret(&self, context: &Context, id: &ClientId) -> Result<Client> {
        let members = ["client_secret".to_owned()];
        self.change_client(context, id, "Rotate a client secret", &members, |client| {
            client.secret = self.new_secret();
            Ok(())
        })
        .await
    }

    async fn change_client(
        &self,
        context: &Context,
        id: &ClientId,
        description: &str,
        members: &[String],
        change: impl Fn(&mut Client) -> Result<()>,
    ) -> Result<Client> {
        let mut attempt = 1;
        loop {
            let mut client = self.client(id).await?;
            change(&mut client)?;
            if members.iter().any(|member| member == "client_aliases") {
                self.check_aliases(&client).await?;
            }
            if members.iter().any(|member| member == METHODS) {
                check_credentials(&client, &self.store.list_client_credentials(id).await?)?;
            }
            let mut event = self.client_event(context, description, &client).await?;
            event
                .details
                .insert("members".into(), serde_json::json!(members));
            let mut write = self.store.write();
            write.update_client(&client)?;
            write.log(&event);
            match self.store.commit(write).await {
                Ok(()) => return Ok(client),
                Err(StoreError::Stale { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Deletes a client with its grants and its users' tokens. Nobody by that id is fine.
    pub async fn delete_client(&self, context: &Context, id: &ClientId) -> Result<()> {
        let Some(client) = self.store.find_client(id).await? else {
            return Ok(());
        };
        let event = self
            .client_event(context, "Delete a client", &client)
            .await?;
        let mut write = self.store.write();
        write.delete_client(id, self.now());
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) | Err(StoreError::Stale { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn new_secret(&self) -> ClientSecret {
        ClientSecret::from(entropy::alphanumeric(&*self.entropy, SECRET_LENGTH))
    }

    /// An alias names one client.
    async fn check_aliases(&self, client: &Client) -> Result<()> {
        let aliases = |client: &Client| -> Vec<String> {
            let value = client.attributes.get("client_aliases");
            value
                .into_iter()
                .flat_map(texts)
                .map(str::to_owned)
                .collect()
        };
        let mine = aliases(client);
        if mine.is_empty() {
            return Ok(());
        }
        let others = self.all_clients().await?;
        let others = others
            .iter()
            .filter(|other| other.client_id != client.client_id);
        if others.flat_map(aliases).any(|alias| mine.contains(&alias)) {
            return Err(Error::Conflict {
                message: "Another client exists with the same alias.".into(),
                code: "conflict",
            });
        }
        Ok(())
    }

    async fn client_event(
        &self,
        context: &Context,
        description: &str,
        client: &Client,
    ) -> Result<LogEvent> {
        let mut event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        let concerned =
            serde_json::json!({"client_id": client.client_id.as_str(), "name": client.name});
        event.details.insert("concerned".into(), concerned);
        Ok(event)
    }
}

fn no_such_client() -> Error {
    Error::Missing {
        message: "Client not found.".into(),
        code: "inexistent_client",
    }
}
