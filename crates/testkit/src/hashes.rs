//! Password hashes made on the spot by other people's programs, for tests that verify them.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::checkout;

/// A random password, and what another program made of it.
#[derive(Debug, Deserialize)]
pub struct HashVector {
    /// The format's name, as `docs/hash-formats.md` has it or close to it.
    pub format: String,
    /// Who computed it.
    pub by: String,
    /// The password.
    pub password: String,
    /// Members of an import row: `password_hash` or `custom_password_hash`, and `username` where the
    /// format needs one.
    pub record: Map<String, Value>,
}

/// A few hundred hashes of random passwords, in every format that a program at hand can make. Takes
/// some seconds. The same seed makes the same passwords; without one they are new each time.
///
/// # Errors
/// `tools/setup` has not run, or a program failed; its last words are in the error.
pub fn hash_vectors(seed: Option<&str>) -> Result<Vec<HashVector>> {
    let mut command = checkout::python()?;
    command.arg(checkout::top().join("crates/testkit/hash_vectors.py"));
    command.args(seed);
    let output = command.output().context("hash_vectors.py does not start")?;
    if !output.status.success() {
        bail!(
            "hash_vectors.py: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}
