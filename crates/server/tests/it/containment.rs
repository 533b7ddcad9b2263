//! What scripts cannot do on a running server, tried over the Management API: on both databases and
//! on both runtimes, beside what `ferry doctor` says of it.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use testkit::{Api, Server};

use crate::process;
use crate::stage::{self, On, expect};

/// Scripts that try to get out.
const CORPUS: &str = include_str!("../../../script/tests/corpus/contain.js");
/// How a runtime says that it has no such thing at all.
const ABSENT: [&str; 3] = ["is not available", "Cannot find module", "not a function"];
/// What both runtimes are asked, and one word of the refusal.
const CASES: [(&str, &str); 3] = [
    ("read_users", "EACCES"),
    ("list_processes", "EACCES"),
    ("spawn", "EPERM"),
];

fn corpus(name: &str) -> Result<&'static str> {
    let parts = CORPUS.split("\n//# ").skip(1);
    let mut named = parts.filter_map(|part| part.split_once('\n'));
    let found = named.find(|(found, _)| *found == name);
    Ok(found.context("a script of the corpus")?.1)
}

/// Connects, and says nothing to whoever listens.
fn connecting(address: &str) -> Result<String> {
    let (host, port) = address.rsplit_once(':').context("a host and a port")?;
    Ok(format!(
        "function login(email, password, callback) {{
            const socket = require('net').connect({port}, '{host}');
            const end = (error, profile) => {{ socket.destroy(); callback(error, profile); }};
            socket.on('error', end).on('connect', () => end(null, {{ user_id: 1, email }}));
            setTimeout(() => end(new Error('nobody answered')), 2000);
        }}"
    ))
}

async fn attempt(admin: &Api, connection: &str, source: &str) -> Result<Value> {
    let path = format!("/api/v2/connections/{connection}/scripts/login/try");
    let body = json!({"email": "ann@example.org", "password": "x", "source": source});
    expect(200, admin.post(&path, &body).await?)
}

fn doctor(server: &Server) -> Result<String> {
    let done = process::ferry_with(server, &["doctor"], &[])?;
    let report = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{report}");
    Ok(report)
}

async fn nothing_gets_out(on: On) -> Result<()> {
    let server = on.builder().start().await?;
    let admin = server.api()?;
    let report = doctor(&server)?;
    assert!(report.contains("ok    isolation    full"), "{report}");
    // The one exception of Node's is told where the rest is told.
    assert!(
        report.contains("on Node, rules about hosts hold for TCP ports only"),
        "{report}"
    );

    let shop = stage::application(&server).await?;
    for runtime in ["embedded", "node"] {
        let mut options = stage::scripted("function login(e, p, callback) { callback(null); }");
        options["ferry"] = json!({"runtime": runtime});
        let connection = stage::connection(&server, &shop, runtime, options).await?;
        for (name, word) in CASES {
            let report = attempt(&admin, &connection, corpus(name)?).await?;
            assert_eq!(
                (&report["runtime"], &report["outcome"]),
                (&json!(runtime), &json!("failed")),
                "{report}"
            );
            let told = report["error"]["message"].as_str().unwrap_or_default();
            let is_refused = told.contains(word) || ABSENT.iter().any(|word| told.contains(word));
            assert!(is_refused, "{runtime} {name}: {report}");
        }
        network(&on, &admin, runtime, &connection).await?;
    }
    bounded_on_node(&on, &server, &shop).await
}

/// Where a script must not connect, and the words of the refusal: the cloud's metadata service, and
/// the server's own database.
fn forbidden(on: &On) -> Vec<(&str, &'static str)> {
    let metadata = (
        "169.254.169.254:80",
        "link-local and metadata addresses are refused",
    );
    match on {
        On::Sqlite => vec![metadata],
        On::Postgres(database) => vec![
            metadata,
            (database.address(), "this is the server's own database"),
        ],
    }
}

/// On Node, rules that name ports close all others.
async fn bounded_on_node(on: &On, server: &Server, shop: &Api) -> Result<()> {
    let mut options = stage::scripted("function login(e, p, callback) { callback(null); }");
    options["ferry"] = json!({"runtime": "node", "egress": ["legacy.example.org:3306"]});
    let connection = stage::connection(server, shop, "bounded", options).await?;
    for (address, _) in forbidden(on) {
        let report = attempt(&server.api()?, &connection, &connecting(address)?).await?;
        let told = report["error"]["message"].as_str().unwrap_or_default();
        assert!(told.contains("EACCES"), "{address}: {report}");
    }
    Ok(())
}

/// Tries both places without rules.
async fn network(on: &On, admin: &Api, runtime: &str, connection: &str) -> Result<()> {
    for (address, words) in forbidden(on) {
        let report = attempt(admin, connection, &connecting(address)?).await?;
        let told = report["error"]["message"].as_str().unwrap_or_default();
        if runtime == "embedded" {
            assert!(
                told.contains("EACCES") && told.contains(words),
                "{address}: {report}"
            );
        } else {
            // Documented in docs/scripts.md: without a rule that names ports, all are open on Node.
            println!("node, {address}: {} {told}", report["outcome"]);
            assert!(!told.contains(words), "the exception is gone: {report}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn nothing_gets_out_of_a_script_on_sqlite() -> Result<()> {
    nothing_gets_out(On::Sqlite).await
}

#[tokio::test]
async fn nothing_gets_out_of_a_script_on_postgres() -> Result<()> {
    nothing_gets_out(On::postgres()?).await
}
