//! Users cross by the starter scripts of `templates/`, on a machine without Node.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use testkit::{Api, Kind, Legacy, MariaDb, Server, Slapd};

use crate::process;
use crate::stage::{self, On, expect};

const WORDPRESS: &str = include_str!("../../../testkit/stores/wordpress.sql");

/// A server that finds no Node, wherever it looks.
async fn without_node(on: &On) -> Result<Server> {
    let builder = on
        .builder()
        .env("PATH", "/nonexistent")
        .env("FERRY_SCRIPTS_NODE", "/nonexistent/node");
    builder.start().await
}

/// Options of a connection by a template, with settings.
fn by(template: &str, settings: &[(&str, &str)]) -> Result<Value> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.ancestors().nth(2).context("the checkout")?;
    let mut scripts = Map::new();
    for entry in std::fs::read_dir(folder.join("templates").join(template))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "js") {
            let key = path.file_stem().and_then(std::ffi::OsStr::to_str);
            let key = key.context("a name")?.to_owned();
            scripts.insert(key, std::fs::read_to_string(&path)?.into());
        }
    }
    let settings: Map<String, Value> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    Ok(json!({
        "enabledDatabaseCustomization": true, "import_mode": true,
        "customScripts": scripts, "configuration": settings,
    }))
}

/// Somebody of a legacy store, and how they arrive.
struct Person<'a> {
    email: &'a str,
    password: &'a str,
    user_id: &'a str,
    given_name: &'a str,
    family_name: &'a str,
}

/// `ann` of `crates/testkit/stores` and of `people.ldif`.
const fn ann(user_id: &str) -> Person<'_> {
    Person {
        email: "ann@example.org",
        password: "correct horse",
        user_id,
        given_name: "Ann",
        family_name: "Example",
    }
}

/// Nobody arrives with a wrong password, the whole user with the right one; then the legacy store
/// is stopped, and nobody notices.
async fn crosses(
    server: &Server,
    shop: &Api,
    person: &Person<'_>,
    end_store: impl FnOnce(),
) -> Result<()> {
    let admin = server.api()?;
    let path = format!("/api/v2/users/auth0%7C{}", person.user_id);
    let login = |password| shop.login("legacy", person.email, password);

    let (status, body) = login("not the password").await?;
    assert_eq!(
        (status, &body["error"]),
        (403, &json!("invalid_grant")),
        "{body}"
    );
    assert_eq!(admin.get(&path).await?.0, 404);
    let (status, body) = shop.login("legacy", "nobody@example.org", "x").await?;
    assert_eq!(
        (status, &body["error"]),
        (403, &json!("invalid_grant")),
        "{body}"
    );

    let tokens = expect(200, login(person.password).await?)?;
    assert!(tokens["access_token"].is_string() && tokens["id_token"].is_string());
    let user = expect(200, admin.get(&path).await?)?;
    assert_eq!(user["user_id"], format!("auth0|{}", person.user_id));
    assert_eq!(user["email"], person.email.to_lowercase());
    assert_eq!(user["given_name"], person.given_name);
    assert_eq!(user["family_name"], person.family_name);
    assert_eq!(user["identities"][0]["connection"], "legacy");

    end_store();
    for spelling in [person.email.to_uppercase(), person.email.to_lowercase()] {
        expect(200, shop.login("legacy", &spelling, person.password).await?)?;
    }
    assert_eq!(login("not the password").await?.0, 403);
    // The store is away indeed: whom Ferry does not know yet hears of an outage.
    let (status, body) = shop.login("legacy", "nobody@example.org", "x").await?;
    assert_eq!(status, 503, "{body}");
    Ok(())
}

#[tokio::test]
async fn who_asks_for_node_where_there_is_none_hears_of_it() -> Result<()> {
    let server = without_node(&On::Sqlite).await?;
    let shop = stage::application(&server).await?;
    let mut options = stage::scripted("function login(e, p, callback) { callback(null); }");
    options["ferry"] = json!({"runtime": "node"});
    let id = stage::connection(&server, &shop, "legacy", options).await?;
    let (status, body) = shop.login("legacy", "ann@example.org", "x").await?;
    assert_eq!(status, 503, "{body}");
    let path = format!("/api/v2/connections/{id}/scripts/login/try");
    let trial = json!({"email": "ann@example.org", "password": "x"});
    let report = expect(200, server.api()?.post(&path, &trial).await?)?;
    let told = "unavailable: this server has no such runtime for scripts";
    assert_eq!(
        (&report["outcome"], &report["detail"]),
        (&json!("failed"), &json!(told))
    );
    Ok(())
}

async fn django(on: On) -> Result<()> {
    let legacy = Legacy::start()?;
    let server = without_node(&on).await?;
    let shop = stage::application(&server).await?;
    let mut options = by("django", &[("DATABASE_URL", legacy.url())])?;
    options["ferry"] = on.reaching(legacy.database().address());
    stage::connection(&server, &shop, "legacy", options).await?;
    let found = legacy.person(Kind::MixedCase)?;
    let user_id = format!("django-{}", found.id);
    let person = Person {
        email: &found.email,
        password: found.password.as_deref().context("a password")?,
        user_id: &user_id,
        given_name: &found.given_name,
        family_name: &found.family_name,
    };
    crosses(&server, &shop, &person, || legacy.stop().unwrap()).await
}

#[tokio::test]
async fn django_users_cross_without_node_on_sqlite() -> Result<()> {
    django(On::Sqlite).await
}

#[tokio::test]
async fn django_users_cross_without_node_on_postgres() -> Result<()> {
    django(On::postgres()?).await
}

#[tokio::test]
async fn wordpress_users_cross_without_node() -> Result<()> {
    let mariadb = MariaDb::start()?;
    mariadb.run_file(WORDPRESS)?;
    let server = without_node(&On::Sqlite).await?;
    let doctor = process::ferry_with(&server, &["doctor"], &[("PATH", "/nonexistent")])?;
    let report = String::from_utf8_lossy(&doctor.stdout);
    assert!(
        report.contains("ok    node         none found, and none needed"),
        "{report}"
    );
    assert!(
        report.contains("ok    worker       one starts: embedded"),
        "{report}"
    );

    let shop = stage::application(&server).await?;
    let options = by("wordpress", &[("DATABASE_URL", &mariadb.url())])?;
    stage::connection(&server, &shop, "legacy", options).await?;
    crosses(&server, &shop, &ann("wordpress-1"), || drop(mariadb)).await
}

#[tokio::test]
async fn people_of_a_directory_cross_without_node() -> Result<()> {
    let slapd = Slapd::start()?;
    let server = without_node(&On::Sqlite).await?;
    let shop = stage::application(&server).await?;
    let settings = [
        ("LDAP_URL", slapd.tls_url()),
        ("LDAP_CA", std::fs::read_to_string(slapd.ca_file())?),
        ("BASE_DN", Slapd::PEOPLE.to_owned()),
        ("BIND_DN", Slapd::READER.to_owned()),
        ("BIND_PASSWORD", Slapd::READER_PASSWORD.to_owned()),
        ("USER_ID_PREFIX", "staff".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let options = by("ldap", &settings)?;
    stage::connection(&server, &shop, "legacy", options).await?;
    let person = ann("staff-11111111-1111-4111-8111-111111111111");
    crosses(&server, &shop, &person, || drop(slapd)).await
}
