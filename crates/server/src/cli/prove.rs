//! `ferry import --prove`: one user's password against the file, before anything is uploaded.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use domain::Password;
use engine::import::{RowKey, find_row};
use serde_json::{Value, json};

use super::local_api::LocalApi;

/// Finds the row here, and has the server verify it as an import and a login would; says whether
/// the password verifies.
pub(super) async fn run(
    api: &LocalApi,
    connection: &str,
    (file, max_row_bytes): (&Path, usize),
    key: &str,
    password: Password,
) -> Result<bool> {
    let key = RowKey::parse(key)
        .context("--prove takes email=…, username=… or user_id=… of a user in the file")?;
    let shown = file.display();
    let opened = std::fs::File::open(file).with_context(|| format!("{shown} can't be read"))?;
    let found = tokio::task::spawn_blocking(move || find_row(opened, &key, max_row_bytes)).await?;
    let Some(row) = found.map_err(|why| anyhow!("{shown}: {why}"))? else {
        bail!("{shown} has no such user");
    };
    let body = json!({
        "connection_id": connection, "row": row.text, "password": password.expose(),
    });
    let proof = api.post("/ferry/imports/prove", &body).await?;
    let text = |name: &str| proof.get(name).and_then(Value::as_str).unwrap_or_default();
    let (place, algorithm) = (
        format!("row {}, byte {}", row.number, row.offset),
        text("algorithm"),
    );
    match text("outcome") {
        "verified" => {
            println!("{place}: read as {algorithm}; the password verifies");
            return Ok(true);
        }
        "no_password" => println!("{place}: the row has no password"),
        "refused" => {
            println!("{place}: an import would refuse the row");
            let errors = proof.get("errors").and_then(Value::as_array);
            for error in errors.into_iter().flatten() {
                println!("{error}");
            }
        }
        _ => {
            println!("{place}: read as {algorithm}; the password does not verify");
            say_nearest(proof.get("search"))?;
        }
    }
    Ok(false)
}

fn say_nearest(search: Option<&Value>) -> Result<()> {
    let member = |name: &str| search.and_then(|search| search.get(name));
    if let Some(name) = member("name").and_then(Value::as_str) {
        println!("it would as {name}:");
    }
    if let Some(nearest) = member("nearest").and_then(Value::as_str) {
        println!("{nearest}");
    }
    if let Some(fragment) = member("fragment") {
        println!("{}", serde_json::to_string_pretty(fragment)?);
    }
    Ok(())
}
