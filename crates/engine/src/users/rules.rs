//! What a connection asks of its users, and what metadata may hold.

use domain::metadata::{MAX_DEPTH, RESERVED_APP_METADATA, is_shallow};
use domain::user::Attributes;
use domain::{Connection, Json, RowError, RowErrorCode};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::password_choice::ChoiceError;

/// The identifiers of a new user: those that the connection asks for, and no other.
pub(super) fn check_identifiers(connection: &Connection, attributes: &Attributes) -> Result<()> {
    if attributes.username.is_some() {
        check_takes_username(connection)?;
    } else if connection.requires_username() {
        return Err(missing_username(connection));
    }
    if attributes.email.is_none() && requires_email(connection) {
        return Err(missing_email());
    }
    check_identified(attributes)
}

/// Somebody must be able to say who they are.
pub(super) fn check_identified(attributes: &Attributes) -> Result<()> {
    let is_identified = attributes.email.is_some()
        || attributes.username.is_some()
        || attributes.phone_number.is_some();
    if is_identified {
        Ok(())
    } else {
        Err(missing_email())
    }
}

/// Only some connections have usernames.
pub(super) fn check_takes_username(connection: &Connection) -> Result<()> {
    if connection.takes_usernames() {
        return Ok(());
    }
    Err(Error::invalid(
        "Cannot set username for connection without requires_username.",
    ))
}

/// Whether a user can't be without an address: the rule, unless people are known by other names.
pub(super) fn requires_email(connection: &Connection) -> bool {
    let is_required = |email: &Value| email.get("profile_required") == Some(&Value::Bool(true));
    match connection
        .options
        .get("attributes")
        .filter(|attributes| !attributes.is_null())
    {
        None => !connection.requires_username(),
        Some(_) => identifier(connection, "email").is_some_and(is_required),
    }
}

/// One of the connection's `options.attributes`.
fn identifier<'a>(connection: &'a Connection, name: &str) -> Option<&'a Value> {
    connection
        .options
        .get("attributes")?
        .get(name)
        .filter(|settings| settings.is_object())
}

pub(super) fn missing_username(connection: &Connection) -> Error {
    let name = &connection.name;
    Error::invalid(format!(
        "Missing username for {name} connection with requires_username enabled"
    ))
}

pub(super) fn missing_email() -> Error {
    let message = "Missing required property: email";
    let code = RowErrorCode::ObjectMissingRequiredProperty;
    Error::payload(&RowError::new(code, "email", message))
}

/// A password that may not be, in the wire's words: they name no rule here.
pub(super) fn refused_choice(error: ChoiceError) -> Error {
    let unfit = match error {
        ChoiceError::Failed(error) => return error,
        ChoiceError::Unfit(unfit) => unfit,
    };
    let message = format!("{}: {}", unfit.fault.name(), unfit.fault.message());
    Error::Invalid {
        message,
        code: "invalid_password",
    }
}

/// `app_metadata` must not pose as the user; neither object may nest without end.
pub(super) fn check_metadata(user: Option<&Json>, app: Option<&Json>) -> Result<()> {
    for (name, object) in [("user_metadata", user), ("app_metadata", app)] {
        let Some(object) = object else { continue };
        if let Some((member, _)) = object.iter().find(|(_, value)| !is_shallow(value)) {
            let message = format!("Nested deeper than {MAX_DEPTH}");
            let path = format!("{name}.{member}");
            return Err(Error::payload(&RowError::new(
                RowErrorCode::NotPassed,
                path,
                message,
            )));
        }
    }
    let reserved = |(member, value): &(&String, &Value)| {
        !value.is_null() && RESERVED_APP_METADATA.contains(&member.as_str())
    };
    match app.and_then(|app| app.iter().find(reserved)) {
        None => Ok(()),
        Some((member, _)) => {
            let message = format!("Additional properties not allowed: {member}");
            let path = format!("app_metadata.{member}");
            let code = RowErrorCode::ObjectAdditionalProperties;
            Err(Error::payload(&RowError::new(code, path, message)))
        }
    }
}
