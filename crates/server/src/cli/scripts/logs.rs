//! `ferry scripts logs`: what the scripts of a connection write, live or from the tenant log.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::cli::local_api::LocalApi;
use crate::config::Config;

pub(super) async fn run(config: &Config, connection: &str, follow: bool) -> Result<ExitCode> {
    let api = LocalApi::connect(config).await?;
    let id = api.connection_id(connection).await?;
    if follow {
        live(&api, &id).await?;
    } else {
        so_far(&api, connection).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints events until the server ends or the reader does.
async fn live(api: &LocalApi, id: &str) -> Result<()> {
    let mut answer = api
        .stream(&format!("/connections/{id}/scripts/logs"))
        .await?;
    let mut unread = String::new();
    while let Some(chunk) = answer.chunk().await? {
        unread.push_str(&String::from_utf8_lossy(&chunk));
        // An event ends with an empty line (the HTML standard, server-sent events).
        while let Some((event, rest)) = unread.split_once("\n\n") {
            if let Some(line) = shown(event) {
                println!("{line}");
            }
            unread = rest.to_owned();
        }
    }
    Ok(())
}

fn shown(event: &str) -> Option<String> {
    let field = |name: &str| {
        let value = |line: &str| {
            Some(
                line.strip_prefix(name)?
                    .strip_prefix(':')?
                    .trim()
                    .to_owned(),
            )
        };
        event.lines().find_map(value)
    };
    let (kind, data) = (field("event")?, field("data").unwrap_or_default());
    let data: Value = serde_json::from_str(&data).unwrap_or(Value::String(data));
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    Some(match kind.as_str() {
        "line" => format!(
            "{:<15} {:<5} {}",
            text("script"),
            text("level"),
            text("text")
        ),
        "ended" => format!(
            "{:<15} {} after {} ms {}",
            text("script"),
            text("how"),
            data.get("took_ms").and_then(Value::as_u64).unwrap_or(0),
            text("detail"),
        ),
        other => format!("{other} {data}"),
    })
}

/// The console lines that the tenant log keeps, oldest first.
async fn so_far(api: &LocalApi, connection: &str) -> Result<()> {
    let query = [("per_page", "100"), ("sort", "date:-1")];
    let events = api.get("/logs", &query).await?;
    let events = events.as_array().context("the answer is no list")?;
    let is_ours = |event: &&Value| {
        event.get("type").and_then(Value::as_str) == Some("ferry_script")
            && event.get("connection").and_then(Value::as_str) == Some(connection)
    };
    for event in events.iter().rev().filter(is_ours) {
        let date = event
            .get("date")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let details = event.get("details");
        let script = details
            .and_then(|details| details.get("script"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let lines = details
            .and_then(|details| details.get("lines"))
            .and_then(Value::as_array);
        for line in lines.into_iter().flatten() {
            let member = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
            println!(
                "{date} {script:<15} {:<5} {}",
                member("level"),
                member("text")
            );
        }
    }
    Ok(())
}
