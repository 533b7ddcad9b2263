//! Slots, the queue, and what one connection may do to another.

use std::sync::Arc;
use std::time::Duration;

use script::{FailureKind, Happening, LoginOutcome, PoolSettings, ScriptPool};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use crate::rig::{
    COUNT, Engine, Gate, WAIT, failed, found, hasty, let_go, login, login_script, n,
    on_every_runtime, settings,
};

on_every_runtime! {
    a_full_queue_refuses,
    a_hung_connection_keeps_to_its_own_slots,
    waiting_is_part_of_the_time,
    a_timeout_is_answered_at_the_deadline_and_costs_the_worker,
    calls_of_one_connection_run_side_by_side,
    a_store_that_is_down_is_not_asked_again_and_again,
    a_probe_that_finds_the_store_closes_the_breaker,
}

/// Starts as many calls as asked, side by side.
fn calls(pool: &ScriptPool, program: &Arc<script::Program>, count: usize) -> JoinSet<LoginOutcome> {
    (0..count)
        .map(|_| {
            let (pool, program) = (pool.clone(), Arc::clone(program));
            async move { login(&pool, &program).await.outcome }
        })
        .collect()
}

async fn a_full_queue_refuses(engine: Engine) {
    let pool = ScriptPool::new(PoolSettings {
        workers_per_connection: 1,
        queue_per_connection: 1,
        ..settings(engine)
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

async fn a_hung_connection_keeps_to_its_own_slots(engine: Engine) {
    let pool = ScriptPool::new(PoolSettings {
        workers_per_connection: 2,
        workers_total: 3,
        ..settings(engine)
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

async fn waiting_is_part_of_the_time(engine: Engine) {
    let gate = Gate::new().await;
    let pool = ScriptPool::new(PoolSettings {
        workers_per_connection: 1,
        timeout: Duration::from_millis(1500),
        ..settings(engine)
    });
    let mut calls = calls(&pool, &gate.program("con_wait", WAIT), 2);
    while let Some(outcome) = calls.join_next().await {
        assert_eq!(failed(outcome.unwrap()).kind, FailureKind::Timeout);
    }
}

async fn a_timeout_is_answered_at_the_deadline_and_costs_the_worker(engine: Engine) {
    let gate = Gate::new().await;
    let pool = hasty(engine);
    let program = gate.program("con_deadline", WAIT);
    let call = login(&pool, &program).await;
    let failure = failed(call.outcome);
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.message.contains("Script execution time exceeded"));
    let time = Duration::from_millis(1500)..Duration::from_secs(30);
    assert!(time.contains(&call.took), "{:?}", call.took);
}

async fn calls_of_one_connection_run_side_by_side(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
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
    let pool = ScriptPool::new(settings(Engine::Node));
    let junk = "function login() { require('fs').writeSync(3, 'this is no frame') }";
    let program = login_script("con_crasher", junk);
    for _ in 0..3 {
        assert_eq!(
            failed(login(&pool, &program).await.outcome).kind,
            FailureKind::Crashed
        );
    }
    let paused = failed(login(&pool, &program).await.outcome);
    assert_eq!(paused.kind, FailureKind::CircuitOpen);
    assert!(paused.message.contains("crash"), "{paused}");
    assert_eq!(n(login(&pool, &login_script("con_calm", COUNT)).await), 1);
    // A corrected script does not wait for the end of the pause.
    assert_eq!(
        n(login(&pool, &login_script("con_crasher", COUNT)).await),
        1
    );
}

/// A store that accepts nobody: its port was free a moment ago.
async fn nobody() -> Arc<script::Program> {
    let gate = Gate::new().await;
    let text = "function login(email, password, callback) {
        require('net').connect(configuration.PORT, '127.0.0.1').on('error', callback);
    }";
    gate.program("con_nobody", text)
}

async fn a_store_that_is_down_is_not_asked_again_and_again(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let mut news = pool.watch();
    let program = nobody().await;
    let mut thrown = 0;
    let refused = loop {
        let failure = failed(login(&pool, &program).await.outcome);
        match failure.kind {
            FailureKind::Thrown => thrown += 1,
            _ => break failure,
        }
    };
    assert_eq!(thrown, 5);
    assert_eq!(refused.kind, FailureKind::CircuitOpen);
    assert!(refused.message.contains("cannot be reached"), "{refused}");
    let lane = pool.lanes().pop().unwrap();
    assert_eq!(lane.open_circuit, Some("the store cannot be reached"));
    let opened = loop {
        if let Happening::CircuitOpened { reason, pause } = &news.recv().await.unwrap().what {
            break (*reason, *pause);
        }
    };
    assert_eq!(
        opened,
        ("the store cannot be reached", Duration::from_secs(1))
    );
    // Nobody else is concerned.
    assert_eq!(n(login(&pool, &login_script("con_well", COUNT)).await), 1);
}

async fn a_probe_that_finds_the_store_closes_the_breaker(engine: Engine) {
    let text = "function login(email, password, callback) {
        global.n = (global.n || 0) + 1;
        if (global.n > 5) return callback(null, { user_id: 1 });
        callback(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    }";
    let pool_of_one = PoolSettings {
        workers_per_connection: 1,
        ..settings(engine)
    };
    let pool = ScriptPool::new(pool_of_one);
    let mut news = pool.watch();
    let program = login_script("con_back", text);
    let calm = "(email, password, callback) => callback(null, { user_id: 1, n: 1 })";
    let calm = login_script("con_calm", calm);
    for _ in 0..5 {
        assert_eq!(
            failed(login(&pool, &program).await.outcome).kind,
            FailureKind::Thrown
        );
    }
    let asks_until_it_answers = async {
        while let LoginOutcome::Failed(failure) = login(&pool, &program).await.outcome {
            assert_eq!(failure.kind, FailureKind::CircuitOpen);
            // Slow enough for a watcher: a script's own round trip.
            assert_eq!(n(login(&pool, &calm).await), 1);
        }
    };
    tokio::time::timeout(Duration::from_mins(1), asks_until_it_answers)
        .await
        .unwrap();
    loop {
        match news.recv().await {
            Ok(event) if event.what == Happening::CircuitClosed => break,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => panic!("it was not told"),
        }
    }
}
