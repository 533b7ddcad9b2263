//! The action scripts of each connection, made ready once per version of the connection.
//!
//! Where scripts may connect and what runs them are options of the connection that Auth0 does not
//! have: `options.ferry.egress`, a list of `host:port`, and `options.ferry.runtime`.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Connection, ConnectionId};
use script::{Egress, Program, Rule, RuntimeName, ScriptName};
use serde_json::Value;

use crate::error::{Error, Result};

/// Programs by connection.
pub(crate) struct Programs {
    ready: Mutex<HashMap<ConnectionId, (i64, Arc<Program>)>>,
    /// Where the server keeps its own users: no script reaches it unless a rule names it.
    own_database: Vec<SocketAddr>,
}

impl Programs {
    pub(crate) fn new(own_database: Vec<SocketAddr>) -> Self {
        let ready = Mutex::default();
        Self {
            ready,
            own_database,
        }
    }

    /// The program of a connection as it is now.
    pub(crate) fn of(&self, connection: &Connection) -> Result<Arc<Program>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        match ready.get(&connection.id) {
            Some((version, program)) if *version == connection.version => Ok(Arc::clone(program)),
            _ => {
                let program = self.made(connection, connection.id.clone(), scripts(connection));
                // What is stored was checked when it was written.
                let program = Arc::new(program.map_err(Error::internal)?);
                ready.insert(
                    connection.id.clone(),
                    (connection.version, Arc::clone(&program)),
                );
                Ok(program)
            }
        }
    }

    /// A program with the settings of a connection.
    pub(crate) fn made(
        &self,
        connection: &Connection,
        id: ConnectionId,
        scripts: BTreeMap<ScriptName, String>,
    ) -> Result<Program> {
        let configuration = connection.configuration.clone();
        let made = Program::new(id, scripts, configuration, connection.has_script_context());
        let mut program = made.map_err(|error| Error::invalid(error.to_string()))?;
        let (egress, runtime) = read_ferry(connection.options.get("ferry"))?;
        program.runtime = runtime;
        program.egress = Egress {
            allow: egress,
            own_database: self.own_database.clone(),
        };
        Ok(program)
    }
}

/// The scripts of a connection whose keys are documented.
pub(crate) fn scripts(connection: &Connection) -> BTreeMap<ScriptName, String> {
    let scripts = connection.scripts();
    scripts
        .filter_map(|(name, text)| Some((ScriptName::parse(name)?, text.to_owned())))
        .collect()
}

/// Reads `options.ferry`. Refuses what it does not know: a misspelt rule would open everything.
pub(crate) fn read_ferry(options: Option<&Value>) -> Result<(Vec<Rule>, Option<RuntimeName>)> {
    let (mut egress, mut runtime) = (Vec::new(), None);
    let members = match options {
        None | Some(Value::Null) => return Ok((egress, runtime)),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(Error::invalid("options.ferry must be an object")),
    };
    for (name, value) in members {
        match (name.as_str(), value) {
            ("egress", Value::Array(rules)) => {
                let read = |rule: &Value| rule.as_str().unwrap_or_default().parse::<Rule>();
                let rules = rules.iter().map(read).collect::<Result<Vec<_>, _>>();
                egress = rules
                    .map_err(|error| Error::invalid(format!("options.ferry.egress: {error}")))?;
            }
            ("runtime", Value::String(word)) => {
                let read = word.parse();
                let named = |error| Error::invalid(format!("options.ferry.runtime: {error}"));
                runtime = Some(read.map_err(named)?);
            }
            ("conflict_policy", policy) => {
                domain::conflict::Policy::from_json(policy).map_err(|error| {
                    Error::invalid(error.under("options.ferry.conflict_policy"))
                })?;
            }
            // Judged by `recipes`.
            ("password_recipe" | "password_pepper", Value::String(_)) => {}
            _ => {
                let message = "options.ferry takes egress, a list of host:port, runtime, embedded \
                               or node, conflict_policy, and the texts password_recipe and \
                               password_pepper";
                return Err(Error::invalid(message));
            }
        }
    }
    Ok((egress, runtime))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_understood_is_refused() {
        let (rules, runtime) = read_ferry(Some(
            &json!({"egress": ["db.example:5432"], "runtime": "node"}),
        ))
        .unwrap();
        assert_eq!(rules, ["db.example:5432".parse().unwrap()]);
        assert_eq!(runtime, Some(RuntimeName::Node));
        assert_eq!(read_ferry(None).unwrap(), (Vec::new(), None));
        for wrong in [
            json!("db:1"),
            json!({"egres": ["db:1"]}),
            json!({"egress": "db:1"}),
            json!({"egress": ["db"]}),
            json!({"egress": [5]}),
            json!({"runtime": "deno"}),
        ] {
            assert!(read_ferry(Some(&wrong)).is_err(), "{wrong}");
        }
    }
}
