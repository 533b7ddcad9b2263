//! Which clients a connection serves.

use domain::schema;
use domain::{ClientId, ConnectionId, RowError, RowErrorCode};
use serde_json::Value;
use store::StoreError;

use super::no_such_connection;
use super::shape::ENABLED_CLIENT;
use crate::error::{Error, Result};
use crate::listing::{Listed, Slice};
use crate::{Context, Engine};

const MAX_LINES: usize = 50;

impl Engine {
    /// The clients that a connection serves, by id.
    pub async fn connection_clients(
        &self,
        id: &ConnectionId,
        slice: &Slice,
    ) -> Result<Listed<ClientId>> {
        let connection = self.store.find_connection(id).await?;
        let connection =
            connection.ok_or_else(|| no_such_connection("The connection does not exist"))?;
        Ok(slice.of(connection.enabled_clients, ToString::to_string))
    }

    /// Enables clients for a connection and disables others, all or none.
    pub async fn set_connection_clients(
        &self,
        context: &Context,
        id: &ConnectionId,
        lines: &[Value],
    ) -> Result<()> {
        let lines = read(lines)?;
        let missing = || no_such_connection("The connection does not exist");
        let connection = self.store.find_connection(id).await?.ok_or_else(missing)?;
        let mut event = self
            .connection_event(
                context,
                "Update enabled clients of a connection",
                &connection,
            )
            .await?;
        let mut write = self.store.write();
        write.require_connection(id);
        for (client, is_enabled) in &lines {
            if self.store.find_client(client).await?.is_none() {
                return Err(Error::Missing {
                    message: "The client does not exist".into(),
                    code: "inexistent_client",
                });
            }
            if *is_enabled {
                write.enable_client(id, client);
            } else {
                write.disable_client(id, client);
            }
        }
        let told: Vec<Value> = lines
            .iter()
            .map(|(client, status)| {
                serde_json::json!({"client_id": client.as_str(), "status": status})
            })
            .collect();
        event.details.insert("clients".into(), told.into());
        write.log(&event);
        match self.store.commit(write).await {
            Err(StoreError::Stale { .. }) => Err(missing()),
            other => Ok(other?),
        }
    }
}

fn read(lines: &[Value]) -> Result<Vec<(ClientId, bool)>> {
    let count = lines.len();
    if count == 0 {
        let message = "Array is too short (0), minimum 1";
        return Err(Error::payload(&RowError::new(
            RowErrorCode::ArrayLengthShort,
            "",
            message,
        )));
    }
    if count > MAX_LINES {
        let message = format!("Array is too long ({count}), maximum {MAX_LINES}");
        return Err(Error::payload(&RowError::new(
            RowErrorCode::ArrayLengthLong,
            "",
            message,
        )));
    }
    lines.iter().enumerate().map(read_line).collect()
}

fn read_line((index, line): (usize, &Value)) -> Result<(ClientId, bool)> {
    let place = format!("[{index}]");
    let Some(object) = line.as_object() else {
        let found = schema::type_of(line);
        let message = format!("Expected type object but found type {found}");
        let fault = RowError::new(RowErrorCode::InvalidType, place, message);
        return Err(Error::payload(&fault));
    };
    if let Some(fault) = schema::check(object, ENABLED_CLIENT).into_iter().next() {
        return Err(Error::payload(&fault.under(&place)));
    }
    let client = object.get("client_id").and_then(Value::as_str);
    let status = object.get("status").and_then(Value::as_bool);
    Ok((client.unwrap_or_default().into(), status.unwrap_or(false)))
}
