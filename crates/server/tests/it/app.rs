//! The application in this process, on a store of its own: requests go to the router directly.
//!
//! A scenario runs on SQLite and on PostgreSQL and must say the same on both.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what tests share fails like a test"
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use domain::clock::ManualClock;
use domain::secret::Key32;
use domain::{
    Attributes, ClientId, ClientSecret, Connection, ConnectionId, EmailAddress, ForeignId, Json,
    MfaFactor, NewUser, Origin,
};
use engine::bootstrap::Administrator;
use engine::{Engine, Settings};
use oidc::relying_party::Reach;
use script::{EmbeddedRuntime, PoolSettings, Runtime};
use serde_json::{Value, json};
use server::boot::SystemEntropy;
use server::outbound::Outward;
use server::state::AppState;
use sha1::{Digest as _, Sha1};
use store::Store;
use testkit::{Database, Postgres};
use tower::ServiceExt as _;

const ISSUER: &str = "https://ferry.example/";
/// The administrator's client, and its secret.
pub const CLIENT: &str = "administrator";
pub const SECRET: &str = "correct horse battery staple";
/// 2026-03-01T10:00:00.000Z
const START: i64 = 1_772_359_200_000;

/// A running application and what it lives on.
pub struct App {
    router: Router,
    draining: tokio_util::sync::CancellationToken,
    pub engine: Arc<Engine>,
    pub clock: Arc<ManualClock>,
    token: String,
    transcript: std::sync::Mutex<String>,
    connections: AtomicU64,
    client: std::sync::OnceLock<String>,
    folder: tempfile::TempDir,
    _database: Option<Database>,
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// Runs a scenario on both databases; gives what was said, which must be the same.
pub async fn on_both(scenario: impl AsyncFn(&App)) -> String {
    on_both_with(|_| {}, scenario).await
}

/// The same with other settings.
pub async fn on_both_with(change: fn(&mut Settings), scenario: impl AsyncFn(&App)) -> String {
    let sqlite = App::on_sqlite_with(change).await;
    scenario(&sqlite).await;
    let postgres = App::on_postgres_with(change).await;
    scenario(&postgres).await;
    let (one, other) = (sqlite.transcript(), postgres.transcript());
    assert_eq!(one, other, "SQLite said the first, PostgreSQL the second");
    one
}

impl App {
    pub async fn on_sqlite() -> Self {
        Self::on_sqlite_with(|_| {}).await
    }

    async fn on_sqlite_with(change: fn(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Key32::from([7; 32]);
        let store = Store::open_sqlite(&folder.path().join("test.sqlite"), &key)
            .await
            .unwrap();
        Self::on(store, folder, None, change).await
    }

    pub async fn on_postgres() -> Self {
        Self::on_postgres_with(|_| {}).await
    }

    async fn on_postgres_with(change: fn(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Postgres::shared().unwrap().database().unwrap();
        let key = Key32::from([7; 32]);
        let store = Store::open_postgres(database.url(), 4, &key).await.unwrap();
        Self::on(store, folder, Some(database), change).await
    }

    async fn on(
        store: Store,
        folder: tempfile::TempDir,
        database: Option<Database>,
        change: fn(&mut Settings),
    ) -> Self {
        let issuer = oidc::Issuer::parse(ISSUER).unwrap();
        let mut settings = Settings {
            scheme: password::Scheme::Bcrypt { cost: 4 },
            leaked_passwords: Some(folder.path().join("leaked.txt")),
            ..Settings::new(issuer, folder.path().to_owned())
        };
        change(&mut settings);
        let clock = Arc::new(ManualClock::at(START));
        let engine = Engine::new(
            store,
            settings,
            PoolSettings::new(env!("CARGO_BIN_EXE_ferry").into(), runtime()),
            Arc::clone(&clock) as _,
            Arc::new(SystemEntropy),
        );
        let outward = Outward::new(Reach::Loopback, Vec::new(), Vec::new()).unwrap();
        let engine = engine.await.unwrap().reaching_by(Arc::new(outward));
        let engine = Arc::new(engine);
        let administrator = Administrator {
            client_id: ClientId::from(CLIENT),
            secret: ClientSecret::from(SECRET),
        };
        engine.bootstrap(Some(administrator)).await.unwrap();
        let draining = tokio_util::sync::CancellationToken::new();
        let state = AppState {
            engine: Arc::clone(&engine),
            draining: draining.clone(),
            trusts_proxy: false,
            serves_metrics: true,
            isolation: None,
        };
        let mut app = Self {
            router: server::routes::app(state),
            draining,
            engine,
            clock,
            token: String::new(),
            transcript: std::sync::Mutex::default(),
            connections: AtomicU64::new(0),
            client: std::sync::OnceLock::new(),
            folder,
            _database: database,
        };
        app.token = app.token_for(None).await;
        app
    }

    /// A Management API token, with all scopes or with those named.
    pub async fn token_for(&self, scope: Option<&str>) -> String {
        let mut body = json!({
            "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET,
            "audience": format!("{ISSUER}api/v2/"),
        });
        if let Some(scope) = scope {
            body["scope"] = scope.into();
        }
        let answer = self
            .send("POST", "/oauth/token", None, Some(body.to_string()))
            .await;
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// A database connection; its id is `con_` and its number.
    pub async fn connection(&self, name: &str, options: Value) -> ConnectionId {
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let Value::Object(options) = options else {
            panic!("options are an object")
        };
        let connection = Connection {
            id: ConnectionId::from(format!("con_{number:016}")),
            name: name.to_owned(),
            display_name: None,
            realms: vec![name.to_owned()],
            options,
            configuration: std::collections::BTreeMap::new(),
            metadata: Json::new(),
            attributes: Json::new(),
            enabled_clients: Vec::new(),
            version: 1,
        };
        let mut write = self.engine.store.write();
        write
            .insert_connection(&connection, self.engine.now())
            .unwrap();
        self.engine.store.commit(write).await.unwrap();
        connection.id
    }

    /// A request with the administrator's token; not part of the transcript.
    pub async fn quietly(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = (!body.is_null()).then(|| body.to_string());
        self.send(method, path, Some(&self.token), body).await
    }

    /// A request with the administrator's token, and its answer, for the transcript.
    pub async fn tell(&self, method: &str, path: &str, body: Value) -> Answer {
        let answer = self.quietly(method, path, body).await;
        self.note(method, path, &answer);
        answer
    }

    /// A GET with the administrator's token whose answer is read as it comes.
    pub async fn open(&self, path: &str) -> axum::body::BodyDataStream {
        let request = Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().into_data_stream()
    }

    /// The same with another token, or with none.
    pub async fn tell_as(&self, token: Option<&str>, method: &str, path: &str, body: Value) {
        let body = (!body.is_null()).then(|| body.to_string());
        let answer = self.send(method, path, token, body).await;
        self.note(method, path, &answer);
    }

    /// A request with another token; not part of the transcript.
    pub async fn ask_as(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let body = (!body.is_null()).then(|| body.to_string());
        self.send(method, path, Some(token), body).await
    }

    /// A form, posted by somebody's browser.
    pub async fn post_form(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let request = Request::builder().method("POST").uri(path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = serde_urlencoded::to_string(pairs).unwrap();
        self.receive(request.body(Body::from(body)).unwrap()).await
    }

    /// The same with a header.
    pub async fn post_form_with(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        (name, value): (&str, &str),
    ) -> Answer {
        let request = Request::builder().method("POST").uri(path);
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, value);
        let body = serde_urlencoded::to_string(pairs).unwrap();
        self.receive(request.body(Body::from(body)).unwrap()).await
    }

    /// The next mail to leave: to whom, and the link in it.
    pub async fn mailed_link(&self) -> (String, String) {
        for _ in 0..1000 {
            let (now, later) = (
                self.engine.now(),
                self.engine.now().plus(Duration::from_secs(1)),
            );
            let mails = self.engine.store.claim_mail(now, later, 1).await.unwrap();
            if let Some(mail) = mails.into_iter().next() {
                let link = mail.body.lines().find(|line| line.starts_with(ISSUER));
                let link = link.expect("a link").trim_end_matches('#');
                let mut write = self.engine.store.write();
                write.mark_sent(&mail.id, now);
                self.engine.store.commit(write).await.unwrap();
                return (mail.recipient, format!("/{}", &link[ISSUER.len()..]));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no mail")
    }

    /// Remembers the application that a scenario logs in with.
    pub fn log_in_with(&self, client_id: &str) {
        self.client.set(client_id.to_owned()).unwrap();
    }

    /// That application.
    pub fn client(&self) -> &str {
        self.client.get().unwrap()
    }

    /// Adds a line to the transcript.
    pub fn say(&self, line: &str) {
        writeln!(self.transcript.lock().unwrap(), "{line}").unwrap();
    }

    /// A cached copy of a legacy user, as a login leaves one.
    pub async fn cache(&self, id: &str, connection: &ConnectionId, email: &str) {
        let user = NewUser {
            row: self.engine.store.next_user_row().await.unwrap(),
            connection: connection.clone(),
            foreign_id: ForeignId::from(id),
            attributes: Attributes {
                email: Some(EmailAddress::parse(email).unwrap()),
                extra: Json::from_iter([("department".to_owned(), "R&D".into())]),
                ..Attributes::default()
            },
            credential: None,
            factors: vec![MfaFactor::Phone("+49".into())],
            origin: Origin::Cached,
            import_job: None,
            created_at: self.engine.now(),
        };
        let mut write = self.engine.store.write();
        write.insert_user(&user).unwrap();
        self.engine.store.commit(write).await.unwrap();
    }

    /// Begins the end.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// Writes the list of leaked passwords.
    pub fn leak(&self, passwords: &[&str]) {
        let digests = passwords
            .iter()
            .map(|text| hex::encode_upper(Sha1::digest(text)));
        let mut digests: Vec<String> = digests.collect();
        digests.sort();
        let path = self.folder.path().join("leaked.txt");
        std::fs::write(path, digests.join("\n")).unwrap();
    }

    /// Moves time on.
    pub fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<String>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request
            .body(body.map_or_else(Body::empty, Body::from))
            .unwrap();
        self.receive(request).await
    }

    /// Sends any request.
    pub async fn receive(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }

    fn note(&self, method: &str, path: &str, answer: &Answer) {
        let mut transcript = self.transcript.lock().unwrap();
        writeln!(transcript, "{method} {path}").unwrap();
        let link = answer
            .headers
            .get("link")
            .map(|link| link.to_str().unwrap());
        let link = link
            .map(|link| format!(" link: {}", mask_text(link)))
            .unwrap_or_default();
        let body = if answer.body == "" {
            String::new()
        } else {
            mask(&answer.body).to_string()
        };
        let said = format!("  {}{link} {body}", answer.status);
        writeln!(transcript, "{}", said.trim_end()).unwrap();
    }

    fn transcript(&self) -> String {
        self.transcript.lock().unwrap().clone()
    }
}

fn runtime() -> Runtime {
    Runtime::Embedded(EmbeddedRuntime::default())
}

/// The value with random ids replaced.
fn mask(value: &Value) -> Value {
    match value {
        Value::String(text) => mask_text(text).into(),
        Value::Array(elements) => elements.iter().map(mask).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, v)| (name.clone(), mask(v)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Runs of 20 and more hexadecimal digits are ids: of users (24) and of log events.
fn mask_text(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if length == 24 || length == 40 {
            masked.push_str(if length == 24 { "[id]" } else { "[log]" });
            rest = &rest[length..];
        } else {
            let next = rest
                .char_indices()
                .nth(length.max(1))
                .map_or(rest.len(), |(at, _)| at);
            masked.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    masked
}
