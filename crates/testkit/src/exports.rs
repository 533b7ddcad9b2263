//! Exports of products that cannot run here: composed by `stores/exports.py`, with hashes that
//! Python's hashlib makes of random passwords.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::checkout;

/// Somebody of a composed export.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Exported {
    /// Whom to sign in.
    pub email: String,
    /// What to type.
    pub password: String,
}

/// A composed export.
#[derive(Deserialize)]
#[non_exhaustive]
pub struct Export {
    /// Who is in it.
    pub people: Vec<Exported>,
    /// The file's text.
    pub export: String,
}

impl Export {
    /// Composes the export of `keycloak`, `aspnet`, `kratos` or `clerk`; another one at every call.
    pub fn compose(product: &str) -> Result<Self> {
        let mut python = checkout::python()?;
        let script = checkout::top().join("crates/testkit/stores/exports.py");
        let printed = checkout::output_of(python.arg(script).arg(product))?;
        serde_json::from_str(&printed).context("what exports.py printed")
    }
}
