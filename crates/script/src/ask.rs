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
use serde_json::value::RawValue;

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
    pub options: Option<Box<RawValue>>,
}

/// What a question is about. The rest is read by its own shape: a tagged enum could not hold the
/// options as the text they came in.
#[derive(Deserialize)]
struct Topic {
    ask: String,
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

/// Reads a question and answers it.
pub(crate) async fn answer(json: &str, verifier: Option<&Verifier>) -> Answer {
    let topic = serde_json::from_str::<Topic>(json).map(|topic| topic.ask);
    if topic.as_deref().ok() != Some("password.verify") {
        return Answer::Error("the server has no answer to this question".into());
    }
    let Ok(question) = serde_json::from_str(json) else {
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
