//! Every published hash record through the real path: import job, login with the old password,
//! second login under the fresh hash.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::stage::{self, On, expect};

fn vectors() -> Result<Value> {
    let text = include_str!("../../../password/tests/vectors/custom_password_hash.json");
    Ok(serde_json::from_str(text)?)
}

async fn every_vector(on: On) -> Result<()> {
    let vectors = vectors()?;
    let examples = vectors["examples"].as_array().context("examples")?;
    let mut server = on.builder().start().await?;
    stage::spare_this_machine(&server).await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    let email = |index: usize| format!("vector{index}@example.com");
    let rows = examples.iter().enumerate().map(|(index, example)| {
        json!({"email": email(index), "custom_password_hash": example["custom_password_hash"]})
    });
    let job = stage::import(&server, &connection, &Value::Array(rows.collect())).await?;
    assert_eq!(job["summary"]["inserted"], examples.len(), "{job}");
    for (index, example) in examples.iter().enumerate() {
        let password = example["password"].as_str().context("password")?;
        let id = &example["id"];
        assert_eq!(
            shop.login("plain", &email(index), "not it").await?.0,
            403,
            "{id}"
        );
        for time in ["first", "second"] {
            let answer = shop.login("plain", &email(index), password).await?;
            expect(200, answer).with_context(|| format!("{id}, {time} login"))?;
        }
    }
    server.terminate().await?;
    let store = on.store(&server).await?;
    for index in 0..examples.len() {
        let found = store
            .find_login(&connection.as_str().into(), &email(index))
            .await?;
        let (_, credential) = found.context("a user")?;
        let hash = credential.hash.context("a hash")?;
        assert!(
            hash.expose().starts_with("$argon2id$"),
            "the import is replaced"
        );
        assert!(!credential.is_imported);
    }
    Ok(())
}

#[tokio::test]
async fn every_vector_logs_in_twice_on_sqlite() -> Result<()> {
    every_vector(On::Sqlite).await
}

#[tokio::test]
async fn every_vector_logs_in_twice_on_postgres() -> Result<()> {
    every_vector(On::postgres()?).await
}

#[tokio::test]
async fn what_must_be_refused_is_refused_by_row() -> Result<()> {
    let vectors = vectors()?;
    let refused = vectors["must_be_refused"]
        .as_array()
        .context("must_be_refused")?;
    let server = On::Sqlite.builder().start().await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    let rows = refused.iter().enumerate().map(|(index, record)| {
        let mut user = record
            .get("user")
            .cloned()
            .unwrap_or_else(|| json!({"custom_password_hash": record["custom_password_hash"]}));
        user["email"] = json!(format!("refused{index}@example.com"));
        user
    });
    let job = stage::import(&server, &connection, &Value::Array(rows.collect())).await?;
    assert_eq!(job["summary"]["failed"], refused.len(), "{job}");
    let id = job["id"].as_str().context("id")?;
    let errors = expect(
        200,
        server
            .api()?
            .get(&format!("/api/v2/jobs/{id}/errors"))
            .await?,
    )?;
    let lines: Vec<String> = errors
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            let error = &row["errors"][0];
            format!("{} at {}", error["code"], error["path"]).replace('"', "")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r###"
    NOT_PASSED at custom_password_hash
    PATTERN at password_hash
    PATTERN at custom_password_hash.hash.value
    NOT_PASSED at custom_password_hash.salt
    OBJECT_MISSING_REQUIRED_PROPERTY at custom_password_hash.hash
    OBJECT_MISSING_REQUIRED_PROPERTY at custom_password_hash
    NOT_PASSED at custom_password_hash.cost
    PATTERN at custom_password_hash.hash.value
    ENUM_MISMATCH at custom_password_hash.hash.encoding
    OBJECT_ADDITIONAL_PROPERTIES at custom_password_hash
    "###);
    assert!(
        !errors.to_string().contains("nFguVi9LsCAcvTZFKQlRK"),
        "no hash in the report"
    );
    Ok(())
}
