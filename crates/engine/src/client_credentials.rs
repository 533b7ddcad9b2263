//! Public keys of clients as administrators manage them. A key proves a client only while the
//! client's `client_authentication_methods` names it.

use domain::schema::{Field, Kind, optional, required};
use domain::{
    Client, ClientCredential, ClientId, CredentialId, EventKind, Instant, Json, LogEvent,
};
use oidc::jwt::{Algorithm, ForeignKey};
use serde_json::{Value, json};
use store::StoreError;

use crate::body::{check_shape, misfit, take_text};
use crate::error::{Error, Result};
use crate::{Context, Engine};

/// Algorithms that a key may be for.
const ALGORITHMS: &[&str] = &["RS256", "RS384", "PS256", "ES256"];

/// The member of a client that names its keys.
pub(crate) const METHODS: &str = "client_authentication_methods";

/// More keys than this no client needs.
const MOST: usize = 20;

/// A key as it is sent.
pub(crate) const NEW: &[Field] = &[
    required("credential_type", Kind::Enum(&["public_key"])),
    optional("name", Kind::Nullable(&Kind::Text(0, 128))),
    required("pem", Kind::Text(1, 16_384)),
    optional("alg", Kind::Enum(ALGORITHMS)),
    optional("parse_expiry_from_cert", Kind::Boolean),
    optional("expires_at", Kind::Nullable(&Kind::Text(1, 64))),
];

const CHANGE: &[Field] = &[required("expires_at", Kind::Nullable(&Kind::Text(1, 64)))];

/// Ids of the keys that the client names.
pub(crate) fn chosen(client: &Client) -> Vec<&str> {
    let methods = client.attributes.get(METHODS);
    let credentials = methods.and_then(|methods| methods.pointer("/private_key_jwt/credentials"));
    let credentials = credentials.and_then(Value::as_array).into_iter().flatten();
    credentials
        .filter_map(|credential| credential.get("id")?.as_str())
        .collect()
}

/// Refuses a client that names keys which it does not have.
pub(crate) fn check_credentials(client: &Client, stored: &[ClientCredential]) -> Result<()> {
    let is_stored = |id: &&str| stored.iter().any(|stored| stored.id.as_str() == *id);
    match chosen(client).iter().find(|id| !is_stored(id)) {
        None => Ok(()),
        Some(id) => Err(misfit(METHODS, format!("Unknown credential: {id}"))),
    }
}

impl Engine {
    /// Keys that a new client brings within itself; its body names them by id from then on.
    pub(crate) fn inline_credentials(
        &self,
        client: &ClientId,
        body: &mut Json,
    ) -> Result<Vec<ClientCredential>> {
        let list = body.get_mut(METHODS);
        let list = list.and_then(|methods| methods.pointer_mut("/private_key_jwt/credentials"));
        let list = list.and_then(Value::as_array_mut).into_iter().flatten();
        let mut credentials = Vec::new();
        for element in list {
            if let Value::Object(members) = element {
                let credential = self.new_credential(client, members.clone())?;
                *element = json!({"id": credential.id.as_str()});
                credentials.push(credential);
            }
        }
        Ok(credentials)
    }

    /// A client's keys.
    pub async fn client_credentials(&self, client: &ClientId) -> Result<Vec<ClientCredential>> {
        self.client(client).await?;
        Ok(self.store.list_client_credentials(client).await?)
    }

    /// One of them.
    pub async fn client_credential(
        &self,
        client: &ClientId,
        id: &CredentialId,
    ) -> Result<ClientCredential> {
        let all = self.client_credentials(client).await?;
        let found = all.into_iter().find(|credential| credential.id == *id);
        found.ok_or_else(no_such_credential)
    }

    /// Adds a key.
    pub async fn create_client_credential(
        &self,
        context: &Context,
        client: &ClientId,
        body: Json,
    ) -> Result<ClientCredential> {
        let stored = self.client_credentials(client).await?;
        let credential = self.new_credential(client, body)?;
        if stored.len() >= MOST {
            return Err(Error::invalid("The client has too many credentials."));
        }
        if stored.iter().any(|other| other.kid == credential.kid) {
            return Err(Error::Conflict {
                message: "A credential with the same kid already exists.".into(),
                code: "conflict",
            });
        }
        let event = self.key_event(context, "Create a client credential", &credential);
        let event = event.await?;
        let mut write = self.store.write();
        write.require_client(client);
        write.insert_client_credential(&credential);
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => Ok(credential),
            Err(error) => Err(error.into()),
        }
    }

    /// A key from what was sent; not stored yet.
    pub(crate) fn new_credential(
        &self,
        client: &ClientId,
        mut body: Json,
    ) -> Result<ClientCredential> {
        check_shape(&body, NEW)?;
        let now = self.now();
        let pem = take_text(&mut body, "pem").unwrap_or_default();
        let key = ForeignKey::from_pem(&pem).map_err(|error| misfit("pem", error.to_string()))?;
        let algorithm = take_text(&mut body, "alg").unwrap_or_else(|| "RS256".into());
        let parsed = Algorithm::parse(&algorithm);
        let fits = parsed.is_some_and(|algorithm| key.clone().only(algorithm).is_ok());
        if !fits {
            return Err(misfit("alg", "The algorithm does not fit the key"));
        }
        let mut expires_at = expiry(body.get("expires_at"), now)?;
        if body.get("parse_expiry_from_cert") == Some(&Value::Bool(true)) {
            if expires_at.is_some() {
                let message = "Not both expires_at and parse_expiry_from_cert";
                return Err(misfit("expires_at", message));
            }
            let end = key.not_after();
            let end = end.ok_or_else(|| misfit("pem", "Not a certificate"))?;
            if end <= now {
                return Err(misfit("pem", "The certificate has expired"));
            }
            expires_at = Some(end);
        }
        Ok(ClientCredential {
            id: CredentialId::generate(&*self.entropy),
            client_id: client.clone(),
            name: take_text(&mut body, "name"),
            kid: key.thumbprint().as_str().to_owned(),
            algorithm,
            pem,
            created_at: now,
            updated_at: now,
            expires_at,
        })
    }

    /// Gives a key another end.
    pub async fn update_client_credential(
        &self,
        context: &Context,
        client: &ClientId,
        id: &CredentialId,
        body: Json,
    ) -> Result<ClientCredential> {
        check_shape(&body, CHANGE)?;
        let mut credential = self.client_credential(client, id).await?;
        let now = self.now();
        credential.expires_at = expiry(body.get("expires_at"), now)?;
        credential.updated_at = now;
        let event = self.key_event(context, "Update a client credential", &credential);
        let event = event.await?;
        let mut write = self.store.write();
        write.set_credential_expiry(id, credential.expires_at, now);
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => Ok(credential),
            Err(StoreError::Stale { .. }) => Err(no_such_credential()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a key, unless the client still names it. Nothing by that id is fine.
    pub async fn delete_client_credential(
        &self,
        context: &Context,
        client: &ClientId,
        id: &CredentialId,
    ) -> Result<()> {
        let client = self.client(client).await?;
        let all = self
            .store
            .list_client_credentials(&client.client_id)
            .await?;
        let Some(credential) = all.into_iter().find(|credential| credential.id == *id) else {
            return Ok(());
        };
        if chosen(&client).contains(&id.as_str()) {
            return Err(Error::invalid(
                "The credential is in use by the client's authentication method.",
            ));
        }
        let event = self.key_event(context, "Delete a client credential", &credential);
        let event = event.await?;
        let mut write = self.store.write();
        // Whoever names the credential meanwhile changes the client's version.
        write.update_client(&client)?;
        write.delete_client_credential(id);
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }

    async fn key_event(
        &self,
        context: &Context,
        description: &str,
        credential: &ClientCredential,
    ) -> Result<LogEvent> {
        let event = self.management_event(context, EventKind::Management, description);
        let mut event = event.await?;
        let concerned = json!({
            "client_id": credential.client_id.as_str(), "credential_id": credential.id.as_str(),
            "kid": credential.kid,
        });
        event.details.insert("concerned".into(), concerned);
        Ok(event)
    }
}

/// A time to come.
fn expiry(value: Option<&Value>, now: Instant) -> Result<Option<Instant>> {
    let Some(text) = value.and_then(Value::as_str) else {
        return Ok(None);
    };
    let parsed = Instant::parse(text);
    let end = parsed.ok_or_else(|| misfit("expires_at", "Not a date-time"))?;
    if end <= now {
        return Err(misfit("expires_at", "Must be in the future"));
    }
    Ok(Some(end))
}

fn no_such_credential() -> Error {
    Error::Missing {
        message: "The credential does not exist.".into(),
        code: "inexistent_credential",
    }
}
