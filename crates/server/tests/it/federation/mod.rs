//! Sign-in with another provider, and identities linked and parted.
//!
//! | file | what |
//! |---|---|
//! | `net` | servers in this process that reach each other by name, and a browser among them |
//! | `sign_in` | a second Ferry as the provider: the whole way, on both databases |
//! | `hostile` | a provider that lies, breaks off and goes away |
//! | `linking` | two accounts of one person, joined by their own hand |
//! | `management` | connections and identities through the Management API |
//! | `mixed_up` | several providers, none taken for another |
//! | `outward` | the way to other servers, over real sockets and TLS |

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what tests share fails like a test"
)]

mod hostile;
mod linking;
mod management;
mod mixed_up;
mod net;
mod outward;
mod sign_in;

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::OpenIdProvider;

use net::{Browser, Net, START, Seen, Site};

const HERE: &str = "ferry.example";
const CALLBACK: &str = "https://shop.example/cb";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Runs a scenario with our server on SQLite, then on PostgreSQL.
async fn on_both(scenario: impl AsyncFn(&Stage)) {
    for is_postgres in [false, true] {
        let net = Arc::new(Net::default());
        let here = if is_postgres {
            Site::on_postgres(&net, HERE).await
        } else {
            Site::on_sqlite(&net, HERE).await
        };
        scenario(&Stage::new(net, here).await).await;
    }
}

/// Our server with an application.
struct Stage {
    net: Arc<Net>,
    here: Site,
    client: String,
}

impl Stage {
    async fn new(net: Arc<Net>, here: Site) -> Self {
        let client = json!({
            "name": "shop", "app_type": "spa", "token_endpoint_auth_method": "none",
            "callbacks": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"],
        });
        let client = here.expect(201, "POST", "/api/v2/clients", client).await;
        let client = client["client_id"].as_str().unwrap().to_owned();
        Self { net, here, client }
    }

    async fn on_sqlite() -> Self {
        let net = Arc::new(Net::default());
        let here = Site::on_sqlite(&net, HERE).await;
        Self::new(net, here).await
    }

    /// A connection that serves the application; gives its id.
    async fn connect(&self, mut body: Value) -> String {
        body["enabled_clients"] = json!([self.client]);
        let made = self.here.expect(201, "POST", "/api/v2/connections", body);
        made.await["id"].as_str().unwrap().to_owned()
    }

    /// The database `people`, and Ann in it.
    async fn people(&self) -> String {
        let id = self
            .connect(json!({"name": "people", "strategy": "auth0"}))
            .await;
        let ann = json!({
            "connection": "people", "email": "ann@corp.example", "password": "Her password 1",
            "user_id": "7", "name": "Ann of People", "app_metadata": {"plan": "gold"},
        });
        self.here.expect(201, "POST", "/api/v2/users", ann).await;
        id
    }

    /// A provider that does as it is told, and the connection `corp` to it.
    async fn corp(&self, more: Value) -> OpenIdProvider {
        let provider = OpenIdProvider::new("https://corp.example", START / 1000).unwrap();
        self.net.serve("corp.example", provider.router());
        let (client_id, secret) = OpenIdProvider::CLIENT;
        let mut options = json!({
            "client_id": client_id, "client_secret": secret,
            "discovery_url": "https://corp.example/.well-known/openid-configuration",
        });
        let members = more.as_object().unwrap().clone();
        options.as_object_mut().unwrap().extend(members);
        let body = json!({
            "name": "corp", "strategy": "oidc", "display_name": "Corp Inc.", "options": options,
        });
        self.connect(body).await;
        provider
    }

    fn authorize(&self, more: &str) -> String {
        format!(
            "https://{HERE}/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code\
             &scope=openid%20email&state=its&nonce=n&code_challenge={CHALLENGE}\
             &code_challenge_method=S256{more}",
            self.client
        )
    }

    async fn begin(&self, browser: &Browser, more: &str) -> Seen {
        browser.go(&self.authorize(more)).await
    }

    /// The login page, and on to Corp.
    async fn through_corp(&self, browser: &Browser) -> Seen {
        let page = self.begin(browser, "&prompt=login").await;
        browser.go(&page.link("Continue with Corp Inc.")).await
    }

    async fn user(&self, id: &str) -> Value {
        let path = format!("/api/v2/users/{}", id.replace('|', "%7C"));
        self.here.expect(200, "GET", &path, Value::Null).await
    }

    async fn users(&self) -> Vec<String> {
        let users = self.here.expect(200, "GET", "/api/v2/users", Value::Null);
        let users = users.await;
        let ids = users.as_array().unwrap().iter();
        ids.map(|user| user["user_id"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn is_whole(&self) {
        let orphans = self.here.engine.store.orphans().await.unwrap();
        assert_eq!(orphans, [""; 0]);
    }

    fn later(&self, seconds: u64) {
        self.here
            .clock
            .advance(std::time::Duration::from_secs(seconds));
    }
}
