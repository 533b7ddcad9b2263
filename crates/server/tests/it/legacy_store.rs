//! A legacy user store with a web interface, in this process, and action scripts that reach it. It
//! remembers who asked what in which order, and can be told to misbehave.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use domain::ConnectionId;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::app::App;

pub const REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";

const NAMES: [&str; 9] = [
    "login",
    "get_user",
    "create",
    "verify",
    "change_password",
    "change_email",
    "delete",
    "change_username",
    "change_phone_number",
];

/// Asks the store, and says what it says.
const SCRIPT: &str = "function act(...args) {
    const callback = args.pop();
    const classes = { ValidationError, UnauthorizedError, WrongUsernameOrPasswordError };
    fetch('$URL/$NAME', { method: 'POST', headers: { 'content-type': 'application/json' },
                          body: JSON.stringify(args) })
        .then((answer) => answer.json())
        .then(({ error, value }) => {
            if (!error) return callback(null, value);
            const Class = classes[error.name] || Error;
            callback(Class === ValidationError ? new Class(error.code, error.message)
                                               : new Class(error.message));
        })
        .catch(callback);
}";

/// The store; clones share it.
#[derive(Clone)]
pub struct LegacyStore {
    url: String,
    state: Arc<Mutex<Stored>>,
}

#[derive(Default)]
struct Stored {
    users: BTreeMap<String, Value>,
    calls: Vec<String>,
    last: BTreeMap<String, Value>,
    answers: BTreeMap<String, Value>,
    pauses: BTreeMap<String, Pause>,
}

/// A script that waits in the middle of its call.
#[derive(Clone, Default)]
pub struct Pause {
    arrived: Arc<Notify>,
    released: Arc<Notify>,
}

impl Pause {
    /// Waits until the script is there.
    pub async fn arrival(&self) {
        self.arrived.notified().await;
    }

    /// Lets it go on.
    pub fn release(&self) {
        self.released.notify_one();
    }
}

impl LegacyStore {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<Mutex<Stored>>::default();
        let router = Router::new()
            .route("/{name}", post(answer))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state }
    }

    /// A connection whose scripts reach this store, serving a public application.
    pub async fn connect(&self, app: &App, import_mode: bool) -> ConnectionId {
        self.connect_with(app, "legacy", self.options(import_mode))
            .await
    }

    /// A connection whose scripts reach this store.
    pub async fn attach(&self, app: &App, name: &str, import_mode: bool) -> ConnectionId {
        app.connection(name, self.options(import_mode)).await
    }

    /// The same with more options.
    pub async fn attach_as(
        &self,
        app: &App,
        name: &str,
        import_mode: bool,
        more: &Value,
    ) -> ConnectionId {
        let mut options = self.options(import_mode);
        let more = more.as_object().unwrap().clone();
        options.as_object_mut().unwrap().extend(more);
        app.connection(name, options).await
    }

    fn options(&self, import_mode: bool) -> Value {
        let mut scripts = json!({});
        for name in NAMES {
            let script = SCRIPT.replace("$URL", &self.url).replace("$NAME", name);
            scripts[name] = script.into();
        }
        json!({
            "enabledDatabaseCustomization": true, "import_mode": import_mode,
            "customScripts": scripts,
        })
    }

    /// The same with other options.
    pub async fn connect_with(&self, app: &App, name: &str, options: Value) -> ConnectionId {
        let client = json!({
            "name": "shop", "app_type": "spa", "grant_types": ["password", REALM],
            "token_endpoint_auth_method": "none",
        });
        let client = app.quietly("POST", "/api/v2/clients", client).await.body;
        let client_id = client["client_id"].as_str().unwrap();
        let connection = app.connection(name, options).await;
        let enable = json!([{"client_id": client_id, "status": true}]);
        let path = format!("/api/v2/connections/{connection}/clients");
        assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
        app.log_in_with(client_id);
        connection
    }

    /// Puts a user there.
    pub fn put(&self, id: &str, email: &str, password: &str) {
        let user = json!({"user_id": id, "email": email, "password": password});
        self.lock().users.insert(id.to_owned(), user);
    }

    /// A member of a user there.
    pub fn member(&self, id: &str, name: &str) -> Value {
        self.lock()
            .users
            .get(id)
            .map_or(Value::Null, |user| user[name].clone())
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.lock().users.len()
    }

    /// From now on a script gets this answer, whatever it asks; with `null` the store's own again.
    pub fn answers(&self, name: &str, answer: Value) {
        if answer.is_null() {
            self.lock().answers.remove(name);
        } else {
            self.lock().answers.insert(name.to_owned(), answer);
        }
    }

    /// The next call of a script changes the store, and then waits.
    pub fn pause(&self, name: &str) -> Pause {
        let pause = Pause::default();
        self.lock().pauses.insert(name.to_owned(), pause.clone());
        pause
    }

    /// What was asked since the last look, in order: the script and its first argument.
    pub fn calls(&self) -> String {
        std::mem::take(&mut self.lock().calls).join(", ")
    }

    /// What a script was last called with.
    pub fn arguments(&self, name: &str) -> Value {
        self.lock().last.get(name).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.state.lock().unwrap()
    }
}

async fn answer(
    State(state): State<Arc<Mutex<Stored>>>,
    Path(name): Path<String>,
    Json(args): Json<Vec<Value>>,
) -> Json<Value> {
    let (answer, pause) = {
        let mut stored = state.lock().unwrap();
        let first = args[0].get("email").unwrap_or(&args[0]);
        let first = first.as_str().unwrap_or("?").to_owned();
        stored.calls.push(format!("{name} {first}"));
        stored.last.insert(name.clone(), args.clone().into());
        let told = stored.answers.get(&name).cloned();
        let answer = told.unwrap_or_else(|| stored.answer(&name, &args));
        (answer, stored.pauses.remove(&name))
    };
    if let Some(pause) = pause {
        pause.arrived.notify_one();
        pause.released.notified().await;
    }
    Json(answer)
}

impl Stored {
    fn find(&mut self, identifier: &Value) -> Option<&mut Value> {
        let wanted = identifier.as_str().unwrap().to_lowercase();
        self.users.values_mut().find(|user| {
            let is = |name: &str| {
                user[name]
                    .as_str()
                    .is_some_and(|t| t.to_lowercase() == wanted)
            };
            is("user_id") || is("email") || is("username")
        })
    }

    fn set(&mut self, identifier: &Value, name: &str, value: &Value) -> Value {
        let user = self.find(identifier);
        let is_there = user.is_some();
        if let Some(user) = user {
            user[name] = value.clone();
        }
        json!({"value": is_there})
    }

    fn answer(&mut self, name: &str, args: &[Value]) -> Value {
        let profile = |user: &mut Value| {
            let mut profile = user.clone();
            profile.as_object_mut().unwrap().remove("password");
            profile
        };
        match name {
            "login" => match self.find(&args[0]) {
                Some(user) if user["password"] == args[1] => json!({"value": profile(user)}),
                _ => json!({"error": {"name": "WrongUsernameOrPasswordError", "message": "x"}}),
            },
            "get_user" => json!({"value": self.find(&args[0]).map(profile)}),
            "create" if self.find(&args[0]["email"]).is_some() => json!({"error": {
                "name": "ValidationError", "code": "user_exists", "message": "my error message",
            }}),
            "create" => {
                let id = format!("l{}", self.users.len() + 1);
                let mut user = args[0].clone();
                user["user_id"] = id.clone().into();
                for name in ["tenant", "client_id", "connection"] {
                    user.as_object_mut().unwrap().remove(name);
                }
                self.users.insert(id, user);
                json!({"value": null})
            }
            "verify" => self.set(&args[0], "email_verified", &true.into()),
            "change_password" => self.set(&args[0], "password", &args[1]),
            "change_email" => self.set(&args[0], "email", &args[1]),
            "change_username" => self.set(&args[0], "username", &args[1]),
            "change_phone_number" => self.set(&args[0], "phone_number", &args[1]),
            "delete" => {
                self.users.remove(args[0].as_str().unwrap());
                json!({"value": null})
            }
            other => unreachable!("{other}"),
        }
    }
}
