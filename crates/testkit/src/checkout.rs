//! Where things are in the checkout that this crate was built in, and what its environment says.
//!
//! The one file of the test kit that reads the environment.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

/// The checkout's top folder.
pub(crate) fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// A script of `tools/`.
pub(crate) fn tool(name: &str) -> Command {
    Command::new(top().join("tools").join(name))
}

/// The Python that `tools/setup` furnished.
pub(crate) fn python() -> Result<Command> {
    let python = top().join(".local/venv/bin/python");
    if !python.exists() {
        bail!("{} is missing: run tools/setup", python.display());
    }
    Ok(Command::new(python))
}

/// The superuser's URL of the cluster that serves the whole test run, when there is one.
pub(crate) fn postgres_url() -> Option<String> {
    variable("FERRY_TEST_POSTGRES").and_then(|url| url.into_string().ok())
}

/// Whether browser tests are to take new pictures of pages.
pub(crate) fn wants_pictures() -> bool {
    variable("FERRY_SCREENSHOTS").is_some()
}

/// Where programs are found; children need it and get nothing else of our environment.
pub(crate) fn path() -> OsString {
    variable("PATH").unwrap_or_default()
}

#[expect(
    clippy::disallowed_methods,
    reason = "how a test run is set up is not Ferry's configuration"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// A port of 127.0.0.1 that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}

/// Runs a command to its end and gives back what it printed, or says what went wrong.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("{program}: {status}\n{}", String::from_utf8_lossy(&stderr));
    }
    Ok(String::from_utf8(stdout)?.trim_end().to_owned())
}
