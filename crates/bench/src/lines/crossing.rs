//! The first login of a legacy user: what the server adds to its script and its hash.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::{Entropy, Password};
use password::Scheme;
use script::{LoginOutcome, NodeRuntime, PoolSettings, Program, Runtime, ScriptName, ScriptPool};
use serde_json::json;

use crate::ferry::{PASSWORD_REALM, application, connection, login, port, server};
use crate::generator::{Connection, post};
use crate::runtimes::node;
use crate::setup::Setup;
use crate::statistics::{median_ms, shown};
use crate::table::Table;

const LOGINS: usize = 100;
const WARM: usize = 10;
const PASSWORD: &str = "correct horse battery";
const LOGIN: &str = "function login(email, password, callback) {
  callback(null, { user_id: email, email: email, email_verified: true, name: 'A B' });
}";
const GET_USER: &str = "function getByEmail(email, callback) { callback(null); }";

struct System;

impl Entropy for System {
    fn fill(&self, buffer: &mut [u8]) {
        // A salt of zeros would do as well here.
        let _ignored = getrandom::fill(buffer);
    }
}

/// The line of first logins.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let ferry = server(setup).start().await?;
    let application = application(&ferry, &[PASSWORD_REALM]).await?;
    let options = json!({
        "enabledDatabaseCustomization": true, "import_mode": true,
        "customScripts": {"login": LOGIN, "get_user": GET_USER},
    });
    connection(&ferry, &application, "legacy", options).await?;
    let mut client = Connection::open(port(&ferry)?)?;
    let pool = pool()?;
    let program = program()?;
    let (mut overheads, mut parts) = (Vec::new(), Vec::new());
    for turn in 0..setup.turns {
        let (mut walls, mut scripts, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..LOGINS {
            let email = format!("user{turn}x{number}@example.com");
            let request = post(
                "/oauth/token",
                &login(&application, "legacy", &email, PASSWORD),
            );
            let wall = timed(|| {
                client.send(&request)?;
                client.receive()
            })?;
            let script = script_call(&pool, &program, &email).await?;
            let hash = timed(hash)?;
            if number >= WARM {
                walls.push(wall);
                scripts.push(script);
                hashes.push(hash);
            }
        }
        let (wall, script, hash) = (median_ms(&walls), median_ms(&scripts), median_ms(&hashes));
        overheads.push(wall - script - hash);
        parts.push((wall, script, hash));
    }
    pool.shut_down().await;
    let (wall, script, hash) = parts.last().copied().context("a turn")?;
    let bare = format!("script {} ms + hash {} ms", two(script), two(hash));
    table.below(
        "first login through a script: all but script and hash",
        &overheads,
        &bare,
        2.0,
        "ms",
    );
    table.remark(format!(
        "First logins: one at a time, {} ms in all (two RS256 signatures and two synced commits included).",
        shown(wall)
    ));
    Ok(())
}

fn two(millis: f64) -> String {
    format!("{millis:.2}")
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

fn hash() -> Result<()> {
    let password = Password::from(PASSWORD.to_owned());
    Scheme::default().hash(&password, &System)?;
    Ok(())
}

async fn script_call(pool: &ScriptPool, program: &Arc<Program>, email: &str) -> Result<Duration> {
    let started = Instant::now();
    let call = pool
        .login(program, email, &Password::from(PASSWORD.to_owned()))
        .await;
    let took = started.elapsed();
    ensure!(
        matches!(call.outcome, LoginOutcome::Found(_)),
        "the script found nobody"
    );
    Ok(took)
}

fn pool() -> Result<ScriptPool> {
    let runtime = Runtime::Node(NodeRuntime {
        command: node()?,
        modules: None,
    });
    Ok(ScriptPool::new(PoolSettings::new(
        "/proc/self/exe".into(),
        runtime,
    )))
}

fn program() -> Result<Arc<Program>> {
    let scripts = BTreeMap::from([
        (ScriptName::Login, LOGIN.to_owned()),
        (ScriptName::GetUser, GET_USER.to_owned()),
    ]);
    Ok(Arc::new(Program::new(
        "con_bench".into(),
        scripts,
        BTreeMap::new(),
        false,
    )?))
}
