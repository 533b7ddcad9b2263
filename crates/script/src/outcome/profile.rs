//! What `login` and `get_user` say: a profile, the absence of one, a wrong password, a refusal.

use serde_json::{Map, Value};

use super::{Failure, FailureKind, Reply, called_back, thrown, unexpected};

/// A profile as a script gave it: an object with a `user_id`, otherwise unread.
pub type RawProfile = Map<String, Value>;

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
    match called_back(reply, "profile")? {
        Err(error) => Err(thrown(&error)),
        Ok(Value::Null) => Ok(None),
        Ok(Value::Object(profile)) => check_user_id(&profile).map(|()| Some(profile)).map_err(bad),
        Ok(other) => Err(unexpected(&other, "a profile")),
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

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

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
}
