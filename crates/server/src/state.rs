//! What handlers share.

use std::sync::Arc;

use engine::Engine;
use tokio_util::sync::CancellationToken;

/// The engine, and whether we still take requests.
#[derive(Clone)]
pub struct AppState {
    /// The use-cases.
    pub engine: Arc<Engine>,
    /// Cancelled once the drain begins: `/health/ready` says no, endless answers end.
    pub draining: CancellationToken,
    /// Whether `X-Forwarded-For` names the caller: only behind a proxy of the operator's.
    pub trusts_proxy: bool,
    /// Whether `/metrics` answers.
    pub serves_metrics: bool,
}
