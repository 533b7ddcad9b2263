//! What handlers take: the caller, a bearer's rights, a JSON object of a known shape, a page.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use domain::schema::{self, Field};
use domain::{Json, Page, RowError};
use engine::{Context, Error, Operation};
use oidc::{OAuthError, Scopes};
use serde_json::Value;

use crate::error::ApiError;
use crate::forwarded::forwarded;
use crate::presented::Presented;
use crate::state::AppState;

/// Largest JSON body, in bytes. Files travel by import jobs.
pub const MAX_BODY: usize = 2 << 20;

/// Who asks, and from where.
pub struct Caller(pub Context);

impl FromRequestParts<AppState> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value: &header::HeaderValue| value.to_str().ok())
        };
        let named = state.trusts_proxy.then(|| forwarded(&parts.headers));
        let peer = || {
            let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
            Some(peer.0.ip().to_canonical())
        };
        let ip = named.flatten().or_else(peer);
        Ok(Self(Context {
            ip: ip.map(|ip| ip.to_string()),
            user_agent: text("user-agent").map(|agent| agent.chars().take(300).collect()),
            actor: None,
            operation: None,
            ui_locales: Vec::new(),
            accept_language: text("accept-language").map(str::to_owned),
        }))
    }
}

/// The bearer of a Management API token.
pub struct Manager {
    /// Who asks, and from where.
    pub context: Context,
    scopes: Scopes,
}

impl Manager {
    /// Passes when the token has one of the scopes.
    pub fn require(&self, any_of: &[&str]) -> Result<&Context, ApiError> {
        if any_of.iter().any(|scope| self.scopes.contains(scope)) {
            Ok(&self.context)
        } else {
            Err(ApiError::insufficient_scope(any_of))
        }
    }

    /// Whether the token has the scope.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }
}

impl FromRequestParts<AppState> for Manager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let path = full_path(parts.uri.path());
        let presented = Presented::of(parts, state, path.trim_start_matches('/'));
        let presented = presented.await.map_err(refused)?;
        let presented =
            presented.ok_or_else(|| ApiError::unauthorized("Missing authentication"))?;
        let authorized = state.engine.authorize_management(presented.shown());
        let (client, scopes) = authorized.await.map_err(refused)?;
        let Ok(Caller(mut context)) = Caller::from_request_parts(parts, state).await;
        context.actor = Some(client);
        // Whoever administers is not who gets the mails.
        context.accept_language = None;
        context.operation = Some(Operation {
            method: parts.method.as_str().to_ascii_lowercase(),
            path: path.chars().take(1024).collect(),
        });
        Ok(Self { context, scopes })
    }
}

/// The path as it was asked for: a nested router sees it without its prefix.
fn full_path(path: &str) -> String {
    let prefix = if path.starts_with("/api/v2/") {
        ""
    } else {
        "/api/v2"
    };
    format!("{prefix}{path}")
}

fn refused(error: OAuthError) -> ApiError {
    let detail = error.detail.unwrap_or_default();
    if error.status >= 500 {
        return Error::Unavailable { detail }.into();
    }
    tracing::debug!(detail, "a Management token was refused");
    ApiError::unauthorized("Invalid token")
}

/// A JSON body that is an object, without members given twice.
pub struct JsonObject(pub Json);

impl JsonObject {
    /// The object, when it fits a shape; else the first fault in the wire's words.
    pub fn shaped(self, shape: &[Field]) -> Result<Json, ApiError> {
        match schema::check(&self.0, shape).first() {
            None => Ok(self.0),
            Some(fault) => Err(Error::payload(fault).into()),
        }
    }
}

impl FromRequest<AppState> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let bytes = body_bytes(request, state).await?;
        match parse(&bytes)? {
            Value::Object(object) => Ok(Self(object)),
            other => Err(type_fault("object", &other)),
        }
    }
}

/// A JSON body that is an array of objects.
pub struct JsonArray(pub Vec<Value>);

impl FromRequest<AppState> for JsonArray {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let bytes = body_bytes(request, state).await?;
        match parse(&bytes)? {
            Value::Array(elements) => Ok(Self(elements)),
            other => Err(type_fault("array", &other)),
        }
    }
}

fn type_fault(expected: &str, found: &Value) -> ApiError {
    let message = format!(
        "Expected type {expected} but found type {}",
        schema::type_of(found)
    );
    Error::payload(&RowError::new(
        domain::RowErrorCode::InvalidType,
        "",
        message,
    ))
    .into()
}

async fn body_bytes(request: Request, state: &AppState) -> Result<Bytes, ApiError> {
    refuse_compressed(request.headers())?;
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                let message =
                    format!("Payload content length greater than maximum allowed: {MAX_BODY}.");
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message, None)
            } else {
                ApiError::invalid("The request body could not be read.")
            }
        })
}

/// Compressed bodies are refused: nothing here grows after it was measured.
pub fn refuse_compressed(headers: &axum::http::HeaderMap) -> Result<(), ApiError> {
    match headers.get(header::CONTENT_ENCODING) {
        None => Ok(()),
        Some(coding) if coding.as_bytes().eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(_) => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Compressed request bodies are not accepted.",
            None,
        )),
    }
}

/// Parses JSON and names the place of a fault.
fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        ApiError::invalid(format!(
            "Invalid UTF-8 in the request body at byte {}.",
            error.valid_up_to()
        ))
    })?;
    let UniqueKeys(value) = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if error.is_data() {
            ApiError::invalid(format!("Invalid request payload JSON format: {error}"))
        } else {
            ApiError::invalid(format!(
                "Invalid request payload JSON format: line {line} column {column}"
            ))
        }
    })?;
    Ok(value)
}

/// Query parameters, each at most once.
pub struct Query(HashMap<String, String>);

impl Query {
    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Refuses parameters that the endpoint does not know.
    pub fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(ApiError::invalid_query(format!(
                "Query validation error: 'Additional properties not allowed: {name}'."
            ))),
        }
    }

    /// A parameter that is `true` or `false`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(not_fitting(
                name,
                "Expected type boolean but found type string",
            )),
        }
    }

    /// A whole number within bounds.
    pub fn number(&self, name: &str, low: u32, high: u32) -> Result<Option<u32>, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number: u32 = text
            .parse()
            .map_err(|_| not_fitting(name, "Expected type integer but found type string"))?;
        if number < low {
            Err(not_fitting(
                name,
                &format!("Value {number} is less than minimum {low}"),
            ))
        } else if number > high {
            Err(not_fitting(
                name,
                &format!("Value {number} is greater than maximum {high}"),
            ))
        } else {
            Ok(Some(number))
        }
    }

    /// `page`, `per_page` and `include_totals`.
    pub fn page(&self) -> Result<(Page, bool), ApiError> {
        let number = self.number("page", 0, u32::MAX / 100)?.unwrap_or(0);
        let size = self.number("per_page", 0, 100)?.unwrap_or(50);
        Ok((
            Page { number, size },
            self.flag("include_totals")?.unwrap_or(false),
        ))
    }
}

fn not_fitting(name: &str, problem: &str) -> ApiError {
    ApiError::invalid_query(format!(
        "Query validation error: '{problem}' on property {name}."
    ))
}

impl FromRequestParts<AppState> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let text = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
            .map_err(|_| ApiError::invalid_query("The query string could not be read."))?;
        let mut query = HashMap::new();
        for (name, value) in pairs {
            if value.contains('\0') {
                return Err(not_fitting(
                    &name,
                    "Text must not contain the character U+0000",
                ));
            }
            if query.insert(name.clone(), value).is_some() {
                return Err(not_fitting(&name, "Given more than once"));
            }
        }
        Ok(Self(query))
    }
}

/// A JSON value whose objects name each member once: what a reader sees is what we see.
struct UniqueKeys(Value);

impl<'de> serde::Deserialize<'de> for UniqueKeys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeysVisitor).map(Self)
    }
}

struct UniqueKeysVisitor;

impl<'de> serde::de::Visitor<'de> for UniqueKeysVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(UniqueKeys(element)) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Json::new();
        while let Some((name, UniqueKeys(value))) = map.next_entry::<String, UniqueKeys>()? {
            if object.contains_key(&name) {
                return Err(serde::de::Error::custom(format!(
                    "member {name:?} is given twice"
                )));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}
