//! What a script may ask the server while it runs: whether a password is the one behind a hash.
//!
//! `require('ferry/password')` puts the question into a frame; the host answers it with its own
//! verifier, on its own bounded threads, one question of a call at a time. So both runtimes know
//! every format that the server knows, and no script holds hash code.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::Password;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Verifies for scripts. The error is for the script's author to read.
pub type Verdict<'a> = Pin<Box<dyn Future<Output = Result<bool, String>> + Send + 'a>>;

/// Whoever can verify a password against a text of some other system.
pub trait ForeignVerifier: Send + Sync {
    /// Whether the password is the one that was hashed; an error when the text cannot be read.
    fn verify(&self, question: PasswordQuestion) -> Verdict<'_>;
}

/// Shared by a pool's workers.
pub type Verifier = Arc<dyn ForeignVerifier>;

/// `verify(password, storedHash, options)` of a script.
#[derive(Deserialize)]
pub struct PasswordQuestion {
    /// What was typed.
    pub password: Password,
    /// The hash as the legacy store holds it.
    pub hash: String,
    /// `salt`, `pepper`, `algorithm` … for texts that do not say it themselves.
    #[serde(default)]
    pub options: Map<String, Value>,
}

/// A question of a script, as it comes in a frame.
#[derive(Deserialize)]
#[serde(tag = "ask")]
pub(crate) enum Question {
    /// Is this the password?
    #[serde(rename = "password.verify")]
    VerifyPassword(PasswordQuestion),
}

/// The answer, as it goes back.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Yes or no.
    Value(bool),
    /// Why there is none.
    Error(String),
}

impl Question {
    /// Reads a question and answers it.
    pub(crate) async fn answer(json: &str, verifier: Option<&Verifier>) -> Answer {
        let Ok(Self::VerifyPassword(question)) = serde_json::from_str(json) else {
            return Answer::Error("verify takes a password and a hash, both texts".into());
        };
        let Some(verifier) = verifier else {
            return Answer::Error("this server verifies no passwords for scripts".into());
        };
        match verifier.verify(question).await {
            Ok(value) => Answer::Value(value),
            Err(reason) => Answer::Error(reason),
        }
    }
}
