//! What handlers share.

use std::sync::Arc;

use engine::Engine;
use script::Isolation;
use tokio_util::sync::CancellationToken;

/// The engine, how it is run, and whether we still take requests.
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
    /// How well script workers are held; `None` when they cannot run.
    pub isolation: Option<Isolation>,
}
