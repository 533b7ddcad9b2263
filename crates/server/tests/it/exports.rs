//! Export jobs on the wire, and `ferry export` beside a running server.

use age::secrecy::ExposeSecret as _;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::app::{App, on_both};
use crate::process::ferry_with;
use crate::stage::{self, On};

const EXPORTS: &str = "/api/v2/jobs/users-exports";

#[tokio::test]
async fn refusals_are_the_documented_ones() {
    let said = on_both(async |app: &App| {
        let connection = app.connection("plain", json!({})).await;
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        let credentials =
            json!({"connection_id": connection, "credentials": {"recipient": recipient}});
        for body in [
            json!({"connection_id": "con_0000000000000000"}),
            json!({"connection_id": "shop"}),
            json!({"format": "xml"}),
            json!({"limit": 0}),
            json!({"fields": [{"export_as": "x"}]}),
            json!({"colour": "red"}),
            json!({"connection_id": connection, "credentials": {}}),
            json!({"connection_id": connection, "credentials": {"recipient": "me"}}),
        ] {
            app.tell("POST", EXPORTS, body).await;
        }
        let reader = app.token_for(Some("read:users")).await;
        app.tell_as(Some(&reader), "POST", EXPORTS, credentials.clone())
            .await;
        let writer = app.token_for(Some("create:users")).await;
        app.tell_as(Some(&writer), "POST", EXPORTS, json!({})).await;
        app.tell("GET", "/exports/nothing/nowhere", Value::Null)
            .await;
        let job = app.quietly("POST", EXPORTS, credentials).await;
        assert_eq!(job.status, 200, "{}", job.body);
        assert_eq!(job.body["status"], "pending");
        let path = format!("/api/v2/jobs/{}", job.body["id"].as_str().unwrap());
        let found = app.quietly("GET", &path, Value::Null).await;
        assert_eq!(found.body, job.body);
        let log = app
            .quietly("GET", "/api/v2/logs?per_page=10", Value::Null)
            .await
            .body;
        let log = log.as_array().unwrap();
        let told = log
            .iter()
            .find(|event| event["type"] == "ferry_exp")
            .unwrap();
        assert_eq!(told["client_id"], "administrator");
        assert_eq!(told["details"]["recipient"], recipient);
        assert_eq!(told["connection"], "plain");
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /api/v2/jobs/users-exports
      400 {"statusCode":400,"error":"Bad Request","message":"The connection does not exist.","errorCode":"invalid_body"}
    POST /api/v2/jobs/users-exports
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'String does not match pattern ^con_[A-Za-z0-9]{16}$' on property connection_id.","errorCode":"invalid_body"}
    POST /api/v2/jobs/users-exports
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'No enum match for: xml' on property format.","errorCode":"invalid_body"}
    POST /api/v2/jobs/users-exports
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Value 0 is less than minimum 1' on property limit.","errorCode":"invalid_body"}
    POST /api/v2/jobs/users-exports
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: name' on property fields[0].name.","errorCode":"invalid_body"}
    POST /api/v2/jobs/users-exports
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Additional properties not allowed: colour' on property colour.","errorCode":"invalid_body"}
    POST /api/v2/jobs/users-exports
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: recipient' on property credentials.recipient.","errorCode":"invalid_body"}
    POST /api/v2/jobs/users-exports
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Expected age1… or an armored OpenPGP public key' on property credentials.recipient.","errorCode":"invalid_body"}
    POST /api/v2/jobs/users-exports
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: export:credentials","errorCode":"insufficient_scope"}
    POST /api/v2/jobs/users-exports
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:users","errorCode":"insufficient_scope"}
    GET /exports/nothing/nowhere
      404 {"statusCode":404,"error":"Not Found","message":"There is no such file, or its time is over.","errorCode":"inexistent_export"}
    "#);
}

#[tokio::test]
async fn the_command_line_exports_what_it_imported() -> Result<()> {
    let server = On::Sqlite.builder().start().await?;
    let shop = stage::application(&server).await?;
    for name in ["old", "new"] {
        stage::connection(&server, &shop, name, json!({})).await?;
    }
    let folder = tempfile::tempdir()?;
    let place = |name: &str| folder.path().join(name).display().to_string();
    let run = |arguments: &[&str]| -> Result<String> {
        let done = ferry_with(&server, arguments, &[])?;
        let printed = String::from_utf8(done.stdout)? + &String::from_utf8(done.stderr)?;
        assert!(done.status.success(), "{arguments:?} {printed}");
        Ok(printed)
    };
    // The md5 of `needle`.
    let hash = json!({"algorithm": "md5", "hash": {"encoding": "hex",
        "value": "4bf84babe76dabda6c4da4d25354704d"}});
    let user = json!({"email": "ann@example.com", "custom_password_hash": hash,
        "mfa_factors": [{"totp": {"secret": "JBSWY3DPEHPK3PXP"}}]});
    std::fs::write(place("in.json"), user.to_string())?;
    run(&["import", &place("in.json"), "--connection", "old", "--wait"])?;

    let (out, table) = (place("out.json.gz"), place("out.csv.gz"));
    let fields = "email=mail,multifactor[0]";
    let printed = run(&[
        "export",
        "--connection",
        "old",
        "--format",
        "csv",
        "--fields",
        fields,
        "-o",
        &table,
    ])?;
    assert!(printed.contains("1 users, "), "{printed}");
    assert_eq!(
        unpack(&std::fs::read(&table)?)?,
        "mail,multifactor[0]\r\n\"'ann@example.com\",\"'otp\"\r\n"
    );
    run(&["export", "-o", &out])?;
    let shown = unpack(&std::fs::read(&out)?)?;
    let shown: Value = serde_json::from_str(&shown)?;
    assert_eq!(shown["identities"][0]["connection"], "old");
    assert!(shown.get("ferry").is_none() && !shown.to_string().contains("4bf84bab"));

    let identity = age::x25519::Identity::generate();
    let (sealed, clear) = (place("sealed.age"), place("clear.json"));
    let to = identity.to_public().to_string();
    run(&[
        "export",
        "--connection",
        "old",
        "--credentials-to",
        &to,
        "-o",
        &sealed,
    ])?;
    let text = unpack(&age::decrypt(&identity, &std::fs::read(&sealed)?)?)?;
    let moved = text.replace("\"user_id\":\"auth0|", "\"user_id\":\"moved-");
    std::fs::write(&clear, moved)?;
    let printed = run(&["import", &clear, "--connection", "new", "--wait"])?;
    assert!(printed.contains("1 inserted"), "{printed}");
    assert!(!identity.to_string().expose_secret().is_empty());
    // Both were fast; soon no thief would find them so, and their owner never notices.
    let admin = server.api()?;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let (_, found) = admin.get("/api/v2/ferry/password-hashes").await?;
        if found["fast"] == 0 && found["wrapped"] == 2 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{found}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let doctor = run(&["doctor"])?;
    assert!(
        doctor.contains("none is fast; 2 imported ones were"),
        "{doctor}"
    );
    for realm in ["old", "new"] {
        assert_eq!(shop.login(realm, "ann@example.com", "wrong").await?.0, 403);
        // The password is right; the application that moved along is asked for next.
        let (status, body) = shop.login(realm, "ann@example.com", "needle").await?;
        assert_eq!((status, &body["error"]), (403, &json!("mfa_required")));
    }
    let (_, found) = admin.get("/api/v2/ferry/password-hashes").await?;
    assert_eq!(
        found["wrapped"], 0,
        "the first login leaves a hash of our own"
    );
    let left = std::fs::read_dir(server.data_dir().join("exports"))?;
    for file in left {
        let bytes = std::fs::read(file?.path())?;
        assert!(!bytes.windows(8).any(|part| part == b"JBSWY3DP"));
    }
    Ok(())
}

fn unpack(bytes: &[u8]) -> Result<String> {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(bytes), &mut text)
        .context("not compressed")?;
    Ok(text)
}
