//! Client grants as administrators manage them: which API a client may call, with which scopes.

use domain::schema::{Field, Kind, optional, required};
use domain::{ClientGrant, ClientId, EventKind, GrantId, Json, LogEvent, ResourceServer};
use serde_json::Value;
use store::{Key, StoreError};

use crate::body::{
    Supported, check_shape, check_supported, misfit, not_unique, repeated, take_text, texts,
};
use crate::error::{Error, Result};
use crate::listing::{Listed, Slice};
use crate::{Context, Engine};

const SCOPE: Kind = Kind::Array(&Kind::Text(1, 280), 0, 1000);

const CREATE: &[Field] = &[
    required("client_id", Kind::Text(1, 128)),
    required("audience", Kind::Text(1, 600)),
    optional("scope", SCOPE),
    optional(
        "organization_usage",
        Kind::Enum(&["deny", "allow", "require"]),
    ),
    optional("allow_any_organization", Kind::Boolean),
    optional("subject_type", Kind::Enum(&["client", "user"])),
    optional(
        "authorization_details_types",
        Kind::Array(&Kind::Text(1, 255), 0, 100),
    ),
    optional("allow_all_scopes", Kind::Boolean),
];

const UPDATE: &[Field] = &[
    optional("scope", SCOPE),
    optional(
        "organization_usage",
        Kind::Nullable(&Kind::Enum(&["deny", "allow", "require"])),
    ),
    optional("allow_any_organization", Kind::Nullable(&Kind::Boolean)),
    optional(
        "authorization_details_types",
        Kind::Array(&Kind::Text(1, 255), 0, 100),
    ),
    optional("allow_all_scopes", Kind::Nullable(&Kind::Boolean)),
];

const SUPPORTED: &[Supported] = &[
    ("organization_usage", |value| {
        value.is_null() || value == "deny"
    }),
    ("allow_any_organization", is_off),
    ("subject_type", |value| value == "client"),
    ("authorization_details_types", |value| {
        value.as_array().is_some_and(Vec::is_empty)
    }),
    ("allow_all_scopes", is_off),
];

fn is_off(value: &Value) -> bool {
    value.as_bool() != Some(true)
}

/// Which grants a list shows.
#[derive(Clone, Debug, Default)]
pub struct GrantFilter {
    /// Those of a client.
    pub client_id: Option<ClientId>,
    /// Those for an API.
    pub audience: Option<String>,
    /// Whether none can match: grants for users, or for any organization.
    pub is_impossible: bool,
}

impl Engine {
    /// A grant by id.
    pub async fn client_grant(&self, id: &GrantId) -> Result<ClientGrant> {
        let grant = self.store.find_grant_by_id(id).await?;
        grant.ok_or_else(|| missing("Client grant not found.", "inexistent_client_grant"))
    }

    /// Grants by id.
    pub async fn list_client_grants(
        &self,
        filter: &GrantFilter,
        slice: &Slice,
    ) -> Result<Listed<ClientGrant>> {
        let key = |grant: &ClientGrant| grant.id.to_string();
        if filter.is_impossible {
            return Ok(slice.of(Vec::new(), key));
        }
        let (page, after) = slice.request();
        let listing = self
            .store
            .list_grants(
                filter.client_id.as_ref(),
                filter.audience.as_deref(),
                page,
                after,
            )
            .await?;
        Ok(slice.cut(listing, key))
    }

    /// Grants a client the use of an API.
    pub async fn create_client_grant(&self, context: &Context, body: Json) -> Result<ClientGrant> {
        check_shape(&body, CREATE)?;
        check_supported(&body, SUPPORTED)?;
        let scope = scopes(&body)?.unwrap_or_default();
        let mut body = body;
        let client_id = ClientId::from(take_text(&mut body, "client_id").unwrap_or_default());
        let audience = take_text(&mut body, "audience").unwrap_or_default();
        let api = self.store.find_resource_server(&audience).await?;
        let api =
            api.ok_or_else(|| missing("Resource server not found", "inexistent_resource_server"))?;
        if self.store.find_client(&client_id).await?.is_none() {
            return Err(missing("Client not found", "inexistent_client"));
        }
        check_known(&scope, &api)?;
        let grant = ClientGrant {
            id: GrantId::generate(&*self.entropy),
            client_id,
            audience,
            scope,
        };
        let event = self
            .grant_event(context, "Create a client grant", &grant)
            .await?;
        let mut write = self.store.write();
        write.require_resource_server(&api.id);
        write.require_client(&grant.client_id);
        write.insert_grant(&grant);
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => Ok(grant),
            // The documented sentence, odd as it is.
            Err(StoreError::Conflict(Key::ClientGrant)) => Err(Error::Conflict {
                message: "A resource server with the same identifier already exists.".into(),
                code: "conflict",
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces a grant's scopes.
    pub async fn update_client_grant(
        &self,
        context: &Context,
        id: &GrantId,
        body: Json,
    ) -> Result<ClientGrant> {
        check_shape(&body, UPDATE)?;
        check_supported(&body, SUPPORTED)?;
        let mut grant = self.client_grant(id).await?;
        if let Some(scope) = scopes(&body)? {
            if let Some(api) = self.store.find_resource_server(&grant.audience).await? {
                check_known(&scope, &api)?;
            }
            grant.scope = scope;
        }
        let event = self
            .grant_event(context, "Update a client grant", &grant)
            .await?;
        let mut write = self.store.write();
        write.update_grant(&grant);
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => Ok(grant),
            Err(StoreError::Stale { .. }) => Err(missing(
                "Client grant not found.",
                "inexistent_client_grant",
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a grant back. None by that id is fine.
    pub async fn delete_client_grant(&self, context: &Context, id: &GrantId) -> Result<()> {
        let Some(grant) = self.store.find_grant_by_id(id).await? else {
            return Ok(());
        };
        let event = self
            .grant_event(context, "Delete a client grant", &grant)
            .await?;
        let mut write = self.store.write();
        write.delete_grant(id);
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }

    async fn grant_event(
        &self,
        context: &Context,
        description: &str,
        grant: &ClientGrant,
    ) -> Result<LogEvent> {
        let mut event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        let concerned = serde_json::json!({
            "id": grant.id.as_str(), "client_id": grant.client_id.as_str(),
            "audience": grant.audience, "scope": grant.scope,
        });
        event.details.insert("concerned".into(), concerned);
        Ok(event)
    }
}

fn missing(message: &str, code: &'static str) -> Error {
    Error::Missing {
        message: message.into(),
        code,
    }
}

fn scopes(body: &Json) -> Result<Option<Vec<String>>> {
    let Some(value) = body.get("scope") else {
        return Ok(None);
    };
    let scope: Vec<String> = texts(value).map(str::to_owned).collect();
    match repeated(&scope) {
        None => Ok(Some(scope)),
        Some(text) => Err(misfit("scope", not_unique(text))),
    }
}

/// A scope that the API does not know would never reach a token as meant.
fn check_known(scope: &[String], api: &ResourceServer) -> Result<()> {
    let is_unknown = |text: &&String| !api.scopes.iter().any(|(value, _)| value == *text);
    match scope.iter().find(is_unknown) {
        None => Ok(()),
        Some(text) => {
            let message = format!("Scope not defined in the resource server: {text}");
            Err(misfit("scope", message))
        }
    }
}
