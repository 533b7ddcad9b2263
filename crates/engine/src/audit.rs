//! Log events that tell of management writes. They travel in the batch of what they tell of.

use domain::{EventKind, LogEvent};

use crate::error::Result;
use crate::{Context, Engine};

/// What a management client asked for. Holds neither query nor body: both may carry secrets.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The verb, in lower case.
    pub method: String,
    /// The path.
    pub path: String,
}

impl Engine {
    /// An event of this moment that names the client behind it and what it asked for.
    pub(crate) async fn management_event(
        &self,
        context: &Context,
        kind: EventKind,
        description: &str,
    ) -> Result<LogEvent> {
        let mut event = self.event(context, kind);
        event.description = Some(description.to_owned());
        if let Some(client_id) = &context.actor {
            let client = self.store.find_client(client_id).await?;
            let name = client.map(|client| client.name).unwrap_or_default();
            event.client = Some((client_id.clone(), name));
        }
        if let Some(operation) = &context.operation {
            let request = serde_json::json!({"method": operation.method, "path": operation.path});
            event.details.insert("request".into(), request);
        }
        Ok(event)
    }
}
