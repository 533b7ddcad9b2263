//! What is done now and then: keys renewed, old events and counters forgotten, jobs swept.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::error::Result;

/// Keys that another process rotated are known here after this time at the latest; a `next` key
/// is published for much longer before it signs.
const ROUND: Duration = Duration::from_secs(60);

/// How long links are remembered after their time.
const TICKETS_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// How long a login under way that came too late is still told so.
const TRANSACTIONS_KEPT: Duration = Duration::from_secs(86_400);

impl Engine {
    /// Makes its rounds until told to stop.
    pub async fn run_housekeeping(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
            if let Err(error) = self.keep_house().await {
                tracing::warn!(%error, "housekeeping will be tried again");
            }
        }
    }

    async fn keep_house(&self) -> Result<()> {
        self.refresh_signing_keys().await?;
        let now = self.now();
        let mut write = self.store.write();
        write.forget_logs(now.minus(self.settings.log_retention));
        write.forget_counters(now);
        write.forget_block_notices(now);
        write.forget_used_tokens(now);
        write.forget_challenges(now);
        // A link that was used or came too late still says so for a while.
        write.forget_tickets(now.minus(TICKETS_KEPT));
        write.forget_authorizations(now);
        write.forget_sessions(now);
        write.forget_transactions(now.minus(TRANSACTIONS_KEPT));
        self.store.commit(write).await?;
        self.sweep_jobs().await?;
        self.sweep_exports().await
    }
}
