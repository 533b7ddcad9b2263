//! A legacy web service for tests: users over HTTP with basic authentication, in memory.
//!
//! What `templates/http` talks to. A person's own credentials open `/profile`; the service account
//! opens the rest. Passwords are compared as they are: how it keeps them is its own affair.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

type People = Arc<Mutex<Vec<Value>>>;

/// The running service. Dropping it is an outage: its port refuses connections.
pub struct WebService {
    address: SocketAddr,
    people: People,
    serving: JoinHandle<()>,
}

impl WebService {
    /// The account that may look people up and change them.
    pub const ACCOUNT: (&'static str, &'static str) = ("ferry", "service:secret");

    /// Serves these people (`id`, `email`, `password`, and what else a profile holds) on a free
    /// port of 127.0.0.1.
    pub async fn start(people: Vec<Value>) -> Result<Self> {
        let people: People = Arc::new(Mutex::new(people));
        let routes = Router::new()
            .route("/profile", get(profile))
            .route("/users-by-email/{email}", get(by_email).patch(change))
            .route("/users", post(create))
            .route("/users/{id}", delete(remove))
            .with_state(Arc::clone(&people));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            // It ends when the task is aborted.
            let _ended = axum::serve(listener, routes).await;
        });
        Ok(Self {
            address,
            people,
            serving,
        })
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everybody, as they are now.
    pub fn people(&self) -> Vec<Value> {
        lock(&self.people).clone()
    }

    /// The outage: ends once nobody listens any more.
    pub async fn stop(self) {
        self.serving.abort();
        while !self.serving.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for WebService {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(people: &People) -> MutexGuard<'_, Vec<Value>> {
    people.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Name and password of the request.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let bytes = BASE64_STANDARD
        .decode(header.strip_prefix("Basic ")?)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn is_account(headers: &HeaderMap) -> bool {
    let (name, password) = WebService::ACCOUNT;
    credentials(headers) == Some((name.to_owned(), password.to_owned()))
}

fn has_email(person: &Value, email: &str) -> bool {
    let known = person["email"].as_str();
    known.is_some_and(|known| known.eq_ignore_ascii_case(email))
}

fn without_password(person: &Value) -> Response {
    let mut person = person.clone();
    if let Some(members) = person.as_object_mut() {
        members.remove("password");
    }
    Json(person).into_response()
}

async fn profile(State(people): State<People>, headers: HeaderMap) -> Response {
    let Some((email, password)) = credentials(&headers) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let people = lock(&people);
    match people.iter().find(|person| has_email(person, &email)) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(person) if person["password"] == password.as_str() => without_password(person),
        Some(_) => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn by_email(
    State(people): State<People>,
    headers: HeaderMap,
    Path(email): Path<String>,
) -> Response {
    if !is_account(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let people = lock(&people);
    match people.iter().find(|person| has_email(person, &email)) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(person) => without_password(person),
    }
}

async fn change(
    State(people): State<People>,
    headers: HeaderMap,
    Path(email): Path<String>,
    Json(changes): Json<Value>,
) -> Response {
    if !is_account(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut people = lock(&people);
    let person = people.iter_mut().find(|person| has_email(person, &email));
    let (Some(person), Some(changes)) =
        (person.and_then(Value::as_object_mut), changes.as_object())
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    person.extend(changes.clone());
    StatusCode::NO_CONTENT.into_response()
}

async fn create(
    State(people): State<People>,
    headers: HeaderMap,
    Json(mut person): Json<Value>,
) -> Response {
    if !is_account(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut people = lock(&people);
    let email = person.get("email").and_then(Value::as_str);
    let email = email.unwrap_or_default().to_owned();
    if people.iter().any(|known| has_email(known, &email)) {
        return StatusCode::CONFLICT.into_response();
    }
    if let Some(members) = person.as_object_mut() {
        members.insert("id".to_owned(), json!(1000 + people.len()));
    }
    people.push(person);
    StatusCode::CREATED.into_response()
}

async fn remove(State(people): State<People>, headers: HeaderMap, Path(id): Path<u64>) -> Response {
    if !is_account(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    lock(&people).retain(|person| person["id"] != id);
    StatusCode::NO_CONTENT.into_response()
}
