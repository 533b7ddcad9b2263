//! Ordinary scripts with ordinary packages: the embedded runtime and Node must give the same.
//!
//! The cases are in `tests/corpus/*.js`. Those of `own.js` say what they expect; all others run under
//! the machine's Node as well, with the packages of `runtimes/packages`. A service that is not
//! installed (`mariadbd`, `slapd`) leaves its cases out, and says so.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::rig::Worker;
use crate::services::{Directory, Mongo, MySql, Postgres, SqlServer, Web};

/// One script of a corpus file.
struct Case {
    name: String,
    needs: Option<String>,
    /// What `own.js` expects.
    expected: Option<Value>,
    source: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn cases(file: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let parts = text.split("\n//# ").skip(1);
    parts
        .map(|part| {
            let (head, source) = part.split_once('\n').unwrap();
            let (name, needs) = head.split_once(" needs ").unwrap_or((head, ""));
            let expected = source.strip_prefix("//= ").map(|rest| {
                let line = rest.lines().next().unwrap();
                serde_json::from_str(line).unwrap()
            });
            Case {
                name: name.to_owned(),
                needs: (!needs.is_empty()).then(|| needs.to_owned()),
                expected,
                source: source.to_owned(),
            }
        })
        .collect()
}

/// The result of a case in a worker of its own, in the shape of the harness.
fn embedded(case: &Case, settings: &Value) -> Value {
    let mut worker = Worker::start();
    let loaded = worker.load_with("login", &case.source, settings, &Value::Null);
    assert!(loaded.get("error").is_none(), "{}: {loaded}", case.name);
    let result = worker.call("login").result;
    match result.get("error") {
        None => json!({"name": case.name, "value": result.get("value")}),
        Some(error) => json!({"name": case.name, "error": {
            "name": error.get("name"), "code": error.get("code"), "message": error["message"],
        }}),
    }
}

/// The results of all cases under Node, in order.
fn on_node(cases: &[Case], settings: &Value) -> Vec<Value> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtimes/packages");
    assert!(
        packages.join("node_modules").is_dir(),
        "no npm packages: run `make setup`"
    );
    let scripts: Vec<Value> = cases
        .iter()
        .map(|case| json!({"name": case.name, "source": case.source}))
        .collect();
    let request = json!({
        "packages": packages, "configuration": settings, "cases": scripts,
        "args": ["ann@example.com", "pässword"],
    });
    let mut node = Command::new("node")
        .arg(folder().join("harness.cjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(request.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Absent members and members that are null are the same to a host.
fn plain(mut result: Value) -> Value {
    if let Some(error) = result.get_mut("error").and_then(Value::as_object_mut) {
        error.retain(|_, member| !member.is_null());
    }
    result
}

/// Compares all cases; tells all that differ.
#[track_caller]
fn compare(cases: &[Case], settings: &Value) {
    assert!(!cases.is_empty());
    let theirs = {
        let expected: Vec<Value> = cases
            .iter()
            .filter_map(|case| case.expected.clone())
            .collect();
        if expected.len() == cases.len() {
            let named = cases.iter().zip(expected);
            named
                .map(|(case, value)| json!({"name": case.name, "value": value}))
                .collect()
        } else {
            on_node(cases, settings)
        }
    };
    assert_eq!(theirs.len(), cases.len(), "Node did not get to the end");
    let ours = thread::scope(|scope| {
        let half = cases.len().div_ceil(2);
        let runs: Vec<_> = cases
            .chunks(half)
            .map(|part| {
                scope.spawn(move || {
                    part.iter()
                        .map(|case| embedded(case, settings))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        runs.into_iter()
            .flat_map(|run| run.join().unwrap())
            .collect::<Vec<_>>()
    });
    let differences: Vec<String> = theirs
        .into_iter()
        .zip(ours)
        .map(|(theirs, ours)| (plain(theirs), plain(ours)))
        .filter(|(theirs, ours)| theirs != ours)
        .map(|(theirs, ours)| format!("expected {theirs}\n     got {ours}"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Keys for signatures: Node makes them.
fn keys() -> Value {
    let script = "
        const { generateKeyPairSync } = require('crypto');
        const privateKeyEncoding = { type: 'pkcs8', format: 'pem' };
        const publicKeyEncoding = { type: 'spki', format: 'pem' };
        const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding, publicKeyEncoding });
        const ec = generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding, publicKeyEncoding });
        console.log(JSON.stringify({ rsa: rsa.privateKey, rsaPublic: rsa.publicKey, ec: ec.privateKey, ecPublic: ec.publicKey }));";
    let output = Command::new("node").args(["-e", script]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_language_and_its_modules() {
    compare(&cases("language.js"), &json!({"KEYS": keys()}));
}

#[test]
fn packages_without_a_service() {
    compare(&cases("packages.js"), &json!({"KEYS": keys()}));
}

#[test]
fn what_node_does_not_do() {
    compare(&cases("own.js"), &json!({}));
}

#[test]
fn drivers_and_clients() {
    let web = Web::start();
    let postgres = Postgres::find();
    let mysql = MySql::start(&web);
    let directory = Directory::start();
    let mut settings = web.settings();
    settings["PG"] = postgres.settings();
    let mongo = Mongo::start();
    settings["MONGODB"] = json!(mongo.url());
    let sql_server = SqlServer::start(&web);
    settings["SQLSERVER"] = json!(sql_server.port());
    let mut has = vec!["postgres", "http", "mongodb", "sqlserver"];
    if let Some(mysql) = &mysql {
        settings["MYSQL"] = mysql.settings();
        has.push("mysql");
    }
    if let Some(directory) = &directory {
        settings["LDAP"] = json!(directory.url());
        has.push("ldap");
    }
    let all = cases("services.js");
    let (mine, left): (Vec<Case>, Vec<Case>) = all.into_iter().partition(|case| {
        case.needs
            .as_deref()
            .is_none_or(|needs| has.contains(&needs))
    });
    for case in &left {
        eprintln!("left out, its service is not installed: {}", case.name);
    }
    compare(&mine, &settings);
}

/// Reads the first line that a started service prints.
pub fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    line
}

#[test]
fn bundles_of_the_operator_win_and_versions_are_told_once() {
    let folder = tempfile::TempDir::new().unwrap();
    let bundles = [
        ("own.js", "module.exports = { own: require('path').sep };"),
        ("lodash.js", "module.exports = { own: 'lodash' };"),
        ("bcrypt.js", "module.exports = { own: 'bcrypt' };"),
        ("@scope__name.js", "exports.own = 'scoped';"),
        ("broken.js", "throw new Error('no good');"),
    ];
    for (name, text) in bundles {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut worker = Worker::blank();
    worker.greet(folder.path().to_str());
    let source = "function login(email, password, callback) {
        const names = ['own', 'own@1.0', 'lodash@4', 'bcrypt', 'bcryptjs', '@scope/name', '@scope/name@2', 'broken', 'pg@8.1', 'pg@8.1'];
        callback(null, names.map((name) => {
            try { const found = require(name); return found.own || typeof found; } catch (error) { return error.message; }
        }));
    }";
    let loaded = worker.load("login", source);
    assert!(loaded.get("error").is_none(), "{loaded}");
    let reply = worker.call("login");
    let expected = json!([
        "/", "/", "lodash", "bcrypt", "object", "scoped", "scoped", "no good", "object", "object"
    ]);
    assert_eq!(reply.value(), &expected);
    let told: Vec<&str> = reply.lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(
        told[0],
        "require('own@1.0') gives own of the modules folder"
    );
    assert!(
        told[3].starts_with("require('pg@8.1') gives pg 8."),
        "{told:?}"
    );
    assert!(worker.call("login").lines.is_empty());
}
