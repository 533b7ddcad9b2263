//! A script is tried: it runs as it would, and nothing is written here whatever it says.
//!
//! A trial runs on workers of its own. It meets no live worker's `global`, and a script that
//! crashes or hangs while it is being written opens no breaker of the logins beside it.

use std::sync::Arc;
use std::time::Duration;

use domain::conflict::{ClaimedKey, Resolution, resolve};
use domain::{Connection, ConnectionId, Json, Profile, UserId};
use script::{LogLine, Said, ScriptName, TrialOutcome};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::{Engine, programs};

/// What is to be tried.
pub struct TrialRequest {
    /// Which script.
    pub script: ScriptName,
    /// Its arguments by their names.
    pub arguments: Json,
    /// A text to run in place of the connection's own, as an editor holds it before saving.
    pub source: Option<String>,
}

/// What came of it.
pub struct TrialReport {
    /// Which script.
    pub script: ScriptName,
    /// What ran it.
    pub runtime: &'static str,
    /// Word for word.
    pub said: Said,
    /// As Ferry takes it.
    pub outcome: TrialOutcome,
    /// The profile, as it would be stored; the words of the fault when it does not fit.
    pub profile: Option<Result<Profile, String>>,
    /// What an arrival with this profile would come to.
    pub prospect: Option<Prospect>,
    /// Console lines.
    pub console: Vec<LogLine>,
    /// Wall time, the queue included.
    pub took: Duration,
}

/// What a login with a profile would do to the store.
#[derive(Debug, PartialEq, Eq)]
pub enum Prospect {
    /// A new user.
    Create,
    /// The user is here already and is brought up to date.
    Update(UserId),
    /// The user is here with a password: the script would not be asked.
    Settled(UserId),
    /// Another user holds one of its keys.
    Refuse {
        /// Which key.
        key: ClaimedKey,
        /// Who holds it.
        held_by: UserId,
    },
}

impl Engine {
    /// Runs a script of a connection, and tells all about it.
    pub async fn try_script(
        &self,
        connection: &ConnectionId,
        request: TrialRequest,
    ) -> Result<TrialReport> {
        let connection = self.connection(connection).await?.connection;
        let arguments = positional(request.script, request.arguments)?;
        let mut scripts = programs::scripts(&connection);
        if let Some(source) = request.source {
            scripts.insert(request.script, source);
        }
        let id = ConnectionId::from(format!("{}/trial", connection.id));
        let program = Arc::new(self.programs.made(&connection, id, scripts)?);
        let call = self
            .scripts
            .try_script(&program, request.script, &arguments)
            .await;
        let mut report = TrialReport {
            script: request.script,
            runtime: self.scripts.runtime(&program).as_str(),
            said: call.outcome.said,
            outcome: call.outcome.outcome,
            profile: None,
            prospect: None,
            console: call.log,
            took: call.took,
        };
        let Some(raw) = report.outcome.profile() else {
            return Ok(report);
        };
        let profile = Profile::normalise(raw.clone(), connection.email_case());
        if let Ok(profile) = &profile {
            report.prospect = Some(self.prospect(&connection, profile).await?);
        }
        report.profile = Some(profile.map_err(|error| error.to_string()));
        Ok(report)
    }

    async fn prospect(&self, connection: &Connection, profile: &Profile) -> Result<Prospect> {
        let claims = self
            .store
            .claims_of(&connection.id, &profile.foreign_id, &profile.attributes)
            .await?;
        let user_id = profile.foreign_id.user_id();
        Ok(
            match resolve(&profile.attributes, &claims, &connection.arrival_policy()) {
                Resolution::Create => Prospect::Create,
                Resolution::Attach(row) => {
                    let is_settled =
                        |claim: &domain::conflict::Claim| claim.row == row && claim.has_password;
                    if claims.iter().any(is_settled) {
                        Prospect::Settled(user_id)
                    } else {
                        Prospect::Update(user_id)
                    }
                }
                Resolution::Refuse(key) => {
                    let holder = claims.iter().find(|claim| claim.key == key);
                    let held_by = holder.map_or(user_id, |claim| claim.foreign_id.user_id());
                    Prospect::Refuse { key, held_by }
                }
            },
        )
    }
}

/// Arguments in the order of the script's parameters. Flags may be left out: they are `false`.
fn positional(script: ScriptName, mut named: Json) -> Result<Vec<Value>> {
    let parameters = script.parameters();
    let invalid = |message: String| Error::Invalid {
        message,
        code: "invalid_body",
    };
    let mut arguments = Vec::with_capacity(parameters.len());
    for name in parameters {
        let value = named.shift_remove(*name);
        let is_fit = match (*name, &value) {
            ("verified", None | Some(Value::Bool(_))) => true,
            ("user", Some(value)) => value.is_object(),
            ("new_username" | "new_phone_number", Some(value)) => {
                value.is_string() || value.is_null()
            }
            (_, Some(value)) => value.is_string(),
            (_, None) => false,
        };
        if !is_fit {
            let wanted = parameters.join(", ");
            let message = format!("The {script} script takes {wanted}; \"{name}\" does not fit.");
            return Err(invalid(message));
        }
        arguments.push(value.unwrap_or(Value::Bool(false)));
    }
    match named.keys().next() {
        None => Ok(arguments),
        Some(name) => Err(invalid(format!(
            "The {script} script has no parameter \"{name}\"; it takes {}.",
            parameters.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(script: ScriptName, named: Value) -> std::result::Result<Vec<Value>, String> {
        let Value::Object(named) = named else {
            panic!("an object is wanted");
        };
        positional(script, named).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_stand_in_the_order_of_the_parameters() {
        let named = json!({"new_email": "b@c.de", "email": "a@c.de"});
        assert_eq!(
            arguments(ScriptName::ChangeEmail, named).unwrap(),
            [json!("a@c.de"), json!("b@c.de"), json!(false)]
        );
        for (script, named) in [
            (ScriptName::Login, json!({"email": "a"})),
            (ScriptName::Login, json!({"email": "a", "password": 1})),
            (ScriptName::GetUser, json!({"email": "a", "other": 1})),
            (ScriptName::Create, json!({"user": "a"})),
        ] {
            assert!(arguments(script, named).is_err());
        }
    }
}
