//! APIs as administrators manage them.

use domain::schema::{Field, Kind, optional, required};
use domain::{EventKind, Json, Listing, LogEvent, Page, ResourceServer, ResourceServerId};
use serde_json::Value;
use store::{Key, StoreError};

use crate::body::{
    Supported, check_shape, check_supported, misfit, not_unique, repeated, take_text,
};
use crate::error::{Error, Result};
use crate::{Context, Engine};

/// How often a change is tried anew when others change the same API.
const ATTEMPTS: usize = 5;

/// The longest life of a token, in seconds: as long a retired key still verifies.
const LONGEST: i64 = 30 * 86_400;

const SCOPES: Kind = Kind::Array(
    &Kind::Object(&[
        required("value", Kind::Pattern("^[^\\s]{1,280}$", is_scope)),
        optional("description", Kind::Nullable(&Kind::Text(0, 500))),
    ]),
    0,
    1000,
);

const IDENTIFIER: Field = required("identifier", Kind::Text(1, 600));

/// All members but the identifier, which never changes.
const MEMBERS: &[Field] = &[
    optional("name", Kind::Pattern("^[^<>]+$", is_name)),
    optional("scopes", SCOPES),
    optional("token_lifetime", Kind::Integer(0, LONGEST)),
    optional("token_lifetime_for_web", Kind::Integer(0, LONGEST)),
    // Other algorithms would be a promise that no token keeps.
    optional("signing_alg", Kind::Enum(&["RS256", "PS256", "ES256"])),
    optional("allow_offline_access", Kind::Boolean),
    optional(
        "skip_consent_for_verifiable_first_party_clients",
        Kind::Boolean,
    ),
    optional(
        "token_dialect",
        Kind::Enum(&[
            "access_token",
            "access_token_authz",
            "rfc9068_profile",
            "rfc9068_profile_authz",
        ]),
    ),
    // Ferry's own.
    optional("token_format", Kind::Enum(&["jwt", "opaque"])),
    optional("enforce_policies", Kind::Boolean),
    optional("consent_policy", Kind::Nullable(&Kind::Text(1, 255))),
    optional(
        "authorization_details",
        Kind::Nullable(&Kind::Array(&Kind::FreeObject, 0, 100)),
    ),
    optional("proof_of_possession", Kind::Nullable(&Kind::FreeObject)),
    optional("token_encryption", Kind::Nullable(&Kind::FreeObject)),
    optional("subject_type_authorization", Kind::FreeObject),
];

const SUPPORTED: &[Supported] = &[
    ("token_encryption", Value::is_null),
    ("proof_of_possession", |value| {
        value.get("required") != Some(&Value::Bool(true))
    }),
    ("subject_type_authorization", |value| {
        value
            .pointer("/user/policy")
            .is_none_or(|policy| policy == "allow_all")
            && value
                .pointer("/client/policy")
                .is_none_or(|policy| policy == "require_client_grant")
    }),
];

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['<', '>'])
}

fn is_scope(text: &str) -> bool {
    (1..=280).contains(&text.chars().count()) && !text.contains(char::is_whitespace)
}

impl Engine {
    /// An API by id or by identifier.
    pub async fn resource_server(&self, id: &str) -> Result<ResourceServer> {
        let api = self.store.find_resource_server_by_id(id).await?;
        api.ok_or_else(no_such_api)
    }

    /// APIs by identifier.
    pub async fn list_resource_servers(&self, page: Page) -> Result<Listing<ResourceServer>> {
        Ok(self.store.list_resource_servers(page).await?)
    }

    /// Creates an API.
    pub async fn create_resource_server(
        &self,
        context: &Context,
        mut body: Json,
    ) -> Result<ResourceServer> {
        let shape: Vec<Field> = std::iter::once(IDENTIFIER)
            .chain(MEMBERS.iter().copied())
            .collect();
        check_shape(&body, &shape)?;
        check_supported(&body, SUPPORTED)?;
        let identifier = take_text(&mut body, "identifier").unwrap_or_default();
        if identifier.starts_with(self.settings.issuer.as_str()) {
            return Err(Error::invalid("The selected identifier is reserved."));
        }
        let mut api = ResourceServer {
            id: ResourceServerId::generate(&*self.entropy),
            identifier,
            name: String::new(),
            scopes: Vec::new(),
            token_lifetime: self.settings.token_lifetime,
            is_system: false,
            attributes: Json::new(),
            version: 1,
        };
        apply(&mut api, body)?;
        let event = self
            .api_event(context, "Create a resource server", &api)
            .await?;
        let mut write = self.store.write();
        write.insert_resource_server(&api);
        write.log(&event);
        self.store.commit(write).await.map_err(refusal)?;
        Ok(api)
    }

    /// Changes an API. A change that came in between is not lost.
    pub async fn update_resource_server(
        &self,
        context: &Context,
        id: &str,
        body: Json,
    ) -> Result<ResourceServer> {
        check_shape(&body, MEMBERS)?;
        check_supported(&body, SUPPORTED)?;
        let mut attempt = 1;
        loop {
            let mut api = self.resource_server(id).await?;
            if api.is_system {
                return Err(Error::invalid("System resource servers cannot be patched."));
            }
            apply(&mut api, body.clone())?;
            let event = self
                .api_event(context, "Update a resource server", &api)
                .await?;
            let mut write = self.store.write();
            write.update_resource_server(&api);
            write.log(&event);
            match self.store.commit(write).await {
                Ok(()) => return Ok(api),
                Err(StoreError::Stale { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// Deletes an API and the grants for it. None by that id is fine.
    pub async fn delete_resource_server(&self, context: &Context, id: &str) -> Result<()> {
        let Some(api) = self.store.find_resource_server_by_id(id).await? else {
            return Ok(());
        };
        if api.is_system {
            return Err(Error::invalid("System resource servers cannot be deleted."));
        }
        let event = self
            .api_event(context, "Delete a resource server", &api)
            .await?;
        let mut write = self.store.write();
        write.delete_resource_server(&api.id, &api.identifier);
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }

    async fn api_event(
        &self,
        context: &Context,
        description: &str,
        api: &ResourceServer,
    ) -> Result<LogEvent> {
        let mut event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        let concerned = serde_json::json!({"id": api.id.as_str(), "identifier": api.identifier});
        event.details.insert("concerned".into(), concerned);
        Ok(event)
    }
}

fn apply(api: &mut ResourceServer, body: Json) -> Result<()> {
    for (name, value) in body {
        match (name.as_str(), value) {
            ("name", Value::String(text)) => api.name = text,
            ("token_lifetime", value) => {
                api.token_lifetime = value.as_i64().unwrap_or(api.token_lifetime);
            }
            ("scopes", value) => api.scopes = scopes(&value)?,
            (_, Value::Null) => {
                api.attributes.shift_remove(&name);
            }
            (_, value) => {
                api.attributes.insert(name, value);
            }
        }
    }
    Ok(())
}

fn scopes(value: &Value) -> Result<Vec<(String, Option<String>)>> {
    let text = |scope: &Value, name| scope.get(name).and_then(Value::as_str).map(str::to_owned);
    let scopes: Vec<(String, Option<String>)> = value
        .as_array()
        .into_iter()
        .flatten()
        .map(|scope| {
            (
                text(scope, "value").unwrap_or_default(),
                text(scope, "description"),
            )
        })
        .collect();
    let values: Vec<String> = scopes.iter().map(|(value, _)| value.clone()).collect();
    match repeated(&values) {
        None => Ok(scopes),
        Some(value) => Err(misfit("scopes", not_unique(value))),
    }
}

fn no_such_api() -> Error {
    Error::Missing {
        message: "Resource server not found.".into(),
        code: "inexistent_resource_server",
    }
}

fn refusal(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(Key::ResourceServerIdentifier) => Error::Conflict {
            message: "A resource server with the same identifier already exists.".into(),
            code: "conflict",
        },
        other => other.into(),
    }
}
