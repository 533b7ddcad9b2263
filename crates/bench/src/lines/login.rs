//! Logins of users who came with a bcrypt hash and have logged in once; raw argon2id in turns.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use domain::{Entropy, Password};
use password::Scheme;
use serde_json::{Value, json};

use crate::bare;
use crate::ferry::{PASSWORD_REALM, application, connection, expect, login, port, server, text};
use crate::generator::{self, Pressure, Requests};
use crate::setup::Setup;
use crate::statistics::{median, shown};
use crate::table::Table;

const USERS: usize = 16;
const SPAN: Duration = Duration::from_secs(5);
const PASSWORD: &str = "correct horse battery";

struct System;

impl Entropy for System {
    fn fill(&self, buffer: &mut [u8]) {
        // A salt of zeros would do as well here.
        let _ignored = getrandom::fill(buffer);
    }
}

/// The line of logins.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let ferry = server(setup).start().await?;
    let application = application(&ferry, &[PASSWORD_REALM]).await?;
    let id = connection(&ferry, &application, "bench", json!({})).await?;
    let admin = ferry.api()?;
    let hash = Scheme::Bcrypt { cost: 10 }.hash(&Password::from(PASSWORD.to_owned()), &System)?;
    let hash = hash.to_stored();
    let user = |number: usize| json!({"email": email(number), "password_hash": hash.expose()});
    let file: Vec<Value> = (0..USERS).map(user).collect();
    let fields = [
        ("connection_id", id.as_str()),
        ("send_completion_email", "false"),
    ];
    let upload = admin.upload(
        "/api/v2/jobs/users-imports",
        &fields,
        ("users", serde_json::to_vec(&file)?),
    );
    let job = expect(202, upload.await?)?;
    let job = admin.finished_job(text(&job, "id")?).await?;
    let inserted = job
        .get("summary")
        .and_then(|summary| summary.get("inserted"));
    ensure!(
        inserted.and_then(Value::as_u64) == u64::try_from(USERS).ok(),
        "{job}"
    );
    let bodies: Vec<Value> = (0..USERS)
        .map(|number| login(&application, "bench", &email(number), PASSWORD))
        .collect();
    for body in &bodies {
        expect(200, application.post_public("/oauth/token", body).await?)?;
    }
    let requests: Requests = Arc::new(
        bodies
            .iter()
            .map(|body| generator::post("/oauth/token", body))
            .collect(),
    );
    let pressure = Pressure {
        connections: 4 * setup.cores,
        ahead: 1,
    };
    let (port, cores) = (port(&ferry)?, setup.cores);
    let (mut rates, mut bares, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setup.turns {
        bares.push(bare::crypto::argon2id(cores, SPAN)?);
        let load = generator::run(port, &requests, pressure, SPAN).context("logins")?;
        rates.push(load.rate);
        own.push(load.own_cores * 100.0);
    }
    table.compare("password login of a migrated user", &rates, &bares, 0.9);
    table.remark(format!(
        "Logins: {} connections; the load generator took {} % of a core, which the server lacked.",
        pressure.connections,
        shown(median(&own))
    ));
    Ok(())
}

fn email(number: usize) -> String {
    format!("user{number}@example.com")
}
