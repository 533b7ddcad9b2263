//! What the breakers of the scripts do, kept in the tenant log: when a legacy store went away and
//! when it came back is what an operator looks for first.

use std::sync::Arc;

use domain::EventKind;
use script::{Happening, ScriptEvent};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::{Context, Engine};

impl Engine {
    /// Writes down each turn of a breaker, until told to stop.
    pub async fn run_circuit_log(self: Arc<Self>, stop: CancellationToken) {
        let mut news = self.scripts.watch();
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => return,
                event = news.recv() => event,
            };
            match event {
                Ok(event) => {
                    if let Err(error) = self.log_circuit(&event).await {
                        tracing::warn!(%error, "a turn of a breaker could not be logged");
                    }
                }
                Err(RecvError::Lagged(count)) => {
                    tracing::warn!(count, "turns of breakers may be missing in the tenant log");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn log_circuit(&self, event: &ScriptEvent) -> Result<()> {
        let (description, details) = match event.what {
            Happening::CircuitOpened { reason, pause } => (
                format!("Scripts are not called for now: {reason}"),
                serde_json::json!({"state": "open", "pause_ms": pause.as_millis()}),
            ),
            Happening::CircuitClosed => (
                "Scripts are called again: the legacy store answers".to_owned(),
                serde_json::json!({"state": "closed"}),
            ),
            _ => return Ok(()),
        };
        // Trials have breakers of their own, which nobody has to hear of.
        let Some(connection) = self.store.find_connection(&event.connection).await? else {
            return Ok(());
        };
        let mut entry = self.event(&Context::default(), EventKind::Circuit);
        entry.connection = Some((connection.id, connection.name));
        entry.description = Some(description);
        entry.details.insert("circuit".into(), details);
        self.log_only(entry).await
    }
}
