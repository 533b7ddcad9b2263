//! Slots, the queue, and what one connection may do to another.

use std::sync::Arc;
use std::time::Duration;

use script::{FailureKind, LoginOutcome, PoolSettings, ScriptPool};
use tokio::task::JoinSet;

use crate::rig::{
    COUNT, Gate, WAIT, failed, found, hasty, let_go, login, login_script, n, settings,
};

/// Starts as many calls as asked, side by side.
fn calls(pool: &ScriptPool, program: &Arc<script::Program>, count: usize) -> JoinSet<LoginOutcome> {
    (0..count)
        .map(|_| {
            let (pool, program) = (pool.clone(), Arc::clone(program));
            async move { login(&pool, &program).await.outcome }
        })
        .collect()
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let pool = ScriptPool::new(PoolSettings {
        workers_per_connection: 1,
        queue_per_connection: 1,
        ..settings()
    });
    let gate = Gate::new().await;
    // One is at the gate, one waits, one is too many.
    let mut calls = calls(&pool, &gate.program("con_queue", WAIT), 3);
    let refused = failed(calls.join_next().await.unwrap().unwrap());
    assert_eq!(refused.kind, FailureKind::QueueFull);
    for _ in 0..2 {
        let_go(&mut gate.arrival().await).await;
        found(calls.join_next().await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn a_hung_connection_keeps_to_its_own_slots() {
    let pool = ScriptPool::new(PoolSettings {
        workers_per_connection: 2,
        workers_total: 3,
        ..settings()
    });
    let gate = Gate::new().await;
    let mut hung = calls(&pool, &gate.program("con_hung", WAIT), 5);
    let mut first = gate.arrival().await;
    let mut second = gate.arrival().await;
    let other = login_script("con_other", COUNT);
    assert_eq!(n(login(&pool, &other).await), 1);
    assert_eq!(n(login(&pool, &other).await), 2);
    let_go(&mut first).await;
    let_go(&mut second).await;
    for _ in 0..3 {
        let_go(&mut gate.arrival().await).await;
    }
    while let Some(outcome) = hung.join_next().await {
        found(outcome.unwrap());
    }
}

#[tokio::test]
async fn waiting_is_part_of_the_time() {
    let gate = Gate::new().await;
    let pool = ScriptPool::new(PoolSettings {
        workers_per_connection: 1,
        timeout: Duration::from_millis(1500),
        ..settings()
    });
    let mut calls = calls(&pool, &gate.program("con_wait", WAIT), 2);
    while let Some(outcome) = calls.join_next().await {
        assert_eq!(failed(outcome.unwrap()).kind, FailureKind::Timeout);
    }
}

#[tokio::test]
async fn a_timeout_is_answered_at_the_deadline_and_costs_the_worker() {
    let gate = Gate::new().await;
    let pool = hasty();
    let program = gate.program("con_deadline", WAIT);
    let call = login(&pool, &program).await;
    let failure = failed(call.outcome);
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.message.contains("Script execution time exceeded"));
    let time = Duration::from_millis(1500)..Duration::from_secs(30);
    assert!(time.contains(&call.took), "{:?}", call.took);
}

#[tokio::test]
async fn calls_of_one_connection_run_side_by_side() {
    let pool = ScriptPool::new(settings());
    let gate = Gate::new().await;
    let mut calls = calls(&pool, &gate.program("con_parallel", WAIT), 4);
    let mut arrived = Vec::new();
    for _ in 0..4 {
        arrived.push(gate.arrival().await);
    }
    for mut script in arrived {
        let_go(&mut script).await;
    }
    while let Some(outcome) = calls.join_next().await {
        assert_eq!(found(outcome.unwrap())["n"], 1);
    }
}

#[tokio::test]
async fn three_crashes_pause_a_script_and_nobody_else() {
    let pool = ScriptPool::new(settings());
    let junk = "function login() { require('fs').writeSync(3, 'this is no frame') }";
    let program = login_script("con_crasher", junk);
    for _ in 0..3 {
        assert_eq!(
            failed(login(&pool, &program).await.outcome).kind,
            FailureKind::Crashed
        );
    }
    let paused = failed(login(&pool, &program).await.outcome);
    assert_eq!(paused.kind, FailureKind::Unavailable);
    assert!(paused.message.contains("pause"), "{paused}");
    assert_eq!(n(login(&pool, &login_script("con_calm", COUNT)).await), 1);
    // A corrected script does not wait for the end of the pause.
    assert_eq!(
        n(login(&pool, &login_script("con_crasher", COUNT)).await),
        1
    );
}
