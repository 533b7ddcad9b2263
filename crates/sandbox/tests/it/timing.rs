//! The order of timers, ticks, promises and immediates is Node's; timers cost nothing when they
//! have run.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::rig::{Worker, login, run};

#[test]
fn ticks_come_before_promises_and_immediates_before_timers() {
    let reply = run(&login(
        "const order = [];
         setTimeout(() => { order.push('timeout'); callback(null, { user_id: 1, order }); }, 0);
         setImmediate(() => order.push('immediate'));
         Promise.resolve().then(() => { order.push('promise'); process.nextTick(() => order.push('tick of a promise')); });
         queueMicrotask(() => order.push('microtask'));
         process.nextTick(() => { order.push('tick'); Promise.resolve().then(() => order.push('promise of a tick')); });
         order.push('sync');",
    ));
    // As Node 20 gives them, in a script that is called from a socket's callback.
    let order = json!([
        "sync",
        "tick",
        "promise",
        "microtask",
        "promise of a tick",
        "tick of a promise",
        "immediate",
        "timeout"
    ]);
    assert_eq!(reply.value()["order"], order);
}

#[test]
fn timers_run_by_time_then_by_age() {
    let reply = run(&login(
        "const order = [];
         setTimeout(() => order.push('b'), 20);
         setTimeout(() => order.push('a1'), 10);
         setTimeout(() => order.push('a2'), 10);
         const gone = setTimeout(() => order.push('gone'), 15);
         clearTimeout(gone);
         const number = +setTimeout(() => order.push('gone by number'), 15);
         clearTimeout(number);
         let n = 0;
         const every = setInterval(() => { n += 1; order.push('i' + n); if (n === 2) clearInterval(every); }, 12);
         setTimeout(() => callback(null, { user_id: 1, order }), 60);",
    ));
    assert_eq!(reply.value()["order"], json!(["a1", "a2", "i1", "b", "i2"]));
}

#[test]
fn a_timer_waits_as_long_as_it_says() {
    let start = Instant::now();
    run(&login(
        "setTimeout(() => callback(null, { user_id: 1 }), 120);",
    ))
    .value();
    assert!(start.elapsed() >= Duration::from_millis(120));
}

#[test]
fn twenty_thousand_long_timers_leave_no_memory_behind() {
    let mut worker = Worker::start();
    // Each would hold 10 kB for its five seconds, if a cleared timer held on to its function.
    worker.load(
        "login",
        &login(
            "let n = 0;
         const next = () => {
           if (n === 4000) return callback(null, { user_id: 1 });
           n += 1;
           const held = new Uint8Array(10000);
           const timer = setTimeout(() => held.length, 5000);
           setImmediate(() => { clearTimeout(timer); next(); });
         };
         next();",
        ),
    );
    worker.call("login").value();
    let before = worker.resident();
    for _ in 0..4 {
        worker.call("login").value();
    }
    let grown = worker.resident().saturating_sub(before);
    assert!(grown < 4 << 20, "{grown}");
}
