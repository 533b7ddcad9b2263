//! Servers in this process that reach each other by name, and a browser that walks among them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what tests share fails like a test"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use domain::clock::ManualClock;
use domain::secret::Key32;
use domain::{ClientId, ClientSecret};
use engine::bootstrap::Administrator;
use engine::outbound::{Answering, Outbound, OutboundError, OutboundRequest, OutboundResponse};
use engine::{Engine, Settings};
use script::{EmbeddedRuntime, PoolSettings, Runtime};
use serde_json::{Value, json};
use server::boot::SystemEntropy;
use server::state::AppState;
use store::Store;
use testkit::{Database, Postgres};
use tower::ServiceExt as _;

/// 2026-03-01T10:00:00.000Z
pub const START: i64 = 1_772_359_200_000;
const SECRET: &str = "correct horse battery staple";

/// Hosts by name.
#[derive(Default)]
pub struct Net {
    hosts: Mutex<HashMap<String, Router>>,
    down: Mutex<BTreeSet<String>>,
    asked: Mutex<Vec<String>>,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Net {
    pub fn serve(&self, host: &str, router: Router) {
        self.hosts.lock().unwrap().insert(host.to_owned(), router);
    }

    /// A host does not answer servers any more, or does again.
    pub fn cut(&self, host: &str, is_down: bool) {
        let mut down = self.down.lock().unwrap();
        if is_down {
            down.insert(host.to_owned());
        } else {
            down.remove(host);
        }
    }

    /// What servers asked of each other since the last look.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    pub async fn send(&self, host: &str, request: Request<Body>) -> Reply {
        let router = self.hosts.lock().unwrap().get(host).cloned();
        let router = router.unwrap_or_else(|| panic!("no host {host}"));
        let response = router.oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// Host and path of an address.
pub fn parts(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("https://");
    let rest = rest.unwrap_or_else(|| panic!("not https: {url}"));
    let cut = rest.find('/').unwrap_or_else(|| panic!("no path: {url}"));
    rest.split_at(cut)
}

struct Way(Arc<Net>);

impl Outbound for Way {
    fn send(&self, request: OutboundRequest) -> Answering<'_> {
        Box::pin(async move {
            let (host, path) = parts(&request.url);
            self.0.asked.lock().unwrap().push(format!("{host}{path}"));
            if self.0.down.lock().unwrap().contains(host) {
                return Err(OutboundError("nobody answers".into()));
            }
            let mut message = Request::builder().uri(path);
            if let Some(authorization) = &request.authorization {
                message = message.header("authorization", authorization.as_str());
            }
            let body = match &request.form {
                Some(form) => {
                    let kind = "application/x-www-form-urlencoded";
                    message = message.method("POST").header("content-type", kind);
                    Body::from(form.to_string())
                }
                None => Body::empty(),
            };
            let reply = self.0.send(host, message.body(body).unwrap()).await;
            if reply.body.len() > request.max_bytes {
                return Err(OutboundError("the answer is too long".into()));
            }
            Ok(OutboundResponse {
                status: reply.status,
                body: reply.body.into_bytes(),
            })
        })
    }
}

/// A Ferry among the hosts.
pub struct Site {
    pub net: Arc<Net>,
    pub engine: Arc<Engine>,
    pub clock: Arc<ManualClock>,
    pub host: String,
    token: String,
    _folder: tempfile::TempDir,
    _database: Option<Database>,
}

impl Site {
    /// A server of this name on SQLite.
    pub async fn on_sqlite(net: &Arc<Net>, host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.sqlite");
        let store = Store::open_sqlite(&path, &Key32::from([7; 32])).await;
        Self::open(net, host, store.unwrap(), folder, None).await
    }

    /// A server of this name on PostgreSQL.
    pub async fn on_postgres(net: &Arc<Net>, host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Postgres::shared().unwrap().database().unwrap();
        let store = Store::open_postgres(database.url(), 4, &Key32::from([7; 32])).await;
        Self::open(net, host, store.unwrap(), folder, Some(database)).await
    }

    async fn open(
        net: &Arc<Net>,
        host: &str,
        store: Store,
        folder: tempfile::TempDir,
        database: Option<Database>,
    ) -> Self {
        let issuer = oidc::Issuer::parse(&format!("https://{host}/")).unwrap();
        let settings = Settings {
            scheme: password::Scheme::Bcrypt { cost: 4 },
            ..Settings::new(issuer, folder.path().to_owned())
        };
        let clock = Arc::new(ManualClock::at(START));
        let runtime = Runtime::Embedded(EmbeddedRuntime::default());
        let engine = Engine::new(
            store,
            settings,
            PoolSettings::new(env!("CARGO_BIN_EXE_ferry").into(), runtime),
            Arc::clone(&clock) as _,
            Arc::new(SystemEntropy),
        );
        let engine = engine.await.unwrap();
        let engine = Arc::new(engine.reaching_by(Arc::new(Way(Arc::clone(net)))));
        let administrator = Administrator {
            client_id: ClientId::from("administrator"),
            secret: ClientSecret::from(SECRET),
        };
        engine.bootstrap(Some(administrator)).await.unwrap();
        let state = AppState {
            engine: Arc::clone(&engine),
            draining: tokio_util::sync::CancellationToken::new(),
            trusts_proxy: false,
            serves_metrics: false,
            isolation: None,
        };
        net.serve(host, server::routes::app(state));
        let mut site = Self {
            net: Arc::clone(net),
            engine,
            clock,
            host: host.to_owned(),
            token: String::new(),
            _folder: folder,
            _database: database,
        };
        let asked = json!({
            "grant_type": "client_credentials", "client_id": "administrator",
            "client_secret": SECRET, "audience": format!("https://{host}/api/v2/"),
        });
        let (status, answer) = site.api("POST", "/oauth/token", asked).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut site.token);
        site
    }

    /// A request with the administrator's token.
    pub async fn api(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        let reply = self.net.send(&self.host, request.body(body).unwrap()).await;
        let read = serde_json::from_str(&reply.body);
        (reply.status, read.unwrap_or_else(|_| reply.body.into()))
    }

    /// The same, when the answer has this status.
    pub async fn expect(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let (found, answer) = self.api(method, path, body).await;
        assert_eq!(found, status, "{method} {path}: {answer}");
        answer
    }

    /// Log codes in the order of what happened, without what administrators and machines did.
    pub async fn codes(&self) -> Vec<String> {
        let events = self.expect(200, "GET", "/api/v2/logs?per_page=100", Value::Null);
        let events = events.await;
        let codes = events.as_array().unwrap().iter().rev();
        let codes = codes.map(|event| event["type"].as_str().unwrap().to_owned());
        codes
            .filter(|code| !matches!(&**code, "sapi" | "seccft"))
            .collect()
    }

    /// The last log event of a code.
    pub async fn event(&self, code: &str) -> Value {
        let events = self.expect(200, "GET", "/api/v2/logs?per_page=100", Value::Null);
        let events = events.await;
        let mut events = events.as_array().unwrap().iter();
        let found = events.find(|event| event["type"] == code);
        found.unwrap_or_else(|| panic!("no event {code}")).clone()
    }
}

/// A browser: a jar for each host.
pub struct Browser {
    net: Arc<Net>,
    jars: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
}

/// Where the browser is, and what it sees.
pub struct Seen {
    pub url: String,
    pub reply: Reply,
}

impl Browser {
    pub fn new(net: &Arc<Net>) -> Self {
        Self {
            net: Arc::clone(net),
            jars: Mutex::default(),
        }
    }

    /// One request, following nothing.
    pub async fn ask(&self, url: &str, form: Option<&[(&str, &str)]>, site: &str) -> Reply {
        let (host, path) = parts(url);
        let mut request = Request::builder().uri(path);
        let jar = self.jars.lock().unwrap().get(host).cloned();
        let cookies: Vec<String> = jar
            .unwrap_or_default()
            .iter()
            // Browsers keep `Lax` cookies from forms of other sites.
            .filter(|_| form.is_none() || site == "same-origin")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let body = match form {
            Some(form) => {
                let kind = "application/x-www-form-urlencoded";
                request = request.method("POST").header("content-type", kind);
                request = request.header("sec-fetch-site", site);
                Body::from(serde_urlencoded::to_string(form).unwrap())
            }
            None => Body::empty(),
        };
        let reply = self.net.send(host, request.body(body).unwrap()).await;
        for line in reply.headers.get_all("set-cookie") {
            let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut jars = self.jars.lock().unwrap();
            let jar = jars.entry(host.to_owned()).or_default();
            jar.insert(name.to_owned(), value.to_owned());
        }
        reply
    }

    /// A cookie of a host's.
    pub fn cookie(&self, host: &str, name: &str) -> Option<String> {
        let jars = self.jars.lock().unwrap();
        jars.get(host)?.get(name).cloned()
    }

    /// Goes there, and on as far as redirects lead; not to a host that nobody serves.
    pub async fn go(&self, url: &str) -> Seen {
        let reply = self.ask(url, None, "none").await;
        self.follow(url.to_owned(), reply).await
    }

    /// Sends a form of the page that is seen.
    pub async fn submit(&self, seen: &Seen, fields: &[(&str, &str)]) -> Seen {
        let hidden = [
            ("state", hidden(seen, "state")),
            ("csrf", hidden(seen, "csrf")),
        ];
        let mut pairs: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        pairs.extend(fields);
        let url = seen.url.split('?').next().unwrap().to_owned();
        let reply = self.ask(&url, Some(&pairs), "same-origin").await;
        self.follow(url, reply).await
    }

    async fn follow(&self, mut url: String, mut reply: Reply) -> Seen {
        for _ in 0..20 {
            let Some(next) = reply.headers.get("location") else {
                return Seen { url, reply };
            };
            let next = next.to_str().unwrap();
            let (host, _) = parts(&url);
            url = if next.starts_with('/') {
                format!("https://{host}{next}")
            } else {
                next.to_owned()
            };
            let is_served = {
                let hosts = self.net.hosts.lock().unwrap();
                hosts.contains_key(parts(&url).0)
            };
            if !is_served {
                return Seen { url, reply };
            }
            reply = self.ask(&url, None, "cross-site").await;
        }
        panic!("redirects without end: {url}")
    }
}

/// The value of a field of the page.
pub fn hidden(seen: &Seen, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = seen.reply.body.split_once(&start);
    let (_, rest) =
        rest.unwrap_or_else(|| panic!("no {name} on {}: {}", seen.url, seen.reply.body));
    let value = rest.split_once('"').unwrap().0;
    value.replace("&amp;", "&").replace("&#x2f;", "/")
}

impl Seen {
    pub fn status(&self) -> u16 {
        self.reply.status
    }

    pub fn says(&self, text: &str) -> bool {
        self.reply.body.contains(text)
    }

    /// The address of the link with this text.
    pub fn link(&self, text: &str) -> String {
        let body = &self.reply.body;
        let at = body
            .find(text)
            .unwrap_or_else(|| panic!("no {text}: {body}"));
        let (_, rest) = body[..at].rsplit_once("href=\"").unwrap();
        let path = rest.split_once('"').unwrap().0;
        let path = path.replace("&amp;", "&").replace("&#x2f;", "/");
        format!("https://{}{path}", parts(&self.url).0)
    }

    /// What the client was told.
    pub fn told(&self) -> BTreeMap<String, String> {
        let (_, query) = self
            .url
            .split_once('?')
            .unwrap_or_else(|| panic!("{} {}: {}", self.status(), self.url, self.reply.body));
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
        assert!(
            self.url.starts_with("https://shop.example/cb?"),
            "{}",
            self.url
        );
        pairs.into_iter().collect()
    }
}
