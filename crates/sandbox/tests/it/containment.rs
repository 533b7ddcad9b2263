//! Scripts that take too much: time, memory, stack. Each is answered, and the worker ends when it
//! is of no more use.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::rig::{Worker, login, run};

/// Bodies that never come back: they are answered at the deadline, and the worker ends.
macro_rules! hangs {
    ($($name:ident: $body:literal;)+) => {$(
        #[test]
        fn $name() {
            let mut worker = Worker::start();
            worker.load("login", &login($body));
            let start = Instant::now();
            let reply = worker.call_for("login", Duration::from_millis(300));
            assert_eq!(reply.error(), ("timeout", "Script execution time exceeded"));
            assert!(start.elapsed() >= Duration::from_millis(300));
            assert_eq!(worker.ended().code(), Some(124));
        }
    )+};
}

hangs! {
    an_infinite_loop: "for (;;);";
    a_loop_that_catches: "for (;;) { try { for (;;); } catch {} finally { continue; } }";
    a_loop_of_ticks_and_jobs: "const again = () => process.nextTick(() => Promise.resolve().then(again)); again();";
    a_loop_of_ticks: "const again = () => process.nextTick(again); again();";
    a_loop_of_immediates: "const again = () => setImmediate(again); again();";
    a_slow_regular_expression: "/^(a+)+$/.test('a'.repeat(40) + 'b');";
    no_answer: "";
    a_timer_that_loops: "setTimeout(() => { for (;;); }, 5);";
}

/// Each job leaves a little behind: on a slow machine the time is over first, on a fast one the
/// memory. Either is an error, and the end of the worker.
#[test]
fn a_loop_of_promise_jobs() {
    let mut worker = Worker::start();
    let body = "const again = () => Promise.resolve().then(again); again();";
    worker.load("login", &login(body));
    let reply = worker.call_for("login", Duration::from_millis(300));
    let (how, _) = reply.error();
    assert!(
        ["timeout", "exhausted", "unhandled", "reject"].contains(&how),
        "{how}"
    );
}

#[test]
fn native_work_that_outlasts_the_deadline_is_ended_by_the_watchdog() {
    let mut worker = Worker::start();
    worker.load(
        "login",
        &login("require('crypto').pbkdf2Sync('a', 'b', 2 ** 31 - 1, 64, 'sha512');"),
    );
    let call = json!({"t": "call", "id": "c", "script": "login", "args": [], "deadline_ms": 200});
    let start = Instant::now();
    worker.send(&call);
    assert!(worker.receive().is_none(), "nothing is there to answer");
    assert!(start.elapsed() >= Duration::from_millis(500));
    assert_eq!(worker.ended().code(), Some(124));
}

#[test]
fn a_script_that_loops_while_it_is_read_is_not_loaded() {
    let mut worker = Worker::start();
    worker.send(&json!({
        "t": "load", "id": "l", "script": "login", "source": "for (;;);", "configuration": "{}",
        "deadline_ms": 200,
    }));
    let loaded = worker.receive().unwrap();
    assert_eq!(
        (&loaded["t"], &loaded["id"]),
        (&json!("loaded"), &json!("l"))
    );
    assert_eq!(loaded["error"]["message"], "Script execution time exceeded");
    assert_eq!(worker.ended().code(), Some(124));
}

/// Bodies that take memory until there is none: errors, never values.
macro_rules! bombs {
    ($($name:ident: $body:literal;)+) => {$(
        #[test]
        fn $name() {
            let mut worker = Worker::start();
            worker.load("login", &login($body));
            let reply = worker.call("login");
            assert!(reply.result.get("error").is_some(), "{}", reply.result);
            assert!(worker.resident() < 160 << 20);
        }
    )+};
}

bombs! {
    an_array_bomb: "const kept = []; for (;;) kept.push(new Array(100000).fill(Math.random()));";
    a_buffer_bomb: "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1));";
    a_bomb_over_several_turns: "const kept = []; const grow = () => { kept.push(Buffer.alloc(1 << 20)); setImmediate(grow); }; grow();";
    a_bomb_in_a_promise: "const kept = []; const grow = () => { kept.push(new Array(10000).fill(0)); return Promise.resolve().then(grow); }; return grow();";
    a_text_bomb: "let text = 'x'; for (;;) text += text + Math.random();";
    a_bomb_of_rejections: "const kept = []; for (;;) kept.push(Promise.reject(new Error('x')));";
    a_bomb_of_timers: "for (;;) setTimeout(() => {}, 1000);";
}

#[test]
fn a_bomb_in_the_answer_is_an_answer() {
    let reply = run(&login(
        "callback(null, { toJSON() { const kept = []; for (;;) kept.push(new Array(100000).fill(0.5)); } });",
    ));
    assert!(reply.bad().contains("out of memory"), "{}", reply.result);
    // The script holds on to all the memory while its error is put into words.
    let reply = run(&login(
        "const kept = [];
         try { for (;;) kept.push(new Array(1000).fill(0.5)); } catch {}
         try { for (;;) kept.push(0.5); } catch {}
         callback(new Error('x'.repeat(100)), kept);",
    ));
    assert!(reply.result.get("value").is_none(), "{}", reply.result);
}

#[test]
fn after_a_bomb_that_is_gone_the_worker_serves_on() {
    let mut worker = Worker::start();
    worker.load(
        "login",
        &login(
            "global.n = (global.n || 0) + 1;
         if (global.n > 1) return callback(null, { user_id: global.n });
         const kept = []; for (;;) kept.push(new Array(100000).fill(0.5));",
        ),
    );
    assert_eq!(worker.call("login").error().0, "throw");
    assert_eq!(worker.call("login").value(), &json!({"user_id": 2}));
    assert!(worker.leave().success());
}

#[test]
fn a_worker_whose_memory_stays_full_ends() {
    let mut worker = Worker::start();
    worker.load(
        "login",
        &login("global.kept = []; for (;;) global.kept.push(new Array(1000).fill(0.5));"),
    );
    assert!(worker.call("login").result.get("error").is_some());
    assert_eq!(worker.ended().code(), Some(125));
}

/// Bodies that take too much at once: clean errors, and the worker serves on.
macro_rules! errors {
    ($($name:ident: $body:literal;)+) => {$(
        #[test]
        fn $name() {
            let mut worker = Worker::start();
            worker.load("login", &login($body));
            worker.load("get_user", "function getUser(email, password, callback) { callback(null, { user_id: 1 }); }");
            assert_eq!(worker.call("login").error().0, "throw");
            assert_eq!(worker.call("get_user").value(), &json!({"user_id": 1}));
        }
    )+};
}

errors! {
    deep_recursion: "const deeper = () => deeper() + 1; deeper();";
    deep_json: "JSON.parse('['.repeat(1000000));";
    a_huge_array_buffer: "new ArrayBuffer(8 * 1024 ** 3);";
    a_huge_text: "'x'.repeat(2 ** 30);";
    waiting_for_a_thread: "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";
}

#[test]
fn nothing_native_is_in_reach() {
    let reply = run(&login(
        "const seen = [];
         for (const name of ['native', 'primordials', '__send', 'std', 'os', 'Deno', 'Bun', 'module.parent']) {
           try { if (Function('return typeof ' + name)() !== 'undefined') seen.push(name); } catch {}
         }
         const values = Object.getOwnPropertyNames(globalThis).filter((name) => {
           try { return typeof globalThis[name]?.answerValue === 'function'; } catch { return false; }
         });
         callback(null, { user_id: 1, seen, values });",
    ));
    assert_eq!(
        reply.value(),
        &json!({"user_id": 1, "seen": [], "values": []})
    );
}

#[test]
fn stack_frames_hand_out_no_functions() {
    let reply = run(&login(
        "Error.prepareStackTrace = (_, sites) => sites.map((site) => typeof site.getFunction + typeof site.getThis);
         const { stack } = new Error('x');
         Error.prepareStackTrace = undefined;
         callback(null, { user_id: 1, frames: stack.length > 1, kinds: [...new Set(stack)] });",
    ));
    let expected = json!({"user_id": 1, "frames": true, "kinds": ["undefinedundefined"]});
    assert_eq!(reply.value(), &expected);
}

#[test]
fn bytes_that_a_slow_peer_does_not_take_are_not_piled_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut worker = Worker::start();
    let body = "const socket = require('net').connect(+configuration.PORT, '127.0.0.1');
        socket.on('error', (error) => callback(error));
        socket.on('connect', () => {
          const write = () => { for (let i = 0; i < 8; i += 1) socket.write(Buffer.alloc(1 << 20)); setImmediate(write); };
          write();
        });";
    let settings = json!({"PORT": port.to_string()});
    worker.load_with("login", &login(body), &settings, &serde_json::Value::Null);
    let reply = worker.call("login");
    assert!(reply.result.get("error").is_some(), "{}", reply.result);
    assert!(worker.resident() < 200 << 20);
    drop(listener);
}

#[test]
fn operations_that_are_under_way_have_a_limit() {
    let reply = run(&login(
        "const { lookup } = require('dns');
         for (let i = 0; i < 5000; i += 1) lookup('localhost', () => {});
         callback(null, { user_id: 1 });",
    ));
    assert_eq!(reply.result["error"]["code"], "EAGAIN", "{}", reply.result);
}

#[test]
fn ids_of_calls_never_enter_javascript() {
    let reply = run(&login(
        "const found = [];
         const look = (value, depth) => {
           if (typeof value === 'string') { if (value.includes('call-1')) found.push(value); return; }
           if (depth > 4 || value === null || typeof value !== 'object' && typeof value !== 'function') return;
           for (const key of Object.getOwnPropertyNames(value)) { try { look(value[key], depth + 1); } catch {} }
         };
         look(callback, 0); look(arguments, 0); look(globalThis, 2);
         let caller; try { caller = arguments.callee.caller && String(arguments.callee.caller); } catch (error) { caller = null; }
         callback(null, { user_id: 1, found });",
    ));
    assert_eq!(reply.value(), &json!({"user_id": 1, "found": []}));
}
