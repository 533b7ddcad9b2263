//! The action scripts of each connection, made ready once per version of the connection.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Connection, ConnectionId};
use script::{Program, ScriptName};

use crate::error::{Error, Result};

/// Programs by connection.
#[derive(Default)]
pub(crate) struct Programs {
    ready: Mutex<HashMap<ConnectionId, (i64, Arc<Program>)>>,
}

impl Programs {
    /// The program of a connection as it is now.
    pub(crate) fn of(&self, connection: &Connection) -> Result<Arc<Program>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        match ready.get(&connection.id) {
            Some((version, program)) if *version == connection.version => Ok(Arc::clone(program)),
            _ => {
                let program = Arc::new(program(connection)?);
                ready.insert(
                    connection.id.clone(),
                    (connection.version, Arc::clone(&program)),
                );
                Ok(program)
            }
        }
    }
}

fn program(connection: &Connection) -> Result<Program> {
    let scripts: BTreeMap<ScriptName, String> = connection
        .scripts()
        .filter_map(|(name, text)| Some((ScriptName::parse(name)?, text.to_owned())))
        .collect();
    Program::new(
        connection.id.clone(),
        scripts,
        connection.configuration.clone(),
        connection.has_script_context(),
    )
    .map_err(Error::internal)
}
