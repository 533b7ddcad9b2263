//! `require`: Node's modules, the operator's folder, versions in names.

use std::fs;
use std::path::Path;

use script::{FailureKind, LoginOutcome, ScriptPool};

use crate::rig::{Engine, failed, found, login, login_once, login_script, on_node, open_folder};

/// Writes a package that exports its own name and version.
fn install(folder: &Path, name: &str, version: &str) {
    let package = folder.join("node_modules").join(name);
    fs::create_dir_all(package.join("lib")).unwrap();
    let json = format!(r#"{{"name":"{name}","version":"{version}","main":"index.js"}}"#);
    fs::write(package.join("package.json"), json).unwrap();
    fs::write(
        package.join("index.js"),
        format!("exports.is = '{name} {version}';"),
    )
    .unwrap();
    fs::write(package.join("lib/inner.js"), "exports.is = 'inner';").unwrap();
}

fn pool(folder: &Path) -> ScriptPool {
    ScriptPool::new(on_node(Some(folder.to_owned())))
}

fn requiring(name: &str) -> String {
    format!(
        "function login(a, b, callback) {{ callback(null, {{ user_id: require('{name}').is }}) }}"
    )
}

#[tokio::test]
async fn packages_come_from_the_operator_s_folder() {
    let folder = open_folder();
    install(folder.path(), "pg", "8.11.3");
    install(folder.path(), "@scope/thing", "1.0.0");
    install(folder.path(), "bcryptjs", "3.0.0");
    let pool = pool(folder.path());
    for (asked, given, line) in [
        ("pg", "pg 8.11.3", None),
        (
            "pg@8.1",
            "pg 8.11.3",
            Some("require('pg@8.1') gives pg 8.11.3"),
        ),
        ("pg@8.1/lib/inner", "inner", Some("gives pg 8.11.3")),
        ("pg/lib/inner.js", "inner", None),
        ("@scope/thing", "@scope/thing 1.0.0", None),
        (
            "@scope/thing@^2",
            "@scope/thing 1.0.0",
            Some("gives @scope/thing 1.0.0"),
        ),
        (
            "bcrypt",
            "bcryptjs 3.0.0",
            Some("require('bcrypt') gives bcryptjs 3.0.0"),
        ),
        ("bcrypt@5.1", "bcryptjs 3.0.0", Some("gives bcryptjs 3.0.0")),
    ] {
        let program = login_script(&format!("con_{asked}"), &requiring(asked));
        for is_first in [true, false] {
            let call = login(&pool, &program).await;
            assert_eq!(found(call.outcome)["user_id"], given);
            let lines: Vec<_> = call.log.iter().map(|line| line.message.as_str()).collect();
            match line {
                Some(words) if is_first => {
                    assert!(
                        matches!(lines[..], [line] if line.contains(words)),
                        "{lines:?}"
                    );
                }
                _ => assert!(lines.is_empty(), "{lines:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_installed_bcrypt_is_not_replaced() {
    let folder = open_folder();
    install(folder.path(), "bcrypt", "5.0.0");
    install(folder.path(), "bcryptjs", "3.0.0");
    let program = login_script("con_bcrypt", &requiring("bcrypt"));
    let profile = found(login(&pool(folder.path()), &program).await.outcome);
    assert_eq!(profile["user_id"], "bcrypt 5.0.0");
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let folder = open_folder();
    install(folder.path(), "pg", "8.11.3");
    let pool = pool(folder.path());
    for (asked, words) in [
        ("mysql2", "Cannot find module 'mysql2'"),
        ("bcrypt", "Cannot find module 'bcrypt'"),
        ("./runner.cjs", "require takes packages, not files"),
        ("/etc/hostname", "require takes packages, not files"),
    ] {
        let program = login_script(&format!("con_absent_{asked}"), &requiring(asked));
        let failure = failed(login(&pool, &program).await.outcome);
        assert_eq!(failure.kind, FailureKind::Thrown);
        assert!(failure.message.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn without_a_folder_there_are_node_s_own_modules() {
    let failure = failed(login_once(Engine::Node, "con_no_folder", &requiring("pg")).await);
    assert!(
        failure.message.contains("no modules folder is configured"),
        "{failure}"
    );
    for (connection, name) in [
        ("con_builtin", "crypto"),
        ("con_builtin_scheme", "node:crypto"),
        ("con_builtin_version", "crypto@1.0.1"),
    ] {
        let text = format!(
            "const crypto = require('{name}');
             function login(a, b, callback) {{
                 callback(null, {{ user_id: crypto.createHash('sha1').update('a').digest('hex') }})
             }}"
        );
        let id = &found(login_once(Engine::Node, connection, &text).await)["user_id"];
        assert_eq!(id, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8");
    }
}

/// Auth0's ASP.NET template: PBKDF2 over a salt that sits in the middle of the stored value.
#[tokio::test]
async fn a_template_s_hashing_works() {
    let text = "function login(email, password, callback) {
        const crypto = require('crypto');
        const stored = Buffer.from('AAECAwQFBgcICQoLDA0ODxAR', 'base64');
        crypto.pbkdf2(password, stored.slice(1, 17), 1000, 32, 'sha1', (error, hash) => {
            if (error) return callback(error);
            callback(null, { user_id: hash.toString('base64').length });
        });
    }";
    let outcome = login_once(Engine::Node, "con_template", text).await;
    assert!(
        matches!(&outcome, LoginOutcome::Found(profile) if profile["user_id"] == 44),
        "{outcome:?}"
    );
}
