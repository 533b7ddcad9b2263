//! `ferry import`: uploads a file as a stream and, when asked, follows the job to its end.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use futures_util::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tokio_util::io::ReaderStream;

use super::local_api::LocalApi;
use super::{passwords, prove};
use crate::config::Config;

#[derive(Args)]
pub(super) struct ImportArguments {
    /// A JSON array of users, or one JSON object a line.
    file: PathBuf,
    /// Name of the connection that the users go to.
    #[arg(long, value_name = "NAME")]
    connection: String,
    /// Change users that are here already.
    #[arg(long)]
    upsert: bool,
    /// Your own name for the job.
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
    /// Wait for the end and print the report.
    #[arg(long)]
    wait: bool,
    /// Check a known password first, of the user in the file with this `email=…`, `username=…` or
    /// `user_id=…`; nothing is uploaded unless it verifies.
    #[arg(long, value_name = "KEY=VALUE")]
    prove: Option<String>,
    /// Read that password from the first line of standard input.
    #[arg(long, requires = "prove")]
    password_stdin: bool,
}

pub(super) async fn run(config: &Config, arguments: ImportArguments) -> Result<ExitCode> {
    let api = LocalApi::connect(config).await?;
    let connection = api.connection_id(&arguments.connection).await?;
    if let Some(key) = &arguments.prove {
        let password = passwords::read(arguments.password_stdin, "Password of that user: ")?;
        let file = (arguments.file.as_path(), config.engine.import.max_row_bytes);
        if !prove::run(&api, &connection, file, key, password).await? {
            return Ok(ExitCode::FAILURE);
        }
    }
    let job = upload(&api, &arguments, connection).await?;
    let id = job
        .get("id")
        .and_then(Value::as_str)
        .context("the answer names no job")?
        .to_owned();
    println!("{id}");
    if !arguments.wait {
        return Ok(ExitCode::SUCCESS);
    }
    let ended = follow(&api, &id).await?;
    report(&api, &id, &ended).await
}

async fn upload(api: &LocalApi, arguments: &ImportArguments, connection: String) -> Result<Value> {
    let path: &Path = &arguments.file;
    let shown = path.display();
    let file = tokio::fs::File::open(path)
        .await
        .with_context(|| format!("{shown} can't be read"))?;
    let size = file.metadata().await?.len();
    let bar = progress_bar(
        size,
        "uploading {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    )?;
    let counted = bar.clone();
    let stream = ReaderStream::with_capacity(file, 1 << 18)
        .inspect_ok(move |chunk| counted.inc(chunk.len() as u64));
    let part = Part::stream_with_length(reqwest::Body::wrap_stream(stream), size)
        .file_name("users.json")
        .mime_str("application/json")?;
    let mut form = Form::new()
        .text("connection_id", connection)
        .text("upsert", arguments.upsert.to_string())
        .text("send_completion_email", "false");
    if let Some(external_id) = &arguments.external_id {
        form = form.text("external_id", external_id.clone());
    }
    let job = api
        .post_form("/jobs/users-imports", form.part("users", part))
        .await;
    bar.finish_and_clear();
    job
}

fn progress_bar(length: u64, template: &str) -> Result<ProgressBar> {
    let bar = ProgressBar::new(length);
    bar.set_style(ProgressStyle::with_template(template)?);
    Ok(bar)
}

async fn follow(api: &LocalApi, id: &str) -> Result<Value> {
    let bar = progress_bar(100, "importing {bar:30} {percent}% {msg} {eta}")?;
    let started = std::time::Instant::now();
    loop {
        let job = api.get(&format!("/jobs/{id}"), &[]).await?;
        let status = job
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if matches!(status, "completed" | "failed") {
            bar.finish_and_clear();
            return Ok(job);
        }
        let rows = job
            .pointer("/summary/total")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        let millis = started.elapsed().as_millis().max(1);
        let rate = u128::from(rows) * 1000 / millis;
        bar.set_position(
            job.get("percentage_done")
                .and_then(Value::as_u64)
                .unwrap_or(0),
        );
        bar.set_message(format!("{rows} rows, {rate}/s"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Prints the summary and the first failed rows; the exit code says whether all rows went in.
async fn report(api: &LocalApi, id: &str, job: &Value) -> Result<ExitCode> {
    let count = |name: &str| {
        job.pointer(&format!("/summary/{name}"))
            .and_then(Value::as_i64)
            .unwrap_or(0)
    };
    println!(
        "{} rows: {} inserted, {} updated, {} failed",
        count("total"),
        count("inserted"),
        count("updated"),
        count("failed")
    );
    if count("failed") > 0 {
        let errors = api
            .get(&format!("/jobs/{id}/errors"), &[("per_page", "20")])
            .await?;
        for row in errors.as_array().into_iter().flatten() {
            println!("{}", serde_json::to_string(row)?);
        }
    }
    if job.get("status").and_then(Value::as_str) == Some("failed") {
        let details = job
            .get("status_details")
            .and_then(Value::as_str)
            .unwrap_or("no details");
        bail!("the job failed: {details}");
    }
    Ok(if count("failed") == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}
