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
    insta::assert_snapshot!(said, @"");
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
        "mail,multifactor[0]\r\n\"'ann@example.com\",\"'google-authenticator\"\r\n"
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
