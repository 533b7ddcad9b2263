//! `ferry export`: asks for an export, follows it to its end, and fetches the file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use super::local_api::LocalApi;
use crate::config::Config;

#[derive(Args)]
pub(super) struct ExportArguments {
    /// Name of the connection whose users are exported; those of all connections when absent.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// How users are written.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Members to write, NAME or NAME=AS, with commas between.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    fields: Vec<String>,
    /// At most so many users.
    #[arg(long, value_name = "COUNT")]
    limit: Option<i64>,
    /// With hashes and second factors, as an import takes them, encrypted to age1… or to the
    /// armored OpenPGP key in a file.
    #[arg(long, value_name = "age1…|@FILE")]
    credentials_to: Option<String>,
    /// Where the file goes. It is compressed, and encrypted when it holds credentials.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Csv,
}

pub(super) async fn run(config: &Config, arguments: ExportArguments) -> Result<ExitCode> {
    let api = LocalApi::connect(config).await?;
    let body = request(&api, &arguments).await?;
    let job = api.post("/jobs/users-exports", &body).await?;
    let id = job.get("id").and_then(Value::as_str);
    let id = id.context("the answer names no job")?;
    let job = follow(&api, id).await?;
    let member = |name: &str| job.get(name).and_then(Value::as_str);
    let location = member("location").context("the answer names no file")?;
    let size = fetch(&api, location, &arguments.output).await?;
    let users = job.pointer("/summary/total").and_then(Value::as_i64);
    println!(
        "{} users, {size} bytes, in {}",
        users.unwrap_or(0),
        arguments.output.display()
    );
    if let Some(details) = member("status_details") {
        println!("{details}");
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}

async fn request(api: &LocalApi, arguments: &ExportArguments) -> Result<Value> {
    let mut body = json!({"format": match arguments.format {
        Format::Json => "json",
        Format::Csv => "csv",
    }});
    let mut put = |name: &str, value: Value| {
        if let Some(body) = body.as_object_mut() {
            body.insert(name.to_owned(), value);
        }
    };
    if let Some(name) = &arguments.connection {
        put("connection_id", api.connection_id(name).await?.into());
    }
    if let Some(limit) = arguments.limit {
        put("limit", limit.into());
    }
    if !arguments.fields.is_empty() {
        let fields = arguments
            .fields
            .iter()
            .map(|field| match field.split_once('=') {
                Some((name, shown)) => json!({"name": name, "export_as": shown}),
                None => json!({"name": field}),
            });
        put("fields", fields.collect());
    }
    if let Some(recipient) = &arguments.credentials_to {
        let recipient = match recipient.strip_prefix('@') {
            None => recipient.clone(),
            Some(file) => {
                std::fs::read_to_string(file).with_context(|| format!("{file} can't be read"))?
            }
        };
        put("credentials", json!({"recipient": recipient}));
    }
    Ok(body)
}

async fn follow(api: &LocalApi, id: &str) -> Result<Value> {
    loop {
        let job = api.get(&format!("/jobs/{id}"), &[]).await?;
        let member = |name: &str| job.get(name).and_then(Value::as_str);
        match member("status").unwrap_or_default() {
            "completed" => return Ok(job),
            "failed" => bail!(
                "the job failed: {}",
                member("status_details").unwrap_or("no details")
            ),
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Fetches the file beside its place and puts it there when it is whole.
async fn fetch(api: &LocalApi, location: &str, output: &Path) -> Result<u64> {
    // The server is asked where it listens, not by its public name.
    let (_, file) = location
        .rsplit_once("/exports/")
        .context("the link is no link")?;
    let answer = api.fetch(&format!("/exports/{file}")).await?;
    let expected = answer.content_length();
    let folder = output.parent().filter(|path| !path.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .with_context(|| format!("{} can't be written", output.display()))?;
    let mut size = 0;
    let mut parts = answer.bytes_stream();
    while let Some(part) = parts.try_next().await? {
        file.write_all(&part)?;
        size += part.len() as u64;
    }
    if expected.is_some_and(|expected| expected != size) {
        bail!("the file was cut off after {size} bytes");
    }
    file.as_file().sync_all()?;
    file.persist(output)?;
    Ok(size)
}
