//! First logins of one identifier take turns: the legacy store is asked once, and who waited finds
//! the user here. A crowd at the door is no stampede on the old database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Connection;
use tokio::sync::OwnedMutexGuard;

use crate::error::{Error, Result};
use crate::protection::account_key;

/// Longer than any script may run: who waited so long meets an outage anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

type Gate = Arc<tokio::sync::Mutex<()>>;

/// The gates at which somebody stands.
#[derive(Default)]
pub(crate) struct Arrivals {
    gates: Mutex<HashMap<String, Gate>>,
}

/// A turn, and whether it was waited for.
pub(crate) struct Turn {
    pub has_waited: bool,
    _guard: OwnedMutexGuard<()>,
}

impl Arrivals {
    /// Takes a turn for an identifier of a connection.
    pub(crate) async fn turn(&self, connection: &Connection, identifier: &str) -> Result<Turn> {
        let name = format!("{}/{}", connection.id, account_key(identifier));
        let gate = self.gate(name);
        if let Ok(guard) = Arc::clone(&gate).try_lock_owned() {
            return Ok(Turn {
                has_waited: false,
                _guard: guard,
            });
        }
        match tokio::time::timeout(LONGEST_WAIT, gate.lock_owned()).await {
            Ok(guard) => Ok(Turn {
                has_waited: true,
                _guard: guard,
            }),
            Err(_) => Err(Error::unavailable(
                "an earlier login of this user has not ended",
            )),
        }
    }

    fn gate(&self, name: String) -> Gate {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        // Gates that nobody stands at any more are taken away while we are here.
        gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        Arc::clone(gates.entry(name).or_default())
    }
}
