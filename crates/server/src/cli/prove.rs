//! `ferry import --prove`: one user's password against the file, before anything is uploaded.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use domain::{ImportOptions, Password};
use engine::import::{FoundRow, RowKey, find_row};
use engine::settings::ImportSettings;
use serde_json::{Value, json};

use super::local_api::LocalApi;

/// What is proven: a row of a file that is read as the import will read it.
pub(super) struct Claim<'a> {
    key: RowKey,
    file: &'a Path,
    opened: File,
}

impl<'a> Claim<'a> {
    /// Opens the file and reads the key, before anybody is asked for a password.
    pub(super) fn open(file: &'a Path, key: &str) -> Result<Self> {
        let key = RowKey::parse(key)
            .context("--prove takes email=…, username=… or user_id=… of a user in the file")?;
        if file == Path::new("-") {
            bail!(
                "--prove reads the file before it is sent, and standard input can't be read twice: save it to a file first"
            );
        }
        let shown = file.display();
        let opened = File::open(file).with_context(|| format!("{shown} can't be read"))?;
        if !opened.metadata()?.is_file() {
            bail!(
                "--prove reads the file before it is sent, and {shown} is no file that can be read twice"
            );
        }
        Ok(Self { key, file, opened })
    }

    async fn find(self, options: ImportOptions, settings: ImportSettings) -> Result<FoundRow> {
        let Self { key, file, opened } = self;
        let search = move || find_row(opened, &key, &options, &settings);
        let search = tokio::task::spawn_blocking(search).await?;
        let shown = file.display();
        let search = search.map_err(|why| anyhow!("{shown}: {why}"))?;
        match (search.found, search.unreadable) {
            (Some(row), _) => Ok(row),
            (None, 0) => bail!("{shown} has no such user"),
            (None, unreadable) => bail!(
                "{shown} has no such user among the rows that can be read; {unreadable} can't be"
            ),
        }
    }
}

/// Finds the row here, and has the server verify it as an import and a login would; says whether
/// the password verifies.
pub(super) async fn run(
    api: &LocalApi,
    connection: &str,
    claim: Claim<'_>,
    (options, settings): (ImportOptions, ImportSettings),
    password: Password,
) -> Result<bool> {
    let row = claim.find(options, settings).await?;
    if !row.errors.is_empty() {
        println!(
            "row {}, byte {}: an import would refuse the row",
            row.number, row.offset
        );
        for error in &row.errors {
            println!("{}", serde_json::to_string(error)?);
        }
        return Ok(false);
    }
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
