//! What a call comes to. The rule of this module: **nothing but an explicit, well-formed answer is
//! success**, and nothing but the script's own word is a wrong password or a refusal. Whatever goes
//! wrong around a script is a [`Failure`], which must never count against the person concerned.
//!
//! | file | reads the answers of |
//! |---|---|
//! | `profile` | `login`, `get_user` |
//! | `action` | the scripts that change something |

mod action;
mod profile;

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::limits::{LOG_BYTES, RESULT_BYTES};
use crate::wire::ScriptError;

pub use action::{ActionOutcome, ScriptRefusal};
pub(crate) use action::{
    address_verified, existence_changed, identifier_changed, password_changed,
};
pub use profile::{LoginOutcome, LookupOutcome, RawProfile};

/// The outcome of a call, and what was seen on the way.
#[derive(Debug)]
pub struct Call<T> {
    /// What it came to.
    pub outcome: T,
    /// Console lines, at most 64 KiB of them.
    pub log: Vec<LogLine>,
    /// Wall time, queue included.
    pub took: Duration,
}

/// A line that a script wrote to its console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// By which method.
    pub level: LogLevel,
    /// The text.
    pub message: String,
}

/// The console's methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// `console.debug`, `console.trace`.
    Debug,
    /// `console.log`.
    Log,
    /// `console.info`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`.
    Error,
}

impl LogLevel {
    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Log => "log",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    pub(crate) fn parse(name: &str) -> Self {
        match name {
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => Self::Log,
        }
    }
}

/// Collects console lines, up to the cap: the worker caps too, unless a script forges frames.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    lines: Vec<LogLine>,
    bytes: usize,
}

impl Transcript {
    /// Keeps a line and gives it back; `None` when it is too much.
    pub(crate) fn push(&mut self, line: LogLine) -> Option<LogLine> {
        // The runner's own last line, "[log truncated]", still fits behind a full 64 KiB.
        self.bytes += line.message.len() + 16;
        (self.bytes <= LOG_BYTES + 64).then(|| {
            self.lines.push(line.clone());
            line
        })
    }

    pub(crate) fn into_lines(self) -> Vec<LogLine> {
        self.lines
    }
}

/// Why there is no answer. Never the person's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// Private detail, for the tenant log.
    pub message: String,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The deadline passed.
    Timeout,
    /// The worker ended, or spoke out of turn.
    Crashed,
    /// The script could not be read.
    Load,
    /// The connection has no such script.
    Missing,
    /// The script threw, or called back with an error.
    Thrown,
    /// The script called back with something that is no profile.
    BadReply,
    /// Too many calls wait already.
    QueueFull,
    /// The breaker is open: the store was down a moment ago.
    CircuitOpen,
    /// There is no worker to be had.
    Unavailable,
}

impl FailureKind {
    /// A word for logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Crashed => "crashed",
            Self::Load => "load",
            Self::Missing => "missing",
            Self::Thrown => "thrown",
            Self::BadReply => "bad_reply",
            Self::QueueFull => "queue_full",
            Self::CircuitOpen => "circuit_open",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}

/// What a worker answered to a call.
#[derive(Debug)]
pub(crate) enum Reply {
    /// `callback(null, value)`.
    Value(Box<RawValue>),
    /// The script ended in an error, of whatever kind.
    Error(ScriptError),
    /// There was a value, and it could not be sent.
    Bad(String),
}

/// The value that a script called back with; `null` when it gave none.
fn called_back(
    reply: Result<Reply, Failure>,
    what: &str,
) -> Result<Result<Value, ScriptError>, Failure> {
    let bad = |message: String| Failure::new(FailureKind::BadReply, message);
    let text = match reply? {
        Reply::Value(text) => text,
        Reply::Error(error) => return Ok(Err(error)),
        Reply::Bad(reason) => return Err(bad(format!("the {what} cannot be sent: {reason}"))),
    };
    if text.get().len() > RESULT_BYTES {
        return Err(bad(format!(
            "the {what} is larger than {RESULT_BYTES} bytes"
        )));
    }
    serde_json::from_str(text.get())
        .map(Ok)
        .map_err(|error| bad(format!("the {what} cannot be read: {error}")))
}

/// A value that a script must not call back with.
fn unexpected(value: &Value, wanted: &str) -> Failure {
    let found = match value {
        Value::Null => "nothing",
        Value::Object(_) => "an object",
        Value::Array(_) => "an array",
        Value::String(_) => "a string",
        Value::Number(_) => "a number",
        Value::Bool(_) => "a boolean",
    };
    let message = format!("the script called back with {found}, not {wanted}");
    Failure::new(FailureKind::BadReply, message)
}

/// The words of a thrown error, and where in the script it came from.
fn thrown(error: &ScriptError) -> Failure {
    Failure::new(FailureKind::Thrown, sentence(error))
}

/// An error in one line: `TypeError: no such column (42703) at login.js:3:7`.
pub(crate) fn sentence(error: &ScriptError) -> String {
    let mut text = String::new();
    if let Some(name) = error.name.as_deref().filter(|name| !name.is_empty()) {
        text.push_str(name);
        text.push_str(": ");
    }
    text.push_str(&error.message);
    if let Some(code) = &error.code {
        text.push_str(" (");
        text.push_str(code);
        text.push(')');
    }
    if let Some(place) = error
        .stack
        .as_deref()
        .and_then(|stack| places(stack).next())
    {
        text.push_str(" at ");
        text.push_str(place);
    }
    text
}

/// The places in a stack that are in a script, innermost first: scripts are named `login.js`,
/// without a folder, and what is around them is nobody's business.
pub(crate) fn places(stack: &str) -> impl Iterator<Item = &str> {
    stack.lines().filter_map(|line| {
        let last = line.trim().rsplit(['(', ' ']).next()?.trim_end_matches(')');
        let is_script = last.contains(".js:") && !last.contains('/') && !last.contains("node:");
        is_script.then_some(last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_place_in_the_script() {
        let error = ScriptError {
            name: Some("TypeError".into()),
            message: "no".into(),
            code: Some("E1".into()),
            stack: Some(
                "TypeError: no\n    at f (/x/node_modules/a.js:1:2)\n    at login (login.js:3:7)"
                    .into(),
            ),
            user: None,
        };
        assert_eq!(sentence(&error), "TypeError: no (E1) at login.js:3:7");
    }
}
