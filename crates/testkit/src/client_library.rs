//! Client libraries of others (`clients/`), unmodified, each in a process of its own language.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::checkout;

/// Runs `clients/NAME` with what it is told, and gives back the steps that it says it has proven, a
/// line each. A script that fails is an error with everything that it printed.
pub async fn run_client(name: &str, told: &Value, certificate: &Path) -> Result<Vec<String>> {
    let folder = checkout::top().join("clients");
    let is_python = Path::new(name).extension().is_some_and(|kind| kind == "py");
    let mut command = if is_python {
        checkout::python()?
    } else {
        if !folder.join("node_modules/openid-client").exists() {
            bail!("{} is not furnished: run tools/setup", folder.display());
        }
        Command::new("node")
    };
    command
        .current_dir(&folder)
        .arg(name)
        .arg(told.to_string())
        // Each language's way to be told of an authority.
        .env("NODE_EXTRA_CA_CERTS", certificate)
        .env("REQUESTS_CA_BUNDLE", certificate)
        .env("SSL_CERT_FILE", certificate)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await?;
    let output = output.with_context(|| format!("cannot run {name}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{name}: {}\n{printed}{complaint}", output.status);
    }
    Ok(printed.lines().map(str::to_owned).collect())
}
