//! Whole logins in a real browser, against the real binary: a legacy store behind it, a mail server
//! beside it, an application that gets the answer. The script is `browser/walks.mjs`.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};
use testkit::{Api, Kind, Legacy, Server, Smtp};

use crate::stage::{self, On, expect};

/// Of "right"; what people who are imported type.
const MD5: &str = "7c4f29407893c334a6cb7a87bf045c0d";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// Every walk, in order; the script says which it walked.
const WALKS: &[&str] = &[
    "lazy migration",
    "wrong password",
    "outage page",
    "sign-up",
    "reset for a legacy-only user",
    "imported one-time codes",
    "recovery code",
    "passkey",
    "security key",
    "consent",
    "device",
    "logout",
];

struct Scene {
    server: Server,
    legacy: Legacy,
    application: String,
}

#[tokio::test]
async fn people_walk_through_the_pages() -> Result<()> {
    let smtp = Arc::new(Smtp::start()?);
    let scene = scene(&smtp).await?;
    let shop = client(&scene, "shop", json!({})).await?;
    let partner = client(&scene, "partner", json!({"is_first_party": false})).await?;
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let television = client(&scene, "television", json!({"grant_types": [grant]})).await?;
    let legacy = On::Sqlite.django(&scene.legacy, true)?;
    let mut down = legacy.clone();
    down["configuration"]["LEGACY_DATABASE_URL"] = "postgres://nobody@127.0.0.1:9/none".into();
    let passkeys = json!({"authentication_methods": {"passkey": {"enabled": true}}});
    let moved = stage::connection(&scene.server, &shop, "moved", json!({})).await?;
    for (name, options) in [
        ("django", legacy),
        ("down", down),
        ("people", json!({})),
        ("keys", passkeys),
    ] {
        let id = stage::connection(&scene.server, &shop, name, options).await?;
        let mut clients = vec![json!({"client_id": partner.client_id(), "status": true})];
        if name == "people" {
            clients.push(json!({"client_id": television.client_id(), "status": true}));
        }
        let path = format!("/api/v2/connections/{id}/clients");
        expect(
            204,
            scene.server.api()?.patch(&path, &json!(clients)).await?,
        )?;
    }
    let recovery = import(&scene.server, &moved).await?;
    for email in ["ann@example.com", "keys@example.com", "stick@example.com"] {
        let name = if email.starts_with("keys") {
            "keys"
        } else {
            "people"
        };
        let body = json!({"connection": name, "email": email, "password": "Her password 1"});
        expect(201, scene.server.api()?.post("/api/v2/users", &body).await?)?;
    }
    let mut told = told(&scene, [&shop, &partner, &television])?;
    told["recovery"] = recovery.into();
    let walked = testkit::run_in_browser("walks.mjs", &told).await?;
    let walked: Vec<&str> = walked.lines().collect();
    assert_eq!(walked, WALKS);
    came_of_it(&scene, &told).await
}

/// The browser's side is over: what does the server hold?
async fn came_of_it(scene: &Scene, told: &Value) -> Result<()> {
    let admin = scene.server.api()?;
    for who in ["lazy", "forgetful"] {
        let email = told[who]["email"].as_str().context("an address")?;
        let path = format!("/api/v2/users-by-email?email={email}");
        let users = expect(200, admin.get(&path).await?)?;
        assert_eq!(users.as_array().map(Vec::len), Some(1), "{users}");
        let user = &users[0];
        assert!(user["app_metadata"]["plan"].is_string(), "{user}");
        assert!(user["user_metadata"]["locale"].is_string(), "{user}");
    }
    let path = "/api/v2/users-by-email?email=new@example.com";
    let users = expect(200, admin.get(path).await?)?;
    assert_eq!(users.as_array().map(Vec::len), Some(1), "{users}");
    Ok(())
}

async fn scene(smtp: &Arc<Smtp>) -> Result<Scene> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let application = format!("http://localhost:{}", listener.local_addr()?.port());
    let pages = Router::new()
        .route("/cb", get(async || page("Arrived")))
        .route("/left", get(async || page("Left")))
        .route("/mail/{address}", get(mail))
        .with_state(Arc::clone(smtp));
    tokio::spawn(async move { axum::serve(listener, pages).await });
    let server = On::Sqlite
        .builder()
        .on_localhost()
        .env("FERRY_MAIL_SMTP_URL", smtp.url())
        .start()
        .await?;
    Ok(Scene {
        server,
        legacy: Legacy::start()?,
        application,
    })
}

fn page(title: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>{title}</title><h1>{title}</h1></html>"
    ))
}

/// The HTML of a mail that comes to an address.
async fn mail(State(smtp): State<Arc<Smtp>>, Path(address): Path<String>) -> String {
    let mail = smtp.mail_to(&address).await;
    mail.map_or_else(|error| format!("no mail: {error}"), |mail| mail.html)
}

/// An application that logs people in with a browser.
async fn client(scene: &Scene, name: &str, more: Value) -> Result<Api> {
    let mut body = json!({
        "name": name, "app_type": "regular_web", "grant_types": ["authorization_code"],
        "callbacks": [format!("{}/cb", scene.application)],
        "allowed_logout_urls": [format!("{}/left", scene.application)],
    });
    let members = more.as_object().cloned().unwrap_or_default();
    body.as_object_mut().context("members")?.extend(members);
    let created = expect(
        201,
        scene.server.api()?.post("/api/v2/clients", &body).await?,
    )?;
    let text = |name: &str| created[name].as_str().context("a text member");
    Api::new(
        &scene.server.public_url(),
        text("client_id")?,
        text("client_secret")?,
    )
}

/// Two people with second factors; the recovery code of one of them.
async fn import(server: &Server, connection: &str) -> Result<String> {
    let person = |name: &str| {
        json!({
            "email": format!("{name}@example.com"), "user_id": name, "email_verified": true,
            "custom_password_hash": {
                "algorithm": "md5", "hash": {"value": MD5, "encoding": "hex"},
            },
            "mfa_factors": [{"totp": {"secret": SECRET}}],
        })
    };
    let job = stage::import(server, connection, &json!([person("otto"), person("rita")])).await?;
    assert_eq!(job["summary"]["inserted"], 2, "{job}");
    let path = "/api/v2/users/auth0%7Crita/recovery-code-regeneration";
    let made = expect(200, server.api()?.post(path, &json!({})).await?)?;
    let code = made["recovery_code"].as_str().context("a code")?;
    Ok(code.to_owned())
}

fn told(scene: &Scene, [shop, partner, television]: [&Api; 3]) -> Result<Value> {
    let mut ordinary = scene.legacy.ordinary();
    let mut person = || {
        let person = ordinary.next().context("an ordinary person")?;
        anyhow::Ok(json!({"email": person.email, "password": person.password}))
    };
    let (lazy, forgetful) = (person()?, person()?);
    assert_ne!(scene.legacy.person(Kind::Inactive)?.email, lazy["email"]);
    Ok(json!({
        "base": scene.server.public_url(), "app": scene.application,
        "shop": {"id": shop.client_id(), "secret": shop.client_secret()},
        "partner": {"id": partner.client_id(), "secret": partner.client_secret()},
        "television": {"id": television.client_id(), "secret": television.client_secret()},
        "lazy": lazy, "forgetful": forgetful, "secret": SECRET,
        "pictures": testkit::pictures_folder(),
    }))
}
