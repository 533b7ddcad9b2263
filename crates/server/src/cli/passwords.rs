//! Passwords for commands: from the environment, from standard input, or typed unseen. Never from
//! the arguments, which every process of the machine can read.

use std::io::BufRead as _;

use anyhow::{Context as _, Result, bail};
use domain::Password;

/// The variable that may hold it.
const VARIABLE: &str = "TEST_PASSWORD";

/// Reads one password.
#[expect(
    clippy::disallowed_methods,
    reason = "a secret for one command, not a setting"
)]
pub(super) fn read(from_stdin: bool, prompt: &str) -> Result<Password> {
    if from_stdin {
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            bail!("standard input holds no password");
        }
        return Ok(Password::from(line.trim_end_matches(['\n', '\r'])));
    }
    if let Ok(text) = std::env::var(VARIABLE) {
        return Ok(Password::from(text));
    }
    let text = rpassword::prompt_password(prompt)
        .with_context(|| format!("no terminal: use --password-stdin or {VARIABLE}"))?;
    Ok(Password::from(text))
}
