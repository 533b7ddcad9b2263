//! What a call comes to. The rule of this module: **nothing but an explicit, well-formed profile
//! is success**, and nothing but the script's own word is a wrong password. Whatever goes wrong
//! around a script is a [`Failure`], which must never count against the person who logs in.

use std::fmt;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::limits::{LOG_BYTES, RESULT_BYTES};
use crate::wire::ScriptError;

/// A profile as a script gave it: an object with a `user_id`, otherwise unread.
pub type RawProfile = Map<String, Value>;

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

/// What a `login` script says.
#[derive(Debug, PartialEq)]
pub enum LoginOutcome {
    /// The password is right.
    Found(RawProfile),
    /// The script said `WrongUsernameOrPasswordError`.
    WrongPassword {
        /// Its first argument: whose password.
        user: Option<String>,
        /// Its second argument.
        message: Option<String>,
    },
    /// The script called back without a profile.
    NoSuchUser,
    /// The script said `UnauthorizedError` or `ValidationError`: it has a message for the person.
    Refused {
        /// The class.
        name: String,
        /// The first argument of a `ValidationError`.
        code: Option<String>,
        /// The message.
        message: String,
    },
    /// No answer.
    Failed(Failure),
}

/// What a `get_user` script says.
#[derive(Debug, PartialEq)]
pub enum LookupOutcome {
    /// There is one.
    Found(RawProfile),
    /// The script called back without a profile.
    NotFound,
    /// No answer.
    Failed(Failure),
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

impl From<Result<Reply, Failure>> for LoginOutcome {
    fn from(reply: Result<Reply, Failure>) -> Self {
        let error = match reply {
            Ok(Reply::Error(error)) => error,
            other => {
                return match profile(other) {
                    Ok(Some(profile)) => Self::Found(profile),
                    Ok(None) => Self::NoSuchUser,
                    Err(failure) => Self::Failed(failure),
                };
            }
        };
        match error.name.as_deref() {
            Some("WrongUsernameOrPasswordError") => Self::WrongPassword {
                user: error.user.filter(|user| !user.is_empty()),
                message: Some(error.message).filter(|message| !message.is_empty()),
            },
            Some(name @ ("UnauthorizedError" | "ValidationError")) => Self::Refused {
                name: name.to_owned(),
                code: error.code,
                message: error.message,
            },
            _ => Self::Failed(thrown(&error)),
        }
    }
}

impl From<Result<Reply, Failure>> for LookupOutcome {
    fn from(reply: Result<Reply, Failure>) -> Self {
        match profile(reply) {
            Ok(Some(profile)) => Self::Found(profile),
            Ok(None) => Self::NotFound,
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// The profile of a reply, `None` for an explicit `null`.
fn profile(reply: Result<Reply, Failure>) -> Result<Option<RawProfile>, Failure> {
    let bad = |message: String| Failure::new(FailureKind::BadReply, message);
    let text = match reply? {
        Reply::Value(text) => text,
        Reply::Error(error) => return Err(thrown(&error)),
        Reply::Bad(reason) => return Err(bad(format!("the profile cannot be sent: {reason}"))),
    };
    if text.get().len() > RESULT_BYTES {
        return Err(bad(format!(
            "the profile is larger than {RESULT_BYTES} bytes"
        )));
    }
    let value: Value = serde_json::from_str(text.get())
        .map_err(|error| bad(format!("the profile cannot be read: {error}")))?;
    let called_back_with =
        |what: &str| bad(format!("the script called back with {what}, not a profile"));
    match value {
        Value::Null => Ok(None),
        Value::Object(profile) => check_user_id(&profile).map(|()| Some(profile)).map_err(bad),
        Value::Array(_) => Err(called_back_with("an array")),
        Value::String(_) => Err(called_back_with("a string")),
        Value::Number(_) => Err(called_back_with("a number")),
        Value::Bool(_) => Err(called_back_with("a boolean")),
    }
}

fn check_user_id(profile: &RawProfile) -> Result<(), String> {
    let problem = match profile.get("user_id") {
        Some(Value::Number(_)) => return Ok(()),
        Some(Value::String(id)) if !id.trim().is_empty() => return Ok(()),
        Some(Value::String(_)) => "is empty",
        None | Some(Value::Null) => "is missing",
        Some(_) => "is neither a string nor a number",
    };
    Err(format!("the profile's user_id {problem}"))
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
    if let Some(place) = error.stack.as_deref().and_then(place) {
        text.push_str(" at ");
        text.push_str(place);
    }
    text
}

/// The first place in a stack that is in a script: they are named `login.js`, without a folder.
fn place(stack: &str) -> Option<&str> {
    stack.lines().find_map(|line| {
        let line = line.trim();
        let last = line.rsplit(['(', ' ']).next()?.trim_end_matches(')');
        let is_script = last.contains(".js:") && !last.contains('/') && !last.contains("node:");
        is_script.then_some(last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Reply {
        Reply::Value(RawValue::from_string(json.to_owned()).unwrap())
    }

    fn bad_reply(json: &str) -> String {
        match LoginOutcome::from(Ok(value(json))) {
            LoginOutcome::Failed(failure) if failure.kind == FailureKind::BadReply => {
                failure.message
            }
            other => panic!("{json} gives {other:?}"),
        }
    }

    #[test]
    fn only_an_object_with_a_user_id_is_a_profile() {
        for (json, words) in [
            ("[]", "an array"),
            ("\"x\"", "a string"),
            ("7", "a number"),
            ("true", "a boolean"),
            ("{}", "user_id is missing"),
            (r#"{"user_id":null}"#, "user_id is missing"),
            (r#"{"user_id":""}"#, "user_id is empty"),
            (r#"{"user_id":"  "}"#, "user_id is empty"),
            (r#"{"user_id":{}}"#, "neither a string nor a number"),
            (r#"{"user_id":true}"#, "neither a string nor a number"),
        ] {
            assert!(
                bad_reply(json).contains(words),
                "{json}: {}",
                bad_reply(json)
            );
        }
        assert!(matches!(
            LoginOutcome::from(Ok(value(r#"{"user_id":0}"#))),
            LoginOutcome::Found(_)
        ));
        assert_eq!(
            LoginOutcome::from(Ok(value("null"))),
            LoginOutcome::NoSuchUser
        );
        assert_eq!(
            LookupOutcome::from(Ok(value("null"))),
            LookupOutcome::NotFound
        );
    }

    #[test]
    fn a_profile_nested_beyond_reason_is_refused() {
        let deep = format!(
            r#"{{"user_id":1,"x":{}{}}}"#,
            "[".repeat(1000),
            "]".repeat(1000)
        );
        assert!(bad_reply(&deep).contains("recursion"));
    }

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
