//! A file on its way to the server in parts. What a broken connection or a restarted server left
//! behind is asked for, and the upload goes on there: a part is kept in memory until it is counted,
//! so that the standard input can be sent like any file.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::local_api::{LocalApi, checked};

/// Bytes of a part.
const PART: usize = 8 << 20;
/// Attempts at one part that bring nothing forward, and the longest wait between two.
const ATTEMPTS: u32 = 30;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Sends a file, or the standard input for `-`; returns the upload's id.
pub(super) async fn send(api: &LocalApi, file: &Path) -> Result<String> {
    let (mut input, size) = open(file).await?;
    let mut request = api.request(Method::POST, "/jobs/uploads");
    if let Some(size) = size {
        request = request.header("upload-length", size);
    }
    let upload = checked(request.send().await?).await?;
    let id = upload.get("id").and_then(Value::as_str);
    let id = id.context("the answer names no upload")?.to_owned();
    let bar = progress_bar(size)?;
    let mut begin = 0;
    loop {
        let mut part = Vec::with_capacity(PART);
        let mut limited = (&mut input).take(PART as u64);
        limited.read_to_end(&mut part).await?;
        if part.is_empty() {
            break;
        }
        let part = Bytes::from(part);
        begin = send_part(api, &id, begin, &part, &bar).await?;
    }
    bar.finish_and_clear();
    Ok(id)
}

type Input = Pin<Box<dyn AsyncRead + Send>>;

async fn open(file: &Path) -> Result<(Input, Option<u64>)> {
    if file == Path::new("-") {
        return Ok((Box::pin(standard_input()?), None));
    }
    let shown = file.display();
    let opened = tokio::fs::File::open(file).await;
    let opened = opened.with_context(|| format!("{shown} can't be read"))?;
    let found = opened.metadata().await?;
    // A pipe has no size to tell.
    let size = found.is_file().then_some(found.len());
    Ok((Box::pin(opened), size))
}

#[cfg(unix)]
fn standard_input() -> Result<tokio::fs::File> {
    use std::os::fd::AsFd as _;
    let input = std::io::stdin().as_fd().try_clone_to_owned()?;
    Ok(tokio::fs::File::from_std(input.into()))
}

#[cfg(not(unix))]
fn standard_input() -> Result<tokio::fs::File> {
    bail!("the standard input can't be read on this system; name a file")
}

/// Sends one part that begins at a byte of the file; returns where it ends.
async fn send_part(
    api: &LocalApi,
    id: &str,
    begin: u64,
    part: &Bytes,
    bar: &ProgressBar,
) -> Result<u64> {
    let end = begin + part.len() as u64;
    let mut received = begin;
    let mut attempts = 0;
    let mut wait = Duration::from_millis(100);
    while received < end {
        let sent = usize::try_from(received - begin)?;
        let rest = part.slice(sent..);
        let problem = match append(api, id, received, rest).await {
            Ok(offset) => {
                received = offset;
                attempts = 0;
                bar.set_position(received);
                continue;
            }
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Passing(error)) => error,
        };
        attempts += 1;
        if attempts >= ATTEMPTS {
            return Err(problem.context("the upload was broken off too often"));
        }
        bar.set_message("waits for the server");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
        if let Ok(offset) = ask(api, id).await {
            bar.set_message("");
            if !(begin..=end).contains(&offset) {
                bail!(
                    "the server has {offset} bytes of the upload, which can't be: it stood at {received}"
                );
            }
            received = offset;
        }
    }
    Ok(end)
}

enum Failure {
    /// Trying again may help.
    Passing(anyhow::Error),
    Final(anyhow::Error),
}

async fn append(api: &LocalApi, id: &str, offset: u64, rest: Bytes) -> Result<u64, Failure> {
    let request = api
        .request(Method::PATCH, &format!("/jobs/uploads/{id}"))
        .header("upload-offset", offset)
        .body(rest);
    let answer = request
        .send()
        .await
        .map_err(|error| Failure::Passing(error.into()))?;
    let status = answer.status();
    let is_passing = status.is_server_error()
        || matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS);
    let is_whole = status.is_success();
    let body = checked(answer).await.map_err(|error| {
        if is_passing || is_whole {
            Failure::Passing(error)
        } else {
            Failure::Final(error)
        }
    })?;
    received(&body).map_err(Failure::Final)
}

async fn ask(api: &LocalApi, id: &str) -> Result<u64> {
    received(&api.get(&format!("/jobs/uploads/{id}"), &[]).await?)
}

fn received(body: &Value) -> Result<u64> {
    let received = body.get("received").and_then(Value::as_u64);
    received.context("the answer does not say how far the upload came")
}

fn progress_bar(size: Option<u64>) -> Result<ProgressBar> {
    let (bar, template) = match size {
        Some(size) => (
            ProgressBar::new(size),
            "uploading {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "uploading {spinner} {bytes} {bytes_per_sec} {msg}",
        ),
    };
    bar.set_style(ProgressStyle::with_template(template)?);
    Ok(bar)
}
