//! Failed attempts: counted per account and address, and only when a person was at fault.
//!
//! An outage of the legacy store is never counted.

use domain::Connection;

use crate::error::Result;
use crate::{Context, Engine};

/// The counter's name for an account and an address.
pub(crate) fn counter_name(context: &Context, connection: &Connection, identifier: &str) -> String {
    let ip = context.ip.as_deref().unwrap_or("-");
    let account: String = domain::email::fold(identifier).chars().take(256).collect();
    format!("login/{}/{account}/{ip}", connection.id)
}

/// What is known of earlier failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempts {
    /// None that count.
    Clean,
    /// Some.
    Failed(i64),
    /// Too many: the account is blocked for this address.
    Blocked,
}

impl Engine {
    /// Looks at the failures so far, before any work is done.
    pub(crate) async fn attempts(
        &self,
        connection: &Connection,
        counter: &str,
    ) -> Result<Attempts> {
        if !connection.has_brute_force_protection() {
            return Ok(Attempts::Clean);
        }
        let counter = self.store.find_counter(counter, self.now()).await?;
        Ok(match counter.map(|counter| counter.count) {
            None => Attempts::Clean,
            Some(count) if count >= self.settings.max_attempts => Attempts::Blocked,
            Some(count) => Attempts::Failed(count),
        })
    }
}
