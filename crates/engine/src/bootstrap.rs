//! The first start of an empty store: the Management API and an administrator's client.

use domain::{
    Client, ClientGrant, ClientId, ClientSecret, GrantId, Json, ResourceServer, ResourceServerId,
    TokenEndpointAuth, entropy,
};
use store::StoreError;

use crate::error::Result;
use crate::{Engine, management_scopes::MANAGEMENT_SCOPES};

/// The client that an installation begins with.
pub struct Administrator {
    /// Its id.
    pub client_id: ClientId,
    /// Its secret.
    pub secret: ClientSecret,
}

impl Engine {
    /// Makes the Management API and, in an empty store, the administrator's client: with the
    /// credentials given, else with random ones. `None` when there was a client already.
    pub async fn bootstrap(&self, given: Option<Administrator>) -> Result<Option<Administrator>> {
        self.ensure_management_api().await?;
        if !self
            .store
            .list_clients(domain::Page { number: 0, size: 1 }, None)
            .await?
            .items
            .is_empty()
        {
            return Ok(None);
        }
        let administrator = given.unwrap_or_else(|| Administrator {
            client_id: ClientId::generate(&*self.entropy),
            secret: ClientSecret::from(entropy::alphanumeric(&*self.entropy, 64)),
        });
        let client = Client {
            client_id: administrator.client_id.clone(),
            name: "Administrator".into(),
            secret: administrator.secret.clone(),
            auth: TokenEndpointAuth::ClientSecretPost,
            grant_types: vec!["client_credentials".into()],
            attributes: Json::from_iter([("app_type".to_owned(), "non_interactive".into())]),
            version: 1,
            created_at: self.now(),
        };
        let grant = ClientGrant {
            id: GrantId::generate(&*self.entropy),
            client_id: client.client_id.clone(),
            audience: self.settings.management_audience(),
            scope: MANAGEMENT_SCOPES
                .iter()
                .map(|(scope, _)| (*scope).to_owned())
                .collect(),
        };
        let mut write = self.store.write();
        write.insert_client(&client, self.now())?;
        write.insert_grant(&grant);
        match self.store.commit(write).await {
            Ok(()) => Ok(Some(administrator)),
            // Another process with the same given credentials was first.
            Err(StoreError::Conflict(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn ensure_management_api(&self) -> Result<()> {
        let identifier = self.settings.management_audience();
        if self
            .store
            .find_resource_server(&identifier)
            .await?
            .is_some()
        {
            return Ok(());
        }
        let api = ResourceServer {
            id: ResourceServerId::generate(&*self.entropy),
            identifier,
            name: "Management API".into(),
            scopes: MANAGEMENT_SCOPES
                .iter()
                .map(|(value, text)| ((*value).to_owned(), Some((*text).to_owned())))
                .collect(),
            token_lifetime: self.settings.token_lifetime,
            is_system: true,
            attributes: Json::new(),
            version: 1,
        };
        let mut write = self.store.write();
        write.insert_resource_server(&api);
        match self.store.commit(write).await {
            Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
