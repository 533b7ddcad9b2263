//! A real browser: Debian's Chromium, driven by a script of `browser/`. One script for a test.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::checkout;

/// Runs `browser/NAME` with what it is told, to its end; fails with everything that it found.
pub async fn run_in_browser(name: &str, told: &Value) -> Result<String> {
    let folder = checkout::top().join("browser");
    if !folder.join("node_modules/playwright-core").exists() {
        bail!("{} is not furnished: run tools/setup", folder.display());
    }
    let mut command = std::process::Command::new("node");
    command.current_dir(&folder).arg(name).arg(told.to_string());
    // The test's server answers meanwhile.
    tokio::task::spawn_blocking(move || checkout::output_of(&mut command)).await?
}

/// Where pictures of pages go, when somebody wants new ones (`FERRY_SCREENSHOTS=1`).
pub fn pictures_folder() -> Option<std::path::PathBuf> {
    checkout::wants_pictures().then(|| checkout::top().join("docs/screenshots"))
}
