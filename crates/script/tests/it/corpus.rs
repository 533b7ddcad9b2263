//! Hostile and careless scripts, one per file of `tests/corpus`, on both runtimes: one table says
//! what each comes to. Where the embedded engine gives something else, its row says what and why.

use std::io::Write as _;

use script::{FailureKind, LOG_BYTES, LogLevel, LoginOutcome, ScriptPool};
use serde_json::{Value, json};

use crate::rig::{
    Engine, failed, found, hasty, login, login_once, login_script, on_every_runtime, settings,
    single,
};

use FailureKind::{BadReply, Crashed, Thrown, Timeout};

macro_rules! corpus {
    ($name:ident) => {
        include_str!(concat!("../corpus/", stringify!($name), ".js"))
    };
}

/// What a script comes to.
#[derive(Clone, Copy)]
enum Ends {
    /// A failure of one of these kinds, with these words in its message.
    Failing(&'static [FailureKind], &'static str),
    /// The same, on a pool that waits for a second and a half only.
    Hanging(&'static [FailureKind]),
    /// Exactly this profile, as JSON.
    Giving(&'static str),
}

use Ends::{Failing, Giving, Hanging};

/// Where the embedded engine differs: what it gives, and why.
type Difference = Option<(Ends, &'static str)>;

/// A row of the table.
struct Script {
    name: &'static str,
    text: &'static str,
    node: Ends,
    embedded: Difference,
}

macro_rules! difference {
    () => {
        None
    };
    ($ends:expr, $reason:literal) => {
        Some(($ends, $reason))
    };
}

/// Makes the table, and a test of each row on each runtime.
macro_rules! table {
    ($($name:ident: $node:expr $(=> $embedded:expr, $reason:literal)?;)+) => {
        const SCRIPTS: &[Script] = &[$(Script {
            name: stringify!($name),
            text: corpus!($name),
            node: $node,
            embedded: difference!($($embedded, $reason)?),
        }),+];

        mod table {
            mod node {
                $(#[tokio::test]
                async fn $name() {
                    super::super::comes_out(stringify!($name), crate::rig::Engine::Node).await;
                })+
            }
            mod embedded {
                $(#[tokio::test]
                async fn $name() {
                    super::super::comes_out(stringify!($name), crate::rig::Engine::Embedded).await;
                })+
            }
        }
    };
}

const PROFILE: Ends = Giving(r#"{"user_id": 1}"#);

table! {
    memory_bomb: Failing(&[Crashed], "the worker ended with signal")
        => Failing(&[Thrown], "out of memory"), "the engine throws when its memory is full; Node ends";
    // The system gives no more memory: Node may survive that, or not.
    memory_bomb_buffer: Failing(&[Thrown, Crashed], "");
    throw_sync: Failing(&[Thrown], "TypeError: Cannot read properties of null (reading 'x') at login.js:2:8")
        => Failing(&[Thrown], "TypeError: cannot read property 'x' of null at login.js:2:"), "other words";
    throw_string: Failing(&[Thrown], "a bare string");
    throw_in_timer: Failing(&[Thrown], "in a timer");
    throw_null_in_timer: Failing(&[Thrown], "no reason given (null)");
    throw_undefined: Failing(&[Thrown], "no reason given (undefined)");
    unhandled_rejection: Failing(&[Thrown], "nobody listens");
    unhandled_undefined: Failing(&[Thrown], "no reason given (undefined)");
    reject_undefined: Failing(&[Thrown], "no reason given (undefined)");
    reject_null: Failing(&[Thrown], "no reason given (null)");
    foreign_promise: Failing(&[Thrown], "no reason given (undefined)");
    callback_false: Failing(&[Thrown], "false");
    process_exit: Failing(&[Thrown], "process.exit is not available");
    process_exit_bypass: Failing(&[Thrown], "process.kill is not available");
    constructor_escape: Failing(&[Thrown], "process.exit is not available");
    connection_refused: Failing(&[Thrown], "ECONNREFUSED");
    array_buffer: Failing(&[Thrown], "RangeError");
    deep_recursion: Failing(&[Thrown], "Maximum call stack size exceeded");
    throwing_message: Failing(&[Thrown], "");
    throwing_error_proxy: Failing(&[Thrown], "");
    huge_result: Failing(&[BadReply], "larger than 1048576 bytes")
        => Failing(&[Thrown], "out of memory"), "the text alone does not fit into the engine's memory";
    large_result: Failing(&[BadReply], "larger than 1048576 bytes");
    cyclic_result: Failing(&[BadReply], "circular structure")
        => Failing(&[BadReply], "circular reference"), "other words";
    bigint_result: Failing(&[BadReply], "BigInt");
    deep_json: Failing(&[BadReply], "Maximum call stack size exceeded");
    somewhat_deep_json: Failing(&[BadReply], "recursion limit exceeded");
    throwing_to_json: Failing(&[BadReply], "no JSON from me");
    throwing_proxy: Failing(&[BadReply], "trapped");
    poison_to_json: Failing(&[BadReply], "a string, not a profile");
    channel_forge: Failing(&[Crashed], "forged call id")
        => Failing(&[Thrown], "EACCES"), "the engine has no descriptors to write to";
    channel_forge_numeric: Failing(&[Crashed], "junk")
        => Failing(&[Thrown], "EACCES"), "the engine has no descriptors to write to";
    channel_junk: Failing(&[Crashed], "junk")
        => Failing(&[Thrown], "EACCES"), "the engine has no descriptors to write to";
    infinite_loop: Hanging(&[Timeout]);
    // The heap may be full before the time is over.
    infinite_microtask: Hanging(&[Timeout, Crashed])
        => Hanging(&[Timeout, Thrown]), "the engine throws when its memory is full; Node ends";
    regex_redos: Hanging(&[Timeout]);
    bigint_power: Hanging(&[Timeout])
        => Failing(&[Thrown], "BigInt is too large to allocate"), "the engine's numbers have a bound";
    atomics_wait: Hanging(&[Timeout])
        => Failing(&[Thrown], "cannot block in this thread"), "the engine's only thread may not be blocked";
    never_callback: Hanging(&[Timeout]);
    async_return_no_callback: Hanging(&[Timeout]);
    ok: Giving(r#"{"user_id": 1, "email": "ann@example.com", "password": "pässword"}"#);
    double_callback: PROFILE;
    double_callback_late: PROFILE;
    throw_after_callback: PROFILE;
    reject_after_callback: PROFILE;
    callback_reentered: PROFILE;
    break_json: PROFILE;
    many_timers: PROFILE
        => Failing(&[Thrown], "no reason given (null)"), "300 000 timers do not fit into the engine's memory";
    environment: Giving(r#"{"user_id": 1, "names": [], "environ": "EACCES", "argv": 2}"#)
        => Giving(r#"{"user_id": 1, "names": [], "environ": "EACCES", "argv": 1}"#), "there is no runner's path in process.argv";
    stdout_noise: PROFILE
        => Failing(&[Thrown], "EACCES"), "the engine has no descriptors to write to";
}

/// Runs a row's script on a runtime and compares.
async fn comes_out(name: &str, engine: Engine) {
    let script = SCRIPTS.iter().find(|script| script.name == name).unwrap();
    let embedded = script.embedded.map_or(script.node, |(ends, _)| ends);
    let connection = format!("con_{name}");
    match engine.either(script.node, embedded) {
        Failing(kinds, words) => {
            let failure = failed(login_once(engine, &connection, script.text).await);
            assert!(
                kinds.contains(&failure.kind),
                "{:?}: {failure}",
                failure.kind
            );
            assert!(failure.message.contains(words), "{failure}");
        }
        Hanging(kinds) => {
            let program = login_script(&connection, script.text);
            let call = login(&hasty(engine), &program).await;
            let failure = failed(call.outcome);
            assert!(
                kinds.contains(&failure.kind),
                "{:?}: {failure}",
                failure.kind
            );
            assert!(failure.kind != Timeout || call.took.as_millis() >= 1500);
        }
        Giving(profile) => {
            let expected: Value = serde_json::from_str(profile).unwrap();
            let profile = found(login_once(engine, &connection, script.text).await);
            assert_eq!(Value::Object(profile), expected);
        }
    }
}

on_every_runtime! {
    async_throw,
    pollute_configuration,
    a_script_that_broke_everything_is_called_again,
    what_is_printed_goes_nowhere,
    log_flood,
    log_unprintable,
}

/// The scripts that take more than a row: tests of this file, with one outcome for both runtimes.
const LONGER: [&str; 4] = [
    "async_throw",
    "pollute_configuration",
    "log_flood",
    "log_unprintable",
];

/// Tells how alike the runtimes are. Printed past the test harness, which keeps what a passing test
/// prints to itself.
#[test]
fn the_same_scripts_run_on_both_runtimes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|file| file != "contain.js")
        .collect();
    let rows = SCRIPTS.iter().map(|script| script.name).chain(LONGER);
    let mut rows: Vec<_> = rows.map(|name| format!("{name}.js")).collect();
    files.sort();
    rows.sort();
    assert_eq!(
        rows, files,
        "a script without an outcome, or the other way round"
    );

    let differences = SCRIPTS
        .iter()
        .filter_map(|script| Some((script.name, script.embedded?.1)));
    let differences: Vec<_> = differences.collect();
    let (all, differ) = (rows.len(), differences.len());
    let mut out = std::io::stdout();
    writeln!(
        out,
        "corpus: {all} scripts, {} same on both runtimes, {differ} differ",
        all - differ
    )
    .unwrap();
    for (name, reason) in differences {
        writeln!(out, "  {name}: {reason}").unwrap();
    }
}

async fn async_throw(engine: Engine) {
    let outcome = login_once(engine, "con_async_throw", corpus!(async_throw)).await;
    let refused = LoginOutcome::Refused {
        name: "ValidationError".into(),
        code: Some("dup".into()),
        message: "user exists".into(),
    };
    assert_eq!(outcome, refused);
}

async fn pollute_configuration(engine: Engine) {
    let (pool, program) = (
        single(engine),
        login_script("con_pollute", corpus!(pollute_configuration)),
    );
    for round in 1..=3 {
        let profile = found(login(&pool, &program).await.outcome);
        let expected = json!({"user_id": 1, "before": "s", "n": round, "polluted": round});
        assert_eq!(Value::Object(profile), expected);
    }
}

async fn a_script_that_broke_everything_is_called_again(engine: Engine) {
    let (pool, program) = (
        single(engine),
        login_script("con_broken", corpus!(break_json)),
    );
    for _ in 0..2 {
        found(login(&pool, &program).await.outcome);
    }
}

async fn what_is_printed_goes_nowhere(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let raw = "require('fs').writeSync(1, 'noise');";
    let without = corpus!(stdout_noise).replace(raw, "");
    let text = engine.either(corpus!(stdout_noise), &without);
    let program = login_script("con_noise", text);
    let call = login(&pool, &program).await;
    found(call.outcome);
    let lines: Vec<_> = call.log.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(lines, ["hi ann@example.com"]);
}

async fn log_flood(engine: Engine) {
    let (pool, program) = (
        single(engine),
        login_script("con_flood", corpus!(log_flood)),
    );
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

async fn log_unprintable(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
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
        single(Engine::Node),
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
