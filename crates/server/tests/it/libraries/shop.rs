//! A shop with several applications, an API and one customer, behind https as in earnest.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use testkit::{Api, Server, TlsFront, run_client};

use crate::stage::{On, PASSWORD_REALM, expect};

const CALLBACK: &str = "https://shop.example/cb";
const BYE: &str = "https://shop.example/bye";
const BOATS: &str = "https://boats.example/";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A running Ferry with everything that a script needs, and what the script is told of it.
pub struct Shop {
    front: TlsFront,
    told: Value,
    _server: Server,
}

impl Shop {
    /// Opens on a database.
    pub async fn open(on: &On) -> Result<Self> {
        let mut front = TlsFront::start()?;
        let server = on.builder().env("FERRY_PUBLIC_URL", front.url());
        let server = server.start().await?;
        front.lead_to(&server)?;
        let url = front.url();
        Self::furnished(server, front, &url).await
    }

    /// The same by plain http, as on a developer's machine.
    pub async fn open_plain() -> Result<Self> {
        let front = TlsFront::start()?;
        let server = On::Sqlite.builder().start().await?;
        let url = server.public_url();
        Self::furnished(server, front, &url).await
    }

    async fn furnished(server: Server, front: TlsFront, url: &str) -> Result<Self> {
        let admin = server.api()?.with_issuer(url);
        let connection = connection(&admin).await?;
        api(&admin).await?;
        let mut clients = json!({});
        for (name, body) in applications() {
            let made = post(&admin, "clients", &body).await?;
            clients[name] =
                json!({"client_id": made["client_id"], "client_secret": made["client_secret"]});
        }
        furnish(&admin, &connection, &clients).await?;
        let told = json!({
            "issuer": format!("{url}/"),
            "key": front.key(), "certificate": front.certificate(),
            "management": admin.management_token().await?,
            "admin": {"client_id": admin.client_id(), "client_secret": admin.client_secret()},
            "person": {"username": "ann@example.com", "password": "her own Password 9"},
            "connection": "people", "audience": BOATS, "callback": CALLBACK, "bye": BYE,
            "clients": clients,
        });
        Ok(Self {
            front,
            told,
            _server: server,
        })
    }

    /// Runs a script of `clients/`; gives the steps that it has proven.
    pub async fn run(&self, script: &str) -> Result<Vec<String>> {
        run_client(script, &self.told, &self.front.certificate()).await
    }
}

async fn post(admin: &Api, path: &str, body: &Value) -> Result<Value> {
    let answer = admin.post(&format!("/api/v2/{path}"), body).await?;
    expect(201, answer).with_context(|| path.to_owned())
}

async fn connection(admin: &Api) -> Result<String> {
    let body = json!({"name": "people", "strategy": "auth0", "options": {}});
    let made = post(admin, "connections", &body).await?;
    let ann = json!({
        "connection": "people", "email": "ann@example.com", "password": "her own Password 9",
        "name": "Ann",
    });
    post(admin, "users", &ann).await?;
    let id = made["id"].as_str().context("an id")?;
    Ok(id.to_owned())
}

async fn api(admin: &Api) -> Result<()> {
    let body = json!({
        "name": "boats", "identifier": BOATS, "scopes": [{"value": "read:boats"}],
        "allow_offline_access": true, "token_dialect": "rfc9068_profile",
        "skip_consent_for_verifiable_first_party_clients": true,
    });
    post(admin, "resource-servers", &body).await.map(drop)
}

/// One of each kind, by the name that scripts know it by.
fn applications() -> Vec<(&'static str, Value)> {
    let rotating = json!({"rotation_type": "rotating", "expiration_type": "expiring"});
    let mut all = vec![
        (
            "web",
            json!({
                "app_type": "regular_web", "refresh_token": rotating,
                "grant_types": [
                    "authorization_code", "refresh_token", "client_credentials", "implicit",
                    "password", PASSWORD_REALM,
                ],
            }),
        ),
        (
            "keyed",
            json!({"app_type": "regular_web", "grant_types": ["authorization_code", "refresh_token"]}),
        ),
        (
            "basic",
            json!({
                "app_type": "non_interactive", "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": "client_secret_basic",
            }),
        ),
    ];
    for (name, kind, grant) in [
        ("native", "native", "authorization_code"),
        ("spa", "spa", "authorization_code"),
        ("device", "native", DEVICE),
    ] {
        let body = json!({
            "app_type": kind, "grant_types": [grant, "refresh_token"],
            "token_endpoint_auth_method": "none",
        });
        all.push((name, body));
    }
    for (name, body) in &mut all {
        body["name"] = (*name).into();
        body["callbacks"] = json!([CALLBACK]);
        body["allowed_logout_urls"] = json!([BYE]);
    }
    all
}

/// All of them serve the customer; two may call the API by themselves.
async fn furnish(admin: &Api, connection: &str, clients: &Value) -> Result<()> {
    let all = clients.as_object().context("clients")?.values();
    let served = all.map(|client| json!({"client_id": client["client_id"], "status": true}));
    let served = served.collect::<Vec<_>>();
    let path = format!("/api/v2/connections/{connection}/clients");
    expect(204, admin.patch(&path, &json!(served)).await?)?;
    for name in ["web", "basic"] {
        let client = &clients[name]["client_id"];
        let grant = json!({"client_id": client, "audience": BOATS, "scope": ["read:boats"]});
        post(admin, "client-grants", &grant).await?;
    }
    Ok(())
}
