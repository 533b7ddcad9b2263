//! What the scripts that change something say. Each has its own explicit word for "done"; its word
//! for "nothing was changed" is an answer too, and everything else is a failure.

use serde_json::{Map, Value};

use super::{Failure, Reply, called_back, thrown, unexpected};

/// What a script that changes something says.
#[derive(Debug, PartialEq)]
pub enum ActionOutcome {
    /// The legacy store was changed.
    Done,
    /// The script said that nothing was changed.
    NotChanged,
    /// The script said `ValidationError` or `UnauthorizedError`: it has a message for the person.
    Refused(ScriptRefusal),
    /// No answer. What became of the legacy store is not known.
    Failed(Failure),
}

/// A script's own refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptRefusal {
    /// The class: `ValidationError` or `UnauthorizedError`.
    pub name: String,
    /// The first argument of a `ValidationError`.
    pub code: Option<String>,
    /// The message.
    pub message: String,
}

/// `create`, `delete`: `callback(null)` says done, and so does a profile or `true` behind it.
pub fn existence_changed(reply: Result<Reply, Failure>) -> ActionOutcome {
    read(reply, "null", |value| match value {
        Value::Null | Value::Object(_) | Value::Bool(true) => Some(true),
        Value::Bool(false) => Some(false),
        _ => None,
    })
}

/// `verify`: `true`, or a profile whose `email_verified` is `true`.
pub fn address_verified(reply: Result<Reply, Failure>) -> ActionOutcome {
    let is_verified =
        |profile: &Map<String, Value>| profile.get("email_verified") == Some(&Value::Bool(true));
    read(reply, "a boolean", |value| said(value, is_verified))
}

/// `change_password`: `true`, or an object that tells `last_password_reset`.
pub fn password_changed(reply: Result<Reply, Failure>) -> ActionOutcome {
    let is_reset = |object: &Map<String, Value>| match object.get("last_password_reset") {
        Some(Value::String(date)) => !date.trim().is_empty(),
        Some(Value::Number(_)) => true,
        _ => false,
    };
    read(reply, "a boolean", |value| said(value, is_reset))
}

/// `change_email`, `change_username`, `change_phone_number`: `true`, and nothing else.
pub fn identifier_changed(reply: Result<Reply, Failure>) -> ActionOutcome {
    read(reply, "a boolean", |value| match value {
        Value::Bool(is_changed) => Some(*is_changed),
        Value::Null => Some(false),
        _ => None,
    })
}

fn said(value: &Value, is_done: impl Fn(&Map<String, Value>) -> bool) -> Option<bool> {
    match value {
        Value::Bool(is_changed) => Some(*is_changed),
        Value::Null => Some(false),
        Value::Object(object) => Some(is_done(object)),
        _ => None,
    }
}

/// `is_done` gives `None` for what a script must not say.
fn read(
    reply: Result<Reply, Failure>,
    wanted: &str,
    is_done: impl Fn(&Value) -> Option<bool>,
) -> ActionOutcome {
    let value = match called_back(reply, "answer") {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => {
            return match error.name.as_deref() {
                Some(name @ ("ValidationError" | "UnauthorizedError")) => {
                    ActionOutcome::Refused(ScriptRefusal {
                        name: name.to_owned(),
                        code: error.code,
                        message: error.message,
                    })
                }
                _ => ActionOutcome::Failed(thrown(&error)),
            };
        }
        Err(failure) => return ActionOutcome::Failed(failure),
    };
    match is_done(&value) {
        Some(true) => ActionOutcome::Done,
        Some(false) => ActionOutcome::NotChanged,
        None => ActionOutcome::Failed(unexpected(&value, wanted)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::outcome::FailureKind;

    type Reader = fn(Result<Reply, Failure>) -> ActionOutcome;

    /// `+` done, `-` not changed, `!` a bad reply.
    fn sign(read: Reader, json: &str) -> char {
        let text = RawValue::from_string(json.to_owned()).unwrap();
        match read(Ok(Reply::Value(text))) {
            ActionOutcome::Done => '+',
            ActionOutcome::NotChanged => '-',
            ActionOutcome::Failed(failure) if failure.kind == FailureKind::BadReply => '!',
            other => panic!("{json} gives {other:?}"),
        }
    }

    #[test]
    fn each_script_has_its_own_word_for_done() {
        let readers: [Reader; 4] = [
            existence_changed,
            address_verified,
            password_changed,
            identifier_changed,
        ];
        for (json, expected) in [
            ("null", "+---"),
            ("true", "++++"),
            ("false", "----"),
            ("{}", "+--!"),
            (r#"{"email_verified":true}"#, "++-!"),
            (r#"{"email_verified":1}"#, "+--!"),
            (
                r#"{"last_password_reset":"2026-01-01T00:00:00.000Z"}"#,
                "+-+!",
            ),
            (r#"{"last_password_reset":1772359200000}"#, "+-+!"),
            (r#"{"last_password_reset":null}"#, "+--!"),
            (r#"{"last_password_reset":" "}"#, "+--!"),
            ("0", "!!!!"),
            ("1", "!!!!"),
            (r#""""#, "!!!!"),
            (r#""true""#, "!!!!"),
            ("[]", "!!!!"),
            ("[true]", "!!!!"),
        ] {
            let signs: String = readers.iter().map(|read| sign(*read, json)).collect();
            assert_eq!(signs, expected, "{json}");
        }
    }
}
