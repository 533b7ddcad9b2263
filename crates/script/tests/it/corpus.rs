//! Hostile and careless scripts, one per file of `tests/corpus`. Every runtime must give these
//! outcomes.

use script::{FailureKind, LOG_BYTES, LogLevel, LoginOutcome, ScriptPool};
use serde_json::json;

use crate::rig::{failed, found, hasty, login, login_once, login_script, settings, single};

macro_rules! corpus {
    ($name:ident) => {
        include_str!(concat!("../corpus/", stringify!($name), ".js"))
    };
}

/// Scripts that must fail: the kinds allowed, and some words of the message.
macro_rules! fails {
    ($($name:ident: $($kind:ident)|+, $words:literal;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let connection = concat!("con_", stringify!($name));
            let failure = failed(login_once(connection, corpus!($name)).await);
            assert!([$(FailureKind::$kind),+].contains(&failure.kind), "{failure}");
            assert!(failure.message.contains($words), "{failure}");
        }
    )+};
}

fails! {
    memory_bomb: Crashed, "the worker ended with signal";
    // The system gives no more memory: Node may survive that, or not.
    memory_bomb_buffer: Thrown | Crashed, "";
    throw_sync: Thrown, "TypeError: Cannot read properties of null (reading 'x') at login.js:2:8";
    throw_string: Thrown, "a bare string";
    throw_in_timer: Thrown, "in a timer";
    throw_null_in_timer: Thrown, "no reason given (null)";
    throw_undefined: Thrown, "no reason given (undefined)";
    unhandled_rejection: Thrown, "nobody listens";
    unhandled_undefined: Thrown, "no reason given (undefined)";
    reject_undefined: Thrown, "no reason given (undefined)";
    reject_null: Thrown, "no reason given (null)";
    foreign_promise: Thrown, "no reason given (undefined)";
    callback_false: Thrown, "false";
    process_exit: Thrown, "process.exit is not available";
    process_exit_bypass: Thrown, "process.kill is not available";
    constructor_escape: Thrown, "process.exit is not available";
    connection_refused: Thrown, "ECONNREFUSED";
    array_buffer: Thrown, "RangeError";
    deep_recursion: Thrown, "Maximum call stack size exceeded";
    throwing_message: Thrown, "";
    throwing_error_proxy: Thrown, "";
    huge_result: BadReply, "larger than 1048576 bytes";
    large_result: BadReply, "larger than 1048576 bytes";
    cyclic_result: BadReply, "circular structure";
    bigint_result: BadReply, "BigInt";
    deep_json: BadReply, "Maximum call stack size exceeded";
    somewhat_deep_json: BadReply, "recursion limit exceeded";
    throwing_to_json: BadReply, "no JSON from me";
    throwing_proxy: BadReply, "trapped";
    poison_to_json: BadReply, "a string, not a profile";
    channel_forge: Crashed, "forged call id";
    channel_forge_numeric: Crashed, "junk";
    channel_junk: Crashed, "junk";
}

/// Scripts that must run into the deadline.
macro_rules! hangs {
    ($($name:ident: $($kind:ident)|+;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let program = login_script(concat!("con_", stringify!($name)), corpus!($name));
            let call = login(&hasty(), &program).await;
            let failure = failed(call.outcome);
            assert!([$(FailureKind::$kind),+].contains(&failure.kind), "{failure}");
            assert!(failure.kind != FailureKind::Timeout || call.took.as_millis() >= 1500);
        }
    )+};
}

hangs! {
    infinite_loop: Timeout;
    // The heap may be full before the time is over.
    infinite_microtask: Timeout | Crashed;
    regex_redos: Timeout;
    bigint_power: Timeout;
    atomics_wait: Timeout;
    never_callback: Timeout;
    async_return_no_callback: Timeout;
}

/// Scripts that must give exactly this profile.
macro_rules! gives {
    ($($name:ident: $profile:tt;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let connection = concat!("con_", stringify!($name));
            let profile = found(login_once(connection, corpus!($name)).await);
            assert_eq!(serde_json::Value::Object(profile), json!($profile));
        }
    )+};
}

gives! {
    ok: {"user_id": 1, "email": "ann@example.com", "password": "pässword"};
    double_callback: {"user_id": 1};
    double_callback_late: {"user_id": 1};
    throw_after_callback: {"user_id": 1};
    reject_after_callback: {"user_id": 1};
    callback_reentered: {"user_id": 1};
    break_json: {"user_id": 1};
    many_timers: {"user_id": 1};
    environment: {"user_id": 1, "names": [], "environ": "EACCES", "argv": 2};
}

#[tokio::test]
async fn async_throw() {
    let outcome = login_once("con_async_throw", corpus!(async_throw)).await;
    let refused = LoginOutcome::Refused {
        name: "ValidationError".into(),
        code: Some("dup".into()),
        message: "user exists".into(),
    };
    assert_eq!(outcome, refused);
}

#[tokio::test]
async fn pollute_configuration() {
    let (pool, program) = (
        single(),
        login_script("con_pollute", corpus!(pollute_configuration)),
    );
    for round in 1..=3 {
        let profile = found(login(&pool, &program).await.outcome);
        let expected = json!({"user_id": 1, "before": "s", "n": round, "polluted": round});
        assert_eq!(serde_json::Value::Object(profile), expected);
    }
}

#[tokio::test]
async fn a_script_that_broke_everything_is_called_again() {
    let (pool, program) = (single(), login_script("con_broken", corpus!(break_json)));
    for _ in 0..2 {
        found(login(&pool, &program).await.outcome);
    }
}

#[tokio::test]
async fn stdout_noise() {
    let pool = ScriptPool::new(settings());
    let program = login_script("con_noise", corpus!(stdout_noise));
    let call = login(&pool, &program).await;
    found(call.outcome);
    let lines: Vec<_> = call.log.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(lines, ["hi ann@example.com"]);
}

#[tokio::test]
async fn log_flood() {
    let (pool, program) = (single(), login_script("con_flood", corpus!(log_flood)));
    for _ in 0..2 {
        let call = login(&pool, &program).await;
        found(call.outcome);
        let bytes: usize = call.log.iter().map(|line| line.message.len()).sum();
        assert!((LOG_BYTES / 2..=LOG_BYTES).contains(&bytes), "{bytes}");
        assert_eq!(call.log.last().unwrap().message, "[log truncated]");
        let truncated = call
            .log
            .iter()
            .filter(|line| line.message == "[log truncated]");
        assert_eq!(truncated.count(), 1);
    }
}

#[tokio::test]
async fn log_unprintable() {
    let pool = ScriptPool::new(settings());
    let call = login(
        &pool,
        &login_script("con_unprintable", corpus!(log_unprintable)),
    )
    .await;
    assert_eq!(found(call.outcome)["lone"], "a\u{fffd}b");
    let lines: Vec<_> = call
        .log
        .iter()
        .map(|line| (line.level, line.message.as_str()))
        .collect();
    let expected = [
        (LogLevel::Log, "[unprintable]"),
        (LogLevel::Log, "\u{fffd} lone"),
        (LogLevel::Warn, "w"),
        (LogLevel::Error, "e"),
        (LogLevel::Info, "i"),
        (LogLevel::Debug, "d"),
        (LogLevel::Log, "[ 1 ]"),
    ];
    assert_eq!(lines, expected);
}

/// After what kills a worker, the next call has a new one.
#[tokio::test]
async fn a_connection_recovers_from_its_worker_s_death() {
    let (pool, program) = (
        single(),
        login_script(
            "con_recovery",
            "function login(email, password, callback) {
                global.n = (global.n || 0) + 1;
                if (global.n === 2) require('fs').writeSync(3, 'this is no frame');
                callback(null, { user_id: 1, n: global.n });
            }",
        ),
    );
    assert_eq!(found(login(&pool, &program).await.outcome)["n"], 1);
    assert_eq!(
        failed(login(&pool, &program).await.outcome).kind,
        FailureKind::Crashed
    );
    assert_eq!(found(login(&pool, &program).await.outcome)["n"], 1);
}
