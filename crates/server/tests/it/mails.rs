//! Mail: whom a sign-up is mailed, what waits under seal, the administrator's mail server, and the view
//! for developers.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::Smtp;

use crate::app::{App, on_both};
use crate::legacy_store::LegacyStore;
use crate::stage::{self, On, expect};
use crate::talk::Talk;

const PROVIDER: &str = "/api/v2/emails/provider";

async fn sign_up(app: &App, email: &str) {
    let body = json!({
        "client_id": app.client(), "connection": "legacy", "email": email,
        "password": "Long enough 1",
    });
    let answer = app.ask_as("", "POST", "/dbconnections/signup", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn waiting(app: &App) -> usize {
    let (now, later) = (app.engine.now(), app.engine.now());
    let mails = app.engine.store.claim_mail(now, later, 9).await.unwrap();
    mails.len()
}

#[tokio::test]
async fn whoever_signs_up_is_asked_to_prove_the_address() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect_with(app, "legacy", json!({})).await;
        sign_up(app, "ann@example.com").await;
        // What waits is sealed; what is stored of the link is a hash.
        let dump = app.engine.store.dump().await.unwrap();
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        let (page, token) = link.split_once("?ticket=").unwrap();
        assert_eq!(page, "/u/email-verification");
        let digits = hex::encode(token);
        assert!(!dump.contains(token) && !dump.contains(&digits));
        let verified = async || {
            let users = app.quietly("GET", "/api/v2/users", Value::Null).await.body;
            users[0]["email_verified"] == true
        };
        assert!(!verified().await);
        assert_eq!(app.quietly("GET", &link, Value::Null).await.status, 200);
        assert!(verified().await);
        // The operator may switch it off.
        let template = json!({
            "template": "verify_email", "enabled": false, "body": "{{ url }}", "subject": "x",
            "from": "a@example.com", "syntax": "liquid",
        });
        let made = app
            .quietly("POST", "/api/v2/email-templates", template)
            .await;
        assert_eq!(made.status, 200, "{}", made.body);
        sign_up(app, "bob@example.com").await;
        assert_eq!(waiting(app).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_legacy_sign_up_is_asked_too_where_the_store_can_be_told() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        sign_up(app, "ann@example.com").await;
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        assert_eq!(app.quietly("GET", &link, Value::Null).await.status, 200);
        assert_eq!(legacy.member("l1", "email_verified"), true);
    })
    .await;
}

#[tokio::test]
async fn the_email_provider_speaks_the_wire() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        for method in ["GET", "DELETE"] {
            talk.tell(method, PROVIDER, Value::Null).await;
        }
        talk.tell("PATCH", PROVIDER, json!({"enabled": false}))
            .await;
        let credentials = json!({
            "smtp_host": "mail.example.com", "smtp_port": 587, "smtp_user": "ferry",
            "smtp_pass": "hush-hush",
        });
        let provider = json!({
            "name": "smtp", "default_from_address": "Shop <shop@example.com>",
            "credentials": credentials,
        });
        let mut bodies = vec![
            json!({}),
            json!({"name": "mandrill", "credentials": credentials}),
            json!({"name": "pigeon", "credentials": credentials}),
            json!({"name": "smtp", "credentials": {"smtp_host": "h"}}),
            json!({"name": "smtp", "credentials": {"api_key": "hush-hush"}}),
        ];
        for (name, value) in [
            ("smtp_host", json!("evil.example/?x")),
            ("smtp_port", json!(0)),
            ("smtp_pass", json!("hush\0hush")),
        ] {
            let mut wrong = provider.clone();
            wrong["credentials"][name] = value;
            bodies.push(wrong);
        }
        let mut wrong = provider.clone();
        wrong["default_from_address"] = "nobody".into();
        bodies.push(wrong);
        talk.refusals("POST", PROVIDER, &bodies).await;
        talk.tell("POST", PROVIDER, provider.clone()).await;
        talk.tell("POST", PROVIDER, provider).await;
        talk.tell("GET", PROVIDER, Value::Null).await;
        let fields = format!("{PROVIDER}?fields=name%2Cenabled&include_fields=true");
        talk.tell("GET", &fields, Value::Null).await;
        talk.tell("PATCH", PROVIDER, json!({"enabled": false}))
            .await;
        talk.tell_with("read:logs", "GET", PROVIDER, Value::Null)
            .await;
        talk.tell_with("read:email_provider", "DELETE", PROVIDER, Value::Null)
            .await;
        let dump = app.engine.store.dump().await.unwrap();
        assert!(!dump.contains("hush-hush") && !dump.contains("mail.example.com"));
        talk.tell("DELETE", PROVIDER, Value::Null).await;
        talk.tell("GET", PROVIDER, Value::Null).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /api/v2/emails/provider
      404 {"statusCode":404,"error":"Not Found","message":"Email provider has not been configured.","errorCode":"inexistent_email_provider"}
    DELETE /api/v2/emails/provider
      404 {"statusCode":404,"error":"Not Found","message":"Email provider does not exist.","errorCode":"inexistent_email_provider"}
    PATCH /api/v2/emails/provider
      404 {"statusCode":404,"error":"Not Found","message":"Email provider has not been configured.","errorCode":"inexistent_email_provider"}
    400 Payload validation error: 'Missing required property: name' on property name.
    400 Payload validation error: 'Not supported by this server: "mandrill"' on property name.
    400 Payload validation error: 'No enum match for: pigeon' on property name.
    400 Payload validation error: 'Missing required property: smtp_port' on property credentials.smtp_port.
    400 Payload validation error: 'Missing required property: smtp_host' on property credentials.smtp_host.
    400 Payload validation error: 'String does not match pattern hostname: evil.example/?x' on property credentials.smtp_host.
    400 Payload validation error: 'Value 0 is less than minimum 1' on property credentials.smtp_port.
    400 Payload validation error: 'Text must not contain the character U+0000' on property credentials.smtp_pass.
    400 Payload validation error: 'String does not match pattern mailbox: nobody' on property default_from_address.
    POST /api/v2/emails/provider
      201 {"enabled":true,"name":"smtp","default_from_address":"Shop <shop@example.com>","credentials":{"smtp_host":"mail.example.com","smtp_port":587,"smtp_user":"ferry"}}
    POST /api/v2/emails/provider
      409 {"statusCode":409,"error":"Conflict","message":"Email provider is already configured.","errorCode":"email_provider_conflict"}
    GET /api/v2/emails/provider
      200 {"enabled":true,"name":"smtp","default_from_address":"Shop <shop@example.com>","credentials":{"smtp_host":"mail.example.com","smtp_port":587,"smtp_user":"ferry"}}
    GET /api/v2/emails/provider?fields=name%2Cenabled&include_fields=true
      200 {"enabled":true,"name":"smtp"}
    PATCH /api/v2/emails/provider
      200 {"enabled":false,"name":"smtp","default_from_address":"Shop <shop@example.com>","credentials":{"smtp_host":"mail.example.com","smtp_port":587,"smtp_user":"ferry"}}
    GET /api/v2/emails/provider
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:email_provider","errorCode":"insufficient_scope"}
    DELETE /api/v2/emails/provider
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: delete:email_provider","errorCode":"insufficient_scope"}
    DELETE /api/v2/emails/provider
      204
    GET /api/v2/emails/provider
      404 {"statusCode":404,"error":"Not Found","message":"Email provider has not been configured.","errorCode":"inexistent_email_provider"}
    "#);
}

/// Asks for a new password of somebody.
async fn forgotten(shop: &testkit::Api, email: &str) -> Result<()> {
    let body = json!({"client_id": shop.client_id(), "connection": "plain", "email": email});
    let path = "/dbconnections/change_password";
    let (status, body) = shop.post_public(path, &body).await?;
    ensure!(status == 200, "{status} {body}");
    Ok(())
}

#[tokio::test]
async fn mail_leaves_through_the_administrators_server() -> Result<()> {
    let smtp = Smtp::start()?;
    let server = On::Sqlite
        .builder()
        .env("FERRY_MAIL_VIEWER", "true")
        .start()
        .await?;
    let shop = stage::application(&server).await?;
    stage::connection(&server, &shop, "plain", json!({})).await?;
    let admin = server.api()?;
    let provider = json!({
        "name": "smtp", "default_from_address": "Shop <shop@example.com>",
        "credentials": {"smtp_host": "127.0.0.1", "smtp_port": smtp.port()},
    });
    expect(201, admin.post(PROVIDER, &provider).await?)?;
    for name in ["ann", "bob"] {
        let user = json!({
            "connection": "plain", "email": format!("{name}@example.com"),
            "password": "Long enough 1",
        });
        expect(201, admin.post("/api/v2/users", &user).await?)?;
    }
    forgotten(&shop, "ann@example.com").await?;
    let mail = smtp.mail_to("ann@example.com").await?;
    assert!(mail.raw.contains("Shop <shop@example.com>"), "{}", mail.raw);
    let link = mail.text.lines().find(|line| line.contains("ticket="));
    let link = link.context("a link")?;
    // The view shows it to whoever calls this server by its own name, and to nobody else.
    let http = shop.http();
    let list = http.get(server.url("/ferry/mail")).send().await?;
    let policy = list.headers()["content-security-policy"]
        .to_str()?
        .to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let list = list.text().await?;
    let (_, rest) = list.split_once("/ferry/mail/").context("a mail")?;
    let (id, _) = rest.split_once('"').context("its id")?;
    let path = format!("/ferry/mail/{id}");
    let page = http.get(server.url(&path)).send().await?.text().await?;
    assert!(page.contains(&format!("href=\"{link}\"")), "{page}");
    let html = http.get(server.url(&format!("{path}/html"))).send().await?;
    assert!(
        html.headers()["content-security-policy"]
            .to_str()?
            .contains("sandbox")
    );
    assert!(html.text().await?.contains("ticket="));
    let stranger = http
        .get(server.url(&path))
        .header("host", "rebound.example");
    assert_eq!(stranger.send().await?.status(), 404);
    // Switched off, mail is dropped as files again.
    expect(
        200,
        admin.patch(PROVIDER, &json!({"enabled": false})).await?,
    )?;
    forgotten(&shop, "bob@example.com").await?;
    let folder = server.data_dir().join("mail");
    let is_there = || std::fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_some());
    let wait = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while !is_there() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    wait.await.context("no file")?;
    assert!(
        smtp.mails()
            .iter()
            .all(|mail| mail.to != ["bob@example.com"])
    );
    Ok(())
}

#[tokio::test]
async fn nobody_views_mail_unless_it_is_asked_for() {
    on_both(async |app: &App| {
        for path in ["/ferry/mail", "/ferry/mail/x", "/ferry/mail/x/html"] {
            let answer = app.quietly("GET", path, Value::Null).await;
            assert_eq!(answer.status, 404, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_is_given_up_is_told() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect_with(app, "legacy", json!({})).await;
        sign_up(app, "ann@example.com").await;
        // A mail server that is not there.
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let provider = json!({
            "name": "smtp", "default_from_address": "shop@example.com",
            "credentials": {"smtp_host": "127.0.0.1", "smtp_port": port},
        });
        let set = app.quietly("POST", PROVIDER, provider).await;
        assert_eq!(set.status, 201, "{}", set.body);
        // All tries but the last.
        for _ in 0..9 {
            assert_eq!(waiting(app).await, 1);
        }
        let metrics = async || {
            let metrics = app.quietly("GET", "/metrics", Value::Null).await.body;
            metrics.as_str().unwrap().to_owned()
        };
        let text = metrics().await;
        assert!(text.contains("\nferry_mails_given_up 0\n"), "{text}");
        let stop = tokio_util::sync::CancellationToken::new();
        let outbox = std::sync::Arc::clone(&app.engine).run_outbox(stop.clone());
        let outbox = tokio::spawn(outbox);
        let given_up = async || loop {
            let events = app.quietly("GET", "/api/v2/logs?per_page=100", Value::Null);
            let events = events.await.body;
            let mut events = events.as_array().unwrap().iter();
            if let Some(event) = events.find(|event| event["type"] == "fn") {
                break event.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        let patience = std::time::Duration::from_secs(60);
        let event = tokio::time::timeout(patience, given_up()).await.unwrap();
        stop.cancel();
        outbox.await.unwrap();
        assert_eq!(event["user_name"], "ann@example.com");
        assert_eq!(event["details"]["attempts"], 10);
        assert!(!event.to_string().contains("ticket="), "{event}");
        let text = metrics().await;
        assert!(text.contains("\nferry_mails_given_up 1\n"), "{text}");
        assert_eq!(waiting(app).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_template_names_a_sender() {
    on_both(async |app: &App| {
        let template = |from: &str| {
            json!({
                "template": "reset_email", "enabled": true, "body": "{{ url }}", "subject": "x",
                "from": from, "syntax": "liquid",
            })
        };
        let path = "/api/v2/email-templates/reset_email";
        let put = async |from: &str| app.quietly("PUT", path, template(from)).await;
        for from in [
            "nobody",
            "{{ friendly_name }}",
            "{{ user.nickname }}@example.com",
            "Shop, Inc. <shop>",
        ] {
            let answer = put(from).await;
            assert_eq!(answer.status, 400, "{from}");
            let message = answer.body["message"].as_str().unwrap();
            assert!(message.ends_with("on property from."), "{message}");
        }
        for from in [
            "",
            "shop@example.com",
            "{{ friendly_name }} <shop@example.com>",
            "{{ support_email }}",
            "{{ user.nickname }} <shop@example.com>",
            "Shop, Inc. <shop@example.com>",
        ] {
            assert_eq!(put(from).await.status, 200, "{from}");
        }
        let change = json!({"from": "nobody"});
        assert_eq!(app.quietly("PATCH", path, change).await.status, 400);
    })
    .await;
}
