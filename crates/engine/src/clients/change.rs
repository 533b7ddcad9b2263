//! A client from what was sent: defaults of a new one, members of a change.

use domain::{Client, ClientSecret, Json, TokenEndpointAuth};
use serde_json::Value;

use super::shape::MEMBERS;
use crate::body::{Supported, check_shape, check_supported, misfit, not_unique, repeated, texts};
use crate::client_credentials::METHODS;
use crate::error::{Error, Result};

const MAX_METADATA: usize = 10;

const SUPPORTED: &[Supported] = &[
    ("client_authentication_methods", names_keys),
    ("require_proof_of_possession", |value| {
        value.as_bool() != Some(true)
    }),
    ("organization_usage", |value| value != "require"),
];

/// `null`, or `private_key_jwt` with one key or two, and nothing else: certificates of TLS are not
/// looked at.
fn names_keys(value: &Value) -> bool {
    let Some(methods) = value.as_object() else {
        return value.is_null();
    };
    let credentials = value.pointer("/private_key_jwt/credentials");
    let is_id = |credential: &Value| {
        let members = credential.as_object();
        members.is_some_and(|members| members.get("id").is_some_and(Value::is_string))
    };
    let is_list = credentials
        .and_then(Value::as_array)
        .is_some_and(|list| (1..=2).contains(&list.len()) && list.iter().all(is_id));
    methods.len() == 1 && is_list
}

/// Refuses a body that does not fit.
pub(super) fn check(body: &Json) -> Result<()> {
    check_shape(body, MEMBERS)?;
    check_supported(body, SUPPORTED)
}

/// Takes over what was sent; then fills in what a client can't be without.
pub(super) fn apply(client: &mut Client, body: Json) -> Result<()> {
    let mut auth = Some(client.auth);
    let mut grant_types = Some(std::mem::take(&mut client.grant_types));
    let methods = body.get(METHODS).cloned();
    if methods.as_ref().is_some_and(Value::is_object)
        && body
            .get("token_endpoint_auth_method")
            .is_some_and(Value::is_string)
    {
        let message = "Not both token_endpoint_auth_method and client_authentication_methods";
        return Err(misfit(METHODS, message));
    }
    for (name, value) in body {
        match (name.as_str(), value) {
            ("name", Value::String(text)) => client.name = text,
            ("client_secret", Value::String(text)) => client.secret = ClientSecret::from(text),
            ("token_endpoint_auth_method", value) => {
                auth = value.as_str().and_then(TokenEndpointAuth::parse);
                if auth.is_some() {
                    client.attributes.shift_remove(METHODS);
                }
            }
            ("grant_types", value) => {
                grant_types = value
                    .is_array()
                    .then(|| texts(&value).map(str::to_owned).collect());
            }
            ("client_metadata", Value::Object(change)) => merge_metadata(client, change)?,
            (_, Value::Null) => {
                client.attributes.shift_remove(&name);
            }
            (_, value) => {
                client.attributes.insert(name, value);
            }
        }
    }
    client.auth = match (methods, auth) {
        (Some(Value::Object(_)), _) => TokenEndpointAuth::PrivateKeyJwt,
        (Some(_), Some(TokenEndpointAuth::PrivateKeyJwt)) | (_, None) => default_auth(client),
        (_, Some(auth)) => auth,
    };
    client.grant_types = grant_types.unwrap_or_else(|| default_grant_types(client));
    check_grant_types(client)
}

/// How a client of its type proves itself unless it says otherwise.
pub(super) fn default_auth(client: &Client) -> TokenEndpointAuth {
    match app_type(client) {
        Some("spa" | "native") => TokenEndpointAuth::None,
        _ => TokenEndpointAuth::ClientSecretPost,
    }
}

/// What a client of its type may use unless it says otherwise. Passwords only when asked for.
pub(super) fn default_grant_types(client: &Client) -> Vec<String> {
    let types: &[&str] = match (app_type(client), client.auth) {
        (Some("non_interactive"), _) => &["client_credentials"],
        (_, TokenEndpointAuth::None) => &["authorization_code", "implicit", "refresh_token"],
        _ => &[
            "authorization_code",
            "implicit",
            "refresh_token",
            "client_credentials",
        ],
    };
    types.iter().map(|text| (*text).to_owned()).collect()
}

fn app_type(client: &Client) -> Option<&str> {
    client.attributes.get("app_type").and_then(Value::as_str)
}

/// A client that proves nothing must not get tokens of its own.
fn check_grant_types(client: &Client) -> Result<()> {
    if let Some(text) = repeated(&client.grant_types) {
        return Err(misfit("grant_types", not_unique(text)));
    }
    if client.auth == TokenEndpointAuth::None && client.may_use("client_credentials") {
        let message = "client_credentials needs a token_endpoint_auth_method other than none";
        return Err(misfit("grant_types", message));
    }
    Ok(())
}

/// A member set to `null` goes, others are added or replaced.
fn merge_metadata(client: &mut Client, change: Json) -> Result<()> {
    let name = "client_metadata";
    let mut metadata = match client.attributes.get(name) {
        Some(Value::Object(metadata)) => metadata.clone(),
        _ => Json::new(),
    };
    for (key, value) in change {
        if key.chars().count() > 255 {
            return Err(misfit(name, "Property name is too long, maximum 255"));
        }
        if value.is_null() {
            metadata.shift_remove(&key);
        } else {
            metadata.insert(key, value);
        }
    }
    if metadata.len() > MAX_METADATA {
        let count = metadata.len();
        let message = format!("Too many properties defined ({count}), maximum {MAX_METADATA}");
        return Err(misfit(name, message));
    }
    client.attributes.insert(name.into(), metadata.into());
    Ok(())
}

/// The name of a new client: the only member that must be there.
pub(super) fn require_name(body: &Json) -> Result<()> {
    if body.contains_key("name") {
        return Ok(());
    }
    Err(Error::payload(&domain::RowError::new(
        domain::RowErrorCode::ObjectMissingRequiredProperty,
        "name",
        "Missing required property: name",
    )))
}
