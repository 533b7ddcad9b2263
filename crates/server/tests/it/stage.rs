//! A running server with an application and connections on it, for end-to-end tests.

use anyhow::{Context as _, Result, ensure};
use domain::secret::Key32;
use serde_json::{Value, json};
use store::Store;
use testkit::{Api, Database, Legacy, Postgres, Server, ServerBuilder};

/// The databases that every end-to-end test of this kind runs on.
pub enum On {
    Sqlite,
    Postgres(Database),
}

impl On {
    pub fn postgres() -> Result<Self> {
        Ok(Self::Postgres(Postgres::shared()?.database()?))
    }

    pub fn builder(&self) -> ServerBuilder {
        let builder =
            Server::builder(env!("CARGO_BIN_EXE_ferry")).env("FERRY_MASTER_KEY", "07".repeat(32));
        match self {
            Self::Sqlite => builder,
            Self::Postgres(database) => builder.database_url(database.url()),
        }
    }

    /// `options.ferry` of a connection whose legacy store lies at an address. Test stores share one
    /// PostgreSQL server with Ferry's own, which scripts reach only where a rule names it.
    pub fn reaching(&self, address: &str) -> Value {
        match self {
            Self::Sqlite => json!({}),
            Self::Postgres(_) => json!({"egress": [address]}),
        }
    }

    /// Options of a custom database that reaches the Django store.
    pub fn django(&self, legacy: &Legacy, import_mode: bool) -> Result<Value> {
        Ok(json!({
            "enabledDatabaseCustomization": true, "import_mode": import_mode,
            "customScripts": {
                "login": Legacy::login_script()?, "get_user": Legacy::get_user_script()?,
            },
            "configuration": {"LEGACY_DATABASE_URL": legacy.url()},
            "ferry": self.reaching(legacy.database().address()),
        }))
    }

    /// The store of a server that has stopped.
    pub async fn store(&self, server: &Server) -> Result<Store> {
        let key = Key32::from([7; 32]);
        Ok(match self {
            Self::Sqlite => {
                Store::open_sqlite(&server.data_dir().join("ferry.sqlite"), &key).await?
            }
            Self::Postgres(database) => Store::open_postgres(database.url(), 4, &key).await?,
        })
    }
}

/// The wire's long name of the grant that names a connection.
pub const PASSWORD_REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";

/// Makes an application that may log users in, and a client of the server with its rights.
pub async fn application(server: &Server) -> Result<Api> {
    let admin = server.api()?;
    let body = json!({
        "name": "shop", "app_type": "regular_web",
        "grant_types": ["password", PASSWORD_REALM],
    });
    let created = expect(201, admin.post("/api/v2/clients", &body).await?)?;
    let text = |name: &str| {
        created
            .get(name)
            .and_then(Value::as_str)
            .context("a text member")
    };
    Api::new(
        &server.public_url(),
        text("client_id")?,
        text("client_secret")?,
    )
}

/// Makes a connection that serves the application; gives back its id.
pub async fn connection(
    server: &Server,
    application: &Api,
    name: &str,
    options: Value,
) -> Result<String> {
    let admin = server.api()?;
    let body = json!({"name": name, "strategy": "auth0", "options": options});
    let created = expect(201, admin.post("/api/v2/connections", &body).await?)?;
    let id = created
        .get("id")
        .and_then(Value::as_str)
        .context("an id")?
        .to_owned();
    let clients = json!([{"client_id": application.client_id(), "status": true}]);
    expect(
        204,
        admin
            .patch(&format!("/api/v2/connections/{id}/clients"), &clients)
            .await?,
    )?;
    Ok(id)
}

/// Lets this machine fail as often as it likes: the throttle of addresses is for others.
pub async fn spare_this_machine(server: &Server) -> Result<()> {
    let path = "/api/v2/attack-protection/suspicious-ip-throttling";
    let body = json!({"allowlist": ["127.0.0.1", "::1"]});
    expect(200, server.api()?.patch(path, &body).await?).map(drop)
}

/// Options of a custom database whose login script is given here.
pub fn scripted(login: &str) -> Value {
    json!({
        "enabledDatabaseCustomization": true, "import_mode": true,
        "customScripts": {
            "login": login, "get_user": "function getByEmail(email, callback) { callback(null); }",
        },
    })
}

/// The body of an answer, when it has the status.
pub fn expect(status: u16, answer: (u16, Value)) -> Result<Value> {
    ensure!(
        answer.0 == status,
        "expected {status}, got {} {}",
        answer.0,
        answer.1
    );
    Ok(answer.1)
}

/// Uploads users and waits for the job's end.
pub async fn import(server: &Server, connection: &str, users: &Value) -> Result<Value> {
    let admin = server.api()?;
    let id = start_import(&admin, connection, serde_json::to_vec(users)?).await?;
    admin.finished_job(&id).await
}

/// Uploads a file; gives back the job's id.
pub async fn start_import(admin: &Api, connection: &str, file: Vec<u8>) -> Result<String> {
    let fields = [
        ("connection_id", connection),
        ("send_completion_email", "false"),
    ];
    let answer = admin
        .upload("/api/v2/jobs/users-imports", &fields, ("users", file))
        .await?;
    let job = expect(202, answer)?;
    Ok(job
        .get("id")
        .and_then(Value::as_str)
        .context("a job id")?
        .to_owned())
}

/// Codes of the tenant log, newest first.
pub async fn log_codes(admin: &Api) -> Result<Vec<String>> {
    let events = expect(200, admin.get("/api/v2/logs?per_page=100").await?)?;
    let codes = events.as_array().context("a list")?.iter();
    Ok(codes
        .filter_map(|event| event.get("type")?.as_str().map(str::to_owned))
        .collect())
}
