//! Calls for people who write scripts: what a script said, word for word, beside what it counts as.

use std::sync::Arc;

use serde_json::Value;

use crate::args::{self, Arg};
use crate::outcome::{
    ActionOutcome, Call, Failure, LoginOutcome, LookupOutcome, RawProfile, Reply, address_verified,
    existence_changed, identifier_changed, password_changed, places,
};
use crate::pool::ScriptPool;
use crate::program::{Program, ScriptName};

/// What a script said, and what Ferry makes of it.
#[derive(Debug)]
pub struct Trial {
    /// Word for word.
    pub said: Said,
    /// As a login, a look-up or a change would take it.
    pub outcome: TrialOutcome,
}

/// What a script said.
#[derive(Debug, PartialEq)]
pub enum Said {
    /// It called back with this.
    Value(Value),
    /// It ended in an error.
    Error {
        /// The class.
        name: Option<String>,
        /// The message.
        message: String,
        /// The code.
        code: Option<String>,
        /// Where in the script, innermost first.
        at: Vec<String>,
    },
    /// Nothing that could be read.
    Nothing,
}

/// The outcome, by kind of script.
#[derive(Debug, PartialEq)]
pub enum TrialOutcome {
    /// Of `login`.
    Login(LoginOutcome),
    /// Of `get_user`.
    Lookup(LookupOutcome),
    /// Of the scripts that change something.
    Action(ActionOutcome),
}

impl TrialOutcome {
    /// The outcome in a word, as reports and fixtures have it, and the words behind it.
    pub fn in_words(&self) -> (&'static str, Option<String>) {
        match self {
            Self::Login(LoginOutcome::Found(_)) | Self::Lookup(LookupOutcome::Found(_)) => {
                ("found", None)
            }
            Self::Login(LoginOutcome::WrongPassword { message, .. }) => {
                ("wrong_password", message.clone())
            }
            Self::Login(LoginOutcome::NoSuchUser) => ("no_such_user", None),
            Self::Lookup(LookupOutcome::NotFound) => ("not_found", None),
            Self::Login(LoginOutcome::Refused { message, .. }) => {
                ("refused", Some(message.clone()))
            }
            Self::Action(ActionOutcome::Done) => ("done", None),
            Self::Action(ActionOutcome::NotChanged) => ("not_changed", None),
            Self::Action(ActionOutcome::Refused(refusal)) => {
                ("refused", Some(refusal.message.clone()))
            }
            Self::Login(LoginOutcome::Failed(failure))
            | Self::Lookup(LookupOutcome::Failed(failure))
            | Self::Action(ActionOutcome::Failed(failure)) => ("failed", Some(failure.to_string())),
        }
    }

    /// The profile, when somebody was found.
    pub fn profile(&self) -> Option<&RawProfile> {
        match self {
            Self::Login(LoginOutcome::Found(profile))
            | Self::Lookup(LookupOutcome::Found(profile)) => Some(profile),
            _ => None,
        }
    }
}

impl ScriptName {
    /// The names of a script's parameters before `context` and the callback, in order.
    pub const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Login => &["email", "password"],
            Self::GetUser | Self::Verify => &["email"],
            Self::Create => &["user"],
            Self::ChangePassword => &["email", "new_password"],
            Self::ChangeEmail => &["email", "new_email", "verified"],
            Self::Delete => &["id"],
            Self::ChangeUsername => &["id", "new_username"],
            Self::ChangePhoneNumber => &["id", "new_phone_number", "verified"],
        }
    }
}

impl ScriptPool {
    /// Calls any script with the arguments as they are given, in order.
    pub async fn try_script(
        &self,
        program: &Arc<Program>,
        name: ScriptName,
        arguments: &[Value],
    ) -> Call<Trial> {
        let args: Vec<Arg> = arguments.iter().map(args::json).collect();
        let read = |reply| Trial {
            said: said(&reply),
            outcome: outcome(name, reply),
        };
        self.call(program, name, args, read).await
    }
}

fn said(reply: &Result<Reply, Failure>) -> Said {
    match reply {
        Ok(Reply::Value(text)) => {
            serde_json::from_str(text.get()).map_or(Said::Nothing, Said::Value)
        }
        Ok(Reply::Error(error)) => Said::Error {
            name: error.name.clone(),
            message: error.message.clone(),
            code: error.code.clone(),
            at: error
                .stack
                .as_deref()
                .map_or_else(Vec::new, |stack| places(stack).map(str::to_owned).collect()),
        },
        Ok(Reply::Bad(_)) | Err(_) => Said::Nothing,
    }
}

fn outcome(name: ScriptName, reply: Result<Reply, Failure>) -> TrialOutcome {
    let read = match name {
        ScriptName::Login => return TrialOutcome::Login(reply.into()),
        ScriptName::GetUser => return TrialOutcome::Lookup(reply.into()),
        ScriptName::Create | ScriptName::Delete => existence_changed,
        ScriptName::Verify => address_verified,
        ScriptName::ChangePassword => password_changed,
        ScriptName::ChangeEmail | ScriptName::ChangeUsername | ScriptName::ChangePhoneNumber => {
            identifier_changed
        }
    };
    TrialOutcome::Action(read(reply))
}
