//! What lives how long: settings for a call, globals for the worker.

use serde_json::json;

use crate::rig::{Worker, login};

#[test]
fn a_worker_says_what_it_is() {
    let mut worker = Worker::blank();
    let ready = worker.greet(None);
    assert_eq!(
        (&ready["rt"], &ready["version"]),
        (&json!("embedded"), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert!(ready["pid"].as_u64().unwrap() > 0);
    assert_eq!(worker.leave().code(), Some(0));
}

#[test]
fn another_protocol_is_not_spoken() {
    let mut worker = Worker::blank();
    worker.send(
        &json!({"t": "init", "proto": 2, "limits": {"result": 1, "log": 1}, "modules": null}),
    );
    assert!(worker.receive().is_none());
    assert_eq!(worker.ended().code(), Some(1));
}

#[test]
fn settings_are_fresh_and_globals_are_kept() {
    let mut worker = Worker::start();
    worker.load(
        "login",
        &login(
            "const before = configuration.SECRET;
         configuration.SECRET = 'x';
         Object.prototype.polluted = (Object.prototype.polluted || 0) + 1;
         global.n = (global.n || 0) + 1;
         callback(null, { user_id: 1, before, n: global.n, polluted: {}.polluted });",
        ),
    );
    for round in 1..=3 {
        let expected = json!({"user_id": 1, "before": "s", "n": round, "polluted": round});
        assert_eq!(worker.call("login").value(), &expected);
    }
}

#[test]
fn two_scripts_share_the_globals_but_not_their_names() {
    let mut worker = Worker::start();
    worker.load("login", "const own = 1; let n = 0; function login(email, password, callback) { n += 1; global.seen = (global.seen || 0) + 1; callback(null, { user_id: own, n, seen: global.seen }); }");
    worker.load("get_user", "const own = 2; let n = 0; function getByEmail(email, callback) { n += 1; global.seen += 1; callback = arguments[arguments.length - 1]; callback(null, { user_id: own, n, seen: global.seen }); }");
    assert_eq!(
        worker.call("login").value(),
        &json!({"user_id": 1, "n": 1, "seen": 1})
    );
    assert_eq!(
        worker.call("get_user").value(),
        &json!({"user_id": 2, "n": 1, "seen": 2})
    );
    assert_eq!(
        worker.call("login").value(),
        &json!({"user_id": 1, "n": 2, "seen": 3})
    );
}

#[test]
fn all_customary_forms_of_a_script_are_found() {
    for source in [
        "function (email, password, callback) { callback(null, { user_id: 1 }); }",
        "(email, password, callback) => callback(null, { user_id: 1 })",
        "module.exports = function (email, password, callback) { callback(null, { user_id: 1 }); };",
        "const help = () => ({ user_id: 1 });\nasync function anything(email, password, callback) { callback(null, help()); }",
        "const login = (email, password, callback) => { callback(null, { user_id: 1 }); };\nfunction other() {}",
    ] {
        let mut worker = Worker::start();
        let loaded = worker.load("login", source);
        assert!(loaded.get("error").is_none(), "{source}: {loaded}");
        assert_eq!(
            worker.call("login").value(),
            &json!({"user_id": 1}),
            "{source}"
        );
    }
}

#[test]
fn a_script_that_cannot_be_read_says_why() {
    let mut worker = Worker::start();
    let loaded = worker.load(
        "login",
        "function login(email, password, callback) {\n  callback(;\n}",
    );
    assert_eq!(loaded["error"]["name"], "SyntaxError");
    let loaded = worker.load("login", "const a = 1;");
    assert_eq!(loaded["error"]["message"], "the script defines no function");
    // The worker is as it was.
    worker.load("login", &login("callback(null, { user_id: 1 });"));
    assert_eq!(worker.call("login").value(), &json!({"user_id": 1}));
}

#[test]
fn questions_are_answered_by_the_host() {
    let mut worker = Worker::start();
    worker.load(
        "login",
        &login(
            "const { verify } = require('ferry/password');
             verify(password, '$1$salt$hash').then((matches) => {
               verify(password, 'junk', { algorithm: 'sha1' }).catch((error) => callback(null, { user_id: 1, matches, why: error.message }));
             });",
        ),
    );
    worker.send(&json!({"t": "call", "id": "c", "script": "login", "args": ["a", "b"], "deadline_ms": 20_000}));
    let ask = worker.receive().unwrap();
    let question = json!({"ask": "password.verify", "password": "b", "hash": "$1$salt$hash"});
    assert_eq!(
        (&ask["t"], &ask["id"], &ask["question"]),
        (&json!("ask"), &json!("c"), &question)
    );
    worker.send(&json!({"t": "answer", "n": ask["n"], "value": true}));
    let ask = worker.receive().unwrap();
    assert_eq!(ask["question"]["options"], json!({"algorithm": "sha1"}));
    worker.send(&json!({"t": "answer", "n": ask["n"], "error": "an unknown format"}));
    let value = json!({"user_id": 1, "matches": true, "why": "an unknown format"});
    assert_eq!(worker.receive().unwrap()["value"], value);
}
