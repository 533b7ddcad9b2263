//! A call is answered once, by what came first; how it ended decides whether it failed.

use serde_json::json;

use crate::rig::{Worker, login, run};

/// Bodies that must fail: how, and the message.
macro_rules! fails {
    ($($name:ident: $how:literal, $message:literal, $body:literal;)+) => {$(
        #[test]
        fn $name() {
            let reply = run(&login($body));
            assert_eq!(reply.error(), ($how, $message));
        }
    )+};
}

fails! {
    a_promise_rejected_with_nothing: "reject", "no reason given (undefined)", "return Promise.reject();";
    a_promise_rejected_with_null: "reject", "no reason given (null)", "return Promise.reject(null);";
    null_thrown_in_a_timer: "uncaught", "no reason given (null)", "setTimeout(() => { throw null; }, 5);";
    undefined_thrown_in_a_timer: "uncaught", "no reason given (undefined)", "setTimeout(() => { throw undefined; }, 5);";
    null_thrown_in_a_tick: "uncaught", "no reason given (null)", "process.nextTick(() => { throw null; });";
    null_thrown_in_an_immediate: "uncaught", "no reason given (null)", "setImmediate(() => { throw null; });";
    null_thrown: "throw", "no reason given (null)", "throw null;";
    a_rejection_that_nobody_takes: "unhandled", "no reason given (undefined)", "Promise.reject();";
    a_late_rejection_that_nobody_takes: "unhandled", "nobody", "setTimeout(() => Promise.reject(new Error('nobody')), 5);";
    a_text_thrown: "throw", "bare", "throw 'bare';";
    an_error_in_an_async_function: "reject", "inside", "return (async () => { await null; throw new Error('inside'); })();";
    a_thenable_that_rejects: "reject", "no reason given (undefined)", "return { then: (_, no) => no(undefined) };";
    a_throwing_then: "reject", "then", "return { get then() { throw new Error('then'); } };";
    false_called_back: "callback", "false", "callback(false, { user_id: 1 });";
    an_empty_text_called_back: "callback", "", "callback('');";
    a_message_that_throws: "throw", "[object Object]", "
        const thrown = { get message() { throw 1; }, toString: () => '[object Object]' };
        require('util').inspect = null;
        throw Object.assign(thrown, { [Symbol.for('nodejs.util.inspect.custom')]: () => '[object Object]' });";
}

#[test]
fn an_error_that_cannot_be_read_at_all_is_an_error() {
    let reply = run(&login(
        "const trap = () => { throw new Error('no'); };
         throw new Proxy(function () {}, { get: trap, getPrototypeOf: trap, ownKeys: trap, apply: trap });",
    ));
    assert_eq!(reply.error().0, "throw");
}

#[test]
fn an_errors_words_come_along() {
    let reply = run(
        "function login(email, password, callback) {\n  const error = new Error('no such table');\n  error.code = '42P01';\n  throw error;\n}",
    );
    let error = &reply.result["error"];
    assert_eq!(
        (&error["name"], &error["code"]),
        (&json!("Error"), &json!("42P01"))
    );
    assert!(
        error["stack"].as_str().unwrap().contains("login.js:2:"),
        "{error}"
    );
}

#[test]
fn columns_of_the_first_line_are_the_scripts_own() {
    let reply = run("function login(email, password, callback) { throw new Error('here'); }");
    let stack = reply.result["error"]["stack"].as_str().unwrap();
    assert!(stack.contains("login.js:1:5"), "{stack}");
}

#[test]
fn error_classes_are_known_by_name() {
    let reply = run(&login(
        "callback(new WrongUsernameOrPasswordError('ann', 'wrong'));",
    ));
    let error = &reply.result["error"];
    assert_eq!(error["name"], "WrongUsernameOrPasswordError");
    assert_eq!(error["user"], "ann");
}

#[test]
fn a_rejection_that_is_taken_in_time_is_none() {
    let reply = run(&login(
        "const p = Promise.reject(new Error('taken'));
         Promise.resolve().then(() => p.catch(() => callback(null, { user_id: 1 })));",
    ));
    assert_eq!(reply.value(), &json!({"user_id": 1}));
}

/// Bodies that answer once and then do something else: the report of it.
macro_rules! late {
    ($($name:ident: $how:literal, $message:expr, $body:literal;)+) => {$(
        #[test]
        fn $name() {
            let mut worker = Worker::start();
            worker.load("login", &login($body));
            let reply = worker.call("login");
            assert_eq!(reply.value(), &json!({"user_id": 1}));
            let late = worker.receive().unwrap();
            assert_eq!((&late["t"], &late["id"]), (&json!("late"), &json!("call-1")), "{late}");
            assert_eq!(late["how"], $how);
            let message: Option<&str> = $message;
            assert_eq!(late["error"]["message"].as_str(), message, "{late}");
        }
    )+};
}

late! {
    a_second_callback: "callback", None, "callback(null, { user_id: 1 }); callback(null, { user_id: 2 });";
    a_second_callback_20_ms_later: "callback", None, "
        setTimeout(() => callback(null, { user_id: 1 }), 5);
        setTimeout(() => callback(null, { user_id: 2 }), 25);";
    a_second_callback_of_a_near_equal_timer: "callback", None, "
        setTimeout(() => callback(null, { user_id: 1 }), 5);
        setTimeout(() => callback(null, { user_id: 2 }), 5);";
    an_error_called_back_after_the_answer: "callback", Some("no"), "callback(null, { user_id: 1 }); callback(new Error('no'));";
    a_throw_after_the_answer: "throw", Some("after"), "callback(null, { user_id: 1 }); throw new Error('after');";
    a_rejection_after_the_answer: "reject", Some("after"), "callback(null, { user_id: 1 }); return Promise.reject(new Error('after'));";
    an_uncaught_error_after_the_answer: "uncaught", Some("after"), "callback(null, { user_id: 1 }); setTimeout(() => { throw new Error('after'); }, 5);";
}

#[test]
fn a_fulfilled_promise_is_no_answer() {
    let mut worker = Worker::start();
    worker.load("login", &login("return Promise.resolve({ user_id: 1 });"));
    let reply = worker.call_for("login", std::time::Duration::from_millis(200));
    assert_eq!(reply.error(), ("timeout", "Script execution time exceeded"));
    assert_eq!(worker.ended().code(), Some(124));
}

#[test]
fn a_callback_inside_the_answers_own_reading_is_late() {
    let mut worker = Worker::start();
    worker.load(
        "login",
        &login("callback(null, { user_id: 1, get gone() { callback(null, { user_id: 2 }); } });"),
    );
    worker
        .send(&json!({"t": "call", "id": "c", "script": "login", "args": ["a", "b"], "deadline_ms": 9000}));
    let late = worker.receive().unwrap();
    assert_eq!((&late["t"], &late["id"]), (&json!("late"), &json!("c")));
    let result = worker.receive().unwrap();
    assert_eq!(
        (&result["id"], &result["value"]),
        (&json!("c"), &json!({"user_id": 1}))
    );
}
