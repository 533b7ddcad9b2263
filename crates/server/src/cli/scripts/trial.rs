//! `ferry scripts try`.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Map, Value};

use crate::cli::local_api::LocalApi;
use crate::config::Config;

#[derive(Args)]
pub(in crate::cli) struct TryArguments {
    /// The connection's name.
    connection: String,
    /// The script's key: login, `get_user`, create, verify, `change_password` …
    script: String,
    /// The address or username that the script is asked about.
    #[arg(long)]
    email: Option<String>,
    /// Reads the password (of `change_password`: the new one) from standard input, up to its end
    /// or its first line's.
    #[arg(long)]
    password_stdin: bool,
    /// Any other argument of the script, as name=value; a value that is JSON is taken as JSON.
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    more: Vec<String>,
    /// Runs this file in place of the connection's own script.
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, arguments: TryArguments) -> Result<ExitCode> {
    let body = body(&arguments)?;
    let api = LocalApi::connect(config).await?;
    let id = api.connection_id(&arguments.connection).await?;
    let path = format!("/connections/{id}/scripts/{}/try", arguments.script);
    let report = api.post(&path, &Value::Object(body)).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report)?;
    }
    let is_well = report.get("outcome").and_then(Value::as_str) != Some("failed");
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn body(arguments: &TryArguments) -> Result<Map<String, Value>> {
    let mut body = Map::new();
    if let Some(email) = &arguments.email {
        body.insert("email".into(), email.as_str().into());
    }
    if arguments.password_stdin {
        let name = if arguments.script == "change_password" {
            "new_password"
        } else {
            "password"
        };
        body.insert(name.into(), read_password()?.into());
    }
    for pair in &arguments.more {
        let (name, value) = pair
            .split_once('=')
            .with_context(|| format!("--arg takes NAME=VALUE, not {pair}"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        body.insert(name.into(), value);
    }
    if let Some(file) = &arguments.source {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{} can't be read", file.display()))?;
        body.insert("source".into(), text.into());
    }
    Ok(body)
}

/// A password never stands on a command line, where other users of the machine can read it.
fn read_password() -> Result<String> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        bail!("--password-stdin wants a pipe: printf %s \"$PASSWORD\" | ferry scripts try …");
    }
    let mut text = String::new();
    input.read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn print(report: &Value) -> Result<()> {
    let text = |name: &str| report.get(name).and_then(Value::as_str);
    let took = report.get("took_ms").and_then(Value::as_u64).unwrap_or(0);
    println!(
        "{} on {}: {} ({took} ms)",
        text("script").unwrap_or_default(),
        text("runtime").unwrap_or_default(),
        text("outcome").unwrap_or_default(),
    );
    if let Some(words) = text("detail") {
        println!("reason: {words}");
    }
    let sections = [
        ("value", "the script said"),
        ("error", "the script's error"),
        ("profile", "as it would be stored"),
        ("would", "a login would"),
    ];
    for (name, title) in sections {
        if let Some(value) = report.get(name) {
            println!("{title}: {}", serde_json::to_string_pretty(value)?);
        }
    }
    let console = report.get("console").and_then(Value::as_array);
    for line in console.into_iter().flatten() {
        let member = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        println!("console.{}: {}", member("level"), member("text"));
    }
    Ok(())
}
