//! `ferry import`: uploads files in parts that survive a broken connection, and when asked follows
//! each job to its end.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use domain::conflict::Policy;
use domain::{CsvMapping, FileFormat, ImportOptions};
use reqwest::multipart::Form;
use serde_json::Value;

use super::jobs::{self, Ending};
use super::local_api::LocalApi;
use super::prove::Claim;
use super::{passwords, prove, upload};
use crate::config::Config;

#[derive(Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct ImportArguments {
    /// Files of users: JSON array, one JSON object a line, or CSV; also packed by gzip or zstd.
    /// `-` reads from the standard input. Each file is a job of its own.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Name of the connection that the users go to.
    #[arg(long, value_name = "NAME")]
    connection: String,
    /// Change users that are here already.
    #[arg(long)]
    upsert: bool,
    /// What the files are; told from their content when absent.
    #[arg(long, value_parser = PossibleValuesParser::new(["json", "csv"]).map(format_named))]
    format: Option<FileFormat>,
    /// How the columns of CSV files become members: a JSON file.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// What decides when a row meets a user who is here: `reject`, `upsert`, or a file of JSON
    /// (docs/import.md).
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "upsert")]
    policy: Option<String>,
    /// Rehearse: the same writes against the same constraints, and nothing stays.
    #[arg(long)]
    dry_run: bool,
    /// Your own name for the job.
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
    /// Your own key: a second import with it means the same job. For one file.
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
    /// Wait for the end and print the report.
    #[arg(long)]
    wait: bool,
    /// Wait for the end and write the failed rows there as they were sent, hashes included.
    #[arg(long, value_name = "FILE")]
    failed_rows: Option<PathBuf>,
    /// Check a known password first, of the user in the file with this `email=…`, `username=…` or
    /// `user_id=…`; nothing is uploaded unless it verifies.
    #[arg(long, value_name = "KEY=VALUE")]
    prove: Option<String>,
    /// Read that password from the first line of standard input.
    #[arg(long, requires = "prove")]
    password_stdin: bool,
}

pub(super) async fn run(config: &Config, arguments: ImportArguments) -> Result<ExitCode> {
    if arguments.files.len() > 1
        && (arguments.failed_rows.is_some() || arguments.idempotency_key.is_some())
    {
        bail!("--failed-rows and --idempotency-key are for one file at a time");
    }
    let mapping = arguments.mapping.as_deref().map(read_mapping).transpose()?;
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let claim = match (&arguments.prove, arguments.files.as_slice()) {
        (None, _) => None,
        (Some(key), [file]) => Some(Claim::open(file, key)?),
        (Some(_), _) => bail!("--prove is for one file at a time"),
    };
    let api = LocalApi::connect(config).await?;
    let connection = api.connection_id(&arguments.connection).await?;
    if let Some(claim) = claim {
        let password = passwords::read(arguments.password_stdin, "Password of that user: ")?;
        let options = ImportOptions {
            format: arguments.format,
            mapping: mapping.clone(),
            ..ImportOptions::default()
        };
        let reading = (options, config.engine.import.clone());
        if !prove::run(&api, &connection, claim, reading, password).await? {
            return Ok(ExitCode::FAILURE);
        }
    }
    let mapping = mapping.as_ref().map(serde_json::to_string).transpose()?;
    let mut ids = Vec::new();
    for file in &arguments.files {
        let upload = upload::send(&api, file).await?;
        let form = form(
            &arguments,
            &connection,
            mapping.as_deref(),
            policy.as_deref(),
        )
        .text("upload", upload);
        let job = api.post_form("/jobs/users-imports", form).await?;
        let id = job.get("id").and_then(Value::as_str);
        let id = id.context("the answer names no job")?.to_owned();
        println!("{id}");
        ids.push(id);
    }
    if !arguments.wait && arguments.failed_rows.is_none() {
        return Ok(ExitCode::SUCCESS);
    }
    let mut all = Ending::Complete;
    for id in &ids {
        let Some(job) = jobs::follow(&api, id).await? else {
            eprintln!("The job goes on without us. `ferry jobs watch {id}` looks at it again.");
            return Ok(ExitCode::from(130));
        };
        all = all.max(jobs::report(&api, id, &job).await?);
        if let Some(file) = &arguments.failed_rows {
            jobs::save_failed_rows(&api, id, file).await?;
        }
    }
    Ok(all.code())
}

fn format_named(name: String) -> FileFormat {
    match name.as_str() {
        "csv" => FileFormat::Csv,
        _ => FileFormat::Json,
    }
}

const fn format_name(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Csv => "csv",
        FileFormat::Json => "json",
    }
}

/// The mapping, found wrong before anything is sent.
fn read_mapping(file: &Path) -> Result<CsvMapping> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("{shown} can't be read"))?;
    let value = serde_json::from_str(&text).with_context(|| format!("{shown} is no JSON"))?;
    CsvMapping::parse(&value).map_err(|error| {
        let place = if error.path.is_empty() {
            String::new()
        } else {
            format!("{}: ", error.path)
        };
        anyhow!("{shown} is not a mapping: {place}{}", error.message)
    })
}

/// The policy's text, from a preset's name or a file, found wrong before anything is sent.
fn read_policy(given: &str) -> Result<String> {
    let text = match given {
        "reject" | "upsert" => given.to_owned(),
        path => std::fs::read_to_string(path).with_context(|| format!("{path} can't be read"))?,
    };
    let policy = Policy::parse(&text).with_context(|| format!("{given} is not a policy"))?;
    Ok(serde_json::to_string(&policy)?)
}

fn form(
    arguments: &ImportArguments,
    connection: &str,
    mapping: Option<&str>,
    policy: Option<&str>,
) -> Form {
    let mut form = Form::new()
        .text("connection_id", connection.to_owned())
        .text("upsert", arguments.upsert.to_string())
        .text("send_completion_email", "false");
    if arguments.dry_run {
        form = form.text("dry_run", "true");
    }
    for (name, value) in [
        ("external_id", arguments.external_id.as_deref()),
        ("idempotency_key", arguments.idempotency_key.as_deref()),
        ("format", arguments.format.map(format_name)),
        ("mapping", mapping),
        ("policy", policy),
    ] {
        if let Some(value) = value {
            form = form.text(name, value.to_owned());
        }
    }
    form
}
