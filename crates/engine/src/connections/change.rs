//! A connection from what was sent: a new one, and a changed one.

use std::collections::BTreeMap;

use domain::connection::Strategy;
use domain::{ClientId, ConfigurationValue, Connection, ConnectionId, Json};
use serde_json::Value;

use super::options;
use super::shape::{CREATE, UPDATE};
use crate::Engine;
use crate::body::{
    Supported, check_shape, check_supported, misfit, not_unique, repeated, take_object, take_text,
    texts,
};
use crate::error::{Error, Result};
use crate::federation;

const MAX_METADATA: usize = 10;

impl Engine {
    /// The connection that a body asks for.
    pub(super) async fn new_connection(&self, mut body: Json) -> Result<Connection> {
        check_shape(&body, CREATE)?;
        check_supported(&body, SUPPORTED)?;
        let name = take_text(&mut body, "name").unwrap_or_default();
        let strategy = take_text(&mut body, "strategy").unwrap_or_default();
        let Some(strategy) = Strategy::parse(&strategy) else {
            let message = format!("Strategy not supported: {strategy}; auth0 and oidc are");
            return Err(misfit("strategy", message));
        };
        let mut connection = Connection {
            id: ConnectionId::generate(&*self.entropy),
            realms: vec![name.clone()],
            name,
            display_name: None,
            options: Json::new(),
            configuration: BTreeMap::new(),
            metadata: Json::new(),
            attributes: Json::new(),
            enabled_clients: Vec::new(),
            version: 1,
        };
        let mut given = take_object(&mut body, "options").unwrap_or_default();
        if strategy == Strategy::Oidc {
            federation::options::take_over(&mut connection, given, self.reach())?;
        } else {
            options::check(&given, &self.settings.hash_limits)?;
            options::fill_in(&mut given);
            connection.configuration = options::split_configuration(&mut given);
            connection.options = given;
            options::check_mode(&connection)?;
        }
        self.apply(&mut connection, body).await?;
        Ok(connection)
    }

    /// The connection after a change, and the ciphertexts that stay as they are.
    pub(super) async fn changed_connection(
        &self,
        before: &Connection,
        ciphertexts: &BTreeMap<String, String>,
        mut body: Json,
    ) -> Result<(Connection, BTreeMap<String, String>)> {
        check_shape(&body, UPDATE)?;
        check_supported(&body, SUPPORTED)?;
        let mut after = before.clone();
        let mut unchanged = ciphertexts.clone();
        let given = take_object(&mut body, "options");
        if let (Some(given), Strategy::Oidc) = (&given, before.strategy()) {
            federation::options::take_over(&mut after, given.clone(), self.reach())?;
            let is_kept = |name: &String| {
                let stored = before.configuration.get(name);
                let kept = after.configuration.get(name);
                stored.map(ConfigurationValue::expose) == kept.map(ConfigurationValue::expose)
            };
            unchanged.retain(|name, _| is_kept(name));
        } else if let Some(mut given) = given {
            options::check(&given, &self.settings.hash_limits)?;
            options::keep_survivors(&mut given, &before.options)?;
            after.configuration = options::split_configuration(&mut given);
            unchanged = options::restore_read_back(
                &mut after.configuration,
                &before.configuration,
                ciphertexts,
            );
            after.options = given;
            options::check_mode(&after)?;
            self.check_users_allow(before, &after).await?;
        }
        self.apply(&mut after, body).await?;
        Ok((after, unchanged))
    }

    /// Whose passwords are kept here can't be said otherwise once there are users.
    async fn check_users_allow(&self, before: &Connection, after: &Connection) -> Result<()> {
        let name = "enabledDatabaseCustomization";
        let is_on = |connection: &Connection| {
            connection.options.get(name).and_then(Value::as_bool) == Some(true)
        };
        if is_on(before) == is_on(after) || !self.store.connection_has_users(&before.id).await? {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "This database contains users. You cannot change \"options.{name}\" setting."
        )))
    }

    /// Takes over all members but name, strategy and options.
    async fn apply(&self, connection: &mut Connection, body: Json) -> Result<()> {
        for (name, value) in body {
            match (name.as_str(), value) {
                ("display_name", value) => {
                    connection.display_name = value.as_str().map(str::to_owned);
                }
                ("realms", value) => connection.realms = realms(&value, &connection.name)?,
                ("metadata", Value::Object(metadata)) => {
                    connection.metadata = without_nulls(metadata)?;
                }
                ("enabled_clients", value) => {
                    connection.enabled_clients = self.existing_clients(&value).await?;
                }
                (_, value) => {
                    connection.attributes.insert(name, value);
                }
            }
        }
        Ok(())
    }

    async fn existing_clients(&self, value: &Value) -> Result<Vec<ClientId>> {
        let mut clients = Vec::new();
        for text in texts(value) {
            let client = ClientId::from(text);
            if self.store.find_client(&client).await?.is_none() {
                let message = format!("The client does not exist: {client}");
                return Err(misfit("enabled_clients", message));
            }
            clients.push(client);
        }
        Ok(clients)
    }
}

/// Whether a connection lets users in is said by its clients here.
const SUPPORTED: &[Supported] = &[("authentication", |value| {
    value.get("active").and_then(Value::as_bool) != Some(false)
})];

fn realms(value: &Value, name: &str) -> Result<Vec<String>> {
    let mut realms: Vec<String> = texts(value).map(str::to_owned).collect();
    if let Some(realm) = repeated(&realms) {
        return Err(misfit("realms", not_unique(realm)));
    }
    if realms.is_empty() {
        realms.push(name.to_owned());
    }
    Ok(realms)
}

fn without_nulls(mut metadata: Json) -> Result<Json> {
    if metadata.len() > MAX_METADATA {
        let count = metadata.len();
        let message = format!("Too many properties defined ({count}), maximum {MAX_METADATA}");
        return Err(misfit("metadata", message));
    }
    if let Some(name) = metadata.keys().find(|name| name.chars().count() > 255) {
        let length = name.chars().count();
        let message = format!("Property name is too long ({length} chars), maximum 255");
        return Err(misfit("metadata", message));
    }
    metadata.retain(|_, value| !value.is_null());
    Ok(metadata)
}
