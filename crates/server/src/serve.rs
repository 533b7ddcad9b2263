//! `ferry serve`: the process from its first line to its drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use engine::Engine;
use engine::bootstrap::Administrator;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::state::AppState;
use crate::{boot, isolation, routes};

/// Where the administrator's credentials of a fresh store are kept, inside the data folder.
pub const ADMINISTRATOR_FILE: &str = "administrator.json";

/// Serves until SIGTERM or SIGINT, then drains.
pub async fn serve(config: Config) -> Result<()> {
    let isolation = isolation::ensure(&config.scripts).await?;
    let (engine, _lock) = boot::engine(&config).await?;
    let engine = Arc::new(engine);
    welcome(&engine, &config).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("can't listen on {}", config.listen))?;
    let stop = CancellationToken::new();
    let workers = start_workers(&engine, &stop);
    let state = AppState {
        engine: Arc::clone(&engine),
        draining: CancellationToken::new(),
        trusts_proxy: config.trusts_proxy,
        serves_metrics: config.serves_metrics,
        isolation,
    };
    let draining = state.draining.clone();
    let app = routes::app(state).into_make_service_with_connect_info::<SocketAddr>();
    tracing::info!(
        listen = %listener.local_addr()?,
        issuer = %config.public_url,
        database = engine.store.database(),
        "ready"
    );
    let drained = axum::serve(listener, app).with_graceful_shutdown(async move {
        asked_to_stop().await;
        draining.cancel();
        tracing::info!("draining");
    });
    within(config.drain, drained.into_future()).await?;
    stop.cancel();
    workers.close();
    if tokio::time::timeout(config.drain, workers.wait())
        .await
        .is_err()
    {
        tracing::warn!("background work did not end in time; it resumes at the next start");
    }
    engine.scripts.shut_down().await;
    tracing::info!("stopped");
    Ok(())
}

/// Serves; once the drain began, waits no longer than `limit` for requests under way.
async fn within(limit: Duration, served: impl Future<Output = std::io::Result<()>>) -> Result<()> {
    let overdue = async {
        asked_to_stop().await;
        tokio::time::sleep(limit).await;
    };
    tokio::select! {
        result = served => Ok(result?),
        () = overdue => {
            tracing::warn!("requests under way were cut off");
            Ok(())
        }
    }
}

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("signals can't be heard; stop the process by SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn start_workers(engine: &Arc<Engine>, stop: &CancellationToken) -> TaskTracker {
    let workers = TaskTracker::new();
    workers.spawn(Arc::clone(engine).run_import_jobs(stop.clone()));
    let render = crate::management::user_body::render;
    workers.spawn(Arc::clone(engine).run_export_jobs(render, stop.clone()));
    workers.spawn(Arc::clone(engine).run_wrapping(stop.clone()));
    workers.spawn(Arc::clone(engine).run_outbox(stop.clone()));
    workers.spawn(Arc::clone(engine).run_housekeeping(stop.clone()));
    workers.spawn(Arc::clone(engine).run_circuit_log(stop.clone()));
    workers.spawn(Arc::clone(engine).run_logout_notices(stop.clone()));
    workers
}

/// Makes the first administrator on an empty store and says where to go.
async fn welcome(engine: &Engine, config: &Config) -> Result<()> {
    let given = config.bootstrap.as_ref().map(|(id, secret)| Administrator {
        client_id: id.as_str().into(),
        secret: secret.clone(),
    });
    let is_given = given.is_some();
    let Some(administrator) = engine.bootstrap(given).await? else {
        return Ok(());
    };
    if is_given {
        return Ok(());
    }
    let file = config.data_dir.join(ADMINISTRATOR_FILE);
    let text = serde_json::json!({
        "client_id": administrator.client_id,
        "client_secret": administrator.secret.expose(),
    });
    boot::write_private(&file, &text.to_string())?;
    tracing::info!(
        client_id = %administrator.client_id,
        secret_in = %file.display(),
        token_endpoint = %config.public_url.join("oauth/token"),
        audience = %config.engine.management_audience(),
        "a first administrator client was made"
    );
    Ok(())
}
