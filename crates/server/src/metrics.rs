//! `GET /metrics`: how it stands with the scripts, with fast hashes and with mail, in the Prometheus text format.
//! Off by default: it names connections to whoever can reach the port.

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::state::AppState;

type PerConnection = Family<Vec<(String, String)>, Gauge>;

/// Answers a scrape.
pub async fn get(State(state): State<AppState>, uri: Uri) -> Response {
    if !state.serves_metrics {
        return crate::observe::not_found(uri).await;
    }
    let mut text = String::new();
    // A store that does not answer leaves this one out and spoils nothing else.
    let dead = state.engine.dead_letters().await.ok();
    match encode(&mut text, &registry(&state, dead)) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn registry(state: &AppState, dead: Option<i64>) -> Registry {
    let mut registry = Registry::with_prefix("ferry");
    let total = |count: i64| ConstCounter::new(u64::try_from(count).unwrap_or(0));
    registry.register(
        "password_hashes_wrapped",
        "Fast imported hashes that this process put under a slow one",
        total(state.engine.wrapped_hashes()),
    );
    registry.register(
        "password_hash_passes",
        "Times that this process found no fast hash left",
        total(state.engine.wrapping_passes()),
    );
    if let Some(dead) = dead {
        let gauge = Gauge::<i64>::default();
        gauge.set(dead);
        let help = "Mails that were not to be sent and are not tried any more";
        registry.register("mails_given_up", help, gauge);
    }
    let mut gauges = |name: &str, help: &str| {
        let family = PerConnection::default();
        registry.register(name, help, family.clone());
        family
    };
    let in_flight = gauges("script_calls_in_flight", "Script calls that run");
    let waiting = gauges(
        "script_calls_waiting",
        "Script calls that wait for a worker",
    );
    let open = gauges(
        "script_circuit_open",
        "1 while calls are refused: the store is down",
    );
    for lane in state.engine.scripts.lanes() {
        let label = vec![("connection".to_owned(), lane.connection.to_string())];
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        in_flight.get_or_create(&label).set(count(lane.in_flight));
        waiting.get_or_create(&label).set(count(lane.waiting));
        open.get_or_create(&label)
            .set(i64::from(lane.open_circuit.is_some()));
    }
    registry
}
