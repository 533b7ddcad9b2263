//! The rules of `options`: what fits, what the server fills in, what a change must not lose.

use std::collections::BTreeMap;

use domain::connection::{check_options, option_defaults};
use domain::{ConfigurationValue, Connection, Json, RowErrorCode};
use password::Limits;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::programs::read_ferry;
use crate::recipes;

/// Options that stay when a change leaves them out; all others go (wire section 2.1).
/// Ours stays because tools that do not know it would open the network to scripts.
const SURVIVORS: &[&str] = &["mfa", "authentication_methods", "passkey_options", "ferry"];

/// Refuses options that do not fit, alone or together.
pub(super) fn check(options: &Json, limits: &Limits) -> Result<()> {
    if let Some(fault) = check_options(options).first() {
        return Err(match fault.code {
            RowErrorCode::NotPassed => Error::invalid(fault.message.clone()),
            _ => Error::payload(fault),
        });
    }
    read_ferry(options.get("ferry"))?;
    recipes::check(options.get("ferry"), limits)?;
    options.get("attributes").map_or(Ok(()), check_attributes)
}

fn check_attributes(attributes: &Value) -> Result<()> {
    let Some(attributes) = attributes.as_object() else {
        return Ok(());
    };
    let is_unique = |email: &Value| email.get("unique").and_then(Value::as_bool);
    if attributes.get("email").and_then(is_unique) == Some(false) {
        return Err(Error::invalid("cannot add non-unique email attribute"));
    }
    let is_active = |attribute: &Value| {
        attribute
            .pointer("/identifier/active")
            .and_then(Value::as_bool)
            == Some(true)
    };
    if attributes.values().any(is_active) {
        Ok(())
    } else {
        Err(Error::invalid(
            "attributes must contain one active identifier",
        ))
    }
}

/// Refuses what only a connection may have whose users live elsewhere.
pub(super) fn check_mode(connection: &Connection) -> Result<()> {
    let is_set = connection.options.contains_key("set_user_root_attributes");
    if is_set && connection.mode() != domain::connection::Mode::Legacy {
        return Err(Error::invalid(
            "options.set_user_root_attributes can be set only for enterprise connections, social \
             connections or custom database connections (using external users store)",
        ));
    }
    Ok(())
}

/// Adds what the server fills in at creation.
pub(super) fn fill_in(options: &mut Json) {
    for (name, value) in option_defaults() {
        options.entry(name).or_insert(value);
    }
}

/// Carries over what outlives a change, and refuses to take back what can't be taken back.
pub(super) fn keep_survivors(options: &mut Json, before: &Json) -> Result<()> {
    for name in SURVIVORS {
        if let (None, Some(value)) = (options.get(*name), before.get(*name)) {
            options.insert((*name).to_owned(), value.clone());
        }
    }
    let name = "enable_script_context";
    let is_on = |options: &Json| options.get(name).and_then(Value::as_bool);
    match (is_on(before), is_on(options)) {
        (Some(true), Some(false)) => Err(Error::invalid(
            "options.enable_script_context cannot be disabled once it is enabled",
        )),
        (Some(true), None) => {
            options.insert(name.to_owned(), true.into());
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Takes the configuration out of the options: its values are stored apart, sealed.
pub(super) fn split_configuration(options: &mut Json) -> BTreeMap<String, ConfigurationValue> {
    let Some(Value::Object(values)) = options.shift_remove("configuration") else {
        return BTreeMap::new();
    };
    values
        .into_iter()
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, ConfigurationValue::from(text))),
            _ => None,
        })
        .collect()
}

/// Puts the stored value back wherever the ciphertext came that was read back for it. Answers the
/// ciphertexts that stay as they are.
pub(super) fn restore_read_back(
    configuration: &mut BTreeMap<String, ConfigurationValue>,
    stored: &BTreeMap<String, ConfigurationValue>,
    ciphertexts: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut unchanged = BTreeMap::new();
    for (name, value) in configuration {
        let ciphertext = ciphertexts.get(name).filter(|text| *text == value.expose());
        if let (Some(ciphertext), Some(plain)) = (ciphertext, stored.get(name)) {
            *value = plain.clone();
            unchanged.insert(name.clone(), ciphertext.clone());
        }
    }
    unchanged
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Json {
        value.as_object().unwrap().clone()
    }

    fn message(options: &Value) -> String {
        match check(options.as_object().unwrap(), &Limits::default()) {
            Err(Error::Invalid { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn refuses_in_the_documented_words() {
        assert_eq!(
            message(&json!({"attributes": {}, "requires_username": true})),
            "Cannot set both options.attributes and options.requires_username"
        );
        assert_eq!(
            message(&json!({"attributes": {}, "validation": {}})),
            "Cannot set both options.attributes and options.validation"
        );
        assert_eq!(
            message(&json!({"attributes": {"email": {"identifier": {"active": false}}}})),
            "attributes must contain one active identifier"
        );
        assert_eq!(
            message(&json!({"attributes": {
                "email": {"unique": false}, "username": {"identifier": {"active": true}},
            }})),
            "cannot add non-unique email attribute"
        );
        assert_eq!(
            message(&json!({"bareConfiguration": {}})),
            "Payload validation error: 'Additional properties not allowed: bareConfiguration' on \
             property options.bareConfiguration."
        );
        let script = "x".repeat(102_401);
        assert_eq!(
            message(&json!({"customScripts": {"login": script}})),
            "Payload validation error: 'String is too long (102401 chars), maximum 102400' on \
             property options.customScripts.login."
        );
    }

    #[test]
    fn our_own_options_are_checked_too() {
        let fits = json!({"ferry": {"egress": ["db.example:5432"], "runtime": "node"}});
        check(&object(&fits), &Limits::default()).unwrap();
        assert_eq!(
            message(&json!({"ferry": {"runtime": "deno"}})),
            "options.ferry.runtime: expected embedded or node"
        );
        let fits = json!({"ferry": {"password_recipe": "md5(password + pepper)", "password_pepper": "SECRET"}});
        check(&object(&fits), &Limits::default()).unwrap();
        assert_eq!(
            message(&json!({"ferry": {"password_recipe": "md5(passwort)"}})),
            "options.ferry.password_recipe: line 1, column 5: passwort is no variable"
        );
    }

    #[test]
    fn the_script_context_stays_on() {
        let before = object(&json!({"enable_script_context": true, "mfa": {"active": false}}));
        let mut silent = Json::new();
        keep_survivors(&mut silent, &before).unwrap();
        assert_eq!(
            silent,
            object(&json!({"mfa": {"active": false}, "enable_script_context": true}))
        );
        let mut off = object(&json!({"enable_script_context": false}));
        assert!(keep_survivors(&mut off, &before).is_err());
    }
}
