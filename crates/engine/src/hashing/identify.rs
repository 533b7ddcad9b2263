//! Searches for what made a hash: one at a time, on a thread of its own. A hashing thread held for
//! seconds would hold up the logins behind it.

use std::sync::Arc;
use std::time::Duration;

use domain::Clock;
use password::Limits;
use password::identify::{Budget, Question, Report, identify};

use super::HashPool;
use crate::error::{Error, Result};

impl HashPool {
    /// Searches for at most so long.
    ///
    /// # Errors
    /// Another search is running.
    pub async fn identify(
        &self,
        question: Question,
        limits: Limits,
        clock: Arc<dyn Clock>,
        time: Duration,
    ) -> Result<Report> {
        let turn = Arc::clone(&self.searching)
            .try_acquire_owned()
            .map_err(|_| Error::unavailable("another hash is being identified"))?;
        let search = tokio::task::spawn_blocking(move || {
            let end = clock.now().plus(time);
            let budget = Budget {
                is_over: &|| clock.now() > end,
                threads: 1,
            };
            let report = identify(&question, &limits, &budget);
            password::release_memory();
            drop(turn);
            report
        });
        search.await.map_err(Error::internal)
    }
}
