//! Packages: those in the binary, and the operator's own bundles.

use serde_json::json;

use crate::rig::{Worker, login};

#[test]
fn an_operators_bundle_is_required_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "legacy.js",
        "module.exports = { word: 'own', seen: typeof native + typeof primordials };",
    );
    write("@acme__store.js", "exports.word = 'scoped';");
    write("notes.txt", "no bundle");
    let mut worker = Worker::blank();
    worker.greet(Some(folder.path().to_str().unwrap()));
    worker.load(
        "login",
        &login(
            "const refused = (name) => { try { require(name); return 'given'; } catch { return 'refused'; } };
             const legacy = require('legacy');
             callback(null, {
               user_id: legacy.word, seen: legacy.seen, scoped: require('@acme/store').word, same: require('legacy') === legacy,
               others: ['notes', './legacy', '../etc/passwd', '/etc/passwd', 'internal/x', 'runner', 'timers.js'].map(refused),
             });",
        ),
    );
    let others = vec!["refused"; 7];
    let expected = json!({
        "user_id": "own", "seen": "undefinedundefined", "scoped": "scoped", "same": true, "others": others,
    });
    assert_eq!(worker.call("login").value(), &expected);
}

#[test]
fn packages_of_the_binary_need_no_folder() {
    let mut worker = Worker::start();
    worker.load(
        "login",
        &login("callback(null, { user_id: require('lodash').chunk([1, 2, 3], 2) });"),
    );
    assert_eq!(
        worker.call("login").value(),
        &json!({"user_id": [[1, 2], [3]]})
    );
}

#[test]
fn places_in_packages_are_not_taken_for_the_scripts_own() {
    let mut worker = Worker::start();
    worker.load(
        "login",
        &login("require('lodash').map([1], () => { throw new Error('inside'); });"),
    );
    let reply = worker.call("login");
    let stack = reply.result["error"]["stack"].as_str().unwrap();
    let of_lodash = stack
        .lines()
        .find(|line| line.contains("lodash"))
        .expect("a frame of lodash");
    assert!(of_lodash.contains("node_modules/"), "{stack}");
}
