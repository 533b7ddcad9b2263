//! A user of a real Django store crosses over: first login, second login, wrong password, outage.

use anyhow::Result;
use domain::{Page, UserRow};
use serde_json::{Value, json};
use testkit::{Api, Kind, Legacy, Server};

use crate::stage::{self, On, expect};

struct Scene {
    on: On,
    server: Server,
    legacy: Legacy,
    shop: Api,
    admin: Api,
    connection: String,
}

async fn scene(on: On, import_mode: bool) -> Result<Scene> {
    let server = on.builder().start().await?;
    let options = json!({});
    prepare(on, server, import_mode, options).await
}

/// The same scripts on the operator's Node, with the packages of a folder.
async fn scene_on_node(on: On) -> Result<Scene> {
    let builder = on.builder().node_modules(Legacy::node_modules());
    let server = builder.start().await?;
    let options = json!({"ferry": {"runtime": "node"}});
    prepare(on, server, true, options).await
}

async fn prepare(on: On, server: Server, import_mode: bool, more: Value) -> Result<Scene> {
    let legacy = Legacy::start()?;
    let shop = stage::application(&server).await?;
    let mut options = on.django(&legacy, import_mode)?;
    for (name, value) in more.as_object().into_iter().flatten() {
        options[name] = value.clone();
    }
    let connection = stage::connection(&server, &shop, "django", options).await?;
    let admin = server.api()?;
    Ok(Scene {
        on,
        server,
        legacy,
        shop,
        admin,
        connection,
    })
}

async fn crosses(scene: Scene) -> Result<()> {
    let person = scene.legacy.person(Kind::MixedCase)?.clone();
    let password = person.password.clone().unwrap_or_default();
    let by_email = format!("/api/v2/users-by-email?email={}", person.email);
    assert_eq!(expect(200, scene.admin.get(&by_email).await?)?, json!([]));

    // A wrong password creates nothing.
    let (status, body) = scene.shop.login("django", &person.email, "wrong").await?;
    insta::allow_duplicates! {
        insta::assert_snapshot!(format!("{status} {body}"), @r#"403 {"error":"invalid_grant","error_description":"Wrong email or password."}"#);
    }
    assert_eq!(expect(200, scene.admin.get(&by_email).await?)?, json!([]));

    // The right one brings the whole user.
    let tokens = expect(
        200,
        scene.shop.login("django", &person.email, &password).await?,
    )?;
    assert!(tokens["access_token"].is_string() && tokens["id_token"].is_string());
    let users = expect(200, scene.admin.get(&by_email).await?)?;
    let user = &users[0];
    assert_eq!(user["user_id"], format!("auth0|{}", person.id));
    assert_eq!(user["email"], person.email.to_lowercase());
    assert_eq!(user["email_verified"], person.email_verified);
    assert_eq!(user["name"], person.name);
    assert_eq!(
        user["user_metadata"],
        json!({"locale": person.locale, "newsletter": person.newsletter})
    );
    assert_eq!(user["app_metadata"]["django_id"], person.id);
    assert_eq!(user["app_metadata"]["plan"], person.plan);
    assert_eq!(user["logins_count"], 1);

    // The second login never asks the legacy store, in whatever letter case.
    let before = scene.legacy.statements()?;
    for spelling in [
        person.email.to_uppercase(),
        person.email.to_lowercase(),
        person.username.clone(),
    ] {
        expect(200, scene.shop.login("django", &spelling, &password).await?)?;
    }
    let (status, _) = scene.shop.login("django", &person.email, "wrong").await?;
    assert_eq!(status, 403);
    assert_eq!(scene.legacy.statements()?, before);

    let codes = stage::log_codes(&scene.admin).await?;
    let count = |code: &str| codes.iter().filter(|found| *found == code).count();
    assert_eq!(
        (count("s"), count("ferry_sum"), count("fp")),
        (4, 1, 2),
        "{codes:?}"
    );
    userinfo(&scene, &tokens).await?;
    outage(&scene).await
}

async fn userinfo(scene: &Scene, tokens: &Value) -> Result<()> {
    let token = tokens["access_token"].as_str().unwrap_or_default();
    let request = scene
        .shop
        .http()
        .get(scene.shop.url("/userinfo"))
        .bearer_auth(token);
    let info = expect(200, scene.shop.send(request).await?)?;
    assert_eq!(info["sub"], scene_subject(tokens)?);
    assert_eq!(info["email"], "mixed.case@example.com");
    let request = scene
        .shop
        .http()
        .get(scene.shop.url("/userinfo"))
        .bearer_auth("nonsense");
    assert_eq!(scene.shop.send(request).await?.0, 401);
    Ok(())
}

fn scene_subject(tokens: &Value) -> Result<Value> {
    use base64::Engine as _;
    let token = tokens["id_token"].as_str().unwrap_or_default();
    let claims = token.split('.').nth(1).unwrap_or_default();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims)?;
    Ok(serde_json::from_slice::<Value>(&claims)?["sub"].clone())
}

/// The legacy store is down: a 503, never "wrong password", never counted, and named in the log.
async fn outage(scene: &Scene) -> Result<()> {
    let person = scene
        .legacy
        .ordinary()
        .nth(3)
        .cloned()
        .unwrap_or_else(|| unreachable!());
    let password = person.password.clone().unwrap_or_default();
    scene.legacy.stop()?;
    for _ in 0..12 {
        let (status, body) = scene.shop.login("django", &person.email, &password).await?;
        assert_eq!(
            (status, &body["error"]),
            (503, &json!("temporarily_unavailable")),
            "{body}"
        );
    }
    scene.legacy.resume()?;
    // Twelve failures would have blocked the account, had they been counted.
    expect(
        200,
        scene.shop.login("django", &person.email, &password).await?,
    )?;
    let logs = expect(200, scene.admin.get("/api/v2/logs?per_page=100").await?)?;
    let outages = logs
        .as_array()
        .into_iter()
        .flatten()
        .filter(|event| event["details"]["error"]["kind"] == "custom_database_outage");
    assert_eq!(outages.count(), 12);
    Ok(())
}

#[tokio::test]
async fn a_django_user_crosses_on_sqlite() -> Result<()> {
    crosses(scene(On::Sqlite, true).await?).await
}

#[tokio::test]
async fn a_django_user_crosses_on_postgres() -> Result<()> {
    crosses(scene(On::postgres()?, true).await?).await
}

#[tokio::test]
async fn a_django_user_crosses_by_scripts_on_node() -> Result<()> {
    crosses(scene_on_node(On::Sqlite).await?).await
}

#[tokio::test]
async fn people_with_peculiar_records_cross_too() -> Result<()> {
    let scene = scene(On::Sqlite, true).await?;
    for kind in [
        Kind::OddAddress,
        Kind::SpacedPassword,
        Kind::LongPassword,
        Kind::NoEmail,
    ] {
        let person = scene.legacy.person(kind)?.clone();
        let password = person.password.clone().unwrap_or_default();
        let identifier = if person.email.is_empty() {
            &person.username
        } else {
            &person.email
        };
        for _ in 0..2 {
            let answer = scene.shop.login("django", identifier, &password).await?;
            expect(200, answer).map_err(|error| error.context(format!("{kind:?}")))?;
        }
    }
    // Nobody logs in without a password.
    let nobody = scene.legacy.person(Kind::NoPassword)?.clone();
    assert_eq!(scene.shop.login("django", &nobody.email, "!").await?.0, 403);
    // Who is barred there arrives barred, and hears so only with the right password.
    let barred = scene.legacy.person(Kind::Inactive)?.clone();
    let password = barred.password.clone().unwrap_or_default();
    for _ in 0..2 {
        let (status, body) = scene.shop.login("django", &barred.email, &password).await?;
        assert_eq!(
            (status, &body["error_description"]),
            (403, &json!("user is blocked")),
            "{body}"
        );
    }
    let (_, body) = scene.shop.login("django", &barred.email, "wrong").await?;
    assert_eq!(body["error_description"], "Wrong email or password.");
    let path = format!("/api/v2/users/auth0%7C{}", barred.id);
    assert_eq!(expect(200, scene.admin.get(&path).await?)?["blocked"], true);
    Ok(())
}

#[tokio::test]
async fn in_legacy_mode_the_legacy_store_stays_the_authority() -> Result<()> {
    let mut scene = scene(On::Sqlite, false).await?;
    let person = scene
        .legacy
        .ordinary()
        .next()
        .cloned()
        .unwrap_or_else(|| unreachable!());
    let password = person.password.clone().unwrap_or_default();
    for _ in 0..2 {
        let before = scene.legacy.statements()?;
        expect(
            200,
            scene.shop.login("django", &person.email, &password).await?,
        )?;
        assert!(
            scene.legacy.statements()? > before,
            "each login asks the legacy store"
        );
    }
    let path = format!("/api/v2/users/auth0%7C{}", person.id);
    let user = expect(200, scene.admin.get(&path).await?)?;
    assert_eq!(
        (&user["logins_count"], &user["email"]),
        (&json!(2), &json!(person.email))
    );

    // What changes there changes here at the next login.
    let rename = format!(
        "update auth_user set last_name = 'Renamed' where id = {}",
        person.id
    );
    scene.legacy.database().psql(&rename)?;
    expect(
        200,
        scene.shop.login("django", &person.email, &password).await?,
    )?;
    assert_eq!(
        expect(200, scene.admin.get(&path).await?)?["family_name"],
        "Renamed"
    );

    // No password is kept here.
    scene.server.terminate().await?;
    let store = scene.on.store(&scene.server).await?;
    let credential = store
        .find_credential(UserRow(1), &scene.connection.as_str().into())
        .await?;
    assert!(credential.is_some_and(|credential| credential.hash.is_none()));
    Ok(())
}

#[tokio::test]
async fn a_cached_user_moves_in_when_import_mode_is_switched_on() -> Result<()> {
    let scene = scene(On::Sqlite, false).await?;
    let person = scene
        .legacy
        .ordinary()
        .next()
        .cloned()
        .unwrap_or_else(|| unreachable!());
    let password = person.password.clone().unwrap_or_default();
    expect(
        200,
        scene.shop.login("django", &person.email, &password).await?,
    )?;
    let path = format!("/api/v2/users/auth0%7C{}", person.id);
    let ours = json!({"app_metadata": {"added_here": true}});
    expect(200, scene.admin.patch(&path, &ours).await?)?;
    let options = json!({"options": scene.on.django(&scene.legacy, true)?});
    let connection = format!("/api/v2/connections/{}", scene.connection);
    expect(200, scene.admin.patch(&connection, &options).await?)?;
    expect(
        200,
        scene.shop.login("django", &person.email, &password).await?,
    )?;
    scene.legacy.stop()?;
    expect(
        200,
        scene.shop.login("django", &person.email, &password).await?,
    )?;
    let user = expect(200, scene.admin.get(&path).await?)?;
    assert_eq!(user["app_metadata"]["added_here"], true);
    assert_eq!(user["app_metadata"]["django_id"], person.id);
    Ok(())
}

#[tokio::test]
async fn another_persons_address_is_never_taken_over() -> Result<()> {
    let mut scene = scene(On::Sqlite, true).await?;
    let shared: Vec<_> = scene
        .legacy
        .people()
        .iter()
        .filter(|person| person.kind == Kind::SharedEmail)
        .cloned()
        .collect();
    let password = |index: usize| shared[index].password.clone().unwrap_or_default();
    expect(
        200,
        scene
            .shop
            .login("django", &shared[0].username, &password(0))
            .await?,
    )?;
    let (status, body) = scene
        .shop
        .login("django", &shared[1].username, &password(1))
        .await?;
    assert_eq!(
        (status, &body["error"]),
        (403, &json!("access_denied")),
        "{body}"
    );
    let codes = stage::log_codes(&scene.admin).await?;
    assert!(codes.contains(&"ferry_fum".to_owned()), "{codes:?}");
    scene.server.terminate().await?;
    let store = scene.on.store(&scene.server).await?;
    let page = Page {
        number: 0,
        size: 10,
    };
    let sort = store::UserSort::Arrival;
    let users = store
        .list_users(&store::UserFilter::default(), sort, false, page)
        .await?;
    assert_eq!(users.items.len(), 1);
    Ok(())
}

#[tokio::test]
async fn who_exists_there_cannot_sign_up_or_be_created_here() -> Result<()> {
    let scene = scene(On::Sqlite, true).await?;
    let person = scene
        .legacy
        .ordinary()
        .next()
        .cloned()
        .unwrap_or_else(|| unreachable!());
    let sign_up = |email: &str| {
        json!({
            "client_id": scene.shop.client_id(), "connection": "django", "email": email,
            "password": "a-Long-enough-1",
        })
    };
    let answer = scene
        .shop
        .post_public("/dbconnections/signup", &sign_up(&person.email))
        .await?;
    assert_eq!(expect(400, answer)?["code"], "user_exists");
    let create =
        json!({"connection": "django", "email": person.email, "password": "a-Long-enough-1"});
    let answer = scene.admin.post("/api/v2/users", &create).await?;
    assert_eq!(expect(409, answer)?["message"], "The user already exists.");
    let answer = scene
        .shop
        .post_public("/dbconnections/signup", &sign_up("new@example.com"))
        .await?;
    let new = expect(200, answer)?;
    assert!(new["_id"].as_str().is_some_and(|id| id.len() == 24));
    expect(
        200,
        scene
            .shop
            .login("django", "new@example.com", "a-Long-enough-1")
            .await?,
    )?;
    scene.legacy.stop()?;
    let answer = scene
        .shop
        .post_public("/dbconnections/signup", &sign_up("other@example.com"))
        .await?;
    expect(503, answer)?;
    Ok(())
}
