//! How workers come and go: `global` tells them apart, an open socket tells that one is dead.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use script::{FailureKind, NodeRuntime, PoolSettings, Runtime, ScriptName, ScriptPool};

use crate::rig::{
    COUNT, Engine, Gate, WAIT, death, failed, found, hasty, launcher, let_go, login, login_script,
    n, on_every_runtime, settings, single, with_settings,
};

on_every_runtime! {
    global_is_shared_by_calls_and_never_by_connections,
    a_changed_program_meets_a_new_worker,
    every_limit_of_a_worker_s_life_ends_it,
    the_worker_unused_longest_makes_room,
    an_idle_worker_is_ended_unasked,
    shutting_down_lets_calls_end_and_ends_workers,
    a_pool_that_is_dropped_leaves_nothing_behind,
    a_caller_that_goes_away_leaves_the_worker_whole,
    after_a_timeout_the_next_call_has_a_new_worker,
}

/// Opens a socket to the gate, leaves it open and answers.
const HOLD: &str = "function login(email, password, callback) {
    require('net').connect(configuration.PORT, '127.0.0.1')
        .on('connect', () => callback(null, { user_id: 1 }))
        .on('error', () => {});
}";

async fn global_is_shared_by_calls_and_never_by_connections(engine: Engine) {
    let pool = single(engine);
    let ours = login_script("con_ours", COUNT);
    let theirs = login_script("con_theirs", COUNT);
    for round in 1..=3 {
        assert_eq!(n(login(&pool, &ours).await), round);
        assert_eq!(n(login(&pool, &theirs).await), round);
    }
}

async fn a_changed_program_meets_a_new_worker(engine: Engine) {
    let pool = single(engine);
    let version = |secret| {
        with_settings(
            "con_changed",
            &[(ScriptName::Login, COUNT)],
            &[("S", secret)],
        )
    };
    assert_eq!(n(login(&pool, &version("1")).await), 1);
    assert_eq!(n(login(&pool, &version("1")).await), 2);
    assert_eq!(n(login(&pool, &version("2")).await), 1);
    // The worker of the first version is gone for good.
    assert_eq!(n(login(&pool, &version("1")).await), 1);
}

async fn every_limit_of_a_worker_s_life_ends_it(engine: Engine) {
    let limits = [
        PoolSettings {
            max_calls: 1,
            ..settings(engine)
        },
        PoolSettings {
            max_age: Duration::ZERO,
            ..settings(engine)
        },
        PoolSettings {
            idle: Duration::ZERO,
            ..settings(engine)
        },
    ];
    for settings in limits {
        let pool = ScriptPool::new(settings);
        let program = login_script("con_limits", COUNT);
        for _ in 0..2 {
            assert_eq!(n(login(&pool, &program).await), 1);
        }
    }
}

async fn the_worker_unused_longest_makes_room(engine: Engine) {
    let pool = ScriptPool::new(PoolSettings {
        workers_total: 2,
        ..settings(engine)
    });
    let [first, second, third] =
        ["con_first", "con_second", "con_third"].map(|connection| login_script(connection, COUNT));
    assert_eq!(n(login(&pool, &first).await), 1);
    assert_eq!(n(login(&pool, &second).await), 1);
    assert_eq!(n(login(&pool, &third).await), 1);
    assert_eq!(n(login(&pool, &second).await), 2);
    assert_eq!(n(login(&pool, &first).await), 1, "it was evicted");
}

async fn an_idle_worker_is_ended_unasked(engine: Engine) {
    let pool = ScriptPool::new(PoolSettings {
        idle: Duration::from_millis(50),
        ..settings(engine)
    });
    let gate = Gate::new().await;
    found(login(&pool, &gate.program("con_idle", HOLD)).await.outcome);
    death(&mut gate.arrival().await).await;
}

async fn shutting_down_lets_calls_end_and_ends_workers(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let gate = Gate::new().await;
    let idle = gate.program("con_down_idle", HOLD);
    found(login(&pool, &idle).await.outcome);
    let mut idle_worker = gate.arrival().await;

    let running = {
        let (pool, program) = (pool.clone(), gate.program("con_down", WAIT));
        tokio::spawn(async move { login(&pool, &program).await.outcome })
    };
    let mut script = gate.arrival().await;
    let down = {
        let pool = pool.clone();
        tokio::spawn(async move { pool.shut_down().await })
    };
    let_go(&mut script).await;
    found(running.await.unwrap());
    down.await.unwrap();
    death(&mut script).await;
    death(&mut idle_worker).await;
    assert_eq!(
        failed(login(&pool, &idle).await.outcome).kind,
        FailureKind::Unavailable
    );
}

async fn a_pool_that_is_dropped_leaves_nothing_behind(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let gate = Gate::new().await;
    found(
        login(&pool, &gate.program("con_dropped", HOLD))
            .await
            .outcome,
    );
    let mut worker = gate.arrival().await;
    drop(pool);
    death(&mut worker).await;
}

async fn a_caller_that_goes_away_leaves_the_worker_whole(engine: Engine) {
    let pool = single(engine);
    let gate = Gate::new().await;
    let program = gate.program("con_gone", WAIT);
    let caller = {
        let (pool, program) = (pool.clone(), Arc::clone(&program));
        tokio::spawn(async move { login(&pool, &program).await.outcome })
    };
    let mut script = gate.arrival().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    let_go(&mut script).await;
    let next = tokio::spawn(async move { n(login(&pool, &program).await) });
    let_go(&mut gate.arrival().await).await;
    assert_eq!(next.await.unwrap(), 2);
}

#[tokio::test]
async fn a_runtime_that_cannot_start_is_said_to_be_unavailable() {
    for (command, words) in [
        ("/nonexistent/node", "/nonexistent/node: No such file"),
        ("node", "not an absolute path"),
        (
            "/bin/sh",
            "the worker did not start: the worker ended with exit status",
        ),
    ] {
        let runtime = Runtime::Node(NodeRuntime {
            command: PathBuf::from(command),
            modules: None,
        });
        let pool = ScriptPool::new(PoolSettings::new(launcher(), runtime));
        let failure = failed(
            login(&pool, &login_script("con_unavailable", COUNT))
                .await
                .outcome,
        );
        assert_eq!(failure.kind, FailureKind::Unavailable);
        assert!(failure.message.contains(words), "{failure}");
    }
}

async fn after_a_timeout_the_next_call_has_a_new_worker(engine: Engine) {
    let pool = hasty(engine);
    let text = "function login(email, password, callback) {
        global.n = (global.n || 0) + 1;
        if (email === 'hang') for (;;) {}
        callback(null, { user_id: 1, n: global.n });
    }";
    let program = login_script("con_after_timeout", text);
    let hung = pool.login(&program, "hang", &"p".into()).await;
    assert_eq!(failed(hung.outcome).kind, FailureKind::Timeout);
    // The machine may be too busy to start a worker in time: then ask again.
    for _ in 0..20 {
        let call = login(&pool, &program).await;
        if !matches!(&call.outcome, script::LoginOutcome::Failed(failure) if failure.kind == FailureKind::Timeout)
        {
            assert_eq!(n(call), 1);
            return;
        }
    }
    panic!("no worker ever started");
}
