//! `ferry jobs`: import jobs through the running server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Subcommand;
use futures_util::StreamExt as _;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::local_api::LocalApi;
use crate::config::Config;

/// How often a job is looked at.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Subcommand)]
pub(super) enum JobsCommand {
    /// Lists import jobs, the newest first.
    List,
    /// Prints a job as the Management API shows it.
    Status {
        /// The job.
        id: String,
    },
    /// Follows a job to its end and prints the report.
    Watch {
        /// The job.
        id: String,
    },
    /// Puts a job aside where it stands.
    Pause {
        /// The job.
        id: String,
    },
    /// Lets a job go on.
    Resume {
        /// The job.
        id: String,
    },
    /// Gives a job up; what it has written stays.
    Cancel {
        /// The job.
        id: String,
    },
    /// Writes a job's failed rows into a file as they were sent, hashes included.
    FailedRows {
        /// The job.
        id: String,
        /// The file; it must not exist.
        file: PathBuf,
    },
}

pub(super) async fn run(config: &Config, command: JobsCommand) -> Result<ExitCode> {
    let api = LocalApi::connect(config).await?;
    let tell = async |id: &str, verb: &str| {
        let job = api.post(&format!("/jobs/{id}/{verb}"), &json!({})).await?;
        print_job(&job)
    };
    match command {
        JobsCommand::List => {
            let jobs = api.get("/jobs", &[("per_page", "50")]).await?;
            jobs.as_array()
                .into_iter()
                .flatten()
                .try_for_each(print_job)?;
        }
        JobsCommand::Status { id } => print_job(&api.get(&format!("/jobs/{id}"), &[]).await?)?,
        JobsCommand::Watch { id } => {
            return Ok(match follow(&api, &id).await? {
                Some(job) => report(&api, &id, &job).await?.code(),
                None => ExitCode::from(130),
            });
        }
        JobsCommand::Pause { id } => tell(&id, "pause").await?,
        JobsCommand::Resume { id } => tell(&id, "resume").await?,
        JobsCommand::Cancel { id } => tell(&id, "cancel").await?,
        JobsCommand::FailedRows { id, file } => save_failed_rows(&api, &id, &file).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_job(job: &Value) -> Result<()> {
    println!("{}", serde_json::to_string(job)?);
    Ok(())
}

/// How jobs ended, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// All rows went in.
    Complete,
    /// Some rows failed, or the job was given up.
    Partial,
    /// The file or the job was at fault.
    Failed,
}

impl Ending {
    /// As the process tells it.
    pub(super) fn code(self) -> ExitCode {
        match self {
            Self::Complete => ExitCode::SUCCESS,
            Self::Partial => ExitCode::from(2),
            Self::Failed => ExitCode::FAILURE,
        }
    }
}

fn text<'a>(job: &'a Value, name: &str) -> &'a str {
    job.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Shows a job's progress until it ends; `None` when the user has seen enough (Ctrl-C). The job
/// does not notice.
pub(super) async fn follow(api: &LocalApi, id: &str) -> Result<Option<Value>> {
    let bar = ProgressBar::new(100);
    let template = "importing {bar:30} {percent}% {msg}";
    bar.set_style(ProgressStyle::with_template(template)?);
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let job = api.get(&format!("/jobs/{id}"), &[]).await?;
        if matches!(text(&job, "status"), "completed" | "failed" | "cancelled") {
            bar.finish_and_clear();
            return Ok(Some(job));
        }
        let number = |name: &str| job.pointer(name).and_then(Value::as_u64);
        bar.set_position(number("/percentage_done").unwrap_or(0));
        bar.set_message(progress(&job));
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = &mut interrupted => {
                bar.finish_and_clear();
                return Ok(None);
            }
        }
    }
}

fn progress(job: &Value) -> String {
    let number = |name: &str| job.pointer(name).and_then(Value::as_u64);
    let mut parts = vec![format!("{} rows", number("/summary/total").unwrap_or(0))];
    parts.extend(number("/rate").map(|rate| format!("{rate}/s")));
    let failed = number("/summary/failed").filter(|failed| *failed > 0);
    parts.extend(failed.map(|failed| format!("{failed} failed")));
    let left = number("/time_left_seconds").map(Duration::from_secs);
    parts.extend(left.map(|left| format!("{} left", HumanDuration(left))));
    if text(job, "status") == "paused" {
        parts.push("paused".into());
    }
    parts.join(", ")
}

/// Prints the summary and the first failed rows.
pub(super) async fn report(api: &LocalApi, id: &str, job: &Value) -> Result<Ending> {
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
    let details = text(job, "status_details");
    Ok(match text(job, "status") {
        "failed" => {
            eprintln!("ferry: the job failed: {details}");
            Ending::Failed
        }
        "cancelled" => {
            eprintln!("ferry: {details}");
            Ending::Partial
        }
        _ if count("failed") > 0 => Ending::Partial,
        _ => Ending::Complete,
    })
}

/// Writes failed rows into a new file that only its owner reads: they hold hashes.
pub(super) async fn save_failed_rows(api: &LocalApi, id: &str, path: &Path) -> Result<()> {
    let answer = api.stream(&format!("/jobs/{id}/failed-rows")).await?;
    let mut options = tokio::fs::OpenOptions::new();
    #[cfg(unix)]
    options.mode(0o600);
    let opened = options.write(true).create_new(true).open(path).await;
    let shown = path.display();
    let Ok(mut file) = opened else {
        bail!("{shown} can't be made: it is there already, or its folder is not");
    };
    let mut lines = answer.bytes_stream();
    while let Some(part) = lines.next().await {
        file.write_all(&part?).await?;
    }
    file.sync_all().await?;
    Ok(())
}
